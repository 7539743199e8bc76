-- or_set: what SQL may do with a set. Two states are used throughout:
-- :one holds a and "b c"; :two holds a (seen twice) and z, and has removed one addition.
\set one '\'{a,"b c"} @v1:AQABAQEBAQEBAQEBAQEBAQEBAYGABAIBYQEAAANiIGMBAAEA4CWrVg\''
\set two '\'{a,z} @v1:AQACAQEBAQEBAQEBAQEBAQEBAYGABAICAgICAgICAgICAgICAgKBgAgCAWECAAABAAF6AQEBAQEAR3lt3w\''

-- Text: plain literals in the notation of arrays, and states, come back as they went in.
SELECT '{}'::or_set, '{b,a,a}'::or_set, ' { "b c" , "", "null", "q\"\\", "{x}" , ü } '::or_set;
SELECT :one::or_set, :two::or_set;
SELECT (:one::or_set + 'x' - 'a')::text::or_set::text = (:one::or_set + 'x' - 'a')::text AS lossless;
SELECT (:one::or_set + 'x')::text[]::or_set::text[] AS elements;

-- Bad input is named.
SELECT 'a'::or_set;
SELECT '{a,NULL}'::or_set;
SELECT '{{a},{b}}'::or_set;
SELECT '{a'::or_set;
-- A damaged state, and a readable part that was edited.
SELECT '{a,"b c"} @v1:AQABAQEBAQEBAQEBAQEBAQEBAYGABAIBYQEAAANiIGMBAAEA4CWrVw'::or_set;
SELECT '{a,"b c"} @v1:AQAB'::or_set;
SELECT '{a} @v1:AQABAQEBAQEBAQEBAQEBAQEBAYGABAIBYQEAAANiIGMBAAEA4CWrVg'::or_set;

-- Operators.
SELECT '{a}'::or_set + 'b', '{a}'::or_set + 'a', '{a,b}'::or_set - 'a', '{a,b}'::or_set - 'x', '{a}'::or_set + 'b' - 'a' + 'c';
SELECT (:one::or_set + 'z')::text[], (:one::or_set - 'a')::text[], (:one::or_set - 'a' + 'a')::text[], (:two::or_set - 'a')::text[];
SELECT '{a}'::or_set + ARRAY['c', 'b', 'c'] AS added, '{a,b,c}'::or_set - ARRAY['c', 'x', NULL] AS removed, :one::or_set <> ARRAY['a'] AS differs, ARRAY['a', 'b c'] = :one::or_set AS same,
       :one::or_set ?| '{x,a}' AS "any", :one::or_set ?& '{a,x}' AS "all";
SELECT '{a}'::or_set + ARRAY['b', NULL];
SELECT '{}'::or_set + 'x'::varchar, '{}'::or_set + NULL AS nothing;
SELECT :one::or_set ? 'a' AS has, :one::or_set ? 'b' AS has_not, :one::or_set + 'b' ? 'b' AS wanted;
SELECT :one::or_set @> '{a}' AS literal, :one::or_set @> ARRAY['a', 'b c'] AS "array", :one::or_set @> '{a,x}' AS no,
       :one::or_set @> ARRAY['a', NULL] AS null_is_in_no_set, '{}'::or_set @> '{}' AS empty;
SELECT '{a}' <@ :one::or_set AS literal, ARRAY['a'] <@ :one::or_set AS "array", :one::or_set <@ '{a,"b c",d}' AS below,
       :one::or_set <@ ARRAY['a'] AS no, ARRAY['a', 'b c', 'd'] @> :one::or_set AS above;
SELECT crdt_elements(:one::or_set + 'x');
SELECT crdt_cardinality(:one::or_set), crdt_cardinality('{}'::or_set), crdt_cardinality(:one::or_set + 'x'), crdt_value(:two::or_set);
SELECT 'a' = ANY (:one::or_set::text[]) AS "any";

-- An addition is no part of the state until a tracked table settles it; a removal takes what is seen.
SELECT crdt_state(:one::or_set + 'x' - 'a');
SELECT crdt_state('{a}'::or_set + 'b');

-- Casts.
SELECT :one::or_set::text[], :one::or_set::json, to_jsonb(:one::or_set), ARRAY['b', 'a', 'b']::or_set, ARRAY['b', 'a']::varchar[]::or_set;
SELECT ARRAY['a', NULL]::or_set;
\set VERBOSITY sqlstate
SELECT ARRAY['a', NULL]::or_set;
SELECT 'a'::or_set;
SELECT '{a} @v1:AQABAQEBAQEBAQEBAQEBAQEBAYGABAIBYQEAAANiIGMBAAEA4CWrVg'::or_set;
\set VERBOSITY default

-- Comparison is by value: with literals, with arrays, among sets.
SELECT :one::or_set = '{"b c",a}' AS literal, :one::or_set = ARRAY['b c', 'a', 'a'] AS "array", ARRAY['a'] <> :one::or_set AS differs,
       :one::or_set = ARRAY['a', 'b c', NULL] AS with_null, :two::or_set = '{a}'::or_set + 'z' AS by_value;
SELECT '{a}'::or_set < '{b}' AS lt, '{a}'::or_set <= '{a,b}' AS le, '{b}'::or_set > '{a,z}' AS gt, '{}'::or_set >= '{}' AS ge;

