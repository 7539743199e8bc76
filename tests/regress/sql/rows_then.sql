-- crdt_history and crdt_as_of_…: rows as the log had them.
SET timezone = 'UTC';
CREATE TABLE page (id bigint, kind text, views pn_counter, tags or_set, title lww_register, doc rga_text, note text, price numeric(8, 2), at timestamptz, PRIMARY KEY (kind, id));
INSERT INTO page VALUES (1, 'a', '1', '{x}', '"t"', 'some text', 'before', 1.5, '2023-11-21T12:00:00Z');
SELECT crdt_track('page');
SELECT crdt_commit_block() AS first \gset
UPDATE page SET views = views + 2, tags = tags + 'y', note = 'after';
UPDATE page SET doc = crdt_append(doc, ' more'), title = 'new';
INSERT INTO page (id, kind, views) VALUES (2, 'b', 5);
SELECT crdt_commit_block() AS second \gset
DELETE FROM page WHERE id = 1;
SELECT crdt_commit_block() AS third \gset
INSERT INTO page (id, kind, views, note) VALUES (1, 'a', 7, 'again');
SELECT seq - min(seq) OVER () AS seq, actor, application, transaction > 0 AS transaction, height - :first AS height, leaf_index > 0 AS leaf, change, value FROM crdt_history('page', 'a', '1');
-- What is sealed but in no block yet, and what is not even sealed, is told as well.
BEGIN;
UPDATE page SET views = views + 1 WHERE id = 2;
SELECT origin IS NOT NULL AS origin, seq IS NOT NULL AS sealed, height - :first AS height, change, value ->> 'views' AS views FROM crdt_history('page', 'b', '2');
ROLLBACK;
SELECT count(*) FROM crdt_history('page', 'c', '1');

-- By block.
SELECT height, crdt_as_of_block('page', :first + height, 'a', '1') AS then FROM generate_series(-1, 2) AS height;
SELECT row_key, value ->> 'views' AS views FROM crdt_table_as_of_block('page', :second) ORDER BY row_key;
SELECT row_key, value ->> 'views' AS views FROM crdt_table_as_of_block('page', :third) ORDER BY row_key;
SELECT count(*) FROM crdt_table_as_of_block('page', 0);
-- Literals of no type, as clients send them, mean one thing only.
SELECT crdt_as_of_block('page', '0', 'a', '1'), crdt_as_of_time('page', '2000-01-01', 'a', '1');

-- By time: an op's time is its node's clock, which the next op is past.
SELECT crdt_commit_block() > 0 AS final;
SELECT h.height - :first AS height, h.value IS NOT DISTINCT FROM crdt_as_of_time('page', h.at + interval '1 ms' * (h.seq - h.seq), 'a', '1') AS same
  FROM (SELECT DISTINCT ON (at) * FROM crdt_history('page', 'a', '1') ORDER BY at, seq DESC) h ORDER BY h.seq DESC LIMIT 1;
SELECT row_key, value ->> 'note' AS note FROM crdt_table_as_of_time('page', 'infinity') ORDER BY row_key;
SELECT count(*) FROM crdt_table_as_of_time('page', '-infinity');
-- Back into the table's own types.
SELECT r.id, r.views::bigint, r.tags::text[], r.price, r.at FROM crdt_table_as_of_block('page', :second), jsonb_populate_record(NULL::page, value) AS r ORDER BY r.id;

-- Ops by what view crdt_ops shows of them, and those of a block.
SELECT kind, table_name, row_key, change FROM crdt_block_ops(:second) ORDER BY leaf_index;
SELECT count(*) FROM crdt_ops WHERE actor = current_user AND table_name = 'public.page' AND kind = 'delta' AND at > '2000-01-01';
SELECT count(*) = (SELECT count(*) FROM crdt_ops WHERE height = :second) AS same FROM crdt_block_ops(:second);

-- Untracked and tracked again, with other columns: the history goes on.
SELECT crdt_untrack('page');
SELECT count(*) FROM crdt_history('page', 'a', '1');
ALTER TABLE page DROP COLUMN price, ADD COLUMN likes pn_counter DEFAULT 4;
UPDATE page SET likes = 4, note = 'meanwhile';
SELECT crdt_track('page');
UPDATE page SET likes = likes + 1;
SELECT crdt_commit_block() > 0 AS final;
SELECT change, value FROM crdt_history('page', 'a', '1');
SELECT crdt_as_of_block('page', :second, 'a', '1') AS then;

-- Pruned: what is not known is not told.
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE crdt.op SET salt = '', payload = sha256(payload) WHERE seq = (SELECT max(seq) FROM crdt_history('page', 'a', '1'));
SELECT change, actor IS NULL AS nobody, value IS NULL AS unknown FROM crdt_history('page', 'a', '1') OFFSET 5;
SELECT crdt_as_of_block('page', :second, 'a', '1') ->> 'views' AS views;
SAVEPOINT before;
SELECT crdt_as_of_time('page', 'infinity', 'a', '1');
ROLLBACK TO before;
SELECT count(*) FROM crdt_table_as_of_time('page', 'infinity');
ROLLBACK;

-- What cannot be asked.
SELECT crdt_as_of_block('page', 1000000, 'a', '1');
SELECT crdt_as_of_block('page', -1, 'a', '1');
SELECT * FROM crdt_history('page', 'a');
SELECT * FROM crdt_history('page', 'a', 'one');
SELECT * FROM crdt_history('pg_class', '1');
CREATE ROLE regress_reader;
SET ROLE regress_reader;
SELECT * FROM crdt_history('page', 'a', '1');
SELECT crdt_as_of_block('page', 1, 'a', '1');
RESET ROLE;
DROP ROLE regress_reader;
SELECT crdt_untrack('page');
DROP TABLE page;
RESET timezone;
