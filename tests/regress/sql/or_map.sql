-- or_map: keys with counters, registers, sets and maps, by a key or by a path.
-- Four states: :one by replica 01…; :two by 02… and :three by 03… on top of it,
-- without knowing of each other; :both is what those two become.
\set one '\'{"m":{"k":"é"},"n":3,"s":["x"]} @v1:AQABAQEBAQEBAQEBAQEBAQEBAQH__4Ogn8qwxgGAgAgAAwFtAQEBawgBAAAEIsOpIgFuBAEAgIAEBgFzAgEBeAEAgIAIgC-Atg\''
\set two '\'{"n":5,"s":["x","y"]} @v1:AQACAQEBAQEBAQEBAQEBAQEBAQH__4Ogn8qwxgGAgAgCAgICAgICAgICAgICAgICAf__o7-fyrDGAYCABAACAW4EAgCAgAQGAQAEAXMCAgF4AQCAgAgBeQEBgIAE-BpeqA\''
\set three '\'{"m":{"k":"é","l":1},"n":7} @v1:AQACAQEBAQEBAQEBAQEBAQEBAQH__4Ogn8qwxgGAgAgDAwMDAwMDAwMDAwMDAwMDAf__w96fyrDGAYCABAACAW0BAgFrCAEAAAQiw6kiAWwIAQEAATEBbgQCAICABAYBgIAECBlP3-A\''
\set both '\'{"m":{"l":1},"n":9,"s":["y"]} @v1:AQADAQEBAQEBAQEBAQEBAQEBAQH__4Ogn8qwxgGAgAgCAgICAgICAgICAgICAgICAf__o7-fyrDGAYCABAMDAwMDAwMDAwMDAwMDAwMB___D3p_KsMYBgIAEAAMBbQEBAWwIAQIAATEBbgQDAICABAYBAAQCgIAECAFzAgEBeQEBgIAEmw621Q\''

-- Literals are JSON objects; of what is not there yet, an object becomes a map and all else a register.
SELECT '{}'::or_map, ' { "b" : [1, 2.50] , "a" : null, "a": {"z":1,"y":{}} } '::or_map, '{"": "", "é\u0301": "👋🏽", "q\"\\": "x @v1:y"}'::jsonb::or_map;
SELECT or_map_in(or_map_out('{"x @v1:y": "a @v1:b"}'::jsonb::or_map)) = '{"x @v1:y": "a @v1:b"}'::jsonb AS lossless,
       or_map_send(or_map_in(or_map_out(crdt_increment(:one::or_map, 'n', 2) - 's'))) = or_map_send(crdt_increment(:one::or_map, 'n', 2) - 's') AS lossless_wish;
SELECT crdt_state('{"m": {"r": 1}, "l": ["x"]}'::or_map) #> '{change,assign}' AS kinds;
SELECT '[1]'::or_map;
SELECT '{"a": 1'::or_map;
SELECT '{"a": 1} x'::or_map;
SELECT '{"\u0000": 1}'::or_map;
SELECT '5'::jsonb::or_map;
SELECT (repeat('{"a":', 600) || '1' || repeat('}', 600))::or_map;
SELECT (repeat('{"a":', 600) || '1' || repeat('}', 600))::jsonb::or_map;
\set VERBOSITY sqlstate
SELECT '[1]'::or_map;
SELECT '{"\u0000": 1}'::or_map;
SELECT (repeat('{"a":', 600) || '1' || repeat('}', 600))::or_map;
\set VERBOSITY default

-- Reading, as of jsonb.
SELECT crdt_value(:one::or_map), :both::or_map::jsonb, crdt_cardinality(:one::or_map), crdt_cardinality('{}'::or_map);
SELECT crdt_keys(:one::or_map);
SELECT * FROM crdt_each(:one::or_map);
SELECT :one::or_map -> 'n' AS counter, :one::or_map -> 's' AS set, :one::or_map -> 'm' AS map, :one::or_map ->> 'n' AS text, :one::or_map #> '{m,k}' AS path, :one::or_map #>> '{m,k}' AS path_text, :one::or_map #> '{s,0}' AS element,
       :one::or_map -> 'x' IS NULL AS not_there, :one::or_map -> NULL IS NULL AS nothing;
SELECT :one::or_map ? 'n' AS has, :one::or_map ? 'k' AS not_nested, :one::or_map ?| '{x,m}' AS "any", :one::or_map ?| ARRAY['x', NULL] AS none, :one::or_map ?& '{m,n,s}' AS "all", :one::or_map ?& '{m,x}' AS not_all, :one::or_map ?& ARRAY['m', NULL] AS all_null;
SELECT :one::or_map @> '{"n": 3}' AS literal, :one::or_map @> '{"n": 2}' AS other_value, :one::or_map @> '{"m": {}, "s": ["x"]}'::jsonb AS json, '{"m": {"k": "é"}}'::jsonb <@ :one::or_map AS within, '{"n": 3}' <@ :one::or_map AS below, '{}'::or_map @> '{}' AS empty;
SELECT :one::or_map = '{"n": 3, "s": ["x"], "m": {"k": "é"}}'::jsonb AS json, '{"n": 3}'::jsonb = :one::or_map AS json_first, :one::or_map <> '{"n": 3}'::jsonb AS not_json, '{"n": 3}'::jsonb <> :one::or_map AS not_json_first;

