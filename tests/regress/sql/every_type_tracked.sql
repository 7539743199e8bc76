-- Tracked tables with a column of each type: every way to write a row, one after
-- another. What is written must be in the row, and nothing that others wrote lost.
CREATE TABLE every (
    id integer PRIMARY KEY,
    g g_counter, pn pn_counter, b b_counter, lww lww_register, mv mv_register, os or_set, aw aw_set, ls lww_set,
    lm lww_map, om or_map, cart or_cart, list rga, body rga_text, vector vector_clock, time hlc
);
-- A row as people see it; of the vector, how many entries it has.
CREATE FUNCTION shown(e every) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' | ', e.g::bigint, e.pn::bigint, e.b::bigint, coalesce(e.lww::jsonb::text, '-'), coalesce(e.mv::jsonb::text, '-'), e.os::text[], e.aw::text[], e.ls::text[],
        e.lm::jsonb, e.om::jsonb, e.cart::jsonb, e.list::jsonb, e.body::text, (SELECT count(*) FROM jsonb_object_keys(e.vector::jsonb)), e.time::timestamptz)
$$;
SET timezone = 'UTC';
SET datestyle = 'ISO';
-- Rows from before tracking enter by their values.
INSERT INTO every VALUES (1, '1', '1', '3 floor 1', '"a"', '"a"', '{a}', '{a}', '{a}', '{"k": 1}', '{"k": 1}', '{"k": 1}', '[1]', 'text', '{}', '2023-11-21T12:00:00Z');
INSERT INTO every (id) VALUES (2);
SELECT crdt_track('every');
SELECT id, shown(every) FROM every ORDER BY id;

-- INSERT: literals, plain values, NULL.
INSERT INTO every VALUES (3, '3', '-3', '3', 'text', '{"x": 1}', '{b,a}', '{b,a}', '{"b": 1, "a": null}', '{"a": [1]}', '{"a": {"b": 2}}', '{"a": 3}', '["a", null]', 'some text', '{}', '2023-11-21T12:00:00Z') RETURNING id, shown(every);
INSERT INTO every VALUES (4, 3, -3, 3, 'text'::text, '{"x": 1}'::jsonb, ARRAY['b', 'a'], ARRAY['b', 'a'], ARRAY['b', 'a'], '{"a": [1]}'::jsonb, '{"a": {"b": 2}}'::jsonb, '{"a": 3}'::jsonb, '["a", null]'::jsonb, 'some text'::varchar, '{}'::jsonb, '2023-11-21 12:00:00+00'::timestamptz) RETURNING id, shown(every);
INSERT INTO every SELECT 5, g, pn, b, lww, mv, os, aw, ls, lm, om, cart, list, body, '{}', time FROM every WHERE id = 4 RETURNING id, shown(every);
INSERT INTO every (id) VALUES (6);
-- What a statement wants is carried out as it is stored: nothing stays open.
CREATE FUNCTION open_changes() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM every, LATERAL (VALUES (crdt_state(g)), (crdt_state(pn)), (crdt_state(b)), (crdt_state(lww)), (crdt_state(mv)), (crdt_state(os)), (crdt_state(aw)), (crdt_state(ls)), (crdt_state(lm)), (crdt_state(om)),
        (crdt_state(cart)), (crdt_state(list)), (crdt_state(body)), (crdt_state(vector)), (crdt_state(time))) AS s (state) WHERE state -> 'change' <> 'null'
$$;
SELECT open_changes();

-- UPDATE by the operators of each type.
UPDATE every SET g = g + 2, pn = pn - 2, b = b - 2, lww = crdt_set(lww, 'new'), mv = crdt_set(mv, 'new'), os = os + 'c' - 'a', aw = aw + 'c' - 'a', ls = crdt_put(ls, 'c', '1') - 'a',
    lm = crdt_put(lm, 'b', '2') - 'a', om = crdt_increment(om, 'n', 5) - 'a', cart = crdt_increment(cart, 'b', 5), list = crdt_append(crdt_delete(list, 0, 1), '"end"'), body = crdt_append(body, '!'), vector = crdt_tick(vector), time = '2023-11-22T12:00:00Z'
 WHERE id IN (3, 4) RETURNING id, shown(every);