-- Merge: additions win over removals that have not seen them.
SELECT crdt_merge(:one::or_set, :two)::text[], crdt_merge(:two::or_set, :one)::text = crdt_merge(:one::or_set, :two)::text AS commutes;
SELECT crdt_merge(:two::or_set, :two::or_set - 'z')::text[] AS removed, crdt_merge('{a}'::or_set, '{b}');
SELECT crdt_merge(:one, crdt_delta(:one::or_set, crdt_merge(:one::or_set, :two)))::text = crdt_merge(:one::or_set, :two)::text AS whole;
SELECT crdt_delta(:one::or_set, :one) IS NULL AS no_difference, crdt_delta(NULL, :one::or_set)::text = :one AS all_of_it;
SELECT crdt_delta(:two::or_set, :one);
SELECT crdt_delta(:two::or_set, '{a}');
SELECT crdt_value(crdt_settle(:one::or_set + 'x')), crdt_value(crdt_settle('{b,a}'::or_set)), crdt_settle(:one::or_set)::text = :one AS settled_already;
SELECT crdt_value(crdt_merge(crdt_settle(:one::or_set + 'x'), crdt_settle(:one::or_set + 'y'))) AS both_count;

-- A table: defaults, assignment by value, order, groups.
CREATE TABLE tagged (id integer PRIMARY KEY);
INSERT INTO tagged SELECT generate_series(1, 5);
ALTER TABLE tagged ADD COLUMN tags or_set NOT NULL DEFAULT '{}';
UPDATE tagged SET tags = ARRAY['a', 'b'] WHERE id = 1;
UPDATE tagged SET tags = tags + 'news' WHERE id = 2;
UPDATE tagged SET tags = :one WHERE id = 3;
UPDATE tagged SET tags = '{a,"b c"}' WHERE id = 4;
INSERT INTO tagged VALUES (6, ARRAY['x']::varchar[]), (7, DEFAULT);
SELECT id, tags::text[] FROM tagged ORDER BY tags, id;
SELECT tags::text[], count(*) FROM tagged GROUP BY tags ORDER BY tags;
SELECT id FROM tagged WHERE tags ? 'a' AND NOT tags @> '{b}' ORDER BY id;
SELECT id, element FROM tagged, crdt_elements(tags) AS element ORDER BY id, element;
INSERT INTO tagged VALUES (8, 'x');

-- An index serves equality and order.
CREATE INDEX tagged_tags ON tagged (tags);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM tagged WHERE tags = '{a,"b c"}';
SELECT id FROM tagged WHERE tags = '{a,"b c"}' ORDER BY id;
RESET enable_seqscan;
RESET enable_bitmapscan;
SET enable_mergejoin = off;
SET enable_nestloop = off;
SELECT count(*) FROM tagged a JOIN tagged b USING (tags);
RESET enable_mergejoin;
RESET enable_nestloop;
SELECT amname, opcname, amvalidate(c.oid) FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod
 WHERE opcintype = 'or_set'::regtype ORDER BY amname;

-- Aggregate: the join of all, in parallel as well.
CREATE TABLE copies (tags or_set);
INSERT INTO copies SELECT CASE n % 3 WHEN 0 THEN :one WHEN 1 THEN :two END::or_set FROM generate_series(1, 5000) AS n;
SELECT crdt_merge(tags)::text = crdt_merge(:one::or_set, :two)::text AS joined, count(tags) FROM copies;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT crdt_merge(tags) FROM copies;
SELECT crdt_merge(tags)::text = crdt_merge(:one::or_set, :two)::text AS joined FROM copies;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;

-- A set that is moved out of its row; it is too long for the index.
\set VERBOSITY sqlstate
INSERT INTO tagged SELECT 9, array_agg(md5(n::text)) FROM generate_series(1, 5000) AS n;
\set VERBOSITY default
DROP INDEX tagged_tags;
INSERT INTO tagged SELECT 9, array_agg(md5(n::text)) FROM generate_series(1, 5000) AS n;
SELECT crdt_cardinality(tags), tags ? md5('77') AS has, tags + 'x' @> ARRAY['x', md5('1')] AS grown, tags = tags::text::or_set AS same
  FROM tagged WHERE id = 9;
SELECT pg_column_size(tags) < 200000 AS stored FROM tagged WHERE id = 9;

-- COPY, text and binary, loses nothing. (The client's \copy reads no variables, so it is one itself.)
\getenv abs_builddir PG_ABS_BUILDDIR
\set file :abs_builddir '/results/or_set.copy'
CREATE TABLE copied (LIKE tagged);
\set copy '\\copy tagged TO ' :'file'
:copy
\set copy '\\copy copied FROM ' :'file'
:copy
SELECT count(*) AS rows, count(*) FILTER (WHERE or_set_send(tagged.tags) <> or_set_send(copied.tags)) AS different
  FROM tagged JOIN copied USING (id);
TRUNCATE copied;
\set copy '\\copy tagged TO ' :'file' ' (FORMAT binary)'
:copy
\set copy '\\copy copied FROM ' :'file' ' (FORMAT binary)'
:copy
SELECT count(*) AS rows, count(*) FILTER (WHERE or_set_send(tagged.tags) <> or_set_send(copied.tags)) AS different
  FROM tagged JOIN copied USING (id);
-- Bytes that are none of this type do not pass: here the binary form of an array.
\set copy '\\copy (SELECT id, ARRAY[''a''] FROM tagged) TO ' :'file' ' (FORMAT binary)'
:copy
\set copy '\\copy copied FROM ' :'file' ' (FORMAT binary)'
:copy

DROP TABLE tagged, copies, copied;
