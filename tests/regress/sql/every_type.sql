-- What all types have, tried on each of them: text and bytes, the lattice,
-- comparison, JSON.
\getenv abs_srcdir PG_ABS_SRCDIR
\set samples :abs_srcdir '/every_type.inc'
\set ECHO none
\i :samples
\set ECHO all
SELECT type, regexp_replace(one, ' @v1:.*', '') AS one, regexp_replace("both", ' @v1:.*', '') AS "both" FROM sample ORDER BY place;

-- A literal and a state come back as they went in, or a dump is not what was dumped.
SELECT * FROM not_true_of($$SELECT bool_and(<T>_out(<T>_in(x::cstring))::text = x) AND count(*) = 4
    FROM sample, unnest(ARRAY[one, two, three, "both"]) AS x WHERE type = '<T>'$$);
SELECT * FROM not_true_of($$SELECT <T>_send(<T>_in(<T>_out(<plain>))) = <T>_send(<plain>) AND <T>_send(<plain>) <> <T>_send(<one>)$$);
SELECT * FROM not_true_of($$SELECT <T>_send(<T>_in(<T>_out(!<both>))) = <T>_send(!<both>)$$);
-- Also within an array and a row, whose notations quote them once more.
SELECT * FROM not_true_of($$SELECT array_agg(<T>_send(x)) = ARRAY[<T>_send(<one>), <T>_send(<both>), <T>_send(<plain>)]
    FROM unnest(ARRAY[<one>, <both>, <plain>]::text::<T>[]) AS x$$);
CREATE TABLE pair (a text, b text);
SELECT * FROM not_true_of($$SELECT (row(<T>_out(<both>), <T>_out(<plain>))::pair::text::pair).a = "both" FROM sample WHERE type = '<T>'$$);

-- What is no literal is refused, and so is a state that was damaged, that is of
-- another type, or whose readable part was edited.
SELECT * FROM of_each($$SELECT <T>_out('{"a": [}')$$);
SELECT * FROM of_each($$SELECT <T>_in((one || 'A')::cstring) FROM sample WHERE type = '<T>'$$);
SELECT DISTINCT regexp_replace(result, 'such as.*', 'such as …') AS result FROM of_each($$SELECT <T>_in((one || '!')::cstring) FROM sample WHERE type = '<T>'$$);
SELECT DISTINCT regexp_replace(result, 'such as.*', 'such as …') AS result FROM of_each($$SELECT <T>_in(regexp_replace(one, '@v1:.*', '@v1:')::cstring) FROM sample WHERE type = '<T>'$$);
SELECT * FROM of_each($$SELECT <T>_in(other.one::cstring) FROM sample, sample other
    WHERE sample.type = '<T>' AND other.place = sample.place % 15 + 1$$);
SELECT * FROM of_each($$SELECT <T>_in((split_part(two, ' @v1:', 1) || ' @v1:' || split_part(one, ' @v1:', 2))::cstring) FROM sample WHERE type = '<T>'$$);

-- A NULL makes NULL, but for the difference and the aggregates; none of these
-- functions depends on anything but its arguments, but for those that settle, tick or look up names.
SELECT * FROM not_true_of($$SELECT num_nulls(crdt_merge(<one>, NULL), crdt_state(NULL::<T>), crdt_settle(NULL::<T>), !NULL::<T>, crdt_version(NULL::<T>),
    crdt_compact(<one>, NULL), NULL::<T>::jsonb, NULL::<T>::json, <one> = NULL::<T>, NULL::<T> < <one>, crdt_value(NULL::<T>), crdt_delta(<one>, NULL)) = 12$$);
SELECT DISTINCT proname, provolatile, proisstrict, proparallel
  FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
  JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
 WHERE e.extname = 'blockchain_crdt' AND p.prokind = 'f'
   AND (p.prorettype::regtype::text IN (SELECT type FROM sample)
        OR EXISTS (SELECT FROM unnest(p.proargtypes) AS a WHERE a::regtype::text IN (SELECT type FROM sample)))
   AND NOT (p.provolatile = 'i' AND p.proisstrict AND p.proparallel = 's')
 ORDER BY proname;

-- The lattice: a merge loses nothing, whatever its order and however often.
SELECT * FROM not_true_of($$SELECT <T>_send(crdt_merge(<two>, <three>)) = <T>_send(<both>) AND <T>_send(crdt_merge(<three>, <two>)) = <T>_send(<both>)
    AND <T>_send(crdt_merge(<both>, <one>)) = <T>_send(<both>) AND <T>_send(crdt_merge(<both>, <both>)) = <T>_send(<both>)$$);
