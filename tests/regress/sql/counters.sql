-- g_counter and b_counter: what they have besides pn_counter's (pn_counter.sql),
-- and where they differ from it. The states are by replica 01… (:one, :bounded)
-- and 02… on top of it (:two); of :bounded_both two replicas added.
\set one '\'12 @v1:AQAAAQEBAQEBAQEBAQEBAQEBAQEBjMJR9AEAAAAAAAAAAAAM0QXjNA\''
\set two '\'15 @v1:AQAAAgEBAQEBAQEBAQEBAQEBAQEBjMJR9AEAAAAAAAAAAAAMAgICAgICAgICAgICAgICAgGMwlH36QAAAAAAAAAAAANVoX0z\''
\set bounded '\'12 floor 5 @v1:AQAAAQAAAAABAQEBAQEBAQEBAQEBAQEBAYzCUfQBAAAAAAAAAAAADAAAAAAAAAAAAAAAAAAAAAXO0xZg\''
\set bounded_both '\'17 floor 5 @v1:AQAAAwAAAAABAQEBAQEBAQEBAQEBAQEBAYzCUfQBAAAAAAAAAAAADAAAAAAAAAAAAAAAAAAAAAUCAgICAgICAgICAgICAgICAYzCUffpAAAAAAAAAAAAAgAAAAAAAAAAAAAAAAAAAAADAwMDAwMDAwMDAwMDAwMDAYzCUfvRAAAAAAAAAAAAAwAAAAAAAAAAAAAAAAAAAACaZ03O\''

-- Literals.
SELECT '12'::g_counter, ' +3'::g_counter, '0'::g_counter, '9223372036854775807'::g_counter;
SELECT '12'::b_counter, '-7 floor -10'::b_counter, ' 5  floor 5 '::b_counter, '12 floor 0'::b_counter, '-9223372036854775808 floor -9223372036854775808'::b_counter;
SELECT '9223372036854775808'::g_counter;
SELECT '1.5'::g_counter;
SELECT '12 floor 5'::g_counter;
SELECT '9223372036854775808'::b_counter;
SELECT '1 floor 9223372036854775808'::b_counter;
\set VERBOSITY sqlstate
SELECT '4 floor 5'::b_counter;
SELECT b_counter(4, 5);
SELECT '1 floor 9223372036854775808'::b_counter;
SELECT '12'::g_counter + -1;
SELECT '9223372036854775807'::g_counter + 1;
SELECT crdt_settle(:bounded::b_counter - 1);
SELECT crdt_transfer(:bounded::b_counter, 'nobody', 1);
\set VERBOSITY default
SELECT '4 floor 5'::b_counter;
SELECT '4 flor 3'::b_counter;
SELECT '4 floor'::b_counter;
SELECT 'floor 3'::b_counter;
SELECT '-1'::b_counter;
SELECT b_counter(12, 5), b_counter(-7, -10), b_counter(5, 5), b_counter(NULL, 5) IS NULL AS no_value, b_counter(5, NULL) IS NULL AS no_floor;
SELECT b_counter(4, 5);

