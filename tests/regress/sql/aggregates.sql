-- Aggregates over CRDT columns.
CREATE TABLE tally (id int PRIMARY KEY, c pn_counter, s or_set, r lww_register);
INSERT INTO tally
SELECT i, i, crdt_settle(ARRAY['g' || i % 3, 'e' || i]::or_set), crdt_settle(to_jsonb(i)::lww_register)
  FROM generate_series(1, 1000) i;
INSERT INTO tally VALUES (0, NULL, NULL, NULL);

-- Of values, as of a bigint column.
SELECT sum(c), avg(c), min(c), max(c), count(c) FROM tally;
SELECT sum(c), avg(c), min(c), max(c), crdt_merge(c) IS NULL AS merged FROM tally WHERE id = 0;
SELECT sum(c) FROM (VALUES ('9223372036854775807'::pn_counter), ('9223372036854775807')) AS v (c);

-- Of states: each counts once, however often it comes.
SELECT crdt_cardinality(crdt_merge(s)) FROM tally;
SELECT crdt_cardinality(crdt_merge(s)) FROM (SELECT s FROM tally UNION ALL SELECT s FROM tally) AS twice;
SELECT crdt_value(crdt_merge(r ORDER BY id DESC)) FROM tally;
SELECT id % 2 AS odd, crdt_cardinality(crdt_merge(s)) FROM tally GROUP BY 1 ORDER BY 1;

-- The same in parallel workers.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT crdt_merge(s), sum(c), max(c) FROM tally;
SELECT crdt_cardinality(crdt_merge(s)), sum(c), avg(c), min(c), max(c) FROM tally;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;


-- Resetting empties what is seen.
SELECT !'5'::pn_counter AS c, !'{a,b}'::or_set AS s, !'"x"'::lww_register AS r;
SELECT crdt_reset(crdt_settle('{a,b}'::or_set))::text[] AS s;
DROP TABLE tally;
