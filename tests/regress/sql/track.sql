-- Tracked tables: what may be tracked, what a write does to a row, and which
-- writes reach the op log.
CREATE TABLE page (
    id integer PRIMARY KEY, gone text, title lww_register, views pn_counter DEFAULT 0, tags or_set DEFAULT '{}', note text
);
ALTER TABLE page DROP COLUMN gone;
INSERT INTO page VALUES (1, 'one', 5, '{a,b}', 'first'), (2, NULL, NULL, NULL, NULL), (3, 'three', '3', '{}', 'third');

-- Refused, with the reason and a way out.
CREATE TABLE keyless (views pn_counter);
SELECT crdt_track('keyless');
CREATE TABLE counted_key (views pn_counter PRIMARY KEY);
SELECT crdt_track('counted_key');
CREATE TABLE parted (id integer PRIMARY KEY) PARTITION BY HASH (id);
SELECT crdt_track('parted');
CREATE TEMP TABLE passing (id integer PRIMARY KEY);
\set VERBOSITY sqlstate
SELECT crdt_track('passing');
\set VERBOSITY default
CREATE UNLOGGED TABLE hasty (id integer PRIMARY KEY);
SELECT crdt_track('hasty');
SELECT crdt_track('crdt.op');
SELECT crdt_track('nothing_of_that_name');
SELECT crdt_untrack('page');
CREATE ROLE regress_crdt_guest;
SET ROLE regress_crdt_guest;
SELECT crdt_track('page');
RESET ROLE;
DROP TABLE keyless, counted_key, parted, passing, hasty;
DROP ROLE regress_crdt_guest;

-- Tracking takes in the rows that are there, value by value.
SELECT crdt_track('page');
SELECT crdt_track('page');
SELECT relation, schema_name, table_name FROM crdt_tracked;
SELECT id, title::text, views::bigint, tags::text[], note, crdt_meta IS NOT NULL AS entered FROM page ORDER BY id;
SELECT count(*) FILTER (WHERE crdt_state(views) -> 'change' <> 'null' OR crdt_state(tags) -> 'change' <> 'null') AS unsettled FROM page;

-- INSERT, UPDATE and DELETE; plain SQL sees plain values.
INSERT INTO page (id, title) VALUES (4, 'four') RETURNING id, title::text, views::bigint, tags::text[];
UPDATE page SET views = views + 10, tags = tags + 'news' WHERE id = 1 RETURNING views::bigint, tags::text[];
UPDATE page SET title = crdt_set(title, 'uno'), views = views - 1, tags = tags - 'a' WHERE id = 1 RETURNING title::text, views::bigint, tags::text[];
-- By value, as an ORM does it.
UPDATE page SET title = 'eins', views = 100, tags = '{b,c}', note = 'changed' WHERE id = 1 RETURNING title::text, views::bigint, tags::text[], note;
-- Another row's state is taken by its value, not merged.
UPDATE page SET views = other.views, tags = other.tags, title = other.title FROM page other WHERE page.id = 3 AND other.id = 1
RETURNING page.title::text, page.views::bigint, page.tags::text[];
UPDATE page SET views = views + 1 WHERE id IN (1, 3) RETURNING id, views::bigint;
-- A value read earlier: what happened since stays.
DO $$
DECLARE
    seen page;
BEGIN
    SELECT * INTO seen FROM page WHERE id = 1;
    UPDATE page SET views = views + 5, tags = tags + 'meanwhile' WHERE id = 1;
    UPDATE page SET views = seen.views + 1, tags = seen.tags + 'late' WHERE id = 1;
END
$$;
SELECT views::bigint, tags::text[] FROM page WHERE id = 1;
DELETE FROM page WHERE id = 4;
INSERT INTO page (id, title, views) VALUES (4, 'four again', 1) RETURNING title::text, views::bigint;

-- NULL: a register may hold nothing, a counter and a set may not go back to it.
UPDATE page SET title = NULL WHERE id = 4 RETURNING title::text IS NULL AS nothing;
UPDATE page SET views = NULL WHERE id = 4;
UPDATE page SET tags = NULL WHERE id = 4;
UPDATE page SET views = 1, tags = '{x}', title = 'two' WHERE id = 2 RETURNING title::text, views::bigint, tags::text[];

-- Refused on a tracked table.
UPDATE page SET id = 9 WHERE id = 4;
UPDATE page SET id = id WHERE id = 4;
TRUNCATE page;
UPDATE page SET views = views + 9223372036854775807 WHERE id = 1;
-- The row's bookkeeping is not the user's.
UPDATE page SET crdt_meta = NULL WHERE id = 4 RETURNING crdt_meta IS NULL AS lost;
INSERT INTO page (id, crdt_meta) VALUES (5, '\x00') RETURNING crdt_meta = '\x00' AS taken;

-- ON CONFLICT.
INSERT INTO page (id, title, views) VALUES (5, 'five', 1), (6, 'six', 1)
ON CONFLICT (id) DO UPDATE SET title = excluded.title, views = page.views + excluded.views::bigint
RETURNING id, title::text, views::bigint;
INSERT INTO page (id, views) VALUES (6, 1) ON CONFLICT (id) DO UPDATE SET views = page.views + 1 RETURNING views::bigint;
INSERT INTO page (id, views) VALUES (6, 9) ON CONFLICT DO NOTHING;
SELECT views::bigint FROM page WHERE id = 6;

