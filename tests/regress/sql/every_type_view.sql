-- A view with plain types over a table with a column of each CRDT type: an
-- application that knows plain types only reads and writes all of them.
CREATE TABLE every (
    id integer PRIMARY KEY,
    g g_counter DEFAULT 0, pn pn_counter DEFAULT '0', b b_counter DEFAULT '2', lww lww_register DEFAULT 'new', mv mv_register DEFAULT 'new', os or_set DEFAULT '{}', aw aw_set DEFAULT '{}', ls lww_set DEFAULT '{}',
    lm lww_map DEFAULT '{}', om or_map DEFAULT '{}', cart or_cart DEFAULT '{}', list rga DEFAULT '[]', body rga_text DEFAULT '', vector vector_clock DEFAULT '{}', time hlc DEFAULT '-infinity'
);
SELECT crdt_track('every');
SELECT crdt_create_view('every', 'every_plain');
SET timezone = 'UTC';
SET datestyle = 'ISO';
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'every_plain'::regclass ORDER BY attnum;

-- Defaults, values of each type, NULL.
INSERT INTO every_plain (id) VALUES (1) RETURNING *;
INSERT INTO every_plain VALUES (2, 3, -3, 3, '"text"', '{"x": 1}', '{b,a}', '{b,a}', '{b,a}', '{"a": [1]}', '{"a": {"b": 2}}', '{"a": 3}', '["a", null]', 'some text', '{}', '2023-11-21 12:00:00+00') RETURNING *;
INSERT INTO every_plain VALUES (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) RETURNING id, num_nulls(g, pn, b, lww, mv, os, aw, ls, lm, om, cart, list, body, vector, time);
\set SHOW_CONTEXT never
INSERT INTO every_plain VALUES (2, 1);