-- On NULL an operator gives NULL; a value can be given for it.
UPDATE every SET g = g + 1, os = os + 'x', body = crdt_append(body, 'x') WHERE id = 6 RETURNING id, shown(every);
UPDATE every SET g = coalesce(g, '0') + 1, pn = coalesce(pn, '0') + 1, os = coalesce(os, '{}') + 'x', aw = coalesce(aw, '{}') + 'x', om = crdt_increment(coalesce(om, '{}'), 'n', 1), body = crdt_append(coalesce(body, ''::rga_text), 'x') WHERE id = 6 RETURNING id, shown(every);
-- UPDATE by whole values: literals, then plain types.
UPDATE every SET g = '10', pn = '10', b = '10', lww = '[1]', mv = '[1]', os = '{x,b}', aw = '{x,b}', ls = '{"x": 5, "b": 1}', lm = '{"x": 1}', om = '{"n": 7, "x": 1}', cart = '{"b": 1, "x": 2}', list = '["a", "b"]', body = 'some other text', time = '2023-11-23T12:00:00Z'
 WHERE id = 3 RETURNING id, shown(every);
UPDATE every SET g = 11, pn = 11, b = 11, lww = 'x'::text, mv = 'x'::text, os = ARRAY['y'], aw = ARRAY['y'], ls = ARRAY['y'], lm = '{"y": 1}'::jsonb, om = '{"y": 1}'::jsonb, cart = '{"y": 1}'::jsonb, list = '["b", "c"]'::jsonb, body = 'other text'::text, time = '2023-11-24 12:00:00+00'::timestamptz
 WHERE id = 3 RETURNING id, shown(every);
-- The same again writes nothing.
SELECT crdt_commit_block() > 0 AS final;
SELECT count(*) AS before FROM crdt_ops WHERE table_name = 'public.every' \gset
UPDATE every SET g = 11, pn = 11, b = 11, lww = 'x'::text, mv = 'x'::text, os = ARRAY['y'], aw = ARRAY['y'], ls = ARRAY['y'], lm = '{"y": 1}'::jsonb, om = '{"y": 1}'::jsonb, cart = '{"y": 1}'::jsonb, list = '["b", "c"]'::jsonb, body = 'other text'::text, time = '2023-11-24 12:00:00+00'::timestamptz, vector = vector
 WHERE id = 3 RETURNING id;
SELECT crdt_commit_block() >= 0 AS final;
SELECT count(*) - :before AS more FROM crdt_ops WHERE table_name = 'public.every';
-- A value of another row is taken as what it shows. (Of a vector nothing is: it counts what its own row saw.)
UPDATE every SET g = o.g, pn = o.pn, b = o.b, lww = o.lww, mv = o.mv, os = o.os, aw = o.aw, ls = o.ls, lm = o.lm, om = o.om, cart = o.cart, list = o.list, body = o.body, time = o.time FROM every o WHERE every.id = 5 AND o.id = 3 RETURNING every.id, shown(every);
UPDATE every SET g = o.g, pn = o.pn, b = o.b, lww = o.lww, mv = o.mv, os = o.os, aw = o.aw, ls = o.ls, lm = o.lm, om = o.om, cart = o.cart, list = o.list, body = o.body, time = o.time FROM every o WHERE every.id = 2 AND o.id = 3 RETURNING every.id, shown(every);

-- ON CONFLICT.
INSERT INTO every (id, g, pn, b, os, om, cart, body) VALUES (1, 5, 5, 5, '{z}', '{"z": 1}', '{"k": 5}', 'z'), (7, 1, 1, 1, '{z}', '{"z": 1}', '{"k": 1}', 'z')
ON CONFLICT (id) DO UPDATE SET g = every.g + excluded.g::bigint, pn = every.pn + excluded.pn::bigint, b = every.b + excluded.b::bigint, os = every.os + excluded.os::text[], om = crdt_put(every.om, 'z', excluded.om -> 'z'),
    cart = crdt_increment(every.cart, 'k', excluded.cart -> 'k'), body = crdt_append(every.body, excluded.body)
RETURNING id, shown(every);
INSERT INTO every (id, g, os) VALUES (1, 5, '{q}') ON CONFLICT (id) DO UPDATE SET g = excluded.g, os = excluded.os RETURNING id, g::bigint, os::text[];
INSERT INTO every (id, g, os) VALUES (1, 9, '{r}') ON CONFLICT DO NOTHING RETURNING id;