SELECT * FROM not_true_of($$SELECT <T>_send(crdt_merge(crdt_merge(<plain>, <other>), <three>)) = <T>_send(crdt_merge(<plain>, crdt_merge(<three>, <other>)))$$);
-- A difference brings just what is missing.
SELECT * FROM not_true_of($$SELECT <T>_send(crdt_merge(<one>, crdt_delta(<one>, <two>))) = <T>_send(<two>)
    AND <T>_send(crdt_merge(<two>, crdt_delta(<one>, <three>))) = <T>_send(<both>)
    AND crdt_delta(<one>, <one>) IS NULL AND <T>_send(crdt_delta(NULL, <one>)) = <T>_send(<one>)$$);
SELECT DISTINCT result FROM of_each($$SELECT crdt_delta(<both>, <one>)$$);
SELECT DISTINCT result FROM of_each($$SELECT crdt_delta(<one>, <plain>)$$);
-- Settling keeps the value; what is settled stays as it is. Nobody counts in
-- another's entry of a vector.
SELECT * FROM not_true_of($$SELECT crdt_settle(<plain>) = <plain> AND crdt_state(crdt_settle(<plain>)) -> 'change' = 'null'$$);
SELECT * FROM not_true_of($$SELECT <T>_send(crdt_settle(<both>)) = <T>_send(<both>)$$);
-- Emptied.
SELECT * FROM of_each($$SELECT <T>_out(!<plain>)$$);
SELECT * FROM of_each($$SELECT regexp_replace(<T>_out(crdt_reset(<both>))::text, '@v1:.*', '@v1:…')$$);
-- For people.
SELECT * FROM of_each($$SELECT crdt_state(<one>)$$);
SELECT * FROM of_each($$SELECT crdt_state(<plain>)$$);
-- Whose events it shows; compaction keeps the value.
SELECT * FROM of_each($$SELECT string_agg(left(key, 2) || ':' || value, ' ' ORDER BY key) FROM jsonb_each(crdt_version(<both>)::jsonb)$$);
SELECT * FROM not_true_of($$SELECT crdt_compact(<both>, crdt_version(<both>)) = <both>
    AND <T>_send(crdt_compact(<both>, '{}')) = <T>_send(<both>)$$);

-- Comparison is by value, whatever the state. (In a map, a literal's numbers and
-- arrays are registers: they equal no counter and no set.)
SELECT * FROM not_true_of($$SELECT <one> = <plain> AND NOT <one> <> <plain> AND <one> <= <plain> AND <one> >= <plain> AND NOT <one> < <plain> AND NOT <one> > <plain>
    AND <T>_cmp(<one>, <plain>) = 0 AND <T>_hash(<one>) = <T>_hash(<plain>)$$);
SELECT * FROM not_true_of($$SELECT <one> <> <two> AND (<one> < <two>) = (<two> > <one>) AND (<one> < <two>) <> (<two> < <one>)
    AND (<one> <= <two>) = (<one> < <two>) AND (<one> >= <two>) = (<one> > <two>) AND <T>_cmp(<one>, <two>) = -<T>_cmp(<two>, <one>)$$);
SELECT * FROM of_each($$SELECT CASE <T>_cmp(<one>, <two>) WHEN -1 THEN 'one < two' WHEN 1 THEN 'one > two' ELSE 'one = two' END$$);

-- JSON: the plain value, in whichever way it is asked for.
SELECT * FROM of_each($$SELECT <one>::jsonb$$);
SELECT * FROM of_each($$SELECT <both>::json$$);
SELECT * FROM not_true_of($$SELECT to_jsonb(<both>) = <both>::jsonb AND row_to_json(row(<both>))::jsonb = jsonb_build_object('f1', <both>)
    AND jsonb_agg(<both>) = jsonb_build_array(<both>)$$);
-- And back, where JSON is what a literal holds.
SELECT type, result FROM of_each($$SELECT <two>::jsonb::<T>::jsonb = <two>::jsonb$$)
 WHERE type NOT LIKE '%counter' AND type NOT LIKE '%\_set' AND type NOT IN ('rga_text', 'hlc');

-- Its description, and how it is stored.
SELECT typname, typcategory, typstorage, obj_description(pg_type.oid, 'pg_type')
  FROM sample JOIN pg_type ON typname = type ORDER BY place;

DROP FUNCTION not_true_of, of_each, statement_for;
DROP TABLE pair, sample;
