-- pn_counter: what SQL may do with a counter. Two states are used throughout:
-- :one is 12 by replica 01…; :two is 9, of which replica 02… took 3 away.
\set one '\'12 @v1:AQAAAQEBAQEBAQEBAQEBAQEBAQEAAAAAAAEAAQAAAAAAAAAMAAAAAAAAAADetQDJ\''
\set two '\'9 @v1:AQAAAgEBAQEBAQEBAQEBAQEBAQEAAAAAAAEAAQAAAAAAAAAMAAAAAAAAAAACAgICAgICAgICAgICAgICAAAAAAACAAEAAAAAAAAAAAAAAAAAAAADnDqXBA\''
-- 9223372036854775808: what two nodes added meets beyond bigint.
\set high '\'9223372036854775808 @v1:AQAAAgEBAQEBAQEBAQEBAQEBAQEAAAAAAAEAAX__________AAAAAAAAAAACAgICAgICAgICAgICAgICAAAAAAABAAIAAAAAAAAAAQAAAAAAAAAAHXKnMA\''
\set higher '\'9223372036854775809 @v1:AQAAAgEBAQEBAQEBAQEBAQEBAQEAAAAAAAEAAX__________AAAAAAAAAAACAgICAgICAgICAgICAgICAAAAAAABAAIAAAAAAAAAAgAAAAAAAAAAJP-b9Q\''

-- Text: plain literals and states come back as they went in.
SELECT '12'::pn_counter, ' -7 '::pn_counter, '+3'::pn_counter, '-9223372036854775808'::pn_counter;
SELECT :one::pn_counter, :two::pn_counter;
SELECT (:one::pn_counter + 5)::text::pn_counter::text = (:one::pn_counter + 5)::text AS lossless;

-- Bad input is named.
SELECT 'twelve'::pn_counter;
SELECT ''::pn_counter;
SELECT '1.5'::pn_counter;
SELECT '9223372036854775808'::pn_counter;
-- A damaged state: checksum, alphabet, layout; and a readable part that was edited.
SELECT '12 @v1:AQAAAQEBAQEBAQEBAQEBAQEBAQEAAAAAAAEAAQAAAAAAAAANAAAAAAAAAADetQDJ'::pn_counter;
SELECT '12 @v1:AQA!'::pn_counter;
SELECT '12 @v1:'::pn_counter;
SELECT '{a} @v1:AQACAQEBAQEBAQEBAQEBAQEBAYGABAICAgICAgICAgICAgICAgKBgAgCAWECAAABAAF6AQEBAQEAR3lt3w'::pn_counter;
SELECT '13 @v1:AQAAAQEBAQEBAQEBAQEBAQEBAQEAAAAAAAEAAQAAAAAAAAAMAAAAAAAAAADetQDJ'::pn_counter;
\set VERBOSITY sqlstate
SELECT 'twelve'::pn_counter;
SELECT '9223372036854775808'::pn_counter;
SELECT '12 @v1:AQA!'::pn_counter;
SELECT '9223372036854775807'::pn_counter + 1;
\set VERBOSITY default

-- Operators take any integer, on either side.
SELECT '12'::pn_counter + 5, 5 + '12'::pn_counter, '12'::pn_counter - 5, '12'::pn_counter + '5', '12'::pn_counter - 5::smallint;
SELECT '12'::pn_counter + 3000000000, '12'::pn_counter + -5, '12'::pn_counter - -5, '0'::pn_counter + (-9223372036854775808);
SELECT '-1'::pn_counter - (-9223372036854775808);
SELECT #(:one::pn_counter), #('12'::pn_counter + 1), crdt_value(:two::pn_counter + 1);
SELECT '12'::pn_counter + NULL AS nothing;
SELECT '9223372036854775807'::pn_counter + 1;
SELECT '12'::pn_counter + 1.5;

-- A change is no part of the state until a tracked table settles it.
SELECT crdt_state(:one::pn_counter + 5 - 2);
SELECT crdt_state('12'::pn_counter + 1);

-- Casts.
SELECT :one::pn_counter::bigint, :one::pn_counter::integer, :one::pn_counter::numeric, :one::pn_counter::json, to_jsonb(:one::pn_counter);
SELECT 12::pn_counter, 12::smallint::pn_counter, 12::bigint::pn_counter, 12.5::pn_counter, '12'::text::pn_counter;
SELECT ('2147483648'::pn_counter)::integer;
SELECT 9223372036854775808::pn_counter;
SELECT :high::pn_counter::bigint;

-- Comparison is by value: with numbers, with literals, among counters.
SELECT :one::pn_counter > 11 AS gt, :one::pn_counter >= 12 AS ge, :one::pn_counter = 12 AS eq, :one::pn_counter <> 12 AS ne,
       :one::pn_counter <= 12 AS le, :one::pn_counter < 12 AS lt;
SELECT 11 < :one::pn_counter AS lt, 12 <= :one::pn_counter AS le, 12 = :one::pn_counter AS eq, 12 <> :one::pn_counter AS ne,
       12 >= :one::pn_counter AS ge, 12 > :one::pn_counter AS gt;
SELECT :one::pn_counter = '12' AS literal, :one::pn_counter = :two::pn_counter + 3 AS by_value, :one::pn_counter > :two::pn_counter AS gt,
       :one::pn_counter BETWEEN 1 AND 20 AS "between", :one::pn_counter IN (1, 12) AS "in";
-- Beyond bigint there is no value, but still an order.
SELECT :high::pn_counter > 9223372036854775807 AS above, :high::pn_counter < :higher::pn_counter AS below, :high::pn_counter = :high::pn_counter AS same;