-- MERGE, where there is one.
CREATE TABLE arrived (id integer, amount bigint, tag text);
INSERT INTO arrived VALUES (1, 100, 'm'), (7, 200, 'm'), (8, 300, 'm');
DO $$
BEGIN
    IF current_setting('server_version_num')::int >= 150000 THEN
        EXECUTE $merge$
            MERGE INTO every e USING arrived a ON e.id = a.id
            WHEN MATCHED AND a.id = 7 THEN DELETE
            WHEN MATCHED THEN UPDATE SET g = e.g + a.amount, pn = e.pn - a.amount, b = e.b + a.amount, lww = crdt_set(e.lww, a.tag), mv = crdt_set(e.mv, a.tag), os = e.os + a.tag, aw = e.aw + a.tag, ls = e.ls + a.tag,
                lm = crdt_put(e.lm, a.tag, '1'), om = crdt_add(e.om, a.tag, 'x'), cart = crdt_increment(e.cart, a.tag, a.amount), list = crdt_append(e.list, to_jsonb(a.tag)), body = crdt_append(e.body, a.tag), vector = crdt_tick(e.vector), time = '2023-11-25T12:00:00Z'
            WHEN NOT MATCHED THEN INSERT (id, g, os, body) VALUES (a.id, a.amount, ARRAY[a.tag], a.tag)
        $merge$;
    ELSE
        UPDATE every e SET g = e.g + a.amount, pn = e.pn - a.amount, b = e.b + a.amount, lww = crdt_set(e.lww, a.tag), mv = crdt_set(e.mv, a.tag), os = e.os + a.tag, aw = e.aw + a.tag, ls = e.ls + a.tag,
                lm = crdt_put(e.lm, a.tag, '1'), om = crdt_add(e.om, a.tag, 'x'), cart = crdt_increment(e.cart, a.tag, a.amount), list = crdt_append(e.list, to_jsonb(a.tag)), body = crdt_append(e.body, a.tag), vector = crdt_tick(e.vector), time = '2023-11-25T12:00:00Z'
          FROM arrived a WHERE e.id = a.id AND a.id = 1;
        DELETE FROM every WHERE id = 7;
        INSERT INTO every (id, g, os, body) SELECT id, amount, ARRAY[tag], tag FROM arrived WHERE id = 8;
    END IF;
END
$$;
DROP TABLE arrived;
SELECT id, shown(every) FROM every WHERE id IN (1, 7, 8) ORDER BY id;

-- A stale read-modify-write: a value read before another write, then written. Of
-- registers and times the later stands, of all else both.
DO $$
DECLARE
    seen every;
BEGIN
    SELECT * INTO seen FROM every WHERE id = 1;
    UPDATE every SET g = g + 1000, pn = pn + 1000, b = b + 1000, lww = 'meanwhile', mv = 'meanwhile', os = os + 'meanwhile', aw = aw + 'meanwhile', ls = ls + 'meanwhile', lm = crdt_put(lm, 'meanwhile', '1'), om = crdt_increment(om, 'meanwhile', 1),
        cart = crdt_increment(cart, 'k', 1000), list = crdt_append(list, '"meanwhile"'), body = crdt_append(body, ' meanwhile'), vector = crdt_tick(vector), time = '2023-12-01T12:00:00Z' WHERE id = 1;
    UPDATE every SET g = seen.g + 1, pn = seen.pn + 1, b = seen.b - 1, lww = crdt_set(seen.lww, 'late'), mv = crdt_set(seen.mv, 'late'), os = seen.os + 'late' - 'q', aw = seen.aw + 'late' - 'a', ls = seen.ls + 'late' - 'a', lm = crdt_put(seen.lm, 'late', '1') - 'k', om = crdt_increment(seen.om, 'late', 1) - 'k',
        cart = crdt_increment(seen.cart, 'k', 1), list = crdt_insert(seen.list, 0, '"late"'), body = crdt_insert(seen.body, 0, 'late '), vector = crdt_tick(seen.vector), time = '2023-11-26T12:00:00Z' WHERE id = 1;
    -- Written back as they were read: nobody's wish, so nothing changes.
    UPDATE every SET g = seen.g, pn = seen.pn, b = seen.b, lww = seen.lww, mv = seen.mv, os = seen.os, aw = seen.aw, ls = seen.ls, lm = seen.lm, om = seen.om, cart = seen.cart, list = seen.list, body = seen.body, vector = seen.vector, time = seen.time WHERE id = 1;
