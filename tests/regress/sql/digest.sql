-- Digests of tables: of their content, whatever the order and the settings.
CREATE TABLE counted_page (id bigint PRIMARY KEY, title text, views pn_counter, tags or_set);
INSERT INTO counted_page SELECT i, 'counted_page ' || i, '1', '{a}' FROM generate_series(1, 100) i;
SELECT crdt_track('counted_page');
SELECT length(crdt_table_digest('counted_page')) AS bytes;

-- Reading changes nothing, nor does the order in which rows lie.
CREATE TEMP TABLE before AS SELECT crdt_table_digest('counted_page') AS digest;
VACUUM FULL counted_page;
SELECT crdt_table_digest('counted_page') = digest AS same FROM before;
SET work_mem = '64kB';
SELECT crdt_table_digest('counted_page') = digest AS same_when_spilled FROM before;
RESET work_mem;

-- Settings that change how values are shown do not count.
UPDATE counted_page SET title = U&'caf\00e9' WHERE id = 1;
TRUNCATE before;
INSERT INTO before SELECT crdt_table_digest('counted_page');
SET client_encoding = 'LATIN1';
SELECT crdt_table_digest('counted_page') = digest AS same_in_latin1 FROM before;
RESET client_encoding;

-- Any change does: of a plain column, of a CRDT one, of what only the row's
-- metadata tells, of rows that come and go.
UPDATE counted_page SET title = 'other' WHERE id = 2;
SELECT crdt_table_digest('counted_page') = digest AS same FROM before;
TRUNCATE before;
INSERT INTO before SELECT crdt_table_digest('counted_page');
UPDATE counted_page SET views = views + 1 WHERE id = 3;
SELECT crdt_table_digest('counted_page') = digest AS same FROM before;
TRUNCATE before;
INSERT INTO before SELECT crdt_table_digest('counted_page');
BEGIN;
DELETE FROM counted_page WHERE id = 4;
SELECT crdt_table_digest('counted_page') = digest AS same FROM before;
ROLLBACK;
SELECT crdt_table_digest('counted_page') = digest AS same_again FROM before;
BEGIN;
INSERT INTO counted_page VALUES (101);
SELECT crdt_table_digest('counted_page') = digest AS same FROM before;
ROLLBACK;

-- What a superuser does behind the triggers is seen too.
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE counted_page SET title = 'forged' WHERE id = 5;
SELECT crdt_table_digest('counted_page') = digest AS same FROM before;
ROLLBACK;

-- An empty table has a digest as well; it is that of any empty one.
CREATE TABLE empty_1 (id int PRIMARY KEY);
CREATE TABLE empty_2 (id text, part int, PRIMARY KEY (part, id));
SELECT crdt_track('empty_1'), crdt_track('empty_2');
SELECT encode(crdt_table_digest('empty_1'), 'hex') AS digest,
       crdt_table_digest('empty_1') = crdt_table_digest('empty_2') AS alike;

-- Errors that name what is wrong.
CREATE TABLE untracked (id int PRIMARY KEY);
SELECT crdt_table_digest('untracked');
SELECT crdt_diff('untracked', 'somebody');
SELECT crdt_diff('counted_page', 'nobody');
SELECT crdt_node() ->> 'name' AS me \gset
\set VERBOSITY sqlstate
SELECT crdt_diff('counted_page', :'me');
\set VERBOSITY default
SELECT crdt_diff('counted_page', 'nobody', 0);
SELECT crdt_diff('counted_page', 'nobody', 10001);
SELECT crdt.row_digest(ROW(1, 2));

-- Who may.
CREATE ROLE regress_crdt_reader;
SET ROLE regress_crdt_reader;
SELECT crdt_table_digest('counted_page');
SELECT crdt_diff('counted_page', 'nobody');
RESET ROLE;
GRANT crdt_auditor TO regress_crdt_reader;
SET ROLE regress_crdt_reader;
SELECT length(crdt_table_digest('counted_page')) AS bytes;
RESET ROLE;
DROP ROLE regress_crdt_reader;
DROP TABLE counted_page, empty_1, empty_2, untracked;

-- Two releases must agree on a row's digest. Written behind the triggers, so
-- that no clock and no key of this node is in it.
CREATE TABLE golden (id int, part text, views pn_counter, note text, PRIMARY KEY (part, id));
SELECT crdt_track('golden');
SET session_replication_role = replica;
INSERT INTO golden VALUES (7, 'x', '5', NULL, '\x010000000001');
RESET session_replication_role;
SELECT substr(encode(crdt.row_digest(g), 'hex'), 1, 64) AS key,
       substr(encode(crdt.row_digest(g), 'hex'), 65) AS state FROM golden g;
SELECT encode(crdt_table_digest('golden'), 'hex') AS digest;
DROP TABLE golden;
