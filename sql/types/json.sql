-- Comparison with jsonb, of the types that show any JSON. <T> stands for the
-- name of the type.

DO $install$
DECLARE
    type_name text;
BEGIN
    FOREACH type_name IN ARRAY ARRAY['lww_register', 'mv_register', 'lww_map', 'or_map', 'or_cart', 'rga'] LOOP
        EXECUTE replace($sql$

CREATE FUNCTION <T>_eq(<T>, jsonb) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_eq_jsonb_wrapper';
CREATE FUNCTION <T>_ne(<T>, jsonb) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_ne_jsonb_wrapper';
CREATE FUNCTION <T>_eq(jsonb, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_jsonb_eq_wrapper';
CREATE FUNCTION <T>_ne(jsonb, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_jsonb_ne_wrapper';
CREATE OPERATOR = (FUNCTION = <T>_eq, LEFTARG = <T>, RIGHTARG = jsonb, COMMUTATOR = =, NEGATOR = <>,
    RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR <> (FUNCTION = <T>_ne, LEFTARG = <T>, RIGHTARG = jsonb, COMMUTATOR = <>, NEGATOR = =,
    RESTRICT = neqsel, JOIN = neqjoinsel);
CREATE OPERATOR = (FUNCTION = <T>_eq, LEFTARG = jsonb, RIGHTARG = <T>, COMMUTATOR = =, NEGATOR = <>,
    RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR <> (FUNCTION = <T>_ne, LEFTARG = jsonb, RIGHTARG = <T>, COMMUTATOR = <>, NEGATOR = =,
    RESTRICT = neqsel, JOIN = neqjoinsel);

        $sql$, '<T>', type_name);
    END LOOP;
END
$install$;