-- Operators.
SELECT '12'::g_counter + 5, 5 + '12'::g_counter, '12'::g_counter + '5', #('12'::g_counter + 1), crdt_value(:one::g_counter + 5::smallint), '12'::g_counter + NULL AS nothing;
SELECT '12'::g_counter + -1;
SELECT :one::g_counter + -1;
SELECT '12'::g_counter - 1;
SELECT '9223372036854775807'::g_counter + 1;
SELECT :one::g_counter + 9223372036854775807;
SELECT '12'::b_counter + 5, 5 + '12'::b_counter, '12'::b_counter - 5, '12'::b_counter + -5, '12'::b_counter - -5, '12 floor 5'::b_counter - 7, '12'::b_counter - NULL AS nothing;
SELECT #(:bounded::b_counter + 5 - 7), crdt_value(:bounded_both::b_counter), 5 + :bounded::b_counter - 1 = 16 AS sum;
SELECT '12 floor 5'::b_counter - 8;
SELECT '9223372036854775807'::b_counter + 1;
SELECT '0 floor -9223372036854775808'::b_counter - (-9223372036854775808);
-- Below the floor is refused where the change is carried out, for there the row tells what is left.
SELECT #('12'::b_counter - 13), #(:bounded::b_counter - 8);
-- Whose rights a loose value may spend, nobody knows.
SELECT crdt_settle(:bounded::b_counter - 1);
SELECT crdt_value(crdt_settle(:bounded::b_counter + 1)), crdt_value(crdt_settle(:one::g_counter + 1));
SELECT crdt_value(crdt_merge(crdt_settle(:one::g_counter + 5), crdt_settle(:one::g_counter + 5))) AS both_count,
       crdt_value(crdt_merge(crdt_settle(:bounded::b_counter + 5), crdt_settle(:bounded::b_counter + 5))) AS both_bounded_count;

-- Floor and rights.
SELECT crdt_floor('12'::b_counter), crdt_floor(:bounded::b_counter), crdt_floor(:bounded::b_counter + 7), crdt_floor(NULL) IS NULL AS nothing;
SELECT * FROM crdt_rights(:bounded::b_counter);
SELECT * FROM crdt_rights(:bounded_both) ORDER BY node;
SELECT * FROM crdt_rights('12'::b_counter);
SELECT sum(rights) = crdt_value(:bounded_both::b_counter) - crdt_floor(:bounded_both::b_counter) AS all_rights FROM crdt_rights(:bounded_both);
\set SHOW_CONTEXT never
SELECT crdt_transfer(:bounded::b_counter, 'nobody', 1);
SELECT regexp_replace(b_counter_out(crdt.transfer(:bounded::b_counter, '\x02020202020202020202020202020202', 3))::text, ' @v1:.*', '') AS given,
       crdt_state(crdt.transfer(:bounded::b_counter, '\x02020202020202020202020202020202', 3)) -> 'change' AS change;
SELECT crdt.transfer(:bounded::b_counter, '\x02', 3);
SELECT crdt.transfer(:bounded::b_counter, '\x02020202020202020202020202020202', -3);
SELECT crdt_settle(crdt.transfer(:bounded::b_counter, '\x02020202020202020202020202020202', 3));

-- Casts, from and to what else is a number.
SELECT :one::g_counter::bigint, :one::g_counter::integer, :one::g_counter::numeric, 12::g_counter, 12::smallint::g_counter, 12::bigint::g_counter, 12.5::g_counter, '12'::text::g_counter;
SELECT :bounded::b_counter::bigint, :bounded::b_counter::integer, :bounded::b_counter::numeric, 12::b_counter, 12::smallint::b_counter, 12::bigint::b_counter, 12.5::b_counter, '12'::text::b_counter;
-- A g_counter may be wished to be less, but no row ever is.
SELECT (-1)::g_counter;
SELECT crdt_settle('-1'::g_counter);
SELECT '2147483648'::g_counter::integer;
SELECT '2147483648'::b_counter::integer;
SELECT 9223372036854775808::b_counter;

-- Comparison with numbers.
SELECT :one::g_counter > 11 AS gt, :one::g_counter >= 12 AS ge, :one::g_counter = 12 AS eq, :one::g_counter <> 12 AS ne, :one::g_counter <= 12 AS le, :one::g_counter < 12 AS lt,
       11 < :one::g_counter AS lt, 12 <= :one::g_counter AS le, 12 = :one::g_counter AS eq, 12 <> :one::g_counter AS ne, 12 >= :one::g_counter AS ge, 12 > :one::g_counter AS gt;
