-- lww_map and or_cart: keys with JSON values, and keys with counts. Four states of
-- each: …one by replica 01…; …two by 02… and …three by 03… on top of it, without
-- knowing of each other; …both is what those two become.
\set map_one '\'{"a": 1, "b": {"c":"é"}} @v1:AQAAAQEBAQEBAQEBAQEBAQEBAQGAgISgn8qwxgEBAAACAWEAAAIxAWIAAAt7ImMiOiLDqSJ977V0Uw\''
\set map_two '\'{"a": 2, "z": null} @v1:AQAAAgEBAQEBAQEBAQEBAQEBAQGAgISgn8qwxgECAgICAgICAgICAgICAgICgICkv5_KsMYBAQAAAwFhAQACMgFiAQAAAXoBAAElh4L1\''
\set map_three '\'{"b": 3, "y": 4} @v1:AQAAAgEBAQEBAQEBAQEBAQEBAQGAgISgn8qwxgEDAwMDAwMDAwMDAwMDAwMDgIDE3p_KsMYBAQAAAwFhAQAAAWIBAAIzAXkBAAI05kv22Q\''
\set map_both '\'{"b": 3, "y": 4, "z": null} @v1:AQAAAwEBAQEBAQEBAQEBAQEBAQGAgISgn8qwxgECAgICAgICAgICAgICAgICgICkv5_KsMYBAwMDAwMDAwMDAwMDAwMDA4CAxN6fyrDGAQEAAAQBYQIAAAFiAgACMwF5AgACNAF6AQAB4mYqJQ\''
\set cart_one '\'{"apple":3,"pear":2} @v1:AQABAQEBAQEBAQEBAQEBAQEBAQH__4Ogn8qwxgGAgAQAAgVhcHBsZQQBAAAGBHBlYXIEAQCAgAQEh6769g\''
\set cart_two '\'{"apple":4,"plum":1} @v1:AQACAQEBAQEBAQEBAQEBAQEBAQH__4Ogn8qwxgGAgAQCAgICAgICAgICAgICAgICAf__o7-fyrDGAYCABAACBWFwcGxlBAIAAAYBAAIEcGx1bQQBAYCABAJ65Jw2\''
\set cart_three '\'{"apple":5,"pear":3} @v1:AQACAQEBAQEBAQEBAQEBAQEBAQH__4Ogn8qwxgGAgAQDAwMDAwMDAwMDAwMDAwMDAf__w96fyrDGAYCABAACBWFwcGxlBAIAAAYBAAQEcGVhcgQCAICABAQBgIAEAuw719s\''
\set cart_both '\'{"apple":6,"pear":1,"plum":1} @v1:AQADAQEBAQEBAQEBAQEBAQEBAQH__4Ogn8qwxgGAgAQCAgICAgICAgICAgICAgICAf__o7-fyrDGAYCABAMDAwMDAwMDAwMDAwMDAwMB___D3p_KsMYBgIAEAAMFYXBwbGUEAwAABgEAAgIABARwZWFyBAECgIAEAgRwbHVtBAEBgIAEAsEemXE\''

-- Literals are JSON objects.
SELECT '{}'::lww_map, ' { "b" : [1, 2.50] , "a" : null, "a": {"z":1,"y":2} } '::lww_map, '{"": "", "é\u0301": "👋🏽", "q\"\\": "x @v1:y"}'::jsonb::lww_map;
SELECT '{}'::or_cart, ' { "pear" : 2 , "apple" : -3, "apple" : 4 } '::or_cart, '{"": 0, "👋🏽": 1, "q\"\\ @v1:": 9223372036854775807}'::jsonb::or_cart;
SELECT lww_map_in(lww_map_out('{"x @v1:y": "a @v1:b"}'::jsonb::lww_map)) = '{"x @v1:y": "a @v1:b"}'::jsonb AS lossless_map,
       or_cart_in(or_cart_out('{"x @v1:y": 2}'::jsonb::or_cart)) = '{"x @v1:y": 2}'::jsonb AS lossless_cart;
