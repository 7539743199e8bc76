-- lww_register: what SQL may do with a register. Three states are used throughout:
-- :one was written by replica 01…; :two by replica 02… over replica 01…; :never not at all.
\set one '\'{"a":"é","b":1} @v1:AQEAAAAAAAEAAQEBAQEBAQEBAQEBAQEBAQEQeyJhIjoiw6kiLCJiIjoxfYHtYvY\''
\set two '\'7 @v1:AQUAAAAAAAIAAQICAgICAgICAgICAgICAgIAAAAAAAEAAQEBAQEBAQEBAQEBAQEBAQEBNz8vQ0M\''
\set never '\'null @v1:AQBYwiO-\''

-- Text: JSON is JSON, anything else a JSON string; states come back as they went in.
SELECT '"a"'::lww_register, 'a b'::lww_register, '{"b": 1, "a": [1, 2.50, 1e2]}'::lww_register, ' true '::lww_register, 'null'::lww_register,
       ''::lww_register, '{"a": '::lww_register;
SELECT :one::lww_register, :two::lww_register, :never::lww_register;
SELECT crdt_set(:one::lww_register, 'x')::text AS set, lww_register_in(lww_register_out(crdt_set(:one::lww_register, 'x'))) = 'x' AS lossless;
-- Equal JSON has equal bytes, however it was written.
SELECT lww_register_send('{"b":1e2, "a":"\u0041"}') = lww_register_send('{"a":"A","b":100}') AS same;
SELECT lww_register_send('{"a":1,"a":2}'::jsonb::lww_register) = lww_register_send('{"a": 2}') AS same;

-- A damaged state, and a readable part that was edited.
SELECT '7 @v1:AQUAAAAAAAIAAQICAgICAgICAgICAgICAgIAAAAAAAEAAQEBAQEBAQEBAQEBAQEBAQEBNz8vQ0N'::lww_register;
SELECT '7 @v1:AQU'::lww_register;
SELECT '8 @v1:AQUAAAAAAAIAAQICAgICAgICAgICAgICAgIAAAAAAAEAAQEBAQEBAQEBAQEBAQEBAQEBNz8vQ0M'::lww_register;
SELECT '{} @v1:AQABAQEBAQEBAQEBAQEBAQEBAYGABAIBYQEAAANiIGMBAAEA4CWrVg'::lww_register;
-- Text that happens to hold the marker is text when it is typed as text.
SELECT 'see @v1:x'::text::lww_register::text, lww_register_in(lww_register_out('see @v1:x'::text::lww_register))::text;

-- crdt_set: a literal is read as in an assignment, text is text, jsonb is JSON.
SELECT crdt_set(:one::lww_register, 'new')::jsonb, crdt_set(:one::lww_register, '{"k": 1}')::jsonb, crdt_set(:one::lww_register, '12')::jsonb,
       crdt_set(:one::lww_register, '12'::text)::jsonb, crdt_set(:one::lww_register, '12'::jsonb)::jsonb, crdt_set(:one::lww_register, 'v'::varchar)::jsonb,
       crdt_set(:one::lww_register, 12)::jsonb, crdt_set(:one::lww_register, 1.50)::jsonb, crdt_set(:one::lww_register, true)::jsonb,
       crdt_set(:one::lww_register, :two::lww_register)::jsonb;
SELECT crdt_set(:one::lww_register, NULL) IS NULL AS nothing;
SELECT crdt_state(crdt_set(:two::lww_register, 'x'));
SELECT crdt_state('x'::lww_register);
SELECT crdt_set(:one::lww_register, repeat('[', 600) || repeat(']', 600))::text = repeat('[', 600) || repeat(']', 600) AS too_deep_for_json_is_text;
SELECT crdt_set(:one::lww_register, (repeat('[', 600) || repeat(']', 600))::jsonb);

-- Casts. Text is as ->> gives it; JSON's null and no value at all are NULL there.
SELECT crdt_value(:one::lww_register), :one::lww_register::jsonb -> 'a' AS a, '"x\ny\u0041"'::lww_register::text AS string, :two::lww_register::text AS number,
       'null'::lww_register::text IS NULL AS json_null, crdt_value('null'::lww_register) AS jsonb_null,
       crdt_value(:never::lww_register) IS NULL AS never_set, :never::lww_register::text IS NULL AS never_text;
SELECT '12'::text::lww_register::jsonb, '12'::varchar::lww_register::jsonb, '12'::jsonb::lww_register::jsonb, true::lww_register::jsonb,
       'x'::lww_register::varchar, row_to_json(row(:one::lww_register)), to_jsonb('x'::lww_register);
-- What works on text works on a register.
SELECT lower('ABC'::lww_register), 'abc'::lww_register || '!' AS joined, 'abc'::lww_register LIKE 'a%' AS "like", length('abc'::lww_register),
       coalesce('abc'::lww_register, 'x'::text) AS "coalesce", 'abc'::lww_register ~ '^a' AS matches;

-- Comparison is by value: with literals, with text, with jsonb, among registers.
SELECT 'abc'::lww_register = 'abc' AS literal, 'abc'::lww_register = 'abc'::text AS text, 'abc'::varchar = 'abc'::lww_register AS varchar,
       'abc'::lww_register = '"abc"'::jsonb AS jsonb, '1.0'::jsonb = '1'::lww_register AS number, 'abc'::lww_register <> 'abd' AS differs,
       'abc'::lww_register <> 'abc'::text AS not_text, :two::lww_register = '7' AS by_value, 'b'::lww_register IN ('a', 'b') AS "in";