SELECT :bounded::b_counter > 11 AS gt, :bounded::b_counter >= 12 AS ge, :bounded::b_counter = 12 AS eq, :bounded::b_counter <> 12 AS ne, :bounded::b_counter <= 12 AS le, :bounded::b_counter < 12 AS lt,
       11 < :bounded::b_counter AS lt, 12 <= :bounded::b_counter AS le, 12 = :bounded::b_counter AS eq, 12 <> :bounded::b_counter AS ne, 12 >= :bounded::b_counter AS ge, 12 > :bounded::b_counter AS gt;
SELECT :one::g_counter < :two AS state, :one::g_counter = '12' AS literal, :bounded::b_counter = '12' AS floor_does_not_count, :bounded::b_counter IN (1, 12) AS "in", :bounded::b_counter BETWEEN 12 AND 12 AS "between";

-- Beyond bigint, where two nodes' additions meet, there is no number, but still an order, and a text for the dump.
CREATE TABLE beyond AS SELECT crdt_merge(crdt_settle('9223372036854775807'::g_counter), crdt_settle('1'::g_counter)) AS g, crdt_merge(crdt_settle('9223372036854775807'::b_counter), crdt_settle('2'::b_counter)) AS b;
SELECT g > 9223372036854775807 AS g, b > 9223372036854775807 AS b, g < crdt_merge(g, crdt_settle('5'::g_counter)) AS below, g_counter_send(g_counter_in(g_counter_out(g))) = g_counter_send(g) AS g_lossless, b_counter_send(b_counter_in(b_counter_out(b))) = b_counter_send(b) AS b_lossless,
       split_part(g_counter_out(g)::text, ' ', 1) AS g_text, split_part(b_counter_out(b)::text, ' ', 1) AS b_text FROM beyond;
SELECT g::bigint FROM beyond;
SELECT #b FROM beyond;
SELECT sum(g) FROM beyond;
SELECT max(b) FROM beyond;
SELECT g::jsonb FROM beyond;
DROP TABLE beyond;

-- A table: defaults, assignment by value, order, an index for numbers, aggregates.
CREATE TABLE counted (id integer PRIMARY KEY, clicks g_counter DEFAULT 0, stock b_counter DEFAULT '10 floor 2');
INSERT INTO counted SELECT n FROM generate_series(1, 6) AS n;
UPDATE counted SET clicks = 5, stock = 7 WHERE id = 2;
UPDATE counted SET clicks = clicks + 1, stock = stock - 1 WHERE id = 3;
UPDATE counted SET clicks = :one, stock = :bounded WHERE id = 4;
UPDATE counted SET clicks = :two, stock = :bounded_both WHERE id = 5;
UPDATE counted SET clicks = NULL, stock = NULL WHERE id = 6;
INSERT INTO counted VALUES (7, 3.5, (SELECT sum(stock) FROM counted));
SELECT id, clicks::bigint, stock::bigint, crdt_floor(stock) FROM counted ORDER BY clicks DESC, id;
SELECT sum(clicks), avg(clicks), min(clicks), max(clicks), count(clicks), sum(stock), avg(stock), min(stock), max(stock) FROM counted;
SELECT sum(clicks), avg(clicks), min(clicks), max(clicks), sum(stock), avg(stock), min(stock), max(stock) FROM counted WHERE id = 6;
SELECT sum(c) FROM unnest(ARRAY['9223372036854775807', '9223372036854775807']::g_counter[]) AS c;
INSERT INTO counted (id, clicks, stock) SELECT n, n, n FROM generate_series(100, 2000) AS n;
CREATE INDEX ON counted (clicks);
CREATE INDEX ON counted (stock);
ANALYZE counted;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM counted WHERE clicks = 700;
EXPLAIN (COSTS OFF) SELECT id FROM counted WHERE stock BETWEEN 700 AND 702;
SELECT id FROM counted WHERE clicks = 700;
SELECT id FROM counted WHERE stock BETWEEN 700 AND 702 ORDER BY stock;
SELECT id FROM counted WHERE 1999 <= clicks ORDER BY clicks DESC;
RESET enable_seqscan;
RESET enable_bitmapscan;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT sum(clicks), avg(clicks), sum(stock), avg(stock) FROM counted;
SELECT sum(clicks), avg(clicks), min(clicks), max(clicks), count(clicks), sum(stock), avg(stock), min(stock), max(stock) FROM counted;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
CREATE TABLE counted_report (total bigint, small integer, exact numeric);
INSERT INTO counted_report SELECT clicks, stock, stock FROM counted WHERE id = 4;
SELECT * FROM counted_report;
DROP TABLE counted, counted_report;

