-- Inverted indexes over the elements of sets.
CREATE TABLE page (id int PRIMARY KEY, tags or_set);
INSERT INTO page SELECT i, ARRAY['g' || i % 3, 'e' || i]::or_set FROM generate_series(1, 300) i;
INSERT INTO page VALUES (301, '{}'), (302, NULL), (303, crdt_settle('{settled,"two words"}'::or_set));
CREATE INDEX page_tags ON page USING gin (tags);

-- The index and the operators must give one answer.
CREATE TABLE condition (name text, sql text);
INSERT INTO condition VALUES
    ('has', $$tags ? 'g1'$$),
    ('has a settled one', $$tags ? 'two words'$$),
    ('has none', $$tags ? 'nothing'$$),
    ('any', $$tags ?| '{e1,e2,nothing}'$$),
    ('any of none', $$tags ?| '{}'$$),
    ('any or null', $$tags ?| ARRAY['e1', NULL]$$),
    ('all', $$tags ?& '{g1,e4}'$$),
    ('all of none', $$tags ?& '{}'$$),
    ('all and null', $$tags ?& ARRAY['g1', NULL]$$),
    ('contains a set', $$tags @> '{g1,e4}'$$),
    ('contains an array', $$tags @> '{g1,e4}'::text[]$$),
    ('contains nothing', $$tags @> '{}'$$);
CREATE FUNCTION counted(condition text, with_index bool) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    rows bigint;
BEGIN
    PERFORM set_config('enable_seqscan', (NOT with_index)::text, true),
            set_config('enable_bitmapscan', with_index::text, true);
    EXECUTE 'SELECT count(*) FROM page WHERE ' || condition INTO rows;
    RETURN rows;
END
$$;
SELECT name, counted(sql, true) AS with_index, counted(sql, false) AS without FROM condition;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM page WHERE tags @> '{g1,e4}';
EXPLAIN (COSTS OFF) SELECT id FROM page WHERE tags ?| '{e1,e2}';
RESET enable_seqscan;

-- It follows writes.
UPDATE page SET tags = tags - 'g1' + 'new' WHERE id = 4;
SELECT counted($$tags ? 'g1'$$, true) AS g1, counted($$tags ? 'new'$$, true) AS new;
SELECT amvalidate(oid) FROM pg_opclass WHERE opcname LIKE '%gin_ops' AND opcnamespace = 'public'::regnamespace;
DROP TABLE page, condition;
DROP FUNCTION counted;
