-- The sets. <T> stands for the name of the type.

DO $install$
DECLARE
    type_name text;
BEGIN
    FOREACH type_name IN ARRAY ARRAY['or_set', 'aw_set', 'lww_set'] LOOP
        EXECUTE replace($sql$

CREATE FUNCTION crdt_value(<T>) RETURNS text[]
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_set_value_wrapper';
COMMENT ON FUNCTION crdt_value(<T>) IS 'The elements, ascending';
CREATE FUNCTION crdt_elements(<T>) RETURNS SETOF text
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE sql
    BEGIN ATOMIC SELECT unnest(crdt_value($1)); END;
COMMENT ON FUNCTION crdt_elements(<T>) IS 'The elements, ascending';
CREATE FUNCTION crdt_cardinality(<T>) RETURNS bigint
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_set_cardinality_wrapper';
COMMENT ON FUNCTION crdt_cardinality(<T>) IS 'How many elements';

-- Adding and removing; an array costs about what one element does.
CREATE FUNCTION <T>_add(<T>, text) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_set_add_wrapper';
CREATE FUNCTION <T>_add(<T>, text[]) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_set_add_all_wrapper';
CREATE FUNCTION <T>_remove(<T>, text) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_set_remove_wrapper';
CREATE FUNCTION <T>_remove(<T>, text[]) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_set_remove_all_wrapper';
CREATE OPERATOR + (FUNCTION = <T>_add, LEFTARG = <T>, RIGHTARG = text);
CREATE OPERATOR + (FUNCTION = <T>_add, LEFTARG = <T>, RIGHTARG = text[]);
CREATE OPERATOR - (FUNCTION = <T>_remove, LEFTARG = <T>, RIGHTARG = text);
CREATE OPERATOR - (FUNCTION = <T>_remove, LEFTARG = <T>, RIGHTARG = text[]);
COMMENT ON OPERATOR + (<T>, text) IS 'Adds an element';
COMMENT ON OPERATOR + (<T>, text[]) IS 'Adds elements';
COMMENT ON OPERATOR - (<T>, text) IS 'Removes an element';
COMMENT ON OPERATOR - (<T>, text[]) IS 'Removes elements';

-- Arrays of varchar do not pass as arrays of text, though they look the same.
CREATE FUNCTION <T>_of(text[]) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_set_of_array_wrapper';
CREATE FUNCTION <T>_of(varchar[]) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_set_of_array_wrapper';
CREATE CAST (<T> AS text[]) WITH FUNCTION crdt_value(<T>) AS ASSIGNMENT;
CREATE CAST (text[] AS <T>) WITH FUNCTION <T>_of(text[]) AS ASSIGNMENT;
CREATE CAST (varchar[] AS <T>) WITH FUNCTION <T>_of(varchar[]) AS ASSIGNMENT;

-- Comparison with arrays, where order and repetitions do not count. Declared with
-- anyarray, as PostgreSQL's own operators are: with text[] they would be taken for
-- `ARRAY['a'] @> '{a}'`, which has nothing to do with sets.
CREATE FUNCTION <T>_eq(<T>, anyarray) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_set_eq_array_wrapper';
CREATE FUNCTION <T>_ne(<T>, anyarray) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_set_ne_array_wrapper';
CREATE FUNCTION <T>_eq(anyarray, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_array_eq_set_wrapper';
CREATE FUNCTION <T>_ne(anyarray, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_array_ne_set_wrapper';
CREATE OPERATOR = (FUNCTION = <T>_eq, LEFTARG = <T>, RIGHTARG = anyarray, COMMUTATOR = =, NEGATOR = <>,
    RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR <> (FUNCTION = <T>_ne, LEFTARG = <T>, RIGHTARG = anyarray, COMMUTATOR = <>, NEGATOR = =,
    RESTRICT = neqsel, JOIN = neqjoinsel);
CREATE OPERATOR = (FUNCTION = <T>_eq, LEFTARG = anyarray, RIGHTARG = <T>, COMMUTATOR = =, NEGATOR = <>,
    RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR <> (FUNCTION = <T>_ne, LEFTARG = anyarray, RIGHTARG = <T>, COMMUTATOR = <>, NEGATOR = =,
    RESTRICT = neqsel, JOIN = neqjoinsel);

-- What is in it.
CREATE FUNCTION <T>_has(<T>, text) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_set_has_wrapper';
CREATE FUNCTION <T>_has_any(<T>, text[]) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_set_has_any_wrapper';
CREATE FUNCTION <T>_has_all(<T>, text[]) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_set_contains_array_wrapper';
CREATE FUNCTION <T>_contains(<T>, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_set_contains_wrapper';
CREATE FUNCTION <T>_contains(<T>, anyarray) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_set_contains_array_wrapper';
CREATE FUNCTION <T>_contains(anyarray, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_array_contains_set_wrapper';
CREATE FUNCTION <T>_contained(<T>, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_set_within_wrapper';
CREATE FUNCTION <T>_contained(<T>, anyarray) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_set_within_array_wrapper';
CREATE FUNCTION <T>_contained(anyarray, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_array_within_set_wrapper';
CREATE OPERATOR ? (FUNCTION = <T>_has, LEFTARG = <T>, RIGHTARG = text, RESTRICT = contsel, JOIN = contjoinsel);
CREATE OPERATOR ?| (FUNCTION = <T>_has_any, LEFTARG = <T>, RIGHTARG = text[], RESTRICT = contsel, JOIN = contjoinsel);
CREATE OPERATOR ?& (FUNCTION = <T>_has_all, LEFTARG = <T>, RIGHTARG = text[], RESTRICT = contsel, JOIN = contjoinsel);
CREATE OPERATOR @> (FUNCTION = <T>_contains, LEFTARG = <T>, RIGHTARG = <T>, COMMUTATOR = <@,
    RESTRICT = contsel, JOIN = contjoinsel);
CREATE OPERATOR <@ (FUNCTION = <T>_contained, LEFTARG = <T>, RIGHTARG = <T>, COMMUTATOR = @>,
    RESTRICT = contsel, JOIN = contjoinsel);
CREATE OPERATOR @> (FUNCTION = <T>_contains, LEFTARG = <T>, RIGHTARG = anyarray, COMMUTATOR = <@,
    RESTRICT = contsel, JOIN = contjoinsel);
CREATE OPERATOR <@ (FUNCTION = <T>_contained, LEFTARG = anyarray, RIGHTARG = <T>, COMMUTATOR = @>,
    RESTRICT = contsel, JOIN = contjoinsel);
CREATE OPERATOR <@ (FUNCTION = <T>_contained, LEFTARG = <T>, RIGHTARG = anyarray, COMMUTATOR = @>,
    RESTRICT = contsel, JOIN = contjoinsel);
CREATE OPERATOR @> (FUNCTION = <T>_contains, LEFTARG = anyarray, RIGHTARG = <T>, COMMUTATOR = <@,
    RESTRICT = contsel, JOIN = contjoinsel);
COMMENT ON OPERATOR ? (<T>, text) IS 'Whether the element is in the set';
COMMENT ON OPERATOR ?| (<T>, text[]) IS 'Whether any of the elements is in the set';
COMMENT ON OPERATOR ?& (<T>, text[]) IS 'Whether all of the elements are in the set';
COMMENT ON OPERATOR @> (<T>, <T>) IS 'Whether the left contains the right';
COMMENT ON OPERATOR @> (<T>, anyarray) IS 'Whether the left contains the right';
COMMENT ON OPERATOR @> (anyarray, <T>) IS 'Whether the left contains the right';
COMMENT ON OPERATOR <@ (<T>, <T>) IS 'Whether the left is contained in the right';
COMMENT ON OPERATOR <@ (<T>, anyarray) IS 'Whether the left is contained in the right';
COMMENT ON OPERATOR <@ (anyarray, <T>) IS 'Whether the left is contained in the right';

        $sql$, '<T>', type_name);
    END LOOP;
END
$install$;

-- The last writer's own: an element may carry a value.
CREATE FUNCTION crdt_put(lww_set, element text, value jsonb) RETURNS lww_set
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_lww_set_put_wrapper';
COMMENT ON FUNCTION crdt_put(lww_set, text, jsonb) IS 'Adds an element with a value';
CREATE FUNCTION lww_set_get(lww_set, element text) RETURNS jsonb
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_lww_set_get_wrapper';
CREATE OPERATOR -> (FUNCTION = lww_set_get, LEFTARG = lww_set, RIGHTARG = text);
COMMENT ON OPERATOR -> (lww_set, text) IS 'The value that an element carries; NULL if it is not there';