-- Each column alone, and the others stay.
CREATE FUNCTION updated(assignment text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
    before every_plain;
    after every_plain;
BEGIN
    SELECT * INTO before FROM every_plain WHERE id = 2;
    EXECUTE format('UPDATE every_plain SET %s WHERE id = 2', assignment);
    SELECT * INTO after FROM every_plain WHERE id = 2;
    SELECT string_agg(key || ': ' || value, ', ' ORDER BY key) INTO result FROM jsonb_each(to_jsonb(after)) AS a WHERE a.value IS DISTINCT FROM to_jsonb(before) -> a.key;
    RETURN result;
END
$$;
SELECT assignment, updated(assignment) FROM unnest(ARRAY[
    'g = g + 4', 'g = 10', 'pn = pn - 4', 'pn = 10', 'b = b + 4', 'b = 1', 'lww = ''[1]''', 'lww = NULL', 'lww = to_jsonb(''x''::text)', 'mv = ''{"y": 2}''', 'mv = mv || ''{"z": 3}''', 'mv = NULL',
    'os = os || ''c''::text', 'os = ''{x}''', 'aw = array_remove(aw, ''a'')', 'aw = ''{y,x}''', 'ls = ls || ''c''::text', 'ls = ''{}''', 'lm = lm || ''{"b": 2}''', 'lm = lm - ''a''', 'om = jsonb_set(om, ''{a,b}'', ''3'')', 'om = om || ''{"n": 1}''', 'om = om - ''a''',
    'cart = cart || ''{"a": 5, "b": 1}''', 'cart = cart - ''a''', 'list = list || ''["z"]''', 'list = list - 0', 'body = replace(body, ''some'', ''any'')', 'body = ''''', 'time = ''2023-11-22 12:00:00+00''', 'time = ''2023-11-20 12:00:00+00''']) AS assignment;
-- All at once, over NULLs; several rows.
UPDATE every_plain SET g = 1, pn = 1, b = 1, lww = '1', mv = '1', os = '{a}', aw = '{a}', ls = '{a}', lm = '{"a": 1}', om = '{"a": 1}', cart = '{"a": 1}', list = '[1]', body = 'a', vector = '{}', time = '2023-11-21 12:00:00+00' WHERE id = 3 RETURNING *;
UPDATE every_plain SET g = g + 1, os = os || 'z'::text, body = body || '!' WHERE id IN (1, 3) RETURNING id, g, os, body;
UPDATE every_plain SET g = g WHERE id = 1 RETURNING id, g;

-- What cannot be, is refused as by the table.
\set VERBOSITY sqlstate
UPDATE every_plain SET g = g - 1 WHERE id = 1;
UPDATE every_plain SET b = -1 WHERE id = 1;
UPDATE every_plain SET pn = NULL WHERE id = 1;
UPDATE every_plain SET os = '{a,NULL}' WHERE id = 1;
UPDATE every_plain SET lm = '[1]' WHERE id = 1;
UPDATE every_plain SET cart = '{"a": 1.5}' WHERE id = 1;
UPDATE every_plain SET list = '{}' WHERE id = 1;
UPDATE every_plain SET time = 'infinity' WHERE id = 1;
UPDATE every_plain SET vector = '{"01010101010101010101010101010101": 5}' WHERE id = 1;
\set VERBOSITY default

-- What others write to a counter between the statement's snapshot and its write is
-- not undone, nor to a column that the statement left alone: here a trigger does.
CREATE FUNCTION meanwhile() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE every SET g = g + 100, pn = pn + 100, os = os + 'meanwhile', cart = crdt_increment(cart, 'meanwhile', 1) WHERE id = 3;
    RETURN NULL;
END
$$;
CREATE TRIGGER meanwhile BEFORE UPDATE ON every_plain FOR EACH STATEMENT EXECUTE FUNCTION meanwhile();
UPDATE every_plain SET g = g + 1, pn = 5 WHERE id = 3 RETURNING g, pn, os, cart;
DROP TRIGGER meanwhile ON every_plain;
DROP FUNCTION meanwhile;

-- Columns of the table and its view, compared row by row; deletion.
SELECT count(*) AS rows, count(*) FILTER (WHERE e.g = p.g AND e.pn = p.pn AND e.b = p.b AND e.lww = p.lww AND e.mv = p.mv AND e.os = p.os AND e.aw = p.aw AND e.ls = p.ls AND e.lm = p.lm AND e.om = p.om AND e.cart = p.cart AND e.list = p.list AND e.body = p.body
    AND e.vector::jsonb = p.vector AND e.time::timestamptz IS NOT DISTINCT FROM p.time) AS alike FROM every e JOIN every_plain p USING (id);
DELETE FROM every_plain WHERE id = 1 RETURNING id, os;
SELECT id FROM every ORDER BY id;

-- Dropped, it can be made again; its function is replaced, but no one else's of that name.
SELECT crdt_create_view('every', 'every_plain');
DROP VIEW every_plain;
SELECT crdt_create_view('every', 'every_plain');
UPDATE every_plain SET pn = pn + 1 WHERE id = 2 RETURNING pn;
DROP VIEW every_plain;
DROP FUNCTION every_plain_write;
CREATE FUNCTION every_plain_write() RETURNS text LANGUAGE sql AS $$ SELECT 'of another' $$;
SELECT crdt_create_view('every', 'every_plain');
SELECT every_plain_write();
DROP FUNCTION every_plain_write;

-- A new column is in a view that is made anew. Without tracking the view works as well.
ALTER TABLE every ADD COLUMN more aw_set DEFAULT '{m}';
SELECT crdt_untrack('every');
SELECT crdt_create_view('every', 'every_plain');
INSERT INTO every_plain (id, more) VALUES (4, '{n}') RETURNING id, pn, more;
UPDATE every_plain SET pn = pn + 1, more = more || 'o'::text WHERE id = 2 RETURNING id, pn, more;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT verify_chain();
COMMIT;
DROP VIEW every_plain;
DROP FUNCTION every_plain_write, updated;
DROP TABLE every;
RESET timezone;
RESET datestyle;
