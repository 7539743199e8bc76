-- crdt_history and crdt_as_of_…: rows as the log had them.
SET timezone = 'UTC';
CREATE TABLE leaflet (id bigint, kind text, views pn_counter, tags or_set, title lww_register, doc rga_text, note text, price numeric(8, 2), at timestamptz, PRIMARY KEY (kind, id));
INSERT INTO leaflet VALUES (1, 'a', '1', '{x}', '"t"', 'some text', 'before', 1.5, '2023-11-21T12:00:00Z');
SELECT crdt_track('leaflet');
SELECT crdt_commit_block() AS first \gset
BEGIN;
UPDATE leaflet SET views = views + 2, tags = tags + 'y', note = 'after';
UPDATE leaflet SET doc = crdt_append(doc, ' more'), title = 'new';
INSERT INTO leaflet (id, kind, views) VALUES (2, 'b', 5);
COMMIT;
SELECT crdt_commit_block() AS second \gset
DELETE FROM leaflet WHERE id = 1;
SELECT crdt_commit_block() AS third \gset
INSERT INTO leaflet (id, kind, views, note) VALUES (1, 'a', 7, 'again');
SELECT crdt_commit_block() > 0 AS final;
SELECT seq - min(seq) OVER () AS seq, actor, application, transaction > 0 AS transaction, height - :first AS height, leaf_index > 0 AS leaf, change, value FROM crdt_history('leaflet', 'a', '1');
-- What is sealed but in no block yet, and what is not even sealed, is told as well.
BEGIN;
UPDATE leaflet SET views = views + 1 WHERE id = 2;
SELECT origin IS NOT NULL AS origin, seq IS NOT NULL AS sealed, height - :first AS height, change, value ->> 'views' AS views FROM crdt_history('leaflet', 'b', '2');
ROLLBACK;
SELECT count(*) FROM crdt_history('leaflet', 'c', '1');

-- By block.
SELECT height, crdt_as_of_block('leaflet', :first + height, 'a', '1') AS then FROM generate_series(-1, 2) AS height;
SELECT row_key, value ->> 'views' AS views FROM crdt_table_as_of_block('leaflet', :second) ORDER BY row_key;
SELECT row_key, value ->> 'views' AS views FROM crdt_table_as_of_block('leaflet', :third) ORDER BY row_key;
SELECT count(*) FROM crdt_table_as_of_block('leaflet', 0);
-- Literals of no type, as clients send them, mean one thing only.
SELECT crdt_as_of_block('leaflet', '0', 'a', '1'), crdt_as_of_time('leaflet', '2000-01-01', 'a', '1');

-- By time: an op's time is its node's clock, which the next op is past.
SELECT crdt_commit_block() > 0 AS final;
SELECT h.value IS NOT DISTINCT FROM crdt_as_of_time('leaflet', h.at, 'a', '1') AS same
  FROM (SELECT DISTINCT ON (at) * FROM crdt_history('leaflet', 'a', '1') ORDER BY at, seq DESC) h ORDER BY h.seq DESC LIMIT 1;
SELECT row_key, value ->> 'note' AS note FROM crdt_table_as_of_time('leaflet', 'infinity') ORDER BY row_key;
SELECT count(*) FROM crdt_table_as_of_time('leaflet', '-infinity');
-- Each value back into a type.
SELECT row_key, (value ->> 'views')::bigint AS views, value -> 'tags' ? 'y' AS tagged, (value ->> 'price')::numeric AS price FROM crdt_table_as_of_block('leaflet', :second) ORDER BY row_key;

-- Ops by what view crdt_ops shows of them, and those of a block.
SELECT kind, table_name, row_key, change FROM crdt_block_ops(:second) ORDER BY leaf_index;
SELECT count(*) FROM crdt_ops WHERE actor = current_user AND table_name = 'public.leaflet' AND kind = 'delta' AND at > '2000-01-01';
SELECT count(*) = (SELECT count(*) FROM crdt_ops WHERE height = :second) AS same FROM crdt_block_ops(:second);

-- Untracked and tracked again, with other columns: the history goes on.
SELECT crdt_untrack('leaflet');
SELECT count(*) FROM crdt_history('leaflet', 'a', '1');
ALTER TABLE leaflet DROP COLUMN price, ADD COLUMN likes pn_counter DEFAULT 4;
UPDATE leaflet SET likes = 4, note = 'meanwhile';
SELECT crdt_track('leaflet');
UPDATE leaflet SET likes = likes + 1;
SELECT crdt_commit_block() > 0 AS final;
SELECT change, value FROM crdt_history('leaflet', 'a', '1');
SELECT crdt_as_of_block('leaflet', :second, 'a', '1') AS then;

-- Pruned: what is not known is not told.
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE crdt.op SET salt = '', payload = sha256(payload) WHERE seq = (SELECT max(seq) FROM crdt_history('leaflet', 'a', '1'));
SELECT change, actor IS NULL AS nobody, value IS NULL AS unknown FROM crdt_history('leaflet', 'a', '1') OFFSET 5;
SELECT crdt_as_of_block('leaflet', :second, 'a', '1') ->> 'views' AS views;
SAVEPOINT before;
SELECT crdt_as_of_time('leaflet', 'infinity', 'a', '1');
ROLLBACK TO before;
SELECT count(*) FROM crdt_table_as_of_time('leaflet', 'infinity');
ROLLBACK;

-- What cannot be asked.
\set VERBOSITY sqlstate
SELECT crdt_as_of_block('leaflet', 1000000, 'a', '1');
SELECT crdt_as_of_block('leaflet', -1, 'a', '1');
\set VERBOSITY default
SELECT * FROM crdt_history('leaflet', 'a');
SELECT * FROM crdt_history('leaflet', 'a', 'one');
SELECT * FROM crdt_history('pg_class', '1');
CREATE ROLE regress_reader;
SET ROLE regress_reader;
SELECT * FROM crdt_history('leaflet', 'a', '1');
SELECT crdt_as_of_block('leaflet', 1, 'a', '1');
RESET ROLE;
DROP ROLE regress_reader;
SELECT crdt_untrack('leaflet');
DROP TABLE leaflet;
RESET timezone;