-- Writing, by a key or by a path.
SELECT crdt_increment('{}'::or_map, 'n', 2), crdt_increment(crdt_increment('{}'::or_map, 'n', 2), 'n', -5)::jsonb, crdt_increment('{}'::or_map, '{a,b,c}'::text[], 1)::jsonb, crdt_increment('{}'::or_map, 'n', 0)::jsonb;
SELECT crdt_add('{}'::or_map, 's', 'x')::jsonb, crdt_add(crdt_add('{}'::or_map, 's', 'y'), 's', 'x')::jsonb, crdt_add('{}'::or_map, '{a,s}'::text[], 'x')::jsonb, crdt_remove(crdt_add('{}'::or_map, 's', 'y'), 's', 'y')::jsonb, crdt_remove('{}'::or_map, '{a,s}'::text[], 'y')::jsonb;
SELECT crdt_put('{}'::or_map, 'r', '"x"')::jsonb, crdt_put('{}'::or_map, '{a,r}'::text[], '[1]')::jsonb, crdt_put('{"r": 1}'::or_map, 'r', '{"s": 2}')::jsonb, crdt_put('{"r": {"s": 2, "t": 3}}'::or_map, 'r', '{"s": 1}')::jsonb, crdt_put('{"r": 1}'::or_map, 'r', 'null')::jsonb, crdt_put('{}'::or_map, 'r', '{}')::jsonb;
SELECT crdt_remove('{"a": 1, "b": {"c": 2, "d": 3}}'::or_map, 'a')::jsonb, crdt_remove('{"a": 1, "b": {"c": 2, "d": 3}}'::or_map, '{b,c}'::text[])::jsonb, ('{"a": 1}'::or_map - 'a')::jsonb AS minus, ('{"a": 1}'::or_map - 'x')::jsonb AS unknown, crdt_remove('{"b": {"c": 2}}'::or_map, '{b,c}'::text[])::jsonb AS last;
SELECT crdt_increment(:one::or_map, 'n', 2)::jsonb -> 'n' AS more, crdt_add(:one::or_map, 's', 'z')::jsonb -> 's' AS added, crdt_remove(:one::or_map, 's', 'x')::jsonb AS last_removed, crdt_put(:one::or_map, '{m,k}'::text[], '1')::jsonb -> 'm' AS put, (:one::or_map - 'm')::jsonb AS without;
\set SHOW_CONTEXT never
-- Where a counter or a set is, a number or an array of texts becomes what it shows.
SELECT crdt_state(crdt_settle(crdt_put(:one::or_map, 'n', '10'))) #> '{keys,n}' ? 'counter' AS counter, crdt_put(:one::or_map, 'n', '10') -> 'n' AS n, crdt_state(crdt_settle(crdt_put(:one::or_map, 's', '["y"]'))) #> '{keys,s}' ? 'set' AS set, crdt_put(:one::or_map, 's', '["y"]') -> 's' AS s,
       crdt_put(:one::or_map, 'n', '"ten"') -> 'n' AS other_kind, crdt_increment(:one::or_map, 's', 1) -> 's' AS counter_wins, crdt_state(crdt_increment(:one::or_map, 'n', 2) - 's') -> 'change' AS change;
SELECT crdt_put('{}'::or_map, '{}'::text[], '1');
SELECT crdt_put('{}'::or_map, ARRAY['a', NULL], '1');
SELECT crdt_increment(crdt_increment('{}'::or_map, 'n', 9223372036854775807), 'n', 1);
SELECT crdt_put('{}'::or_map, 'r', (repeat('[', 600) || repeat(']', 600))::jsonb);
SELECT crdt_put('{}'::or_map, array_fill('a'::text, ARRAY[600]), '1');
SELECT crdt_put('{}'::or_map, NULL::text, '1') IS NULL AS no_key, crdt_put('{}'::or_map, 'a', NULL) IS NULL AS no_value, crdt_increment(NULL::or_map, 'a', 1) IS NULL AS no_map;
\set VERBOSITY sqlstate
SELECT crdt_put('{}'::or_map, '{}'::text[], '1');
SELECT crdt_put('{}'::or_map, ARRAY['a', NULL], '1');
SELECT crdt_increment(crdt_increment('{}'::or_map, 'n', 9223372036854775807), 'n', 1);
SELECT crdt_put('{}'::or_map, 'r', (repeat('[', 600) || repeat(']', 600))::jsonb);
SELECT crdt_put('{}'::or_map, array_fill('a'::text, ARRAY[600]), '1');
\set VERBOSITY default