SELECT 'abc'::lww_register <> '"abc"'::jsonb AS jsonb, '1'::jsonb <> '2'::lww_register AS jsonb_first, 'abd'::text <> 'abc'::lww_register AS text_first;
SELECT '7'::text = :two::lww_register AS as_text, 'null'::lww_register = 'null'::jsonb AS json_null, 'null'::lww_register = 'x'::text AS null_text,
       :never::lww_register = 'null'::jsonb AS never_set, :never::lww_register = :never::lww_register AS both_never;
SELECT value FROM unnest(ARRAY['null', '{}', '[1]', 'true', 'b', 'a', '10', '9', '-1']::lww_register[]) AS value ORDER BY value;

-- Merge: the later stamp; of two literals one and the same, whatever the order.
SELECT crdt_merge(:one::lww_register, :two)::text, crdt_merge(:two::lww_register, :one)::text, crdt_merge(:never::lww_register, :one)::text;
SELECT crdt_merge('a'::lww_register, 'b') = crdt_merge('b'::lww_register, 'a') AS commutes;
SELECT lww_register_out(crdt_delta(:one::lww_register, :two))::text = :two AS difference, crdt_delta(:one::lww_register, :one) IS NULL AS none;
SELECT crdt_delta(:two::lww_register, :one);
SELECT crdt_delta(:two::lww_register, '8');
SELECT crdt_value(crdt_settle(crdt_set(:one::lww_register, 'x'))), lww_register_out(crdt_settle(:one::lww_register))::text = :one AS settled_already;
SELECT crdt_value(crdt_merge(:two, crdt_settle(crdt_set(:one::lww_register, 'later')))) AS later_wins;

-- A table: defaults, assignment, order, groups.
CREATE TABLE titled (id integer PRIMARY KEY);
INSERT INTO titled SELECT generate_series(1, 4);
ALTER TABLE titled ADD COLUMN title lww_register DEFAULT 'untitled';
UPDATE titled SET title = 'first' WHERE id = 1;
UPDATE titled SET title = '{"en": "second"}'::jsonb WHERE id = 2;
UPDATE titled SET title = 'fi'::text || 'rst' WHERE id = 3;
INSERT INTO titled VALUES (5, '123'::text), (6, 123), (7, 1.50), (8, true), (9, NULL), (10, :two), (11, '[1]'::json);
SELECT id, title, title::jsonb AS json, title::text AS text FROM titled ORDER BY title, id;
SELECT title::jsonb AS json, count(*) FROM titled GROUP BY title ORDER BY title;
SELECT id FROM titled WHERE title = 'first' ORDER BY id;
SELECT id FROM titled WHERE title = '123' ORDER BY id;
SELECT id FROM titled WHERE title = '123'::text ORDER BY id;
SELECT id FROM titled WHERE title ILIKE 'FIR%' ORDER BY id;
CREATE TABLE titled_report (shown varchar, long text, doc jsonb);
INSERT INTO titled_report SELECT title, title, title FROM titled WHERE id IN (1, 2);
SELECT * FROM titled_report ORDER BY long;

-- An index serves equality and order.
CREATE INDEX titled_title ON titled (title);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM titled WHERE title = 'first';
SELECT id FROM titled WHERE title = 'first' ORDER BY id;
RESET enable_seqscan;
RESET enable_bitmapscan;
SET enable_mergejoin = off;
SET enable_nestloop = off;
SELECT count(*) FROM titled a JOIN titled b USING (title);
RESET enable_mergejoin;
RESET enable_nestloop;
SELECT amname, opcname, amvalidate(c.oid) FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod
 WHERE opcintype = 'lww_register'::regtype ORDER BY amname;

-- Aggregate: the last of all, in parallel as well.
CREATE TABLE copies (title lww_register);
INSERT INTO copies SELECT CASE n % 3 WHEN 0 THEN :one::lww_register WHEN 1 THEN :two END FROM generate_series(1, 5000) AS n;
SELECT crdt_merge(title)::text AS joined, count(title) FROM copies;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT crdt_merge(title) FROM copies;
SELECT crdt_merge(title)::text AS joined FROM copies;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;

-- COPY, text and binary, loses nothing. (The client's \copy reads no variables, so it is one itself.)
\getenv abs_builddir PG_ABS_BUILDDIR
\set file :abs_builddir '/results/lww_register.copy'
CREATE TABLE copied (LIKE titled);
\set copy '\\copy titled TO ' :'file'
:copy
\set copy '\\copy copied FROM ' :'file'
:copy
SELECT count(*) AS rows, count(*) FILTER (WHERE lww_register_send(titled.title) <> lww_register_send(copied.title)) AS different
  FROM titled JOIN copied USING (id);
TRUNCATE copied;
\set copy '\\copy titled TO ' :'file' ' (FORMAT binary)'
:copy
\set copy '\\copy copied FROM ' :'file' ' (FORMAT binary)'
:copy
SELECT count(*) AS rows, count(*) FILTER (WHERE lww_register_send(titled.title) <> lww_register_send(copied.title)) AS different
  FROM titled JOIN copied USING (id);
-- Bytes that are none of this type do not pass: here the binary form of jsonb.
\set copy '\\copy (SELECT id, ''{}''::jsonb FROM titled) TO ' :'file' ' (FORMAT binary)'
:copy
\set copy '\\copy copied FROM ' :'file' ' (FORMAT binary)'
:copy

DROP TABLE titled, titled_report, copies, copied;
