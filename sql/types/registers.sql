-- The registers. <T> stands for the name of the type.

DO $install$
DECLARE
    type_name text;
BEGIN
    FOREACH type_name IN ARRAY ARRAY['lww_register', 'mv_register'] LOOP
        EXECUTE replace($sql$

CREATE FUNCTION crdt_value(<T>) RETURNS jsonb
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_to_jsonb_wrapper';
COMMENT ON FUNCTION crdt_value(<T>) IS 'The value, of a conflict the latest; NULL if it was never set';
CREATE FUNCTION crdt_set(<T>, value jsonb) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_register_set_jsonb_wrapper';
CREATE FUNCTION crdt_set(<T>, value <T>) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_register_set_literal_wrapper';
CREATE FUNCTION crdt_set(<T>, value numeric) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_register_set_numeric_wrapper';
CREATE FUNCTION crdt_set(<T>, value boolean) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_register_set_boolean_wrapper';
-- varchar, which text and name of columns and parameters become unasked: with
-- text, PostgreSQL would prefer this function for literals.
CREATE FUNCTION crdt_set(<T>, value varchar) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_register_set_text_wrapper';
COMMENT ON FUNCTION crdt_set(<T>, jsonb) IS 'Writes a value';
COMMENT ON FUNCTION crdt_set(<T>, <T>) IS 'Writes a value, given as a literal';
COMMENT ON FUNCTION crdt_set(<T>, numeric) IS 'Writes a number';
COMMENT ON FUNCTION crdt_set(<T>, boolean) IS 'Writes a boolean';
COMMENT ON FUNCTION crdt_set(<T>, varchar) IS 'Writes a text, as a JSON string';

-- The cast to text is implicit, so that what works on text works on a register:
-- `title || '!'`, `lower(title)`, `title LIKE 'a%'`. A cast to or from varchar
-- would otherwise go through the text form, state and all; numbers may, their
-- text is JSON.
CREATE FUNCTION <T>_to_text(<T>) RETURNS text
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_register_to_text_wrapper';
CREATE FUNCTION <T>_of(jsonb) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_register_of_jsonb_wrapper';
CREATE FUNCTION <T>_of(text) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_register_of_text_wrapper';
CREATE FUNCTION <T>_of(boolean) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_register_of_boolean_wrapper';
CREATE CAST (<T> AS text) WITH FUNCTION <T>_to_text(<T>) AS IMPLICIT;
CREATE CAST (<T> AS varchar) WITH FUNCTION <T>_to_text(<T>) AS ASSIGNMENT;
CREATE CAST (jsonb AS <T>) WITH FUNCTION <T>_of(jsonb) AS ASSIGNMENT;
CREATE CAST (text AS <T>) WITH FUNCTION <T>_of(text) AS ASSIGNMENT;
CREATE CAST (varchar AS <T>) WITH FUNCTION <T>_of(text) AS ASSIGNMENT;
CREATE CAST (boolean AS <T>) WITH FUNCTION <T>_of(boolean) AS ASSIGNMENT;

-- Comparison with text.
CREATE FUNCTION <T>_eq(<T>, text) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_register_eq_text_wrapper';
CREATE FUNCTION <T>_ne(<T>, text) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_register_ne_text_wrapper';
CREATE FUNCTION <T>_eq(text, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_text_eq_register_wrapper';
CREATE FUNCTION <T>_ne(text, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_text_ne_register_wrapper';
CREATE OPERATOR = (FUNCTION = <T>_eq, LEFTARG = <T>, RIGHTARG = text, COMMUTATOR = =, NEGATOR = <>,
    RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR <> (FUNCTION = <T>_ne, LEFTARG = <T>, RIGHTARG = text, COMMUTATOR = <>, NEGATOR = =,
    RESTRICT = neqsel, JOIN = neqjoinsel);
CREATE OPERATOR = (FUNCTION = <T>_eq, LEFTARG = text, RIGHTARG = <T>, COMMUTATOR = =, NEGATOR = <>,
    RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR <> (FUNCTION = <T>_ne, LEFTARG = text, RIGHTARG = <T>, COMMUTATOR = <>, NEGATOR = =,
    RESTRICT = neqsel, JOIN = neqjoinsel);

        $sql$, '<T>', type_name);
    END LOOP;
END
$install$;

-- The multi-value register's own.
CREATE FUNCTION crdt.mv_register_values(mv_register) RETURNS jsonb
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_mv_register_values_wrapper';
CREATE FUNCTION crdt_values(mv_register) RETURNS SETOF jsonb
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE sql ROWS 2
    BEGIN ATOMIC SELECT jsonb_array_elements(crdt.mv_register_values($1)); END;
COMMENT ON FUNCTION crdt_values(mv_register) IS 'All values that were written at once without knowing of each other';
CREATE FUNCTION crdt_is_conflicted(mv_register) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_mv_register_is_conflicted_wrapper';
COMMENT ON FUNCTION crdt_is_conflicted(mv_register) IS 'Whether there are several values';