SELECT '[1]'::lww_map;
SELECT '{"a": 1'::lww_map;
SELECT '{"a": 1} x'::lww_map;
SELECT '{a: 1}'::lww_map;
SELECT '{"a": "\u0000"}'::lww_map;
SELECT '{"\u0000": 1}'::lww_map;
SELECT '[1]'::jsonb::lww_map;
SELECT ('{"a":' || repeat('[', 600) || repeat(']', 600) || '}')::lww_map;
SELECT ('{"a":' || repeat('[', 600) || repeat(']', 600) || '}')::jsonb::lww_map;
SELECT '[1]'::or_cart;
SELECT '{"apple": 1.5}'::or_cart;
SELECT '{"apple": 1.0}'::or_cart;
SELECT '{"apple": "1"}'::or_cart;
SELECT '{"apple": 9223372036854775808}'::or_cart;
SELECT '{"apple": null}'::jsonb::or_cart;
SELECT '5'::jsonb::or_cart;
\set VERBOSITY sqlstate
SELECT '[1]'::lww_map;
SELECT ('{"a":' || repeat('[', 600) || repeat(']', 600) || '}')::lww_map;
SELECT '{"\u0000": 1}'::lww_map;
SELECT '{"apple": 1.5}'::or_cart;
SELECT '{"apple": 9223372036854775808}'::or_cart;
SELECT '5'::jsonb::or_cart;
\set VERBOSITY default

-- Reading, as of jsonb.
SELECT crdt_value(:map_both::lww_map), :map_both::lww_map::jsonb, :map_both::lww_map::json, crdt_cardinality(:map_both::lww_map), crdt_cardinality('{}'::lww_map);
SELECT crdt_value(:cart_both::or_cart), :cart_both::or_cart::jsonb, crdt_cardinality(:cart_both::or_cart), crdt_cardinality('{}'::or_cart);
SELECT crdt_keys(:map_both::lww_map), crdt_keys(:cart_both::or_cart);
SELECT * FROM crdt_each(:map_both::lww_map);
SELECT * FROM crdt_each(:cart_both::or_cart);
SELECT * FROM crdt_each(NULL::or_cart);
SELECT :map_one::lww_map -> 'b' AS object, :map_one::lww_map -> 'x' IS NULL AS not_there, :map_one::lww_map ->> 'a' AS text, :map_one::lww_map #> '{b,c}' AS path, :map_one::lww_map #>> '{b,c}' AS path_text,
       :map_two::lww_map -> 'z' AS json_null, :map_two::lww_map ->> 'z' IS NULL AS null_text, :map_one::lww_map -> NULL IS NULL AS nothing;
SELECT :cart_one::or_cart -> 'apple' AS count, :cart_one::or_cart -> 'x' IS NULL AS not_there, :cart_one::or_cart ->> 'apple' AS text, :cart_one::or_cart #> '{pear}' AS path, :cart_one::or_cart #>> '{pear}' AS path_text,
       (:cart_one::or_cart -> 'apple') + (:cart_one::or_cart -> 'pear') AS sum;
SELECT :map_one::lww_map ? 'a' AS has, :map_one::lww_map ? 'c' AS has_not, :map_one::lww_map ?| '{x,a}' AS "any", :map_one::lww_map ?| ARRAY['x', NULL] AS none, :map_one::lww_map ?& '{a,b}' AS "all", :map_one::lww_map ?& '{a,x}' AS not_all,
       :map_one::lww_map ?& ARRAY['a', NULL] AS all_null, :map_one::lww_map ?& '{}' AS all_of_none,
       :cart_one::or_cart ? 'apple' AS has, :cart_one::or_cart ?| '{x,pear}' AS "any", :cart_one::or_cart ?& '{apple,x}' AS not_all;
