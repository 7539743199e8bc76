-- The inverted index over the elements of sets and the keys of maps: `CREATE
-- INDEX ON page USING gin (tags)` serves `?`, `?|`, `?&` and `@>`, of maps by
-- the keys. <T> stands for the name of the type.

DO $install$
DECLARE
    type_name text;
BEGIN
    FOREACH type_name IN ARRAY ARRAY['or_set', 'aw_set', 'lww_set', 'lww_map', 'or_map', 'or_cart'] LOOP
        EXECUTE replace($sql$

CREATE FUNCTION <T>_gin_value(<T>, internal, internal) RETURNS internal
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_gin_value';
CREATE FUNCTION <T>_gin_query(<T>, internal, smallint, internal, internal, internal, internal) RETURNS internal
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_gin_query';
CREATE FUNCTION <T>_gin_consistent(internal, smallint, <T>, integer, internal, internal, internal, internal) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_gin_consistent';
CREATE OPERATOR FAMILY <T>_gin_ops USING gin;
CREATE OPERATOR CLASS <T>_gin_ops DEFAULT FOR TYPE <T> USING gin FAMILY <T>_gin_ops AS
    OPERATOR 1 @> (<T>, <T>), OPERATOR 3 ? (<T>, text),
    OPERATOR 4 ?| (<T>, text[]), OPERATOR 5 ?& (<T>, text[]),
    FUNCTION 1 bttextcmp (text, text),
    FUNCTION 2 <T>_gin_value (<T>, internal, internal),
    FUNCTION 3 <T>_gin_query (<T>, internal, smallint, internal, internal, internal, internal),
    FUNCTION 4 <T>_gin_consistent (internal, smallint, <T>, integer, internal, internal, internal, internal),
    STORAGE text;

        $sql$, '<T>', type_name);
    END LOOP;

    -- Sets are asked for arrays as well.
    FOREACH type_name IN ARRAY ARRAY['or_set', 'aw_set', 'lww_set'] LOOP
        EXECUTE format('ALTER OPERATOR FAMILY %1$s_gin_ops USING gin ADD OPERATOR 2 @> (%1$s, anyarray)', type_name);
    END LOOP;
END
$install$;
