-- Causality as values.

CREATE FUNCTION crdt_value(vector_clock) RETURNS jsonb
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_to_jsonb_wrapper';
COMMENT ON FUNCTION crdt_value(vector_clock) IS 'Ticks by replica';
CREATE FUNCTION vector_clock_of(jsonb) RETURNS vector_clock
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_vector_clock_of_jsonb_wrapper';
CREATE CAST (jsonb AS vector_clock) WITH FUNCTION vector_clock_of(jsonb) AS ASSIGNMENT;
CREATE FUNCTION crdt_tick(vector_clock) RETURNS vector_clock
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_vector_clock_tick_wrapper';
COMMENT ON FUNCTION crdt_tick(vector_clock) IS 'Asks for a fresh tick of the node that writes it';
CREATE FUNCTION crdt_compare(vector_clock, vector_clock) RETURNS text
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_vector_clock_compare_wrapper';
COMMENT ON FUNCTION crdt_compare(vector_clock, vector_clock) IS 'Whether the first came before, after, equal or concurrent';

CREATE FUNCTION crdt_value(hlc) RETURNS timestamptz
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_hlc_to_timestamptz_wrapper';
COMMENT ON FUNCTION crdt_value(hlc) IS 'The time; NULL before all times';
CREATE FUNCTION hlc_of(timestamptz) RETURNS hlc
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_hlc_of_timestamptz_wrapper';
CREATE CAST (hlc AS timestamptz) WITH FUNCTION crdt_value(hlc) AS ASSIGNMENT;
CREATE CAST (timestamptz AS hlc) WITH FUNCTION hlc_of(timestamptz) AS ASSIGNMENT;
CREATE FUNCTION crdt_logical(hlc) RETURNS integer
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_hlc_logical_wrapper';
COMMENT ON FUNCTION crdt_logical(hlc) IS 'The count of ticks within the millisecond';
CREATE FUNCTION crdt_clock() RETURNS hlc
    STRICT VOLATILE PARALLEL UNSAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_hlc_now_wrapper';
COMMENT ON FUNCTION crdt_clock() IS 'A tick of this node''s clock, later than all it has given or seen';