END
$$;
SELECT id, shown(every) FROM every WHERE id = 1;
SELECT crdt_values(mv) AS value FROM every WHERE id = 1 ORDER BY value;

-- Emptied: what others add meanwhile stays.
DO $$
DECLARE
    seen every;
BEGIN
    SELECT * INTO seen FROM every WHERE id = 3;
    UPDATE every SET pn = pn + 5, os = os + 'meanwhile', aw = aw + 'meanwhile', ls = ls + 'meanwhile', lm = crdt_put(lm, 'meanwhile', '1'), om = crdt_put(om, 'meanwhile', '1'), cart = crdt_increment(cart, 'y', 5), list = crdt_append(list, '"meanwhile"'), body = crdt_append(body, ' meanwhile') WHERE id = 3;
    UPDATE every SET pn = !seen.pn, b = !seen.b, lww = !seen.lww, mv = !seen.mv, os = !seen.os, aw = !seen.aw, ls = !seen.ls, lm = !seen.lm, om = !seen.om, cart = !seen.cart, list = !seen.list, body = !seen.body WHERE id = 3;
END
$$;
SELECT id, shown(every) FROM every WHERE id = 3;

-- NULL: a register may hold nothing, the others may not go back to it.
UPDATE every SET lww = NULL, mv = NULL WHERE id = 4 RETURNING id, lww::jsonb, lww IS NULL AS is_null, mv::jsonb, mv IS NULL AS is_null;
CREATE FUNCTION refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    hint text;
BEGIN
    EXECUTE statement;
    RETURN 'done';
EXCEPTION WHEN others THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' / ', SQLSTATE, SQLERRM, hint);
END
$$;
SELECT attname, refused(format('UPDATE every SET %I = NULL WHERE id = 4', attname)) FROM pg_attribute
 WHERE attrelid = 'every'::regclass AND attnum > 1 AND attname NOT IN ('lww', 'mv', 'crdt_meta') ORDER BY attnum;
SELECT open_changes();

-- COPY FROM, with literals and a state.
COPY every (id, g, pn, b, lww, mv, os, aw, ls, lm, om, cart, list, body, vector, time) FROM stdin;
20	7	-7	7 floor 2	"copied"	copied	{x}	{"x y"}	{"x": 1}	{"a": "\\\\"}	{"a": {"b": 1}}	{"a": 1}	["a"]	copied text	{}	2023-11-21T12:00:00Z
21	12 @v1:AQAAAQEBAQEBAQEBAQEBAQEBAQEBjMJR9AEAAAAAAAAAAAAM0QXjNA	0	0	null	null	{}	{}	{}	{}	{}	{}	[]		{}	-infinity
\.
SELECT id, shown(every), crdt_floor(b) FROM every WHERE id >= 20 ORDER BY id;
UPDATE every SET g = g + 1 WHERE id >= 20 RETURNING id, g::bigint;

-- Rolled back writes leave nothing, to the last byte.
SELECT md5(string_agg(every::text, E'\n' ORDER BY id)) AS before FROM every \gset
BEGIN;
UPDATE every SET g = g + 1, os = os + 'rolled back', body = crdt_append(body, 'rolled back'), vector = crdt_tick(vector);
SAVEPOINT half;
DELETE FROM every;
ROLLBACK TO half;
ROLLBACK;
SELECT md5(string_agg(every::text, E'\n' ORDER BY id)) = :'before' AS same FROM every;

-- A key that is deleted and taken again starts anew.
DELETE FROM every WHERE id = 1;
INSERT INTO every VALUES (1, 1, 1, 1, '1', '1', '{again}', '{again}', '{again}', '{"again": 1}', '{"again": 1}', '{"again": 1}', '["again"]', 'again', '{}', '2023-11-21T12:00:00Z') RETURNING id, shown(every);

SELECT crdt_commit_block() > 0 AS final;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT verify_chain();
SELECT * FROM verify_table('every');
COMMIT;
SELECT crdt_untrack('every');
-- What is left are plain columns with the same values, free of any rule.
UPDATE every SET g = 0, vector = NULL, time = NULL WHERE id = 1 RETURNING g::bigint, vector, time;
DROP FUNCTION shown, open_changes, refused;
DROP TABLE every;
RESET timezone;
RESET datestyle;