-- Merge: a join; of two literals the greater.
SELECT crdt_merge(:one::pn_counter, :two::pn_counter) = 9 AS joined, crdt_merge(:two::pn_counter, :one::pn_counter)::text = :two AS commutes;
SELECT crdt_merge('3'::pn_counter, '5');
-- Difference: what a merge needs.
SELECT crdt_value(crdt_delta(:one::pn_counter, :two)), crdt_merge(:one, crdt_delta(:one::pn_counter, :two))::text = :two AS whole;
SELECT crdt_delta(:one::pn_counter, :one) IS NULL AS no_difference, crdt_delta(NULL, :one::pn_counter)::text = :one AS all_of_it;
SELECT crdt_delta(:two::pn_counter, :one);
SELECT crdt_delta(:one::pn_counter, :one::pn_counter + 1);
-- Settling: this node's own slot; twice from one value loses nothing.
SELECT crdt_value(crdt_settle(:one::pn_counter + 5)), crdt_settle(:one::pn_counter)::text = :one AS settled_already;
SELECT crdt_value(crdt_merge(crdt_settle(:one::pn_counter + 5), crdt_settle(:one::pn_counter + 5))) AS both_count;

-- A table: defaults, assignment by value, order, groups.
CREATE TABLE counted (id integer PRIMARY KEY, label text);
INSERT INTO counted SELECT n, 'row ' || n FROM generate_series(1, 6) AS n;
ALTER TABLE counted ADD COLUMN views pn_counter NOT NULL DEFAULT 3;
ALTER TABLE counted ADD COLUMN likes pn_counter DEFAULT '0';
UPDATE counted SET views = 5 WHERE id = 1;
UPDATE counted SET views = views + id WHERE id = 2;
UPDATE counted SET views = (SELECT sum(views::bigint) FROM counted) WHERE id = 3;
UPDATE counted SET views = :one WHERE id = 4;
UPDATE counted SET views = :two WHERE id = 5;
INSERT INTO counted VALUES (7, 'seven', 7, '8'), (8, 'eight', 8::bigint, NULL);
SELECT id, views::bigint, likes FROM counted ORDER BY views DESC, id;
SELECT views::bigint, count(*) FROM counted GROUP BY views ORDER BY views;
SELECT count(DISTINCT views), sum(views::bigint) FROM counted;
SELECT id FROM counted WHERE views > 8 AND views <> 12 ORDER BY id;
INSERT INTO counted VALUES (9, 'nine', 'x');
CREATE TABLE counted_report (total bigint, small integer, exact numeric, shown text);
INSERT INTO counted_report SELECT views, views, views, views FROM counted WHERE id = 7;
SELECT * FROM counted_report;

-- An index serves comparison with counters and with numbers.
CREATE TABLE many (id integer, views pn_counter);
INSERT INTO many SELECT n, n FROM generate_series(1, 2000) AS n;
CREATE INDEX many_views ON many (views);
ANALYZE many;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM many WHERE views = 7;
EXPLAIN (COSTS OFF) SELECT id FROM many WHERE views > 1990 AND views <= '1995';
SELECT id FROM many WHERE views = 7;
SELECT id FROM many WHERE views > 1990 AND views <= '1995' ORDER BY views DESC;
SELECT id FROM many WHERE 1999 <= views ORDER BY views;
RESET enable_seqscan;
RESET enable_bitmapscan;
SET enable_mergejoin = off;
SET enable_nestloop = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM many a JOIN many b USING (views);
SELECT count(*) FROM many a JOIN many b USING (views);
RESET enable_mergejoin;
RESET enable_nestloop;

-- Aggregate: the join of all, in parallel as well.
CREATE TABLE copies (views pn_counter);
INSERT INTO copies SELECT CASE n % 3 WHEN 0 THEN :one WHEN 1 THEN :two END::pn_counter FROM generate_series(1, 5000) AS n;
SELECT crdt_merge(views)::text = :two AS joined, count(*), count(views) FROM copies;
SELECT crdt_merge(views) IS NULL AS nothing FROM copies WHERE views > 100;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT crdt_merge(views) FROM copies;
SELECT crdt_merge(views)::text = :two AS joined FROM copies;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;

-- COPY, text and binary, loses nothing. (The client's \copy reads no variables, so it is one itself.)
\getenv abs_builddir PG_ABS_BUILDDIR
\set file :abs_builddir '/results/pn_counter.copy'
CREATE TABLE copied (LIKE counted);
\set copy '\\copy counted TO ' :'file'
:copy
\set copy '\\copy copied FROM ' :'file'
:copy
SELECT count(*) AS rows, count(*) FILTER (WHERE pn_counter_send(counted.views) <> pn_counter_send(copied.views)) AS different
  FROM counted JOIN copied USING (id);
TRUNCATE copied;
\set copy '\\copy counted TO ' :'file' ' (FORMAT binary)'
:copy
\set copy '\\copy copied FROM ' :'file' ' (FORMAT binary)'
:copy
SELECT count(*) AS rows, count(*) FILTER (WHERE pn_counter_send(counted.views) <> pn_counter_send(copied.views)) AS different
  FROM counted JOIN copied USING (id);
-- Bytes that are none of this type do not pass: here the binary form of bigint.
\set copy '\\copy (SELECT id, label, 5::bigint, 5::bigint FROM counted) TO ' :'file' ' (FORMAT binary)'
:copy
\set copy '\\copy copied FROM ' :'file' ' (FORMAT binary)'
:copy
SELECT encode(pn_counter_send('12'), 'hex') AS plain, encode(pn_counter_send(:one), 'hex') AS state;

DROP TABLE counted, counted_report, many, copies, copied;