SELECT :map_one::lww_map @> '{"a": 1}' AS literal, :map_one::lww_map @> '{"a": 2}' AS other_value, :map_one::lww_map @> '{"b": {}}'::jsonb AS json, '{"b": {"c": "é"}}'::jsonb <@ :map_one::lww_map AS within,
       '{"a": 1}'::lww_map <@ :map_one::lww_map AS below, '{"a": 1}' @> :map_one::lww_map AS above, '{}'::lww_map @> '{}' AS empty,
       :cart_one::or_cart @> '{"apple": 3}' AS literal, :cart_one::or_cart @> '{"apple": 2}'::jsonb AS other_count, '{"pear": 2}'::jsonb <@ :cart_one::or_cart AS within, '{"pear": 2}' <@ :cart_one::or_cart AS below;
SELECT :map_one::lww_map = '{"b": {"c": "é"}, "a": 1}' AS literal, :map_one::lww_map = '{"a": 1, "b": {"c": "é"}}'::jsonb AS json, '{"a": 1}'::jsonb <> :map_one::lww_map AS not_json, '{"a": 1}'::jsonb = :map_one::lww_map AS json_first,
       :map_one::lww_map <> '{}'::jsonb AS json_last, :cart_one::or_cart = '{"pear": 2, "apple": 3}' AS literal, '{"apple": 3, "pear": 2}'::jsonb = :cart_one::or_cart AS json, :cart_one::or_cart <> '{}'::jsonb AS not_json, '{}'::jsonb <> :cart_one::or_cart AS not_json_first;

-- Writing.
SELECT crdt_put('{"a": 1}'::lww_map, 'b', '[2]'), crdt_put('{"a": 1}'::lww_map, 'a', 'null'), crdt_remove('{"a": 1, "b": 2}'::lww_map, 'a'), '{"a": 1}'::lww_map - 'a' AS minus, '{"a": 1}'::lww_map - 'x' AS unknown, crdt_put('{"a": 1}'::lww_map, 'a', NULL) IS NULL AS nothing;
SELECT crdt_put(:map_one::lww_map, 'a', '{"z": 1}')::jsonb, crdt_remove(:map_one::lww_map, 'a')::jsonb, crdt_state(crdt_put(:map_one::lww_map, 'x', '1') - 'a') -> 'change' AS change;
SELECT crdt_put('{}'::lww_map, 'a', (repeat('[', 600) || repeat(']', 600))::jsonb);
SELECT crdt_put('{"apple": 1}'::or_cart, 'pear', 2), crdt_put('{"apple": 1}'::or_cart, 'apple', -5), crdt_increment('{"apple": 1}'::or_cart, 'apple', 2), crdt_increment('{}'::or_cart, 'pear', -2), crdt_increment('{"apple": 1}'::or_cart, 'apple', -1),
       crdt_remove('{"apple": 1}'::or_cart, 'apple'), '{"apple": 1}'::or_cart - 'apple' AS minus, '{"apple": 1}'::or_cart - 'x' AS unknown, crdt_put('{}'::or_cart, 'x', NULL) IS NULL AS nothing;
SELECT crdt_increment(:cart_one::or_cart, 'apple', 4)::jsonb, crdt_put(:cart_one::or_cart, 'apple', 4)::jsonb, crdt_remove(:cart_one::or_cart, 'apple')::jsonb, crdt_increment(:cart_one::or_cart - 'apple', 'apple', 1)::jsonb,
       crdt_state(crdt_increment(:cart_one::or_cart - 'pear', 'apple', 4)) -> 'change' AS change;
SELECT crdt_increment('{"apple": 9223372036854775807}'::or_cart, 'apple', 1);
SELECT crdt_increment(crdt_settle('{"apple": 9223372036854775807}'::or_cart), 'apple', 1)::jsonb;
\set VERBOSITY sqlstate
SELECT crdt_put('{}'::lww_map, 'a', (repeat('[', 600) || repeat(']', 600))::jsonb);
SELECT crdt_increment('{"apple": 9223372036854775807}'::or_cart, 'apple', 1);
\set VERBOSITY default

