-- The sequences. <T> stands for the name of the type. Positions count from 0.

DO $install$
DECLARE
    type_name text;
BEGIN
    FOREACH type_name IN ARRAY ARRAY['rga', 'rga_text'] LOOP
        EXECUTE replace($sql$

CREATE FUNCTION crdt_length(<T>) RETURNS integer
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_sequence_length_wrapper';
COMMENT ON FUNCTION crdt_length(<T>) IS 'How many characters or values';
CREATE FUNCTION crdt_delete(<T>, "position" integer, count integer) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_sequence_delete_wrapper';
COMMENT ON FUNCTION crdt_delete(<T>, integer, integer) IS 'Deletes from a position on, which counts from 0';

        $sql$, '<T>', type_name);
    END LOOP;
END
$install$;

-- Text.
CREATE FUNCTION crdt_value(rga_text) RETURNS text
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_rga_text_value_wrapper';
COMMENT ON FUNCTION crdt_value(rga_text) IS 'The text';
CREATE FUNCTION crdt_insert(rga_text, "position" integer, inserted text) RETURNS rga_text
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_rga_text_insert_wrapper';
COMMENT ON FUNCTION crdt_insert(rga_text, integer, text) IS 'Inserts before a position, which counts from 0';
CREATE FUNCTION crdt_append(rga_text, appended text) RETURNS rga_text
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_rga_text_append_wrapper';
COMMENT ON FUNCTION crdt_append(rga_text, text) IS 'Inserts at the end';
CREATE FUNCTION crdt_edit(rga_text, edits jsonb) RETURNS rga_text
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_rga_text_edit_wrapper';
COMMENT ON FUNCTION crdt_edit(rga_text, jsonb) IS 'Many edits [position, how many to delete, "what to insert"] at the price of one';
CREATE FUNCTION rga_text_of(text) RETURNS rga_text
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_rga_text_of_text_wrapper';
-- Implicit, so that what works on text works on it: `lower(body)`, `body LIKE 'a%'`.
CREATE CAST (rga_text AS text) WITH FUNCTION crdt_value(rga_text) AS IMPLICIT;
CREATE CAST (rga_text AS varchar) WITH FUNCTION crdt_value(rga_text) AS ASSIGNMENT;
CREATE CAST (text AS rga_text) WITH FUNCTION rga_text_of(text) AS ASSIGNMENT;
CREATE CAST (varchar AS rga_text) WITH FUNCTION rga_text_of(text) AS ASSIGNMENT;
CREATE FUNCTION rga_text_eq(rga_text, text) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_rga_text_eq_text_wrapper';
CREATE FUNCTION rga_text_ne(rga_text, text) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_rga_text_ne_text_wrapper';
CREATE FUNCTION rga_text_eq(text, rga_text) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_text_eq_rga_text_wrapper';
CREATE FUNCTION rga_text_ne(text, rga_text) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_text_ne_rga_text_wrapper';
CREATE OPERATOR = (FUNCTION = rga_text_eq, LEFTARG = rga_text, RIGHTARG = text, COMMUTATOR = =, NEGATOR = <>,
    RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR <> (FUNCTION = rga_text_ne, LEFTARG = rga_text, RIGHTARG = text, COMMUTATOR = <>, NEGATOR = =,
    RESTRICT = neqsel, JOIN = neqjoinsel);
CREATE OPERATOR = (FUNCTION = rga_text_eq, LEFTARG = text, RIGHTARG = rga_text, COMMUTATOR = =, NEGATOR = <>,
    RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR <> (FUNCTION = rga_text_ne, LEFTARG = text, RIGHTARG = rga_text, COMMUTATOR = <>, NEGATOR = =,
    RESTRICT = neqsel, JOIN = neqjoinsel);

-- Lists.
CREATE FUNCTION crdt_value(rga) RETURNS jsonb
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_to_jsonb_wrapper';
COMMENT ON FUNCTION crdt_value(rga) IS 'The list as a JSON array';
CREATE FUNCTION crdt_elements(rga) RETURNS SETOF jsonb
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE sql
    BEGIN ATOMIC SELECT jsonb_array_elements(crdt_value($1)); END;
COMMENT ON FUNCTION crdt_elements(rga) IS 'The values, in order';
CREATE FUNCTION crdt_insert(rga, "position" integer, value jsonb) RETURNS rga
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_rga_insert_wrapper';
COMMENT ON FUNCTION crdt_insert(rga, integer, jsonb) IS 'Inserts a value before a position, which counts from 0';
CREATE FUNCTION crdt_append(rga, value jsonb) RETURNS rga
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_rga_append_wrapper';
COMMENT ON FUNCTION crdt_append(rga, jsonb) IS 'Inserts a value at the end';
CREATE FUNCTION rga_concat(rga, "values" jsonb) RETURNS rga
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_rga_concat_wrapper';
CREATE OPERATOR || (FUNCTION = rga_concat, LEFTARG = rga, RIGHTARG = jsonb);
COMMENT ON OPERATOR || (rga, jsonb) IS 'Inserts all values of a JSON array at the end';
CREATE FUNCTION rga_get(rga, "position" integer) RETURNS jsonb
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN crdt_value($1) -> $2;
CREATE FUNCTION rga_get_text(rga, "position" integer) RETURNS text
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN crdt_value($1) ->> $2;
CREATE OPERATOR -> (FUNCTION = rga_get, LEFTARG = rga, RIGHTARG = integer);
CREATE OPERATOR ->> (FUNCTION = rga_get_text, LEFTARG = rga, RIGHTARG = integer);
COMMENT ON OPERATOR -> (rga, integer) IS 'The value at a position, which counts from 0';
COMMENT ON OPERATOR ->> (rga, integer) IS 'The value at a position, as text';
CREATE FUNCTION rga_of(jsonb) RETURNS rga
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_rga_of_jsonb_wrapper';
CREATE CAST (jsonb AS rga) WITH FUNCTION rga_of(jsonb) AS ASSIGNMENT;
