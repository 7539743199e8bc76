-- verify_table: a tracked table that somebody changed behind the triggers.
SET timezone = 'UTC';
CREATE TABLE sheet (
    id bigint PRIMARY KEY,
    g g_counter NOT NULL DEFAULT '0', pn pn_counter NOT NULL DEFAULT '0', b b_counter NOT NULL DEFAULT '10 floor 3',
    lww lww_register DEFAULT '"new"', mv mv_register DEFAULT '"new"',
    os or_set NOT NULL DEFAULT '{}', aw aw_set NOT NULL DEFAULT '{}', ls lww_set NOT NULL DEFAULT '{}',
    lm lww_map NOT NULL DEFAULT '{}', om or_map NOT NULL DEFAULT '{}', cart or_cart NOT NULL DEFAULT '{}',
    list rga NOT NULL DEFAULT '["start"]', body rga_text NOT NULL DEFAULT 'start',
    vector vector_clock NOT NULL DEFAULT '{}', time hlc NOT NULL DEFAULT '-infinity',
    note text, price numeric, at timestamptz, bytes bytea
);
INSERT INTO sheet (id) SELECT generate_series(1, 6);
SELECT crdt_track('sheet');
UPDATE sheet SET g = g + 1, pn = pn - 1, b = b + 1, lww = crdt_set(lww, 'a'), mv = crdt_set(mv, 'a'), os = os + 'a', aw = aw + 'a', ls = crdt_put(ls, 'a', '1'),
    lm = crdt_put(lm, 'a', '1'), om = crdt_increment(om, 'a', 1), cart = crdt_increment(cart, 'a', 1), list = crdt_append(list, '"a"'), body = crdt_append(body, ' a'),
    vector = crdt_tick(vector), time = '2023-11-21T12:00:00Z', note = 'a', price = 1.10, at = '2023-11-21T12:00:00Z', bytes = '\x01'
 WHERE id <= 2;
-- Row 2 shows what row 1 shows; row 3 is as it came.
DELETE FROM sheet WHERE id IN (4, 5);
INSERT INTO sheet (id, note) VALUES (5, 'again');
SELECT * FROM verify_table('sheet');
SELECT crdt_commit_block() > 0 AS final;
SELECT * FROM verify_table('sheet');

-- Does a thing that no trigger sees, tells what is found and undoes it. Of states
-- what they show.
CREATE FUNCTION behind(statement text) RETURNS TABLE (row_key text, kind text, column_name text, expected text, found text, detail text)
LANGUAGE plpgsql AS $$
DECLARE
    findings jsonb;
BEGIN
    PERFORM set_config('session_replication_role', 'replica', true);
    BEGIN
        EXECUTE statement;
        SELECT jsonb_agg(f) INTO findings FROM verify_table('sheet') f;
        RAISE EXCEPTION 'undone';
    EXCEPTION WHEN raise_exception THEN
    END;
    PERFORM set_config('session_replication_role', 'origin', true);
    RETURN QUERY
        SELECT f.row_key, f.kind, f.column_name, split_part(f.expected, ' @v1:', 1), split_part(f.found, ' @v1:', 1), f.detail
          FROM jsonb_to_recordset(findings) AS f (row_key text, kind text, column_name text, expected text, found text, detail text)
         ORDER BY 1, 2, 3;
END
$$;

-- Each column by itself: another value, and the same value by another state.
SELECT a.attname, f.row_key, f.kind, f.column_name = a.attname AS named, f.expected, f.found
  FROM pg_attribute a LEFT JOIN LATERAL behind(format('UPDATE sheet SET %1$I = (SELECT %1$I FROM sheet WHERE id = 3) WHERE id = 1', a.attname)) f ON true
 WHERE a.attrelid = 'sheet'::regclass AND a.attnum > 1 AND NOT a.attisdropped AND a.attname NOT IN ('crdt_meta', 'vector') ORDER BY a.attnum;
SELECT a.attname, f.row_key, f.kind, f.column_name = a.attname AS named, f.expected = f.found AS shows_the_same
  FROM pg_attribute a LEFT JOIN LATERAL behind(format('UPDATE sheet SET %1$I = (SELECT %1$I FROM sheet WHERE id = 2) WHERE id = 1', a.attname)) f ON true
 WHERE a.attrelid = 'sheet'::regclass AND a.attnum > 1 AND NOT a.attisdropped AND a.attname NOT IN ('crdt_meta', 'time', 'note', 'price', 'at', 'bytes') ORDER BY a.attnum;
