-- vector_clock and hlc: causality as values. Four states of each: …one by replica
-- 01…; …two by 02… and …three by 03… on top of it, without knowing of each other;
-- …both is what those two become.
\set vector_one '\'{"01010101010101010101010101010101": 111677748019265536} @v1:AQABAQEBAQEBAQEBAQEBAQEBAQGMwlH0AQAAvrnbrg\''
\set vector_two '\'{"01010101010101010101010101010101": 111677748019265536, "02020202020202020202020202020202": 111677748084801536} @v1:AQACAQEBAQEBAQEBAQEBAQEBAQGMwlH0AQAAAgICAgICAgICAgICAgICAgGMwlH36QAAeu8IOQ\''
\set vector_three '\'{"01010101010101010101010101010101": 111677748019265536, "03030303030303030303030303030303": 111677748150337536} @v1:AQACAQEBAQEBAQEBAQEBAQEBAQGMwlH0AQAAAwMDAwMDAwMDAwMDAwMDAwGMwlH70QAApwwz4A\''
\set vector_both '\'{"01010101010101010101010101010101": 111677748019265536, "02020202020202020202020202020202": 111677748084801536, "03030303030303030303030303030303": 111677748150337536} @v1:AQADAQEBAQEBAQEBAQEBAQEBAQGMwlH0AQAAAgICAgICAgICAgICAgICAgGMwlH36QAAAwMDAwMDAwMDAwMDAwMDAwGMwlH70QAApbnWdA\''
\set hlc_one '\'2023-11-21T12:00:00.123Z/5 @v1:AQEBi_HAZnsABVzQUBs\''
\set hlc_two '\'2023-11-22T12:00:00.000Z @v1:AQEBi_bmwgAAAOWTR2s\''
\set hlc_three '\'2023-11-22T12:00:00.000Z/1 @v1:AQEBi_bmwgAAAZKUd_0\''
\set hlc_both '\'2023-11-22T12:00:00.000Z/1 @v1:AQEBi_bmwgAAAZKUd_0\''
\set a '\'{"01010101010101010101010101010101": 5}\''
\set ab '\'{"01010101010101010101010101010101": 5, "02020202020202020202020202020202": 3}\''
\set b '\'{"02020202020202020202020202020202": 4}\''

-- Vectors: ticks by replica.
SELECT '{}'::vector_clock, ' { "ABABABABABABABABABABABABABABABAB" :7,"01010101010101010101010101010101":5 } '::vector_clock, '{"01010101010101010101010101010101": 0}'::vector_clock AS zero, :ab::jsonb::vector_clock;
SELECT '{"01": 5}'::vector_clock;
SELECT '{"zz010101010101010101010101010101": 5}'::vector_clock;
SELECT '{"01010101010101010101010101010101": -1}'::vector_clock;
SELECT '{"01010101010101010101010101010101": 1.5}'::vector_clock;
SELECT '{"01010101010101010101010101010101": 18446744073709551616}'::vector_clock;
SELECT '{"01010101010101010101010101010101": "5"}'::vector_clock;
SELECT '[]'::vector_clock;
SELECT '5'::jsonb::vector_clock;
\set VERBOSITY sqlstate
SELECT '{"01": 5}'::vector_clock;
SELECT '5'::jsonb::vector_clock;
\set VERBOSITY default
SELECT crdt_value(:ab::vector_clock), crdt_value(:vector_one::vector_clock), :ab::vector_clock::json, :ab::vector_clock::jsonb, crdt_value(crdt_version(:vector_both::vector_clock)) = crdt_value(:vector_both::vector_clock) AS its_own_version;
SELECT crdt_compare(:a, :ab), crdt_compare(:ab, :a), crdt_compare(:a, :a), crdt_compare(:a, :b), crdt_compare('{}', :a), crdt_compare('{}', '{}'), crdt_compare(:vector_two, :vector_three), crdt_compare(:vector_one, :vector_both), crdt_compare(:a, NULL) IS NULL AS nothing;
SELECT crdt_merge(:ab::vector_clock, :b), crdt_merge(:a::vector_clock, '{}') = :a AS same;
SELECT crdt_state(crdt_tick(:vector_one)) -> 'change' AS change, crdt_state(crdt_tick('{}')) -> 'change' AS change;
SELECT crdt_compare(:vector_one, crdt_settle(crdt_tick(:vector_one))), jsonb_object_keys(crdt_settle(crdt_tick('{}'))::jsonb) <> '' AS of_this_node, crdt_compare(crdt_settle(crdt_tick('{}')), crdt_settle(crdt_tick('{}')));
SELECT crdt_settle(:a::vector_clock);
SELECT crdt_reset(:vector_one::vector_clock);

