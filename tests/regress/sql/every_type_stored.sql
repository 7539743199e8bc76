-- What all types do in tables: COPY, new columns, indexes, joins, groups and the
-- aggregate crdt_merge, tried on each of them.
\getenv abs_srcdir PG_ABS_SRCDIR
\getenv abs_builddir PG_ABS_BUILDDIR
\set samples :abs_srcdir '/every_type.inc'
\set file :abs_builddir '/results/every_type_stored.copy'
\set ECHO none
\i :samples
\set ECHO all

-- A table with a column of each type, which a table gets that has rows already:
-- they show the default, and later ones as well.
CREATE TABLE every (id integer PRIMARY KEY);
INSERT INTO every VALUES (1);
DO $$
DECLARE
    s sample;
BEGIN
    FOR s IN SELECT * FROM sample ORDER BY place LOOP
        EXECUTE format('ALTER TABLE every ADD COLUMN of_%1$s %1$s NOT NULL DEFAULT %2$L', s.type, split_part(s.one, ' @v1:', 1));
    END LOOP;
END
$$;
INSERT INTO every VALUES (2);
SELECT * FROM not_true_of($$SELECT count(*) FILTER (WHERE of_<T> = <plain>) = 2 FROM every$$);
SELECT column_name, column_default FROM information_schema.columns WHERE table_name = 'every' AND column_default IS NOT NULL ORDER BY ordinal_position;
ALTER TABLE every ADD COLUMN note text;

-- More rows: states, states with a wish on top of them, literals, and NULL.
DO $$
DECLARE
    s sample;