-- A value that was never settled; one that differs in nothing but its digits.
SELECT row_key, kind, column_name, expected, found FROM behind('UPDATE sheet SET pn = ''-1'', price = 1.1 WHERE id = 2');
SELECT row_key, kind, column_name, expected, found FROM behind('UPDATE sheet SET note = NULL, lww = NULL WHERE id = 2');

-- What a row remembers of itself.
SELECT row_key, kind, column_name, expected LIKE '\\x%' AS expected, found LIKE '\\x%' AS found FROM behind('UPDATE sheet SET crdt_meta = set_byte(crdt_meta, 5, 3) WHERE id = 1');
SELECT row_key, kind, column_name, found FROM behind('UPDATE sheet SET crdt_meta = NULL WHERE id = 1');
SELECT row_key, kind, column_name, found FROM behind('UPDATE sheet SET crdt_meta = ''\x00'' WHERE id = 1');

-- Rows that come and go.
SELECT row_key, kind, expected::jsonb ->> 'note' AS note, found, detail FROM behind('DELETE FROM sheet WHERE id = 1');
SELECT row_key, kind, expected, found::jsonb ->> 'note' AS note, detail FROM behind('INSERT INTO sheet (id, note) VALUES (7, ''forged'')');
SELECT row_key, kind, expected, found::jsonb ->> 'note' AS note, detail FROM behind('INSERT INTO sheet (id, note, crdt_meta) SELECT 7, ''forged'', crdt_meta FROM sheet WHERE id = 1');
SELECT row_key, kind, expected, found::jsonb ->> 'note' AS note, detail FROM behind('INSERT INTO sheet (id, note, crdt_meta) SELECT 4, ''back'', crdt_meta FROM sheet WHERE id = 1');
SELECT row_key, kind, count(*) FROM behind('UPDATE sheet SET id = 8 WHERE id = 6') GROUP BY 1, 2 ORDER BY 1;

-- What deleted rows leave behind. That of row 5, which is back, may be missing.
SELECT * FROM behind('DELETE FROM crdt.tombstone');
SELECT * FROM behind('UPDATE crdt.tombstone SET causal_length = 4');
SELECT * FROM behind('INSERT INTO crdt.tombstone VALUES (''\x00112233445566778899aabbccddeeff'', 2)');
SELECT * FROM behind('INSERT INTO crdt.tombstone SELECT crdt.row_name(''sheet''::regclass, 1::bigint), 2');

-- The index from rows to ops proves nothing, so it is held against the ops.
SELECT row_key, kind, expected <> found AS differs, regexp_replace(detail, 'op \d+ of \S+ is', 'op … is') AS detail
  FROM behind('UPDATE crdt.op SET row_id = row_id + 1 WHERE seq = (SELECT min(seq) FROM crdt_ops WHERE table_name = ''public.sheet'' AND row_key = ''3'')');
INSERT INTO crdt.schema (hash, schema_name, table_name, definition) VALUES ('\x00', 'public', 'other', '\x00');
SELECT row_key, kind, expected <> found AS differs, regexp_replace(detail, 'op \d+ of \S+ is', 'op … is') AS detail
  FROM behind('UPDATE crdt.op SET schema_id = (SELECT max(id) FROM crdt.schema) WHERE seq = (SELECT max(seq) FROM crdt_ops WHERE table_name = ''public.sheet'' AND row_key = ''2'')');
DELETE FROM crdt.schema WHERE hash = '\x00';
SELECT kind, found IS NOT NULL AS found FROM behind('UPDATE crdt.op SET row_id = 5 WHERE kind = 2 AND schema_id = (SELECT schema_id FROM crdt.tracked WHERE relation = ''sheet''::regclass)');