-- Times: milliseconds and the ticks within.
SELECT '2026-11-21T12:00:00.123Z/5'::hlc, '2026-11-21T12:00:00Z'::hlc, ' 2026-11-21T12:00:00.5Z '::hlc, '1970-01-01T00:00:00Z'::hlc, '-infinity'::hlc, '10889-08-02T05:31:50.655Z/65535'::hlc;
SELECT '2026-11-21 12:00:00+00'::hlc;
SELECT '2026-11-21T12:00:00'::hlc;
SELECT '2026-02-30T12:00:00Z'::hlc;
SELECT '2026-11-21T24:00:00Z'::hlc;
SELECT '2026-11-21T12:00:00.123Z/65536'::hlc;
SELECT '2026-11-21T12:00:00.1234Z'::hlc;
SELECT '1969-12-31T23:59:59Z'::hlc;
SELECT '10889-08-02T05:31:50.656Z'::hlc;
SELECT 'infinity'::hlc;
SELECT 'now'::hlc;
SELECT '5'::hlc;
\set VERBOSITY sqlstate
SELECT '2026-11-21T12:00:00'::hlc;
SELECT '10889-08-02T05:31:50.656Z'::hlc;
SELECT '10889-08-03 00:00:00+00'::timestamptz::hlc;
\set VERBOSITY default
SET timezone = 'UTC';
SET datestyle = 'ISO';
SELECT crdt_value(:hlc_one::hlc), :hlc_one::hlc::timestamptz, crdt_logical(:hlc_one::hlc), crdt_logical('2026-11-21T12:00:00Z'), crdt_value('-infinity'::hlc) IS NULL AS before_all, crdt_logical('-infinity') IS NULL AS no_count, :hlc_one::hlc::json, '-infinity'::hlc::jsonb IS NULL AS no_json;
SELECT '2026-11-21 12:00:00.1239+00'::timestamptz::hlc, '2026-11-21 12:00:00+02'::timestamptz::hlc, '1970-01-01 00:00:00+00'::timestamptz::hlc, NULL::timestamptz::hlc IS NULL AS nothing;
SELECT '1969-12-31 23:59:59.9+00'::timestamptz::hlc;
SELECT '10889-08-03 00:00:00+00'::timestamptz::hlc;
SELECT 'infinity'::timestamptz::hlc;
SELECT '-infinity'::timestamptz::hlc;
SELECT '2026-11-21T12:00:00Z/1'::hlc > '2026-11-21T12:00:00Z' AS later_tick, '-infinity'::hlc < '1970-01-01T00:00:00Z' AS first, :hlc_one::hlc < :hlc_two AS state, '10000-01-01T00:00:00Z'::hlc > '9999-12-31T23:59:59Z' AS not_by_text;
SELECT crdt_merge('2026-11-21T12:00:00Z/1'::hlc, '2026-11-21T12:00:00Z'), crdt_merge(:hlc_two::hlc, :hlc_one)::timestamptz, crdt_merge('-infinity'::hlc, '2026-11-21T12:00:00Z');
SELECT crdt_clock() < crdt_clock() AS rises, abs(extract(epoch FROM crdt_clock()::timestamptz - clock_timestamp())) < 10 AS is_now, crdt_clock() > :hlc_both AS later;
SELECT crdt_settle('2023-11-21T12:00:00Z'::hlc)::timestamptz AS settled, crdt_settle('-infinity'::hlc)::timestamptz IS NULL AS settled_nothing;
\set VERBOSITY sqlstate
SELECT crdt_settle('9999-11-21T12:00:00Z'::hlc);
\set VERBOSITY default
SELECT crdt_reset(:hlc_one::hlc);

-- A table of untracked times: defaults, order, casts on assignment.
CREATE TABLE stamped (id integer PRIMARY KEY, seen hlc DEFAULT '-infinity', by vector_clock DEFAULT '{}');
INSERT INTO stamped VALUES (1, '2026-11-21 12:00:00+00'::timestamptz, :ab::jsonb), (2, :hlc_two, :vector_two), (3, DEFAULT, DEFAULT), (4, NULL, NULL);
SELECT id, seen::timestamptz, by FROM stamped ORDER BY seen, id;
CREATE TABLE stamped_report (seen timestamptz, by jsonb);
INSERT INTO stamped_report SELECT seen, by FROM stamped WHERE id = 1;
SELECT * FROM stamped_report;
DROP TABLE stamped, stamped_report;

-- Tracked: a vector counts what its nodes do, a time only rises.
CREATE TABLE event (id integer PRIMARY KEY, by vector_clock DEFAULT '{}', at hlc DEFAULT '-infinity');
SELECT crdt_track('event');
INSERT INTO event VALUES (1, DEFAULT, DEFAULT), (2, crdt_tick('{}'), '2023-11-21T12:00:00.123Z/5'), (3, '{}', :hlc_both);
SELECT id, (SELECT count(*) FROM jsonb_object_keys(by::jsonb)) AS replicas, at::timestamptz, crdt_logical(at) FROM event ORDER BY id;
CREATE TEMP TABLE before AS SELECT * FROM event;
UPDATE event SET by = crdt_tick(by) WHERE id IN (1, 2);
UPDATE event SET by = crdt_tick(before.by) FROM before WHERE event.id = before.id AND event.id = 2;
SELECT id, crdt_compare(before.by, event.by) FROM event JOIN before USING (id) ORDER BY id;
UPDATE event SET by = :a WHERE id = 1;
INSERT INTO event VALUES (4, :ab, NULL);
UPDATE event SET at = '2023-11-20T12:00:00Z' WHERE id = 2 RETURNING at::timestamptz;
UPDATE event SET at = '2024-01-01 00:00:00+00'::timestamptz WHERE id = 2 RETURNING at::timestamptz;
UPDATE event SET at = crdt_clock() WHERE id = 1;
UPDATE event SET at = before.at FROM before WHERE event.id = before.id AND event.id = 1 RETURNING event.at > before.at AS stays;
\set VERBOSITY sqlstate
UPDATE event SET at = '9999-01-01T00:00:00Z' WHERE id = 2;
UPDATE event SET by = !by WHERE id = 2;
UPDATE event SET at = NULL WHERE id = 2;
UPDATE event SET by = NULL WHERE id = 2;
\set VERBOSITY default
UPDATE event SET by = NULL WHERE id = 2;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT verify_chain();
COMMIT;
SELECT crdt_untrack('event');
DROP TABLE event, before;
RESET timezone;
RESET datestyle;