BEGIN
    INSERT INTO every (id) SELECT generate_series(3, 9);
    FOR s IN SELECT * FROM sample ORDER BY place LOOP
        EXECUTE statement_for(s, 'ALTER TABLE every ALTER COLUMN of_<T> DROP NOT NULL');
        EXECUTE statement_for(s, 'UPDATE every SET of_<T> = CASE id WHEN 3 THEN <one> WHEN 4 THEN <two> WHEN 5 THEN <three> WHEN 6 THEN <both>
            WHEN 7 THEN crdt_merge(<one>, <other>) WHEN 8 THEN <other> ELSE NULL END WHERE id > 2');
    END LOOP;
END
$$;

-- COPY loses nothing, in any of its formats. (The client's \copy reads no variables, so it is one itself.)
CREATE TABLE copied (LIKE every);
CREATE FUNCTION different() RETURNS TABLE (type text, result text) LANGUAGE sql AS $$
    SELECT * FROM not_true_of('SELECT count(*) = 9 AND bool_and(<T>_send(a.of_<T>) IS NOT DISTINCT FROM <T>_send(b.of_<T>)) FROM every a JOIN copied b USING (id)')
$$;
\set copy '\\copy every TO ' :'file'
:copy
\set copy '\\copy copied FROM ' :'file'
:copy
SELECT * FROM different();
TRUNCATE copied;
\set copy '\\copy every TO ' :'file' ' (FORMAT csv)'
:copy
\set copy '\\copy copied FROM ' :'file' ' (FORMAT csv)'
:copy
SELECT * FROM different();
TRUNCATE copied;
\set copy '\\copy every TO ' :'file' ' (FORMAT binary)'
:copy
\set copy '\\copy copied FROM ' :'file' ' (FORMAT binary)'
:copy
SELECT * FROM different();
DROP FUNCTION different();
DROP TABLE copied;
-- Bytes that are none of a type do not pass.
CREATE TABLE damaged (id integer);
SELECT 'ALTER TABLE damaged ' || string_agg(format('ADD COLUMN of_%1$s %1$s', type), ', ' ORDER BY place) AS alter FROM sample
\gset
:alter;
\set copy '\\copy (SELECT ''\\x0009''::bytea) TO ' :'file' ' (FORMAT binary)'
:copy
\set copy '\\copy damaged (of_g_counter) FROM ' :'file' ' (FORMAT binary)'
:copy
\set copy '\\copy damaged (of_pn_counter) FROM ' :'file' ' (FORMAT binary)'
:copy
\set copy '\\copy damaged (of_b_counter) FROM ' :'file' ' (FORMAT binary)'
:copy
\set copy '\\copy damaged (of_lww_register) FROM ' :'file' ' (FORMAT binary)'
:copy
\set copy '\\copy damaged (of_mv_register) FROM ' :'file' ' (FORMAT binary)'
:copy
\set copy '\\copy damaged (of_or_set) FROM ' :'file' ' (FORMAT binary)'
:copy
\set copy '\\copy damaged (of_aw_set) FROM ' :'file' ' (FORMAT binary)'
:copy
\set copy '\\copy damaged (of_lww_set) FROM ' :'file' ' (FORMAT binary)'
:copy
\set copy '\\copy damaged (of_lww_map) FROM ' :'file' ' (FORMAT binary)'
:copy
\set copy '\\copy damaged (of_or_map) FROM ' :'file' ' (FORMAT binary)'
:copy
\set copy '\\copy damaged (of_or_cart) FROM ' :'file' ' (FORMAT binary)'
:copy
\set copy '\\copy damaged (of_rga) FROM ' :'file' ' (FORMAT binary)'
:copy
\set copy '\\copy damaged (of_rga_text) FROM ' :'file' ' (FORMAT binary)'
:copy
\set copy '\\copy damaged (of_vector_clock) FROM ' :'file' ' (FORMAT binary)'
:copy
\set copy '\\copy damaged (of_hlc) FROM ' :'file' ' (FORMAT binary)'
:copy
DROP TABLE damaged;

-- Order and groups are by value: rows 1, 2 and 3 show the same. (In a map, a
-- literal's number is a register and row 3 holds a counter: these are two.)
SELECT * FROM of_each($$SELECT string_agg(ids, ' < ' ORDER BY of_<T>) FROM (SELECT of_<T>, string_agg(id::text, '=' ORDER BY id) AS ids FROM every GROUP BY of_<T>) AS g$$);
SELECT * FROM of_each($$SELECT format('%s, %s, %s', count(DISTINCT of_<T>), (SELECT count(*) FROM (SELECT DISTINCT of_<T> FROM every) AS d),
    (SELECT count(*) FROM (SELECT of_<T> FROM every UNION SELECT <plain>) AS u)) FROM every$$);

-- Every way to join gives the same.
SET enable_nestloop = off;
SET enable_mergejoin = off;
SELECT * FROM not_true_of($$SELECT count(*) = (SELECT sum(n * n) FROM (SELECT count(of_<T>) AS n FROM every GROUP BY of_<T>) AS g) FROM every a JOIN every b USING (of_<T>)$$);
RESET enable_mergejoin;
SET enable_hashjoin = off;
SELECT * FROM not_true_of($$SELECT count(*) = (SELECT sum(n * n) FROM (SELECT count(of_<T>) AS n FROM every GROUP BY of_<T>) AS g) FROM every a JOIN every b USING (of_<T>)$$);
RESET enable_hashjoin;
RESET enable_nestloop;
CREATE FUNCTION plan_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    line text;
    lines text[];
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
        lines := lines || trim(line);
    END LOOP;
    RETURN array_to_string(lines, ' / ');
END
$$;
SELECT type FROM sample WHERE plan_of(statement_for(sample, 'SELECT FROM every a JOIN every b USING (of_<T>)')) !~ 'Hash Join|Merge Join';

-- An index serves equality and order, and finds what a scan finds.
DO $$
DECLARE
    s sample;
BEGIN
    FOR s IN SELECT * FROM sample ORDER BY place LOOP
        EXECUTE statement_for(s, 'CREATE INDEX <T>_btree ON every (of_<T>)');
    END LOOP;
END
$$;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_sort = off;
SELECT type, plan_of(statement_for(sample, 'SELECT id FROM every WHERE of_<T> = <plain> ORDER BY of_<T>')) ~ 'Index Scan using .*_btree' AS equal,
       plan_of(statement_for(sample, 'SELECT id FROM every WHERE of_<T> >= <plain> ORDER BY of_<T>')) ~ '^Index Scan using .*_btree' AS range FROM sample ORDER BY place;
SELECT * FROM of_each($$SELECT format('%s | %s | %s', (SELECT count(*) FROM every WHERE of_<T> = <plain>), (SELECT string_agg(id::text, ' ') FROM (SELECT id FROM every WHERE of_<T> > <plain> ORDER BY of_<T>, id) AS o),
    (SELECT string_agg(id::text, ' ') FROM (SELECT id FROM every WHERE of_<T> < <plain> ORDER BY of_<T> DESC, id) AS o))$$);
DO $$
DECLARE
    s sample;
BEGIN
    FOR s IN SELECT * FROM sample ORDER BY place LOOP
        EXECUTE statement_for(s, 'DROP INDEX <T>_btree; CREATE INDEX <T>_hash ON every USING hash (of_<T>)');
    END LOOP;
END
$$;
SELECT type FROM sample WHERE plan_of(statement_for(sample, 'SELECT id FROM every WHERE of_<T> = <plain>')) !~ 'Index Scan using .*_hash';
SELECT * FROM not_true_of($$SELECT array_agg(id ORDER BY id) = '{1,2,3}' FROM every WHERE of_<T> = <plain>$$);
RESET enable_seqscan;
RESET enable_bitmapscan;
RESET enable_sort;
-- Unique means: of one value. (Of the maps both are there, as above.)
DO $$
DECLARE
    s sample;
BEGIN
    FOR s IN SELECT * FROM sample ORDER BY place LOOP
        EXECUTE statement_for(s, 'CREATE TEMP TABLE single (x <T> UNIQUE)');
        EXECUTE statement_for(s, 'INSERT INTO single VALUES (<plain>), (<two>)');
        EXECUTE statement_for(s, 'INSERT INTO single VALUES (<one>) ON CONFLICT DO NOTHING');
        IF (SELECT count(*) FROM single) <> 2 THEN
            RAISE WARNING '% is there twice', s.type;
        END IF;
        DROP TABLE single;
    END LOOP;
END
$$;
SELECT opcintype::regtype AS type, string_agg(amname, ' ' ORDER BY amname) AS indexes
  FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod JOIN sample ON type = opcintype::regtype::text
 WHERE opcdefault GROUP BY opcintype, place ORDER BY place;
SELECT DISTINCT amvalidate(c.oid) FROM pg_opclass c JOIN sample ON type = opcintype::regtype::text WHERE type NOT LIKE '%counter';

-- The aggregate: each state counts once, in whatever order, in parallel as well; NULL
-- counts for nothing, and of no row there is nothing.
SELECT * FROM not_true_of($$SELECT <T>_send(crdt_merge(x)) = <T>_send(<both>) FROM unnest(ARRAY[<one>, <three>, NULL, <two>, <one>]) AS x$$);
SELECT * FROM not_true_of($$SELECT crdt_merge(x) IS NULL FROM unnest(ARRAY[NULL::<T>]) AS x$$);
SELECT * FROM not_true_of($$SELECT crdt_merge(of_<T>) IS NULL FROM every WHERE false$$);
SELECT * FROM not_true_of($$SELECT count(*) FILTER (WHERE <T>_send(m) = <T>_send(<two>)) = 2
    FROM (SELECT crdt_merge(x) AS m FROM (VALUES (1, <one>), (1, <two>), (2, <two>), (2, <one>)) AS v (g, x) GROUP BY g) AS m$$);
CREATE TABLE copies (n integer);
INSERT INTO copies SELECT generate_series(1, 2000);
DO $$
DECLARE
    s sample;
BEGIN
    FOR s IN SELECT * FROM sample ORDER BY place LOOP
        EXECUTE statement_for(s, 'ALTER TABLE copies ADD COLUMN of_<T> <T>');
        EXECUTE statement_for(s, 'UPDATE copies SET of_<T> = CASE n % 4 WHEN 0 THEN <one> WHEN 1 THEN <two> WHEN 2 THEN <three> END');
    END LOOP;
END
$$;
VACUUM FULL ANALYZE copies;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SELECT DISTINCT plan_of(statement_for(sample, 'SELECT crdt_merge(of_<T>) FROM copies')) FROM sample;
SELECT * FROM not_true_of($$SELECT <T>_send(crdt_merge(of_<T>)) = <T>_send(<both>) FROM copies$$);
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;

DROP FUNCTION plan_of, not_true_of, of_each, statement_for;
DROP TABLE every, copies, sample;