-- Rolled back writes leave nothing.
BEGIN;
UPDATE page SET views = views + 1000;
SAVEPOINT half;
DELETE FROM page;
ROLLBACK TO half;
ROLLBACK;
SELECT id, views::bigint FROM page ORDER BY id;

-- Triggers of the user run before the guard and may still change the row.
CREATE FUNCTION page_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.tags := NEW.tags + 'touched';
    RETURN NEW;
END
$$;
CREATE TRIGGER page_touch BEFORE UPDATE ON page FOR EACH ROW EXECUTE FUNCTION page_touch();
UPDATE page SET note = 'x' WHERE id = 6 RETURNING tags::text[], note;
DROP TRIGGER page_touch ON page;
DROP FUNCTION page_touch;

-- What has reached the log so far: one op for each write of a row that changed it.
SELECT crdt_commit_block() > 0 AS final;
SELECT kind, row_key, count(*), count(*) FILTER (WHERE change = 'deleted') AS deletions
  FROM crdt_ops WHERE table_name = 'public.page' GROUP BY kind, row_key ORDER BY kind, row_key;
UPDATE page SET views = views, tags = tags + 'b' - 'b', title = title, note = note WHERE id = 6;
UPDATE page SET views = 3, title = 'six', note = 'x' WHERE id = 6;
SELECT crdt_commit_block() > 0 AS final;
SELECT count(*) FROM crdt_ops WHERE table_name = 'public.page' AND row_key = '6';

-- In bulk.
COPY page (id, title, views, tags) FROM stdin;
101	copied	7	{x}
102	"copied too"	8	{}
\.
INSERT INTO page (id, title, views, tags) SELECT n, 'bulk ' || n, n, ARRAY['bulk'] FROM generate_series(1001, 3000) AS n;
UPDATE page SET views = views + 1, tags = tags + 'more' WHERE id > 1000;
DELETE FROM page WHERE id > 2000;
SELECT count(*), sum(views::bigint), count(*) FILTER (WHERE tags = '{bulk,more}') AS tagged FROM page WHERE id > 1000;
SELECT id, title::text, views::bigint, tags::text[] FROM page WHERE id IN (101, 102) ORDER BY id;
SELECT crdt_commit_block() > 0 AS final;
SELECT count(*) FROM crdt_ops WHERE table_name = 'public.page' AND row_key::integer > 1000;

-- Any key, any columns: text and numbers in the key, generated columns, cascades.
CREATE TABLE shop (name text PRIMARY KEY);
INSERT INTO shop VALUES ('corner'), ('market');
CREATE TABLE stock (
    shop text REFERENCES shop ON DELETE CASCADE, article uuid, pieces pn_counter NOT NULL DEFAULT 0,
    price numeric(10, 2), seen timestamptz, twice numeric GENERATED ALWAYS AS (price * 2) STORED,
    PRIMARY KEY (shop, article)
);
SELECT crdt_track('stock');
INSERT INTO stock (shop, article, pieces, price) VALUES
    ('corner', '00000000-0000-0000-0000-000000000001', 4, 9.99), ('market', '00000000-0000-0000-0000-000000000001', 5, 10);
UPDATE stock SET pieces = pieces - 1, price = price + 1;
SELECT shop, pieces::bigint, price, twice FROM stock ORDER BY shop;
DELETE FROM shop WHERE name = 'corner';
SELECT crdt_commit_block() > 0 AS final;
SELECT count(*), count(*) FILTER (WHERE change = 'deleted') AS deletions FROM crdt_ops WHERE table_name = 'public.stock' AND kind = 'delta';

-- A new column stays here until the table is tracked anew.
ALTER TABLE stock ADD COLUMN likes pn_counter NOT NULL DEFAULT 2;
UPDATE stock SET likes = likes + 1;
SELECT crdt_track('stock');
SELECT crdt_untrack('stock');
SELECT crdt_track('stock');
UPDATE stock SET likes = likes + 1;
SELECT likes::bigint, crdt_state(likes) ->> 'change' AS change FROM stock;

-- After all that each row is what the log leads to.
SELECT * FROM verify_table('stock');
SELECT * FROM verify_table('page');

-- Untracking gives the table back as it was.
SELECT crdt_untrack('stock');
SELECT crdt_untrack('page');
SELECT count(*) FROM crdt_tracked;
SELECT tgname FROM pg_trigger WHERE tgrelid = 'page'::regclass;
SELECT attname FROM pg_attribute WHERE attrelid = 'page'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum;
UPDATE page SET id = 9, views = NULL WHERE id = 6;
ALTER TABLE page ALTER COLUMN title TYPE text, ALTER COLUMN views DROP DEFAULT, ALTER COLUMN views TYPE bigint,
    ALTER COLUMN tags DROP DEFAULT, ALTER COLUMN tags TYPE text[] USING tags::text[];
SELECT id, title, views, tags, note FROM page WHERE id < 100 ORDER BY id;
SELECT verify_chain();
TRUNCATE page;
DROP TABLE page, stock, shop;
