-- The counters. <T> stands for the name of the type.

DO $install$
DECLARE
    type_name text;
BEGIN
    FOREACH type_name IN ARRAY ARRAY['g_counter', 'pn_counter', 'b_counter'] LOOP
        EXECUTE replace($sql$

CREATE FUNCTION crdt_value(<T>) RETURNS bigint
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_counter_value_wrapper';
COMMENT ON FUNCTION crdt_value(<T>) IS 'The number';
CREATE OPERATOR # (FUNCTION = crdt_value, RIGHTARG = <T>);
COMMENT ON OPERATOR # (NONE, <T>) IS 'The number';
CREATE FUNCTION <T>_add(<T>, bigint) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_counter_add_wrapper';
CREATE FUNCTION <T>_add_to(bigint, <T>) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_counter_add_to_wrapper';
CREATE OPERATOR + (FUNCTION = <T>_add, LEFTARG = <T>, RIGHTARG = bigint, COMMUTATOR = +);
CREATE OPERATOR + (FUNCTION = <T>_add_to, LEFTARG = bigint, RIGHTARG = <T>, COMMUTATOR = +);
COMMENT ON OPERATOR + (<T>, bigint) IS 'Adds';
COMMENT ON OPERATOR + (bigint, <T>) IS 'Adds';

-- Casts, none of them implicit: `views > 100` and `views + 1` would then also
-- mean bigint's own operators, and be ambiguous.
CREATE FUNCTION <T>_to_integer(<T>) RETURNS integer
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_counter_to_integer_wrapper';
CREATE FUNCTION <T>_to_numeric(<T>) RETURNS numeric
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_counter_to_numeric_wrapper';
CREATE FUNCTION <T>_of(bigint) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_counter_of_bigint_wrapper';
CREATE FUNCTION <T>_of(integer) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_counter_of_integer_wrapper';
CREATE FUNCTION <T>_of(smallint) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_counter_of_smallint_wrapper';
CREATE FUNCTION <T>_of(numeric) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_counter_of_numeric_wrapper';
CREATE CAST (<T> AS bigint) WITH FUNCTION crdt_value(<T>) AS ASSIGNMENT;
CREATE CAST (<T> AS integer) WITH FUNCTION <T>_to_integer(<T>) AS ASSIGNMENT;
CREATE CAST (<T> AS numeric) WITH FUNCTION <T>_to_numeric(<T>) AS ASSIGNMENT;
CREATE CAST (bigint AS <T>) WITH FUNCTION <T>_of(bigint) AS ASSIGNMENT;
CREATE CAST (integer AS <T>) WITH FUNCTION <T>_of(integer) AS ASSIGNMENT;
CREATE CAST (smallint AS <T>) WITH FUNCTION <T>_of(smallint) AS ASSIGNMENT;
CREATE CAST (numeric AS <T>) WITH FUNCTION <T>_of(numeric) AS ASSIGNMENT;

-- Aggregates of values, as those of bigint.
CREATE FUNCTION <T>_accumulate(internal, <T>) RETURNS internal
    IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_counter_accumulate';
CREATE FUNCTION <T>_larger(bigint, <T>) RETURNS bigint
    IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_counter_larger_wrapper';
CREATE FUNCTION <T>_smaller(bigint, <T>) RETURNS bigint
    IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_counter_smaller_wrapper';
CREATE AGGREGATE sum(<T>) (
    SFUNC = <T>_accumulate, STYPE = internal, SSPACE = 48, FINALFUNC = numeric_poly_sum,
    COMBINEFUNC = int8_avg_combine, SERIALFUNC = int8_avg_serialize,
    DESERIALFUNC = int8_avg_deserialize, PARALLEL = SAFE
);
CREATE AGGREGATE avg(<T>) (
    SFUNC = <T>_accumulate, STYPE = internal, SSPACE = 48, FINALFUNC = numeric_poly_avg,
    COMBINEFUNC = int8_avg_combine, SERIALFUNC = int8_avg_serialize,
    DESERIALFUNC = int8_avg_deserialize, PARALLEL = SAFE
);
CREATE AGGREGATE max(<T>) (SFUNC = <T>_larger, STYPE = bigint, COMBINEFUNC = int8larger, PARALLEL = SAFE);
CREATE AGGREGATE min(<T>) (SFUNC = <T>_smaller, STYPE = bigint, COMBINEFUNC = int8smaller, PARALLEL = SAFE);
COMMENT ON AGGREGATE sum(<T>) IS 'The sum of the numbers';
COMMENT ON AGGREGATE avg(<T>) IS 'The average of the numbers';
COMMENT ON AGGREGATE max(<T>) IS 'The greatest of the numbers';
COMMENT ON AGGREGATE min(<T>) IS 'The least of the numbers';

-- Comparison with numbers.
CREATE FUNCTION <T>_eq(<T>, bigint) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_counter_eq_wrapper';
CREATE FUNCTION <T>_ne(<T>, bigint) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_counter_ne_wrapper';
CREATE FUNCTION <T>_lt(<T>, bigint) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_counter_lt_wrapper';
CREATE FUNCTION <T>_le(<T>, bigint) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_counter_le_wrapper';
CREATE FUNCTION <T>_gt(<T>, bigint) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_counter_gt_wrapper';
CREATE FUNCTION <T>_ge(<T>, bigint) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_counter_ge_wrapper';
CREATE FUNCTION <T>_cmp(<T>, bigint) RETURNS integer
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_counter_cmp_wrapper';
CREATE FUNCTION <T>_eq(bigint, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_bigint_eq_wrapper';
CREATE FUNCTION <T>_ne(bigint, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_bigint_ne_wrapper';
CREATE FUNCTION <T>_lt(bigint, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_bigint_lt_wrapper';
CREATE FUNCTION <T>_le(bigint, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_bigint_le_wrapper';
CREATE FUNCTION <T>_gt(bigint, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_bigint_gt_wrapper';
CREATE FUNCTION <T>_ge(bigint, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_bigint_ge_wrapper';
CREATE FUNCTION <T>_cmp(bigint, <T>) RETURNS integer
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_bigint_cmp_wrapper';
CREATE OPERATOR = (FUNCTION = <T>_eq, LEFTARG = <T>, RIGHTARG = bigint, COMMUTATOR = =, NEGATOR = <>,
    RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR <> (FUNCTION = <T>_ne, LEFTARG = <T>, RIGHTARG = bigint, COMMUTATOR = <>, NEGATOR = =,
    RESTRICT = neqsel, JOIN = neqjoinsel);
CREATE OPERATOR < (FUNCTION = <T>_lt, LEFTARG = <T>, RIGHTARG = bigint, COMMUTATOR = >, NEGATOR = >=,
    RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR <= (FUNCTION = <T>_le, LEFTARG = <T>, RIGHTARG = bigint, COMMUTATOR = >=, NEGATOR = >,
    RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
CREATE OPERATOR > (FUNCTION = <T>_gt, LEFTARG = <T>, RIGHTARG = bigint, COMMUTATOR = <, NEGATOR = <=,
    RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
CREATE OPERATOR >= (FUNCTION = <T>_ge, LEFTARG = <T>, RIGHTARG = bigint, COMMUTATOR = <=, NEGATOR = <,
    RESTRICT = scalargesel, JOIN = scalargejoinsel);
CREATE OPERATOR = (FUNCTION = <T>_eq, LEFTARG = bigint, RIGHTARG = <T>, COMMUTATOR = =, NEGATOR = <>,
    RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR <> (FUNCTION = <T>_ne, LEFTARG = bigint, RIGHTARG = <T>, COMMUTATOR = <>, NEGATOR = =,
    RESTRICT = neqsel, JOIN = neqjoinsel);
CREATE OPERATOR < (FUNCTION = <T>_lt, LEFTARG = bigint, RIGHTARG = <T>, COMMUTATOR = >, NEGATOR = >=,
    RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR <= (FUNCTION = <T>_le, LEFTARG = bigint, RIGHTARG = <T>, COMMUTATOR = >=, NEGATOR = >,
    RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
CREATE OPERATOR > (FUNCTION = <T>_gt, LEFTARG = bigint, RIGHTARG = <T>, COMMUTATOR = <, NEGATOR = <=,
    RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
CREATE OPERATOR >= (FUNCTION = <T>_ge, LEFTARG = bigint, RIGHTARG = <T>, COMMUTATOR = <=, NEGATOR = <,
    RESTRICT = scalargesel, JOIN = scalargejoinsel);
-- The family lets an index on a counter serve `views > 100`. It leaves bigint's
-- own operators out, though amvalidate() misses them: as members of a second
-- family they would no longer count as alike with those of the other integers,
-- in plans of any table.
ALTER OPERATOR FAMILY <T>_ops USING btree ADD
    OPERATOR 1 < (<T>, bigint), OPERATOR 2 <= (<T>, bigint), OPERATOR 3 = (<T>, bigint),
    OPERATOR 4 >= (<T>, bigint), OPERATOR 5 > (<T>, bigint),
    FUNCTION 1 (<T>, bigint) <T>_cmp (<T>, bigint),
    OPERATOR 1 < (bigint, <T>), OPERATOR 2 <= (bigint, <T>), OPERATOR 3 = (bigint, <T>),
    OPERATOR 4 >= (bigint, <T>), OPERATOR 5 > (bigint, <T>),
    FUNCTION 1 (bigint, <T>) <T>_cmp (bigint, <T>);

        $sql$, '<T>', type_name);
    END LOOP;

    FOREACH type_name IN ARRAY ARRAY['pn_counter', 'b_counter'] LOOP
        EXECUTE replace($sql$

CREATE FUNCTION <T>_sub(<T>, bigint) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_counter_sub_wrapper';
CREATE OPERATOR - (FUNCTION = <T>_sub, LEFTARG = <T>, RIGHTARG = bigint);
COMMENT ON OPERATOR - (<T>, bigint) IS 'Subtracts';

        $sql$, '<T>', type_name);
    END LOOP;
END
$install$;

-- The bounded counter's own.
CREATE FUNCTION b_counter(value bigint, floor bigint) RETURNS b_counter
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_b_counter_wrapper';
COMMENT ON FUNCTION b_counter(bigint, bigint) IS 'A counter with a floor';
CREATE FUNCTION crdt_floor(b_counter) RETURNS numeric
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_b_counter_floor_wrapper';
COMMENT ON FUNCTION crdt_floor(b_counter) IS 'The floor';
CREATE FUNCTION crdt.rights(counter b_counter) RETURNS TABLE (replica bytea, rights numeric)
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_b_counter_rights_wrapper';
CREATE FUNCTION crdt.transfer(b_counter, replica bytea, amount bigint) RETURNS b_counter
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_b_counter_transfer_wrapper';
CREATE FUNCTION crdt.replica_of(record bytea) RETURNS bytea
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_replica_of_wrapper';
CREATE FUNCTION crdt_rights(counter b_counter) RETURNS TABLE (node text, rights numeric)
    STRICT STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp LANGUAGE sql
    BEGIN ATOMIC
        SELECT coalesce((SELECT n.name FROM crdt.node n WHERE crdt.replica_of(n.record) = r.replica),
                        encode(r.replica, 'hex')),
               r.rights
          FROM crdt.rights($1) AS r;
    END;
COMMENT ON FUNCTION crdt_rights(b_counter) IS 'Which node may subtract how much';
CREATE FUNCTION crdt_transfer(counter b_counter, node text, amount bigint) RETURNS b_counter
    STRICT STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp LANGUAGE plpgsql AS $$
DECLARE
    receiver bytea := (SELECT crdt.replica_of(n.record) FROM crdt.node n WHERE n.name = node AND n.left_after IS NULL);
BEGIN
    IF receiver IS NULL THEN
        RAISE EXCEPTION 'no node "%" in this cluster', node USING ERRCODE = 'undefined_object',
            HINT = 'SELECT name FROM crdt_nodes shows the nodes.';
    END IF;
    RETURN crdt.transfer(counter, receiver, amount);
END
$$;
COMMENT ON FUNCTION crdt_transfer(b_counter, text, bigint) IS 'Gives rights of this node to another';