-- An op that is gone, or whose payload was pruned.
SELECT row_key, kind, expected, found::jsonb ->> 'note' AS note FROM behind('DELETE FROM crdt.op WHERE seq = (SELECT max(seq) FROM crdt_ops WHERE table_name = ''public.sheet'' AND row_key = ''3'')');
CREATE FUNCTION prune(key text, which text) RETURNS text LANGUAGE sql RETURN format(
    'UPDATE crdt.op SET salt = '''', payload = sha256(payload) WHERE seq IN (SELECT %s(seq) FROM crdt_ops WHERE table_name = ''public.sheet'' AND row_key = %L AND kind = ''delta'')', which, key);
SELECT * FROM behind(prune('1', 'min'));
SELECT * FROM behind(prune('1', 'max'));
SELECT * FROM behind(prune('5', 'min'));
SELECT row_key, kind, column_name, expected, found FROM behind(prune('1', 'min') || '; UPDATE sheet SET pn = ''5'', note = ''forged'' WHERE id = 1');
SELECT row_key, kind, found, detail FROM behind(prune('3', 'min') || '; DELETE FROM sheet WHERE id = 3');
SELECT row_key, kind, column_name, found FROM behind(prune('3', 'min') || '; UPDATE sheet SET crdt_meta = NULL WHERE id = 3');

-- An op that was refused, as those of peers may be: the row is not what the log says.
INSERT INTO crdt.quarantine (origin, seq, reason) SELECT origin_id, max(seq), 'as a test' FROM crdt_ops WHERE table_name = 'public.sheet' AND row_key = '6' GROUP BY 1;
SELECT row_key, kind, expected::jsonb ->> 'id' AS expected, found, regexp_replace(detail, 'op \d+ of \S+ was', 'op … was') AS detail
  FROM behind('DELETE FROM sheet WHERE id = 6');
DELETE FROM crdt.quarantine;

-- Untracked and tracked again it begins anew, whatever happened in between.
SELECT crdt_untrack('sheet');
SELECT * FROM verify_table('sheet');
UPDATE sheet SET pn = '100', note = 'while it was not tracked' WHERE id = 1;
DELETE FROM sheet WHERE id = 2;
UPDATE sheet SET id = 9 WHERE id = 6;
SELECT crdt_track('sheet');
SELECT * FROM verify_table('sheet');
UPDATE sheet SET pn = pn + 1, note = 'tracked again';
SELECT crdt_commit_block() > 0 AS final;
SELECT * FROM verify_table('sheet');
SELECT row_key, kind, column_name, expected, found FROM behind('UPDATE sheet SET pn = ''5'' WHERE id = 1');
-- What was pruned of the time before says nothing of the rows of today.
SELECT * FROM behind('UPDATE crdt.op SET salt = '''', payload = sha256(payload) WHERE kind = 1 AND schema_id = (SELECT schema_id FROM crdt.tracked WHERE relation = ''sheet''::regclass)
    AND seq < (SELECT max(seq) FROM crdt_ops WHERE kind = ''schema'' AND table_name = ''public.sheet'' AND change LIKE ''not tracked%'')');
-- With another column.
SELECT crdt_untrack('sheet');
ALTER TABLE sheet DROP COLUMN note, ADD COLUMN likes pn_counter NOT NULL DEFAULT 3;
SELECT crdt_track('sheet');
UPDATE sheet SET likes = likes + 1 WHERE id < 4;
SELECT crdt_commit_block() > 0 AS final;
SELECT * FROM verify_table('sheet');
SELECT row_key, kind, column_name, expected, found FROM behind('UPDATE sheet SET likes = ''5'' WHERE id = 1');

-- Keys of several columns and of text, whatever encoding the client speaks.
CREATE TABLE label (language text, name text, word lww_register, size int, PRIMARY KEY (name, language));
SELECT crdt_track('label');
SET client_encoding = 'LATIN1';
INSERT INTO label VALUES (chr(233), 'a, b', '"x"', 1), (chr(233), '', '"y"', NULL);
UPDATE label SET size = 2 WHERE language = chr(233);
SELECT * FROM verify_table('label');
RESET client_encoding;
UPDATE label SET size = 3 WHERE language = chr(233);
SELECT * FROM verify_table('label');
SET session_replication_role = replica;
UPDATE label SET size = 4 WHERE name = '';
SET session_replication_role = origin;
SELECT row_key = ', ' || chr(233) AS named, kind, column_name, expected, found FROM verify_table('label');
UPDATE label SET size = 3, word = '"z"' WHERE name = '';
-- A write of one plain column logs all of them: the row is the log's again.
SELECT row_key = ', ' || chr(233) AS named, kind, column_name, expected, found FROM verify_table('label');

-- Who may, and what may be asked about.
CREATE ROLE regress_reader;
GRANT SELECT ON sheet TO regress_reader;
SET ROLE regress_reader;
SELECT * FROM verify_table('sheet');
RESET ROLE;
DROP OWNED BY regress_reader;
DROP ROLE regress_reader;
SELECT * FROM verify_table('pg_class');
SELECT verify_chain();
SELECT crdt_untrack('sheet'), crdt_untrack('label');
DROP TABLE sheet, label;
DROP FUNCTION behind, prune;
RESET timezone;
