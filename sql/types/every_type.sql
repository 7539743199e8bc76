-- What every CRDT type has. <T> stands for the name of the type; the library's
-- functions find out from the declaration which type they are called for.

DO $install$
DECLARE
    crdt_type record;
BEGIN
    FOR crdt_type IN
        -- Storage main: a counter is read and rewritten whole at each write, so
        -- it should stay in its row; one of very many nodes may still move out.
        -- Category S: a literal in `crdt_set(title, 'x')` is then read as one
        -- of this type, as it is in `SET title = 'x'`.
        SELECT * FROM (VALUES
            ('g_counter', 'main', 'U', 'A counter that only grows'),
            ('pn_counter', 'main', 'U', 'A bigint that all nodes add to'),
            ('b_counter', 'main', 'U', 'A counter that never falls below its floor'),
            ('lww_register', 'extended', 'S', 'One jsonb value, the last writer wins'),
            ('mv_register', 'extended', 'S', 'A jsonb value, or all that were written at once'),
            ('or_set', 'extended', 'U', 'A set of texts, an addition wins over a concurrent removal'),
            ('aw_set', 'extended', 'U', 'A set of texts, an addition wins, without tombstones'),
            ('lww_set', 'extended', 'U', 'A set of texts with values, the last writer of each element wins'),
            ('lww_map', 'extended', 'U', 'Keys with jsonb values, the last writer of each key wins'),
            ('or_map', 'extended', 'U', 'Keys with counters, registers, sets and maps'),
            ('or_cart', 'extended', 'U', 'How many of each key'),
            ('rga', 'extended', 'U', 'A list of jsonb values that many change at once'),
            ('rga_text', 'extended', 'S', 'A text that many type in at once'),
            ('vector_clock', 'main', 'U', 'Of each replica the latest tick'),
            ('hlc', 'main', 'U', 'The latest time of a hybrid logical clock')
        ) AS t (name, storage, category, description)
    LOOP
        EXECUTE replace(replace(replace(replace($sql$

CREATE TYPE <T>;
CREATE FUNCTION <T>_in(cstring) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_in_wrapper';
CREATE FUNCTION <T>_out(<T>) RETURNS cstring
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_out_wrapper';
CREATE FUNCTION <T>_recv(internal) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_recv_wrapper';
CREATE FUNCTION <T>_send(<T>) RETURNS bytea
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_send_wrapper';
CREATE TYPE <T> (
    INPUT = <T>_in, OUTPUT = <T>_out, RECEIVE = <T>_recv, SEND = <T>_send,
    CATEGORY = '<C>', ALIGNMENT = int4, STORAGE = <S>
);
COMMENT ON TYPE <T> IS '<D>';

        $sql$, '<T>', crdt_type.name), '<C>', crdt_type.category), '<S>', crdt_type.storage), '<D>', crdt_type.description);
    END LOOP;
END
$install$;

-- The aggregate crdt_merge holds states of any one type.
CREATE FUNCTION crdt.merge_step(internal, anyelement) RETURNS internal
    IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_merge_step';
CREATE FUNCTION crdt.merge_combine(internal, internal) RETURNS internal
    IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_merge_combine';
CREATE FUNCTION crdt.merge_serialize(internal) RETURNS bytea
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_merge_serialize';
CREATE FUNCTION crdt.merge_deserialize(bytea, internal) RETURNS internal
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_merge_deserialize';
CREATE FUNCTION crdt.merge_final(internal, anyelement) RETURNS anyelement
    IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_merge_final';

DO $install$
DECLARE
    type_name text;