-- Tracked: the rights of this node are what it brought and was not spent.
SELECT crdt_set_node('till', 'https://127.0.0.1:1');
CREATE TABLE shelf (id integer PRIMARY KEY, stock b_counter, clicks g_counter DEFAULT 0);
SELECT crdt_track('shelf');
INSERT INTO shelf VALUES (1, '12 floor 5'), (2, 3), (3, b_counter(4, -2)), (4, :bounded_both);
SELECT id, stock::bigint, crdt_floor(stock), r.* FROM shelf, crdt_rights(stock) AS r ORDER BY id;
UPDATE shelf SET stock = stock - 7 WHERE id = 1 RETURNING stock::bigint;
UPDATE shelf SET stock = stock - 1 WHERE id = 1;
UPDATE shelf SET stock = 4 WHERE id = 1;
\set VERBOSITY sqlstate
UPDATE shelf SET stock = stock - 1 WHERE id = 1;
UPDATE shelf SET stock = '20 floor 6' WHERE id = 1;
UPDATE shelf SET clicks = clicks + -1 WHERE id = 1;
UPDATE shelf SET clicks = NULL WHERE id = 1;
\set VERBOSITY default
UPDATE shelf SET stock = stock - 4 WHERE id = 2;
UPDATE shelf SET stock = stock - 6 WHERE id = 3 RETURNING stock::bigint;
UPDATE shelf SET stock = stock + 1 - 6 WHERE id = 1;
UPDATE shelf SET stock = stock - 6 + 6 WHERE id = 1 RETURNING stock::bigint;
UPDATE shelf SET stock = '20 floor 5' WHERE id = 1 RETURNING stock::bigint;
UPDATE shelf SET stock = '20 floor 6' WHERE id = 1;
UPDATE shelf SET stock = !stock WHERE id = 1 RETURNING stock::bigint, crdt_floor(stock);
UPDATE shelf SET stock = stock + 10 WHERE id = 1;
UPDATE shelf SET stock = crdt_transfer(stock, 'till', 3) WHERE id = 1;
UPDATE shelf SET stock = crdt.transfer(stock, '\x02020202020202020202020202020202', 3) WHERE id = 1;
SELECT r.* FROM shelf, crdt_rights(stock) AS r WHERE id = 1 ORDER BY node;
UPDATE shelf SET stock = crdt.transfer(stock, '\x02020202020202020202020202020202', 8) WHERE id = 1;
UPDATE shelf SET stock = stock - 8 WHERE id = 1;
UPDATE shelf SET stock = stock - 7 WHERE id = 1 RETURNING stock::bigint;
INSERT INTO shelf VALUES (5, -1);
INSERT INTO shelf VALUES (5, 1, -1);
UPDATE shelf SET clicks = clicks + 2 WHERE id = 1 RETURNING clicks::bigint;
UPDATE shelf SET clicks = 7 WHERE id = 1 RETURNING clicks::bigint;
UPDATE shelf SET clicks = 6 WHERE id = 1;
UPDATE shelf SET clicks = :one WHERE id = 1 RETURNING clicks::bigint;
UPDATE shelf SET clicks = 9223372036854775807 WHERE id = 1 RETURNING clicks::bigint;
UPDATE shelf SET clicks = clicks + 1 WHERE id = 1;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT verify_chain();
COMMIT;
SELECT crdt_untrack('shelf');
DROP TABLE shelf;
