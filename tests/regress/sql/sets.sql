-- aw_set and lww_set: what sets have (or_set.sql), on the two that differ in how
-- they merge; and the values of lww_set. Four states of each: …one by replica
-- 01…; …two by 02… and …three by 03… on top of it, without knowing of each other;
-- …both is what those two become.
\set aw_one '\'{a,"b c"} @v1:AQABAQEBAQEBAQEBAQEBAQEBAQH__4Ogn8qwxgGAgAQCAQNhYiBjAAAAgIAE_e7GQQ\''
\set aw_two '\'{a,z} @v1:AQACAQEBAQEBAQEBAQEBAQEBAQH__4Ogn8qwxgGAgAQCAgICAgICAgICAgICAgICAf__o7-fyrDGAQACAQFhegAAAgBZ5kq_\''
\set aw_three '\'{"b c",y} @v1:AQACAQEBAQEBAQEBAQEBAQEBAQH__4Ogn8qwxgGAgAQDAwMDAwMDAwMDAwMDAwMDAf__w96fyrDGAQACAwFiIGN5AICABAIA4PNQvw\''
\set aw_both '\'{y,z} @v1:AQADAQEBAQEBAQEBAQEBAQEBAQH__4Ogn8qwxgGAgAQCAgICAgICAgICAgICAgICAf__o7-fyrDGAQADAwMDAwMDAwMDAwMDAwMDAf__w96fyrDGAQACAQF5egQAAgDiQz2O\''
\set lww_one '\'{a,"b c"} @v1:AQAAAQEBAQEBAQEBAQEBAQEBAQGAgISgn8qwxgEBAAACAWEAAAEDYiBjAAABYREv-g\''
\set lww_two '\'{a,z} @v1:AQAAAgEBAQEBAQEBAQEBAQEBAQGAgISgn8qwxgECAgICAgICAgICAgICAgICgICkv5_KsMYBAQAAAwFhAAABA2IgYwEAAAF6AQAB77Vjzw\''
\set lww_three '\'{"b c": 1, "y": null} @v1:AQAAAgEBAQEBAQEBAQEBAQEBAQGAgISgn8qwxgEDAwMDAwMDAwMDAwMDAwMDgIDE3p_KsMYBAQAAAwFhAQAAA2IgYwEAAjEBeQEAAQgF_M0\''
\set lww_both '\'{"b c": 1, "y": null, "z": null} @v1:AQAAAwEBAQEBAQEBAQEBAQEBAQGAgISgn8qwxgECAgICAgICAgICAgICAgICgICkv5_KsMYBAwMDAwMDAwMDAwMDAwMDA4CAxN6fyrDGAQEAAAQBYQIAAANiIGMCAAIxAXkCAAEBegEAAUizPjM\''