BEGIN
    FOREACH type_name IN ARRAY ARRAY[
        'g_counter', 'pn_counter', 'b_counter', 'lww_register', 'mv_register', 'or_set', 'aw_set', 'lww_set',
        'lww_map', 'or_map', 'or_cart', 'rga', 'rga_text', 'vector_clock', 'hlc'
    ] LOOP
        EXECUTE replace($sql$

-- The lattice.
CREATE FUNCTION crdt_state(<T>) RETURNS jsonb
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_state_json_wrapper';
CREATE FUNCTION crdt_merge(<T>, <T>) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_least_upper_bound_wrapper';
CREATE FUNCTION crdt_delta(old <T>, new <T>) RETURNS <T>
    IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_difference_wrapper';
CREATE FUNCTION crdt_assign(read <T>, value <T>) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_led_wrapper';
CREATE FUNCTION crdt.led_from(now <T>, read <T>, wanted <T>) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_led_from_wrapper';
CREATE FUNCTION crdt_settle(<T>) RETURNS <T>
    STRICT VOLATILE PARALLEL UNSAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_settled_wrapper';
CREATE FUNCTION crdt_reset(<T>) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_emptied_wrapper';
CREATE FUNCTION crdt_version(<T>) RETURNS vector_clock
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_seen_wrapper';
CREATE FUNCTION crdt_compact(<T>, seen vector_clock) RETURNS <T>
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_folded_wrapper';
CREATE OPERATOR ! (FUNCTION = crdt_reset, RIGHTARG = <T>);
CREATE AGGREGATE crdt_merge(<T>) (
    SFUNC = crdt.merge_step, STYPE = internal, COMBINEFUNC = crdt.merge_combine,
    SERIALFUNC = crdt.merge_serialize, DESERIALFUNC = crdt.merge_deserialize,
    FINALFUNC = crdt.merge_final, FINALFUNC_EXTRA, PARALLEL = SAFE
);
COMMENT ON FUNCTION crdt_state(<T>) IS 'The state, for people';
COMMENT ON FUNCTION crdt_merge(<T>, <T>) IS 'What either has';
COMMENT ON FUNCTION crdt_delta(<T>, <T>) IS 'What merged into old gives new; NULL if they are equal';
COMMENT ON FUNCTION crdt_assign(<T>, <T>) IS 'The state that was read, led to a plain value: written, it undoes nothing that came in between';
COMMENT ON FUNCTION crdt_settle(<T>) IS 'Carries the change out in the name of this node, as a write to a tracked table does';
COMMENT ON FUNCTION crdt_reset(<T>) IS 'Empties it, as far as this value shows it';
COMMENT ON FUNCTION crdt_version(<T>) IS 'Of each replica the latest event that the state shows';
COMMENT ON FUNCTION crdt_compact(<T>, vector_clock) IS 'Folds what removals left behind, given what all nodes have seen';
COMMENT ON AGGREGATE crdt_merge(<T>) IS 'What any of them has';
COMMENT ON OPERATOR ! (NONE, <T>) IS 'Empties it, as far as this value shows it';

-- The plain value as JSON; row_to_json, to_jsonb and the like ask for a cast to json.
CREATE FUNCTION <T>_to_json(<T>) RETURNS json
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_to_json_wrapper';
CREATE FUNCTION <T>_to_jsonb(<T>) RETURNS jsonb
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_to_jsonb_wrapper';
CREATE CAST (<T> AS json) WITH FUNCTION <T>_to_json(<T>);
CREATE CAST (<T> AS jsonb) WITH FUNCTION <T>_to_jsonb(<T>) AS ASSIGNMENT;

-- Comparison by value.
CREATE FUNCTION <T>_eq(<T>, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_eq_wrapper';
CREATE FUNCTION <T>_ne(<T>, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_ne_wrapper';
CREATE FUNCTION <T>_lt(<T>, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_lt_wrapper';
CREATE FUNCTION <T>_le(<T>, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_le_wrapper';
CREATE FUNCTION <T>_gt(<T>, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_gt_wrapper';
CREATE FUNCTION <T>_ge(<T>, <T>) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_ge_wrapper';
CREATE FUNCTION <T>_cmp(<T>, <T>) RETURNS integer
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_cmp_wrapper';
CREATE FUNCTION <T>_hash(<T>) RETURNS integer
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_hash_wrapper';
CREATE OPERATOR = (FUNCTION = <T>_eq, LEFTARG = <T>, RIGHTARG = <T>, COMMUTATOR = =, NEGATOR = <>,
    RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
CREATE OPERATOR <> (FUNCTION = <T>_ne, LEFTARG = <T>, RIGHTARG = <T>, COMMUTATOR = <>, NEGATOR = =,
    RESTRICT = neqsel, JOIN = neqjoinsel);
CREATE OPERATOR < (FUNCTION = <T>_lt, LEFTARG = <T>, RIGHTARG = <T>, COMMUTATOR = >, NEGATOR = >=,
    RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR <= (FUNCTION = <T>_le, LEFTARG = <T>, RIGHTARG = <T>, COMMUTATOR = >=, NEGATOR = >,
    RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
CREATE OPERATOR > (FUNCTION = <T>_gt, LEFTARG = <T>, RIGHTARG = <T>, COMMUTATOR = <, NEGATOR = <=,
    RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
CREATE OPERATOR >= (FUNCTION = <T>_ge, LEFTARG = <T>, RIGHTARG = <T>, COMMUTATOR = <=, NEGATOR = <,
    RESTRICT = scalargesel, JOIN = scalargejoinsel);
CREATE OPERATOR FAMILY <T>_ops USING btree;
CREATE OPERATOR CLASS <T>_ops DEFAULT FOR TYPE <T> USING btree FAMILY <T>_ops AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
    FUNCTION 1 <T>_cmp (<T>, <T>);
CREATE OPERATOR CLASS <T>_ops DEFAULT FOR TYPE <T> USING hash AS
    OPERATOR 1 =, FUNCTION 1 <T>_hash (<T>);

        $sql$, '<T>', type_name);
    END LOOP;
END
$install$;
