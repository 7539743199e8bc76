-- The maps. <T> stands for the name of the type.

DO $install$
DECLARE
    type_name text;
BEGIN
    FOREACH type_name IN ARRAY ARRAY['lww_map', 'or_map', 'or_cart'] LOOP
        EXECUTE replace($sql$

CREATE FUNCTION crdt_value(<T>) RETURNS jsonb
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_to_jsonb_wrapper';
COMMENT ON FUNCTION crdt_value(<T>) IS 'The map as a JSON object';
CREATE FUNCTION crdt_keys(<T>) RETURNS SETOF text
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE sql
    BEGIN ATOMIC SELECT jsonb_object_keys(crdt_value($1)); END;
COMMENT ON FUNCTION crdt_keys(<T>) IS 'The keys';
CREATE FUNCTION crdt_each(<T>, OUT key text, OUT value jsonb) RETURNS SETOF record
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE sql
    BEGIN ATOMIC SELECT e.key, e.value FROM jsonb_each(crdt_value($1)) AS e; END;
COMMENT ON FUNCTION crdt_each(<T>) IS 'The keys and what they show';
CREATE FUNCTION crdt_cardinality(<T>) RETURNS bigint
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_map_cardinality_wrapper';
COMMENT ON FUNCTION crdt_cardinality(<T>) IS 'How many keys';

CREATE FUNCTION <T>_of(jsonb) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_map_of_jsonb_wrapper';
CREATE CAST (jsonb AS <T>) WITH FUNCTION <T>_of(jsonb) AS ASSIGNMENT;

CREATE FUNCTION <T>_put_all(<T>, jsonb) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_map_put_all_wrapper';
CREATE OPERATOR || (FUNCTION = <T>_put_all, LEFTARG = <T>, RIGHTARG = jsonb);
COMMENT ON OPERATOR || (<T>, jsonb) IS 'Puts all keys of a JSON object';

-- What is in it, as jsonb's own operators tell it.
CREATE FUNCTION <T>_get_text(<T>, key text) RETURNS text
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN crdt_value($1) ->> $2;
CREATE FUNCTION <T>_get_path(<T>, path text[]) RETURNS jsonb
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN crdt_value($1) #> $2;
CREATE FUNCTION <T>_get_path_text(<T>, path text[]) RETURNS text
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN crdt_value($1) #>> $2;
CREATE OPERATOR ->> (FUNCTION = <T>_get_text, LEFTARG = <T>, RIGHTARG = text);
CREATE OPERATOR #> (FUNCTION = <T>_get_path, LEFTARG = <T>, RIGHTARG = text[]);
CREATE OPERATOR #>> (FUNCTION = <T>_get_path_text, LEFTARG = <T>, RIGHTARG = text[]);
COMMENT ON OPERATOR ->> (<T>, text) IS 'What a key shows, as text';
COMMENT ON OPERATOR #> (<T>, text[]) IS 'What is at a path';
COMMENT ON OPERATOR #>> (<T>, text[]) IS 'What is at a path, as text';
CREATE FUNCTION <T>_has(<T>, text) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_map_has_wrapper';
CREATE FUNCTION <T>_has_any(<T>, text[]) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_map_has_any_wrapper';
CREATE FUNCTION <T>_has_all(<T>, text[]) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_map_has_all_wrapper';
CREATE FUNCTION <T>_contains(<T>, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_map_contains_wrapper';
CREATE FUNCTION <T>_contained(<T>, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_map_within_wrapper';
CREATE FUNCTION <T>_contains(<T>, jsonb) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_map_contains_jsonb_wrapper';
CREATE FUNCTION <T>_contained(jsonb, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_jsonb_within_map_wrapper';
CREATE FUNCTION <T>_contained(<T>, jsonb) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_map_within_jsonb_wrapper';
CREATE FUNCTION <T>_contains(jsonb, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_jsonb_contains_map_wrapper';
CREATE OPERATOR ? (FUNCTION = <T>_has, LEFTARG = <T>, RIGHTARG = text, RESTRICT = contsel, JOIN = contjoinsel);
CREATE OPERATOR ?| (FUNCTION = <T>_has_any, LEFTARG = <T>, RIGHTARG = text[], RESTRICT = contsel, JOIN = contjoinsel);
CREATE OPERATOR ?& (FUNCTION = <T>_has_all, LEFTARG = <T>, RIGHTARG = text[], RESTRICT = contsel, JOIN = contjoinsel);
CREATE OPERATOR @> (FUNCTION = <T>_contains, LEFTARG = <T>, RIGHTARG = <T>, COMMUTATOR = <@,
    RESTRICT = contsel, JOIN = contjoinsel);
CREATE OPERATOR <@ (FUNCTION = <T>_contained, LEFTARG = <T>, RIGHTARG = <T>, COMMUTATOR = @>,
    RESTRICT = contsel, JOIN = contjoinsel);
CREATE OPERATOR @> (FUNCTION = <T>_contains, LEFTARG = <T>, RIGHTARG = jsonb, COMMUTATOR = <@,
    RESTRICT = contsel, JOIN = contjoinsel);
CREATE OPERATOR <@ (FUNCTION = <T>_contained, LEFTARG = jsonb, RIGHTARG = <T>, COMMUTATOR = @>,
    RESTRICT = contsel, JOIN = contjoinsel);
CREATE OPERATOR <@ (FUNCTION = <T>_contained, LEFTARG = <T>, RIGHTARG = jsonb, COMMUTATOR = @>,
    RESTRICT = contsel, JOIN = contjoinsel);
CREATE OPERATOR @> (FUNCTION = <T>_contains, LEFTARG = jsonb, RIGHTARG = <T>, COMMUTATOR = <@,
    RESTRICT = contsel, JOIN = contjoinsel);
COMMENT ON OPERATOR <@ (<T>, jsonb) IS 'Whether the left is contained in the right, as jsonb tells it';
COMMENT ON OPERATOR @> (jsonb, <T>) IS 'Whether the left contains the right, as jsonb tells it';
COMMENT ON OPERATOR ? (<T>, text) IS 'Whether the key is there';
COMMENT ON OPERATOR ?| (<T>, text[]) IS 'Whether any of the keys is there';
COMMENT ON OPERATOR ?& (<T>, text[]) IS 'Whether all of the keys are there';
COMMENT ON OPERATOR @> (<T>, <T>) IS 'Whether the left contains the right';
COMMENT ON OPERATOR @> (<T>, jsonb) IS 'Whether the left contains the right';
COMMENT ON OPERATOR <@ (<T>, <T>) IS 'Whether the left is contained in the right';
COMMENT ON OPERATOR <@ (jsonb, <T>) IS 'Whether the left is contained in the right';

        $sql$, '<T>', type_name);
    END LOOP;

    FOREACH type_name IN ARRAY ARRAY['lww_map', 'or_map'] LOOP
        EXECUTE replace($sql$

CREATE FUNCTION <T>_get(<T>, key text) RETURNS jsonb
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN crdt_value($1) -> $2;
CREATE OPERATOR -> (FUNCTION = <T>_get, LEFTARG = <T>, RIGHTARG = text);
COMMENT ON OPERATOR -> (<T>, text) IS 'What a key shows';

        $sql$, '<T>', type_name);
    END LOOP;
END
$install$;

-- lww_map's own.
CREATE FUNCTION crdt_put(lww_map, key text, value jsonb) RETURNS lww_map
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_lww_map_put_wrapper';
COMMENT ON FUNCTION crdt_put(lww_map, text, jsonb) IS 'Writes a value under a key';
CREATE FUNCTION crdt_remove(lww_map, key text) RETURNS lww_map
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_lww_map_remove_wrapper';
COMMENT ON FUNCTION crdt_remove(lww_map, text) IS 'Removes a key';
CREATE OPERATOR - (FUNCTION = crdt_remove, LEFTARG = lww_map, RIGHTARG = text);
COMMENT ON OPERATOR - (lww_map, text) IS 'Removes a key';

-- or_map's own: by a key, or by the path of keys from the outermost map inwards.
CREATE FUNCTION crdt_put(or_map, path text[], value jsonb) RETURNS or_map
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_or_map_put_wrapper';
CREATE FUNCTION crdt_put(or_map, key text, value jsonb) RETURNS or_map
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN crdt_put($1, ARRAY[$2], $3);
CREATE FUNCTION crdt_increment(or_map, path text[], amount bigint) RETURNS or_map
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_or_map_increment_wrapper';
CREATE FUNCTION crdt_increment(or_map, key text, amount bigint) RETURNS or_map
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN crdt_increment($1, ARRAY[$2], $3);
CREATE FUNCTION crdt_add(or_map, path text[], element text) RETURNS or_map
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_or_map_add_wrapper';
CREATE FUNCTION crdt_add(or_map, key text, element text) RETURNS or_map
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN crdt_add($1, ARRAY[$2], $3);
CREATE FUNCTION crdt_remove(or_map, path text[], element text) RETURNS or_map
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_or_map_remove_element_wrapper';
CREATE FUNCTION crdt_remove(or_map, key text, element text) RETURNS or_map
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN crdt_remove($1, ARRAY[$2], $3);
CREATE FUNCTION crdt_remove(or_map, path text[]) RETURNS or_map
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_or_map_remove_wrapper';
CREATE FUNCTION crdt_remove(or_map, key text) RETURNS or_map
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN crdt_remove($1, ARRAY[$2]);
CREATE OPERATOR - (FUNCTION = crdt_remove, LEFTARG = or_map, RIGHTARG = text);
COMMENT ON OPERATOR - (or_map, text) IS 'Removes a key';
COMMENT ON FUNCTION crdt_put(or_map, text[], jsonb) IS 'Makes a key show this JSON';
COMMENT ON FUNCTION crdt_put(or_map, text, jsonb) IS 'Makes a key show this JSON';
COMMENT ON FUNCTION crdt_increment(or_map, text[], bigint) IS 'Adds to the counter at a key, from 0 if there is none';
COMMENT ON FUNCTION crdt_increment(or_map, text, bigint) IS 'Adds to the counter at a key, from 0 if there is none';
COMMENT ON FUNCTION crdt_add(or_map, text[], text) IS 'Adds to the set at a key';
COMMENT ON FUNCTION crdt_add(or_map, text, text) IS 'Adds to the set at a key';
COMMENT ON FUNCTION crdt_remove(or_map, text[], text) IS 'Removes from the set at a key';
COMMENT ON FUNCTION crdt_remove(or_map, text, text) IS 'Removes from the set at a key';
COMMENT ON FUNCTION crdt_remove(or_map, text[]) IS 'Removes a key with all in it';
COMMENT ON FUNCTION crdt_remove(or_map, text) IS 'Removes a key with all in it';

-- or_cart's own.
CREATE FUNCTION crdt_put(or_cart, key text, count bigint) RETURNS or_cart
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_or_cart_put_wrapper';
COMMENT ON FUNCTION crdt_put(or_cart, text, bigint) IS 'Makes a key count this';
CREATE FUNCTION crdt_increment(or_cart, key text, amount bigint) RETURNS or_cart
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_or_cart_increment_wrapper';
COMMENT ON FUNCTION crdt_increment(or_cart, text, bigint) IS 'Adds to a key, from 0 if it is not there';
CREATE FUNCTION crdt_remove(or_cart, key text) RETURNS or_cart
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_or_cart_remove_wrapper';
COMMENT ON FUNCTION crdt_remove(or_cart, text) IS 'Removes a key';
CREATE OPERATOR - (FUNCTION = crdt_remove, LEFTARG = or_cart, RIGHTARG = text);
COMMENT ON OPERATOR - (or_cart, text) IS 'Removes a key';
CREATE FUNCTION or_cart_get(or_cart, key text) RETURNS bigint
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_or_cart_get_wrapper';
CREATE OPERATOR -> (FUNCTION = or_cart_get, LEFTARG = or_cart, RIGHTARG = text);
COMMENT ON OPERATOR -> (or_cart, text) IS 'How many of a key; NULL if it is not there';
