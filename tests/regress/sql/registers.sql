-- mv_register: what it has besides lww_register's (lww_register.sql). Four states:
-- :one by replica 01…; :two by 02… and :three by 03…, both written over :one
-- without knowing of each other; :both is what the two become.
\set one '\'{"a":"é","b":1} @v1:AQABAQEBAQEBAQEBAQEBAQEBAQH__4Ogn8qwxgEAAQAAEHsiYSI6IsOpIiwiYiI6MX3svmuD\''
\set two '\'7 @v1:AQACAQEBAQEBAQEBAQEBAQEBAQH__4Ogn8qwxgEAAgICAgICAgICAgICAgICAgH__6O_n8qwxgEAAQEAATf6keQl\''
\set three '\'"seven" @v1:AQACAQEBAQEBAQEBAQEBAQEBAQH__4Ogn8qwxgEAAwMDAwMDAwMDAwMDAwMDAwH__8Pen8qwxgEAAQEAByJzZXZlbiI2s2yN\''
\set both '\'"seven" | 7 @v1:AQADAQEBAQEBAQEBAQEBAQEBAQH__4Ogn8qwxgEAAgICAgICAgICAgICAgICAgH__6O_n8qwxgEAAwMDAwMDAwMDAwMDAwMDAwH__8Pen8qwxgEAAgEAATcCAAcic2V2ZW4iPkbTFA\''

-- Literals: JSON is JSON, anything else a JSON string.
SELECT '"a"'::mv_register, 'a b'::mv_register, '{"b": 1, "a": [1, 2.50, 1e2]}'::mv_register, ' true '::mv_register, 'null'::mv_register, ''::mv_register, '{"a": '::mv_register;
SELECT mv_register_send('{"b":1e2, "a":"\u0041"}') = mv_register_send('{"a":"A","b":100}') AS same;
SELECT '"👋🏽 e\u0301 \"\\"'::mv_register, '"@v1: @v1:x"'::jsonb::mv_register::text, mv_register_in(mv_register_out('a | b'::mv_register))::text, '"a" | "b"'::mv_register::text AS no_conflict;
-- Text that happens to hold the marker is text when it is typed as text.
SELECT 'see @v1:x'::mv_register;
SELECT 'see @v1:x'::text::mv_register::text, mv_register_in(mv_register_out('see @v1:x'::text::mv_register))::text;

-- A conflict shows its latest value, and all of them to who asks.
SELECT crdt_value(:both::mv_register), :both::mv_register::text, :both::mv_register::jsonb, crdt_is_conflicted(:both::mv_register), crdt_is_conflicted(:two::mv_register), crdt_is_conflicted('x'::mv_register);
SELECT crdt_values(:both::mv_register);
SELECT crdt_values(:one::mv_register), crdt_values('x'::mv_register);
SELECT crdt_values(!:both::mv_register), crdt_values(NULL);
SELECT :both::mv_register = 'seven' AS shown, :both::mv_register = '7' AS hidden, :both::mv_register = :three::mv_register AS with_state, :both::mv_register <> '"seven"'::jsonb AS not_json;
-- Who writes over it, resolves it; who had not seen it, does not.
SELECT crdt_is_conflicted(crdt_set(:both::mv_register, 'x')), crdt_is_conflicted(crdt_settle(crdt_set(:both::mv_register, 'x'))),
       crdt_is_conflicted(crdt_merge(:both::mv_register, crdt_settle(crdt_set(:both::mv_register, 'x'))));
SELECT crdt_values(crdt_merge(:three::mv_register, crdt_settle(crdt_set(:two::mv_register, 'x')))) AS value ORDER BY value;
SELECT crdt_values(crdt_merge(crdt_settle(crdt_set(:one::mv_register, 'y')), crdt_settle(crdt_set(:one::mv_register, 'x')))) AS value ORDER BY value;