-- Both sessions' writes count: of a map the later under each key, of a cart the sum.
SELECT crdt_merge(crdt_settle(crdt_put(:map_one::lww_map, 'a', '2')), crdt_settle(crdt_put(:map_one::lww_map, 'x', '3')))::jsonb AS both_keys,
       crdt_merge(crdt_settle(crdt_put(:map_one::lww_map, 'a', '2')), crdt_settle(crdt_put(:map_one::lww_map, 'a', '3')))::jsonb AS later_value,
       crdt_merge(crdt_settle(crdt_put(:map_one::lww_map, 'a', '2')), crdt_settle(:map_one::lww_map - 'a'))::jsonb AS later_removal;
SELECT crdt_merge(crdt_settle(crdt_increment(:cart_one::or_cart, 'apple', 2)), crdt_settle(crdt_increment(:cart_one::or_cart, 'apple', 3)))::jsonb AS both_count,
       crdt_merge(crdt_settle(crdt_increment(:cart_one::or_cart, 'apple', 2)), crdt_settle(:cart_one::or_cart - 'apple'))::jsonb AS added_stays;

-- Inverted indexes: one answer with them and without.
CREATE TABLE page (id int PRIMARY KEY, map lww_map, cart or_cart);
INSERT INTO page SELECT i, jsonb_build_object('g' || i % 3, i % 2, 'e' || i, 1), jsonb_build_object('g' || i % 3, i % 2, 'e' || i, 1) FROM generate_series(1, 300) i;
INSERT INTO page VALUES (301, '{}', '{}'), (302, NULL, NULL), (303, :map_both, :cart_both);
CREATE INDEX page_map ON page USING gin (map);
CREATE INDEX page_cart ON page USING gin (cart);
CREATE FUNCTION counted(condition text, with_index bool) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    rows bigint;
BEGIN
    PERFORM set_config('enable_seqscan', (NOT with_index)::text, true), set_config('enable_bitmapscan', with_index::text, true);
    EXECUTE 'SELECT count(*) FROM page WHERE ' || condition INTO rows;
    RETURN rows;
END
$$;
SELECT condition, counted('map ' || condition, true) AS map, counted('map ' || condition, false) AS map_without, counted('cart ' || condition, true) AS cart, counted('cart ' || condition, false) AS cart_without
  FROM unnest(ARRAY[$$? 'g1'$$, $$? 'apple'$$, $$? 'z'$$, $$? 'nothing'$$, $$?| '{e1,e2,nothing}'$$, $$?| '{}'$$, $$?| ARRAY['e1', NULL]$$, $$?& '{g1,e4}'$$, $$?& '{}'$$, $$?& ARRAY['g1', NULL]$$,
                    $$@> '{"g1": 1}'$$, $$@> '{"g1": 1, "e7": 1}'$$, $$@> '{"g1": 5}'$$, $$@> '{}'$$]) AS condition;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM page WHERE map @> '{"g1": 1}';
EXPLAIN (COSTS OFF) SELECT id FROM page WHERE cart ?& '{g1,e4}';
RESET enable_seqscan;
DROP FUNCTION counted;
DROP TABLE page;

-- Too large to be read back is refused as it is made.
SELECT crdt_put('{}'::lww_map, 'a', to_jsonb(repeat('x', 63000000)));

-- A map that is moved out of its row.
CREATE TABLE large (map lww_map, cart or_cart);
INSERT INTO large SELECT jsonb_object_agg(md5(n::text), n), jsonb_object_agg(md5(n::text), n) FROM generate_series(1, 5000) AS n;
UPDATE large SET map = crdt_settle(map), cart = crdt_settle(cart);
SELECT crdt_cardinality(map), map -> md5('77') AS has, crdt_put(map, 'x', '1') ? 'x' AS grown, map = map::text::lww_map AS same, crdt_cardinality(cart), cart -> md5('77') AS has, crdt_increment(cart, md5('77'), 3) -> md5('77') AS more, cart = cart::text::or_cart AS same FROM large;
DROP TABLE large;