-- aw_set: literals in the notation of arrays.
SELECT '{}'::aw_set, '{b,a,a}'::aw_set, ' { "b c" , "", "null", "q\"\\", "{x}" , ü } '::aw_set, '{"👋🏽","é","@v1:","''"}'::aw_set;
SELECT ('{"👋🏽","é","q\"\\"}'::aw_set)::text[] = ARRAY['q"\', 'é', '👋🏽'] AS same_text, ARRAY['x @v1:y']::aw_set::text::aw_set::text[] AS marker,
       (:aw_one::aw_set + 'x @v1:y' - 'a' + E'q"\\')::text::aw_set::text = (:aw_one::aw_set + 'x @v1:y' - 'a' + E'q"\\')::text AS lossless;
SELECT 'a'::aw_set;
SELECT '{a,NULL}'::aw_set;
SELECT '{{a},{b}}'::aw_set;
SELECT '{a'::aw_set;
SELECT '{"x @v1:y"}'::aw_set;
SELECT '{a} x'::aw_set;
-- One in, one out; many in, many out.
SELECT '{a}'::aw_set + 'b', '{a}'::aw_set + 'a', '{a,b}'::aw_set - 'a', '{a,b}'::aw_set - 'x', '{a}'::aw_set + 'b' - 'a' + 'c', '{a}'::aw_set + 'x'::varchar, '{}'::aw_set + NULL::text AS nothing;
SELECT '{a}'::aw_set + ARRAY['c', 'b', 'c'] AS added, '{a,b,c}'::aw_set - ARRAY['c', 'x', NULL] AS removed, '{a}'::aw_set + '{}'::text[] AS none, '{a}'::aw_set + NULL::text[] AS nothing, '{a}'::aw_set - NULL::text AS nothing;
SELECT '{a}'::aw_set + ARRAY['b', NULL];
SELECT (:aw_one::aw_set + 'z')::text[], (:aw_one::aw_set - 'a')::text[], (:aw_one::aw_set - 'a' + 'a')::text[], (:aw_one::aw_set + ARRAY['x', 'y'])::text[], (:aw_one::aw_set - ARRAY['a', 'b c'])::text[];
SELECT crdt_state(:aw_one::aw_set + 'x' - 'a') -> 'change' AS change;
-- What is in it.
SELECT :aw_one::aw_set ? 'a' AS has, :aw_one::aw_set ? 'b' AS has_not, :aw_one::aw_set + 'b' ? 'b' AS wanted, :aw_one::aw_set ?| '{x,a}' AS "any", :aw_one::aw_set ?| '{x,y}' AS none, :aw_one::aw_set ?| ARRAY['a', NULL] AS any_null,
       :aw_one::aw_set ?& '{a,"b c"}' AS "all", :aw_one::aw_set ?& '{a,x}' AS not_all, :aw_one::aw_set ?& ARRAY['a', NULL] AS all_null, :aw_one::aw_set ?& '{}' AS all_of_none;
SELECT :aw_one::aw_set @> '{a}' AS literal, :aw_one::aw_set @> ARRAY['a', 'b c'] AS "array", :aw_one::aw_set @> '{a,x}' AS no, :aw_one::aw_set @> ARRAY['a', NULL] AS with_null, '{}'::aw_set @> '{}' AS empty,
       '{a}' <@ :aw_one::aw_set AS within, ARRAY['a'] <@ :aw_one::aw_set AS array_within, :aw_one::aw_set <@ '{a,"b c",d}' AS below, :aw_one::aw_set <@ ARRAY['a'] AS not_below, ARRAY['a', 'b c', 'd'] @> :aw_one::aw_set AS above;
SELECT crdt_elements(:aw_both::aw_set + 'x'), crdt_elements(NULL::aw_set);
SELECT crdt_cardinality(:aw_one::aw_set), crdt_cardinality('{}'::aw_set), crdt_cardinality(:aw_one::aw_set + 'x'), crdt_value(:aw_two::aw_set), 'a' = ANY (:aw_one::aw_set::text[]) AS "any";
-- Casts; comparison with arrays, where order and repetitions do not count.
SELECT :aw_one::aw_set::text[], :aw_one::aw_set::json, :aw_one::aw_set::jsonb, ARRAY['b', 'a', 'b']::aw_set, ARRAY['b', 'a']::varchar[]::aw_set;
SELECT ARRAY['a', NULL]::aw_set;
SELECT :aw_one::aw_set = '{"b c",a}' AS literal, :aw_one::aw_set = ARRAY['b c', 'a', 'a'] AS "array", ARRAY['a'] <> :aw_one::aw_set AS differs, :aw_one::aw_set <> ARRAY['a'] AS differs_too, ARRAY['a', 'b c'] = :aw_one::aw_set AS array_first,
       :aw_one::aw_set = ARRAY['a', 'b c', NULL] AS with_null, '{a}'::aw_set < '{b}' AS lt, '{a}'::aw_set <= '{a,b}' AS le, '{b}'::aw_set > '{a,z}' AS gt;
\set VERBOSITY sqlstate
SELECT 'a'::aw_set;
SELECT '{a,NULL}'::aw_set;
SELECT ARRAY['a', NULL]::aw_set;
SELECT '{a}'::aw_set + ARRAY['b', NULL];
\set VERBOSITY default
-- Both sessions' additions count, though they start from one value.
SELECT crdt_value(crdt_merge(crdt_settle(:aw_one::aw_set + 'x'), crdt_settle(:aw_one::aw_set + 'y'))) AS both_count,
       crdt_value(crdt_merge(:aw_one::aw_set, crdt_settle(:aw_one::aw_set - 'a'))) AS removed;

-- lww_set: literals in the notation of arrays.
SELECT '{}'::lww_set, '{b,a,a}'::lww_set, ' { "b c" , "", "null", "q\"\\", "{x}" , ü } '::lww_set, '{"👋🏽","é","@v1:","''"}'::lww_set;
SELECT ('{"👋🏽","é","q\"\\"}'::lww_set)::text[] = ARRAY['q"\', 'é', '👋🏽'] AS same_text, ARRAY['x @v1:y']::lww_set::text::lww_set::text[] AS marker,
       (:lww_one::lww_set + 'x @v1:y' - 'a' + E'q"\\')::text::lww_set::text = (:lww_one::lww_set + 'x @v1:y' - 'a' + E'q"\\')::text AS lossless;
SELECT 'a'::lww_set;
SELECT '{a,NULL}'::lww_set;
SELECT '{{a},{b}}'::lww_set;
SELECT '{a'::lww_set;
SELECT '{"x @v1:y"}'::lww_set;
SELECT '{a} x'::lww_set;
-- One in, one out; many in, many out.
SELECT '{a}'::lww_set + 'b', '{a}'::lww_set + 'a', '{a,b}'::lww_set - 'a', '{a,b}'::lww_set - 'x', '{a}'::lww_set + 'b' - 'a' + 'c', '{a}'::lww_set + 'x'::varchar, '{}'::lww_set + NULL::text AS nothing;
SELECT '{a}'::lww_set + ARRAY['c', 'b', 'c'] AS added, '{a,b,c}'::lww_set - ARRAY['c', 'x', NULL] AS removed, '{a}'::lww_set + '{}'::text[] AS none, '{a}'::lww_set + NULL::text[] AS nothing, '{a}'::lww_set - NULL::text AS nothing;
SELECT '{a}'::lww_set + ARRAY['b', NULL];
SELECT (:lww_one::lww_set + 'z')::text[], (:lww_one::lww_set - 'a')::text[], (:lww_one::lww_set - 'a' + 'a')::text[], (:lww_one::lww_set + ARRAY['x', 'y'])::text[], (:lww_one::lww_set - ARRAY['a', 'b c'])::text[];
SELECT crdt_state(:lww_one::lww_set + 'x' - 'a') -> 'change' AS change;
-- What is in it.
SELECT :lww_one::lww_set ? 'a' AS has, :lww_one::lww_set ? 'b' AS has_not, :lww_one::lww_set + 'b' ? 'b' AS wanted, :lww_one::lww_set ?| '{x,a}' AS "any", :lww_one::lww_set ?| '{x,y}' AS none, :lww_one::lww_set ?| ARRAY['a', NULL] AS any_null,
       :lww_one::lww_set ?& '{a,"b c"}' AS "all", :lww_one::lww_set ?& '{a,x}' AS not_all, :lww_one::lww_set ?& ARRAY['a', NULL] AS all_null, :lww_one::lww_set ?& '{}' AS all_of_none;
SELECT :lww_one::lww_set @> '{a}' AS literal, :lww_one::lww_set @> ARRAY['a', 'b c'] AS "array", :lww_one::lww_set @> '{a,x}' AS no, :lww_one::lww_set @> ARRAY['a', NULL] AS with_null, '{}'::lww_set @> '{}' AS empty,
       '{a}' <@ :lww_one::lww_set AS within, ARRAY['a'] <@ :lww_one::lww_set AS array_within, :lww_one::lww_set <@ '{a,"b c",d}' AS below, :lww_one::lww_set <@ ARRAY['a'] AS not_below, ARRAY['a', 'b c', 'd'] @> :lww_one::lww_set AS above;
SELECT crdt_elements(:lww_both::lww_set + 'x'), crdt_elements(NULL::lww_set);
SELECT crdt_cardinality(:lww_one::lww_set), crdt_cardinality('{}'::lww_set), crdt_cardinality(:lww_one::lww_set + 'x'), crdt_value(:lww_two::lww_set), 'a' = ANY (:lww_one::lww_set::text[]) AS "any";
-- Casts; comparison with arrays, where order and repetitions do not count.
SELECT :lww_one::lww_set::text[], :lww_one::lww_set::json, :lww_one::lww_set::jsonb, ARRAY['b', 'a', 'b']::lww_set, ARRAY['b', 'a']::varchar[]::lww_set;
SELECT ARRAY['a', NULL]::lww_set;
SELECT :lww_one::lww_set = '{"b c",a}' AS literal, :lww_one::lww_set = ARRAY['b c', 'a', 'a'] AS "array", ARRAY['a'] <> :lww_one::lww_set AS differs, :lww_one::lww_set <> ARRAY['a'] AS differs_too, ARRAY['a', 'b c'] = :lww_one::lww_set AS array_first,
       :lww_one::lww_set = ARRAY['a', 'b c', NULL] AS with_null, '{a}'::lww_set < '{b}' AS lt, '{a}'::lww_set <= '{a,b}' AS le, '{b}'::lww_set > '{a,z}' AS gt;
\set VERBOSITY sqlstate
SELECT 'a'::lww_set;
SELECT '{a,NULL}'::lww_set;
SELECT ARRAY['a', NULL]::lww_set;
SELECT '{a}'::lww_set + ARRAY['b', NULL];
\set VERBOSITY default
-- Both sessions' additions count, though they start from one value.
SELECT crdt_value(crdt_merge(crdt_settle(:lww_one::lww_set + 'x'), crdt_settle(:lww_one::lww_set + 'y'))) AS both_count,
       crdt_value(crdt_merge(:lww_one::lww_set, crdt_settle(:lww_one::lww_set - 'a'))) AS removed;

-- Where they differ: a is removed by one and added again, unseen, by the other. An
-- addition wins in an aw_set; the later write wins in an lww_set.
SELECT crdt_value(crdt_merge(crdt_settle(:aw_one::aw_set + 'a'), crdt_settle(:aw_one::aw_set - 'a'))) AS added_removed,
       crdt_value(crdt_merge(crdt_settle(:lww_one::lww_set - 'a'), crdt_settle(crdt_put(:lww_one::lww_set, 'a', '1')))) AS later_addition,
       crdt_value(crdt_merge(crdt_settle(crdt_put(:lww_one::lww_set, 'a', '1')), crdt_settle(:lww_one::lww_set - 'a'))) AS later_removal;
-- What was removed leaves nothing behind in an aw_set; in an lww_set, until it is compacted.
SELECT octet_length(aw_set_send(crdt_settle(:aw_one::aw_set - ARRAY['a', 'b c']))) < octet_length(aw_set_send(:aw_one)) AS shrinks,
       crdt_state(:lww_two::lww_set) #> '{entries,b c,removed}' AS kept,
       crdt_state(crdt_compact(:lww_two::lww_set, '{"01010101010101010101010101010101": 111677748150337536, "02020202020202020202020202020202": 111677748150337536}')) #> '{entries,b c,removed}' AS compacted;

-- An element of an lww_set may carry a value.
SELECT '{"a": 1, "b": null}'::lww_set, '{"a":{"deep":[1,2.50]}}'::lww_set, '{"a": null}'::lww_set, '{"a":1,"a":2}'::lww_set;
SELECT '{"a":1'::lww_set;
SELECT crdt_put('{a}'::lww_set, 'b', '[1]'), crdt_put('{a}'::lww_set, 'a', '"v"'), crdt_put(:lww_one::lww_set, 'a', '1')::jsonb, crdt_put(:lww_one::lww_set, 'a', NULL) IS NULL AS nothing;
SELECT crdt_put('{a}'::lww_set, 'b', '[1]') -> 'b' AS set, '{a}'::lww_set -> 'a' AS valueless, '{a}'::lww_set -> 'x' IS NULL AS not_there, :lww_both::lww_set -> 'b c' AS state, :lww_both::lww_set -> NULL IS NULL AS nothing;
SELECT '{"a": 1}'::lww_set = '{a}' AS with_value, '{"a": 1}'::lww_set = '{"a": 2}'::lww_set AS values_differ, '{"a": 1}'::lww_set = ARRAY['a'] AS elements, '{"a": 1}'::lww_set @> '{"a": 2}'::lww_set AS contains;
SELECT crdt_put('{a}'::lww_set, 'b', (repeat('[', 600) || repeat(']', 600))::jsonb);
SELECT crdt_put(crdt_settle(crdt_put('{a}'::lww_set, 'b', '1')), 'b', '2') -> 'b' AS later, crdt_settle(crdt_put('{a}'::lww_set, 'b', '1')) + 'b' -> 'b' AS added_again,
       (crdt_settle(crdt_put('{a}'::lww_set, 'b', '1')) - 'b') -> 'b' IS NULL AS removed;

-- Inverted indexes: one answer with them and without.
CREATE TABLE page (id int PRIMARY KEY, aw aw_set, lww lww_set);
INSERT INTO page SELECT i, ARRAY['g' || i % 3, 'e' || i], ARRAY['g' || i % 3, 'e' || i] FROM generate_series(1, 300) i;
INSERT INTO page VALUES (301, '{}', '{}'), (302, NULL, NULL), (303, :aw_both, :lww_both), (304, '{"two words"}', '{"two words": [1]}');
CREATE INDEX page_aw ON page USING gin (aw);
CREATE INDEX page_lww ON page USING gin (lww);
CREATE FUNCTION counted(condition text, with_index bool) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    rows bigint;
BEGIN
    PERFORM set_config('enable_seqscan', (NOT with_index)::text, true), set_config('enable_bitmapscan', with_index::text, true);
    EXECUTE 'SELECT count(*) FROM page WHERE ' || condition INTO rows;
    RETURN rows;
END
$$;
SELECT condition, counted('aw ' || condition, true) AS aw, counted('aw ' || condition, false) AS aw_without, counted('lww ' || condition, true) AS lww, counted('lww ' || condition, false) AS lww_without
  FROM unnest(ARRAY[$$? 'g1'$$, $$? 'two words'$$, $$? 'z'$$, $$? 'nothing'$$, $$?| '{e1,e2,nothing}'$$, $$?| '{}'$$, $$?| ARRAY['e1', NULL]$$, $$?& '{g1,e4}'$$, $$?& '{}'$$, $$?& ARRAY['g1', NULL]$$,
                    $$@> '{g1,e4}'$$, $$@> '{g1,e4}'::text[]$$, $$@> '{}'$$]) AS condition;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM page WHERE aw @> '{g1,e4}';
EXPLAIN (COSTS OFF) SELECT id FROM page WHERE lww @> ARRAY['g1', 'e4'];
EXPLAIN (COSTS OFF) SELECT id FROM page WHERE lww ? 'g1' AND aw ?| '{e1,e4}';
SELECT id FROM page WHERE lww ? 'g1' AND aw ?| '{e1,e4}' ORDER BY id;
RESET enable_seqscan;
DROP FUNCTION counted;
DROP TABLE page;

-- Too large to be read back is refused as it is made.
SELECT '{}'::aw_set + repeat('x', 63000000);
SELECT ARRAY[repeat('x', 63000000)]::lww_set;
\set VERBOSITY sqlstate
SELECT '{}'::aw_set + repeat('x', 63000000);
\set VERBOSITY default

-- A set that is moved out of its row.
CREATE TABLE large (aw aw_set, lww lww_set);
INSERT INTO large SELECT array_agg(md5(n::text)), array_agg(md5(n::text)) FROM generate_series(1, 5000) AS n;
UPDATE large SET aw = crdt_settle(aw), lww = crdt_settle(lww);
SELECT crdt_cardinality(aw), aw ? md5('77') AS has, aw + 'x' @> ARRAY['x', md5('1')] AS grown, aw = aw::text::aw_set AS same, pg_column_size(aw) < 200000 AS small,
       crdt_cardinality(lww), lww ? md5('77') AS has, lww + 'x' @> ARRAY['x', md5('1')] AS grown, lww = lww::text::lww_set AS same, pg_column_size(lww) < 250000 AS small FROM large;
DROP TABLE large;