-- crdt_set: a literal is read as in an assignment, text is text, jsonb is JSON.
SELECT crdt_set(:one::mv_register, 'new')::jsonb, crdt_set(:one::mv_register, '{"k": 1}')::jsonb, crdt_set(:one::mv_register, '12')::jsonb, crdt_set(:one::mv_register, '12'::text)::jsonb,
       crdt_set(:one::mv_register, '12'::jsonb)::jsonb, crdt_set(:one::mv_register, 'v'::varchar)::jsonb, crdt_set(:one::mv_register, 12)::jsonb, crdt_set(:one::mv_register, 1.50)::jsonb,
       crdt_set(:one::mv_register, true)::jsonb, crdt_set(:one::mv_register, :two::mv_register)::jsonb, crdt_set(:one::mv_register, NULL) IS NULL AS nothing;
SELECT crdt_set(:one::mv_register, (repeat('[', 600) || repeat(']', 600))::jsonb);
\set VERBOSITY sqlstate
SELECT crdt_set(:one::mv_register, (repeat('[', 600) || repeat(']', 600))::jsonb);
\set VERBOSITY default

-- Casts, and what works on text.
SELECT '"x\ny\u0041"'::mv_register::text AS string, 'null'::mv_register::text IS NULL AS json_null, crdt_value('null'::mv_register) AS jsonb_null,
       crdt_value(!:one::mv_register) AS reset, (!:one::mv_register)::text IS NULL AS reset_text, 'x'::mv_register::varchar,
       '12'::text::mv_register::jsonb, '12'::varchar::mv_register::jsonb, '12'::jsonb::mv_register::jsonb, true::mv_register::jsonb, '"z"'::json::mv_register::jsonb;
SELECT lower('ABC'::mv_register), 'abc'::mv_register || '!' AS joined, 'abc'::mv_register LIKE 'a%' AS "like", length('abc'::mv_register);

-- Comparison: with literals, with text, with jsonb.
SELECT 'abc'::mv_register = 'abc' AS literal, 'abc'::mv_register = 'abc'::text AS text, 'abc'::text = 'abc'::mv_register AS text_first, 'abc'::mv_register <> 'abd'::text AS not_text, 'abc'::text <> 'abc'::mv_register AS not_text_first,
       '1.0'::jsonb = '1'::mv_register AS json, '1'::mv_register = '1.0'::jsonb AS json_last, '2'::jsonb <> '1'::mv_register AS not_json, '1'::mv_register <> '1'::jsonb AS not_json_last, 'null'::mv_register = 'x'::text AS null_text;
SELECT value FROM unnest(ARRAY['null', '{}', '[1]', 'true', 'b', 'a', '10', '9', '-1']::mv_register[]) AS value ORDER BY value;

-- A tracked table: NULL is JSON's null; a write over a conflict resolves it.
CREATE TABLE titled (id integer PRIMARY KEY, title mv_register DEFAULT 'untitled');
SELECT crdt_track('titled');
INSERT INTO titled VALUES (1, DEFAULT), (2, '"two"'), (3, NULL), (4, :both), (5, '123'::text), (6, 1.50), (7, true), (8, '[1]'::jsonb);
SELECT id, title::jsonb AS json, title::text AS text, crdt_is_conflicted(title) AS conflicted FROM titled WHERE id <> 4 ORDER BY id;
SELECT crdt_values(title) FROM titled WHERE id = 4;
UPDATE titled SET title = 'first' WHERE id IN (1, 3) RETURNING id, title::text;
UPDATE titled SET title = crdt_set(title, '{"en": "four"}') WHERE id = 4 RETURNING title::jsonb;
UPDATE titled SET title = NULL WHERE id = 2 RETURNING title::text IS NULL AS nothing, title IS NULL AS sql_null;
UPDATE titled SET title = other.title FROM titled other WHERE titled.id = 5 AND other.id = 4 RETURNING titled.title::jsonb;
DO $$
DECLARE
    seen mv_register := (SELECT title FROM titled WHERE id = 1);
BEGIN
    UPDATE titled SET title = 'meanwhile' WHERE id = 1;
    UPDATE titled SET title = crdt_set(seen, 'late') WHERE id = 1;
END
$$;
SELECT title::text, crdt_is_conflicted(title) FROM titled WHERE id = 1;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT verify_chain();
COMMIT;
SELECT crdt_untrack('titled');
DROP TABLE titled;