-- Both sessions' writes count, however deep; what a removal had not seen, stays.
SELECT crdt_merge(crdt_settle(crdt_increment(:one::or_map, 'n', 2)), crdt_settle(crdt_increment(:one::or_map, 'n', 4))) -> 'n' AS both_count,
       crdt_merge(crdt_settle(crdt_add(:one::or_map, 's', 'y')), crdt_settle(crdt_add(:one::or_map, 's', 'z'))) -> 's' AS both_added,
       crdt_merge(crdt_settle(crdt_put(:one::or_map, '{m,x}'::text[], '1')), crdt_settle(crdt_put(:one::or_map, '{m,y}'::text[], '2'))) -> 'm' AS both_keys,
       crdt_merge(crdt_settle(crdt_increment(:one::or_map, 'n', 2)), crdt_settle(:one::or_map - 'n')) -> 'n' AS unseen,
       crdt_merge(crdt_settle(crdt_put(:one::or_map, '{m,k}'::text[], '1')), crdt_settle(crdt_put(:one::or_map, '{m,k}'::text[], '2'))) #> '{m,k}' AS later;

-- Inverted index over the keys: one answer with it and without.
CREATE TABLE page (id int PRIMARY KEY, map or_map);
INSERT INTO page SELECT i, jsonb_build_object('g' || i % 3, i % 2, 'e' || i, 1) FROM generate_series(1, 300) i;
INSERT INTO page VALUES (301, '{}'), (302, NULL), (303, :both), (304, crdt_increment('{}'::or_map, 'n', 1));
CREATE INDEX page_map ON page USING gin (map);
CREATE FUNCTION counted(condition text, with_index bool) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    rows bigint;
BEGIN
    PERFORM set_config('enable_seqscan', (NOT with_index)::text, true), set_config('enable_bitmapscan', with_index::text, true);
    EXECUTE 'SELECT count(*) FROM page WHERE ' || condition INTO rows;
    RETURN rows;
END
$$;
SELECT condition, counted('map ' || condition, true) AS with_index, counted('map ' || condition, false) AS without
  FROM unnest(ARRAY[$$? 'g1'$$, $$? 'n'$$, $$? 'nothing'$$, $$?| '{e1,e2,nothing}'$$, $$?| '{}'$$, $$?& '{g1,e4}'$$, $$?& '{}'$$, $$?& ARRAY['g1', NULL]$$, $$@> '{"g1": 1}'$$, $$@> '{"n": 9}'$$, $$@> '{"m": {"l": 1}}'$$, $$@> '{}'$$]) AS condition;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM page WHERE map @> '{"g1": 1}';
RESET enable_seqscan;
DROP FUNCTION counted;
DROP TABLE page;

-- A tracked row: values are written by key, by path and whole; a stale copy loses nothing.
CREATE TABLE profile (id integer PRIMARY KEY, map or_map NOT NULL DEFAULT '{}');
SELECT crdt_track('profile');
INSERT INTO profile VALUES (1, crdt_increment(crdt_add('{"name": "Ada"}'::or_map, 'tags', 'x'), '{visits,home}'::text[], 1)), (2, DEFAULT), (3, :both), (4, '{"n": 5}'::jsonb);
SELECT id, map::jsonb FROM profile ORDER BY id;
UPDATE profile SET map = crdt_increment(map, '{visits,home}'::text[], 2) WHERE id = 1 RETURNING map::jsonb;
UPDATE profile SET map = crdt_put(crdt_add(map, 'tags', 'y'), 'name', '"Grace"') - 'unknown' WHERE id = 1 RETURNING map::jsonb;
UPDATE profile SET map = '{"name": "Grace", "visits": {"home": 10, "shop": 1}, "tags": ["y", "z"]}'::jsonb WHERE id = 1 RETURNING map::jsonb, crdt_state(map) #> '{keys,visits,map,home}' ? 'counter' AS still_a_counter, crdt_state(map) #> '{keys,tags}' ? 'set' AS still_a_set;
UPDATE profile SET map = '{"name": "Grace"}' WHERE id = 1 RETURNING map::jsonb;
DO $$
DECLARE
    seen or_map := (SELECT map FROM profile WHERE id = 3);
BEGIN
    UPDATE profile SET map = crdt_add(crdt_increment(map, 'n', 1), 's', 'meanwhile') WHERE id = 3;
    UPDATE profile SET map = crdt_increment(seen, 'n', 1) - 's' WHERE id = 3;
END
$$;
SELECT map::jsonb FROM profile WHERE id = 3;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT verify_chain();
COMMIT;
SELECT crdt_untrack('profile');
DROP TABLE profile;
