-- Trigger functions, views and privileges, once all functions exist.

CREATE FUNCTION crdt.guard() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_guard';
CREATE FUNCTION crdt.capture() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_capture';
CREATE FUNCTION crdt.no_truncate() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_no_truncate';

-- Hash of a row's key and hash of its state, by which tables are compared.
CREATE FUNCTION crdt.row_digest(record) RETURNS bytea
    LANGUAGE c STRICT STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'crdt_row_digest';
REVOKE ALL ON FUNCTION crdt.row_digest(record) FROM PUBLIC;

-- Rows as the log tells them. The moment of crdt_as_of stands in the name: of a
-- literal whose type is not known, as clients send it, PostgreSQL could not tell
-- whether it is a height or a time.
CREATE FUNCTION crdt.row_name(relation oid, VARIADIC key "any") RETURNS bytea
    STABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_row_name';
CREATE FUNCTION verify_table(relation regclass)
    RETURNS TABLE (row_key text, kind text, column_name text, expected text, found text, detail text)
    STRICT VOLATILE PARALLEL UNSAFE ROWS 1 COST 100000 LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_verify_table';
CREATE FUNCTION crdt_history(relation regclass, VARIADIC key text[])
    RETURNS TABLE (origin text, seq bigint, at timestamptz, actor text, application text, transaction bigint,
                   height bigint, leaf_index bigint, change text, value jsonb)
    STRICT VOLATILE PARALLEL UNSAFE ROWS 20 COST 1000 LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_history';
CREATE FUNCTION crdt_as_of_block(relation regclass, height bigint, VARIADIC key text[]) RETURNS jsonb
    STRICT VOLATILE PARALLEL UNSAFE COST 1000 LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_as_of_block';
CREATE FUNCTION crdt_as_of_time(relation regclass, at timestamptz, VARIADIC key text[]) RETURNS jsonb
    STRICT VOLATILE PARALLEL UNSAFE COST 1000 LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_as_of_time';
CREATE FUNCTION crdt_table_as_of_block(relation regclass, height bigint)
    RETURNS TABLE (row_key text, value jsonb)
    STRICT VOLATILE PARALLEL UNSAFE COST 100000 LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_table_as_of_block';
CREATE FUNCTION crdt_table_as_of_time(relation regclass, at timestamptz)
    RETURNS TABLE (row_key text, value jsonb)
    STRICT VOLATILE PARALLEL UNSAFE COST 100000 LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_table_as_of_time';

-- Ops by time, kind, actor and table. Block ranges: what is appended is cheap
-- to index that way, and no column is stored whose truth would have to be
-- proved. The expressions are those of view crdt_ops.
CREATE INDEX op_search ON crdt.op USING brin (
    crdt_op_time(hlc) timestamptz_minmax_ops,
    crdt_op_kind(kind) text_bloom_ops (n_distinct_per_range = 16, false_positive_rate = 0.001),
    crdt_op_actor(kind, payload) text_bloom_ops (n_distinct_per_range = 64, false_positive_rate = 0.001),
    schema_id int4_bloom_ops (n_distinct_per_range = 64, false_positive_rate = 0.001)
) WITH (pages_per_range = 64, autosummarize = on);
-- A table is looked for by way of crdt.schema; that it may be a small one,
-- PostgreSQL has to be told.
ALTER TABLE crdt.op ALTER COLUMN schema_id SET (n_distinct = 1000);
CREATE INDEX block_range_height ON crdt.block_range (height);

-- The ledger only grows. Who gets past this trigger is found by scan_chain().
CREATE FUNCTION crdt.append_only() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'table %.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'The ledger is written by the node worker alone.';
END
$$;

DO $$
DECLARE
    ledger_table text;
BEGIN
    FOREACH ledger_table IN ARRAY ARRAY['chain', 'op', 'segment', 'block', 'block_range', 'tile', 'evidence', 'archive', 'cosignature'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON crdt.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION crdt.append_only()', ledger_table);
    END LOOP;
END
$$;

SELECT crdt_install();

CREATE VIEW crdt_tracked AS
SELECT t.relation, s.schema_name, s.table_name, encode(s.hash, 'hex') AS schema_hash
  FROM crdt.tracked t JOIN crdt.schema s ON s.id = t.schema_id
 WHERE EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = t.relation);
COMMENT ON VIEW crdt_tracked IS 'Tables that are synced and audited';

CREATE VIEW crdt_nodes AS
SELECT n.name, n.url, n.role, n.node_id, n.left_after IS NULL AS present,
       coalesce(p.seq, 0) AS admitted_ops,
       (SELECT to_timestamp((o.hlc >> 16) / 1000.0) FROM crdt.op o
         WHERE o.origin = n.id AND o.seq = p.seq) AS last_op_at
  FROM crdt.node n LEFT JOIN crdt.position p ON p.origin = n.id;
COMMENT ON VIEW crdt_nodes IS 'Members of the cluster, and how far their ops have come here';

CREATE VIEW crdt_blocks AS
SELECT b.height,
       to_timestamp((c.content ->> 'time')::float8) AS at,
       c.content ->> 'proposer' AS proposer,
       (SELECT coalesce(sum(r.last_seq - r.first_seq + 1), 0) FROM crdt.block_range r
         WHERE r.height = b.height)::bigint AS ops,
       (c.content ->> 'tree_size')::bigint AS tree_size,
       c.content ->> 'hash' AS header_hash,
       c.content ->> 'previous' AS previous,
       c.content ->> 'log_root' AS log_root,
       c.content -> 'cut' AS cut,
       c.content -> 'signers' AS signers
  FROM crdt.block b
 CROSS JOIN LATERAL (SELECT crdt_block_content(b.header, b.cut, b.certificate) OFFSET 0) AS c (content);
COMMENT ON VIEW crdt_blocks IS 'Final blocks of the chain';

CREATE VIEW crdt_ops AS
SELECT n.name AS origin, o.seq, n.node_id AS origin_id,
       crdt_op_time(o.hlc) AS at,
       crdt_op_kind(o.kind) AS kind,
       s.schema_name || '.' || s.table_name AS table_name,
       c.content ->> 'row' AS row_key,
       c.content ->> 'change' AS change,
       crdt_op_actor(o.kind, o.payload) AS actor,
       c.content ->> 'application' AS application,
       (c.content ->> 'transaction')::bigint AS transaction,
       r.height,
       r.first_leaf + o.seq - r.first_seq AS leaf_index
  FROM crdt.op o
  JOIN crdt.node n ON n.id = o.origin
  LEFT JOIN crdt.schema s ON s.id = o.schema_id AND s.definition <> ''
 CROSS JOIN LATERAL (
       SELECT CASE WHEN o.salt <> '' THEN crdt_op_content(o.kind, o.schema_id, o.payload)
                   ELSE jsonb_build_object('change', 'pruned') END OFFSET 0) AS c (content)
  LEFT JOIN LATERAL (SELECT height, first_leaf, first_seq FROM crdt.block_range b
                      WHERE b.origin = o.origin AND b.last_seq >= o.seq
                      ORDER BY b.last_seq LIMIT 1) AS r ON true;
COMMENT ON VIEW crdt_ops IS 'The op log: who changed what, when, and where it stands in the chain';

CREATE VIEW crdt_verify_progress AS
SELECT v.pid, d.datname, v.phase, v.blocks_total, v.blocks_done, v.ops_total, v.ops_done, v.workers,
       v.started_at
  FROM crdt_verifications() AS v JOIN pg_catalog.pg_database d ON d.oid = v.database;
COMMENT ON VIEW crdt_verify_progress IS 'Verifications of ledgers that run in this server, and how far they are';

CREATE VIEW crdt_witnesses AS
SELECT w.name, w.url, c.tree_size AS last_size, c.at AS last_seen_at,
       w.error AS last_error, w.error_at AS last_error_at, w.vkey
  FROM crdt.witness w
  LEFT JOIN LATERAL (SELECT tree_size, at FROM crdt.cosignature
                      WHERE witness = w.vkey ORDER BY tree_size DESC LIMIT 1) AS c ON true;
COMMENT ON VIEW crdt_witnesses IS 'Who cosigns this node''s checkpoints, and how far each has come';

CREATE VIEW crdt_cosignatures AS
SELECT c.tree_size, split_part(c.witness, '+', 1) AS witness, c.at, encode(c.root, 'hex') AS log_root,
       c.line, c.witness AS vkey
  FROM crdt.cosignature c;
COMMENT ON VIEW crdt_cosignatures IS 'What witnesses have cosigned, and when';

-- The view finds the block of an op; this finds the ops of a block.
CREATE FUNCTION crdt_block_ops(height bigint) RETURNS SETOF crdt_ops
    STRICT STABLE PARALLEL UNSAFE ROWS 1000 LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- Planned for each range by itself, so that its numbers are those of an index scan.
    SELECT v.*
      FROM crdt.block_range b
      JOIN crdt.node n ON n.id = b.origin
     CROSS JOIN LATERAL (SELECT * FROM crdt_ops o
                          WHERE o.origin_id = n.node_id AND o.seq BETWEEN b.first_seq AND b.last_seq OFFSET 0) AS v
     WHERE b.height = crdt_block_ops.height
     ORDER BY v.leaf_index;
END;

-- What the functions do that are declared beside their code.
COMMENT ON FUNCTION crdt_install() IS 'Makes this node''s keys; called by CREATE EXTENSION alone';
COMMENT ON FUNCTION crdt_node() IS 'What others may know of this node: name, URL, role, ids, public keys, chain';
COMMENT ON FUNCTION crdt_set_node(text, text) IS 'Names this node and says how others reach it';
COMMENT ON FUNCTION crdt_create_invite(interval) IS 'A text by which one guest can join the cluster, once';
COMMENT ON FUNCTION crdt_join(text) IS 'Joins a cluster by an invitation';
COMMENT ON FUNCTION crdt_found_successor() IS 'Founds a chain that goes on from the one that this database was restored with';
COMMENT ON FUNCTION crdt_track(regclass) IS 'From here on the table is synced and audited';
COMMENT ON FUNCTION crdt_untrack(regclass) IS 'Stops syncing and auditing the table, on all members';
COMMENT ON FUNCTION crdt_commit_block() IS 'Waits until all that is committed stands in a final block; its height';
COMMENT ON FUNCTION verify_chain(bigint, bigint, boolean) IS 'Whether the ledger is as it was signed; full: hashes again what it verified before, too';
COMMENT ON FUNCTION crdt_verifications() IS 'Verifications that run, for view crdt_verify_progress';
COMMENT ON FUNCTION scan_chain(bigint, bigint) IS 'What is wrong with the ledger, and where';
COMMENT ON FUNCTION crdt_proof(regclass, text[]) IS 'Proof of the newest final change of a row, by its key';
COMMENT ON FUNCTION crdt_op_proof(bytea, bigint) IS 'Proof of an op, by its origin and number';
COMMENT ON FUNCTION verify_proof(jsonb, text) IS 'Whether a proof holds, and agrees with a checkpoint if one is given';
COMMENT ON FUNCTION crdt_checkpoint() IS 'The state of the log, signed by this node and, where they have, by its witnesses';
COMMENT ON FUNCTION crdt_cosigned_checkpoint(bigint) IS 'The newest state of the log that witnesses have cosigned, or the one of a size';
COMMENT ON FUNCTION crdt_add_witness(text, text) IS 'Has a witness cosign this node''s checkpoints from now on';
COMMENT ON FUNCTION crdt_remove_witness(text) IS 'Asks a witness no more; what it cosigned stays';
COMMENT ON FUNCTION crdt_consistency_proof(bigint, bigint) IS 'Proof that the log of an earlier checkpoint is the beginning of that of a later one';
COMMENT ON FUNCTION merkle_leaf_hash(bytea) IS 'The hash of a leaf with this content, as RFC 6962 defines it';
COMMENT ON FUNCTION merkle_root(bytea[]) IS 'The root of the Merkle tree (RFC 6962) of these leaf hashes';
COMMENT ON FUNCTION merkle_inclusion_proof(bytea[], bigint) IS 'The path that shows that a leaf, counted from 0, is in the tree of these leaf hashes';
COMMENT ON FUNCTION merkle_consistency_proof(bytea[], bigint) IS 'The path that shows that the tree of these leaf hashes begins with the tree of the first of them';
COMMENT ON FUNCTION merkle_range_proof(bytea[], bigint, bigint) IS 'The path that shows that so many leaves, from a first one on, are in the tree of these leaf hashes';
COMMENT ON FUNCTION merkle_verify_inclusion(bytea, bigint, bigint, bytea[], bytea) IS 'Whether a path shows that a leaf is in the tree of this size and root';
COMMENT ON FUNCTION merkle_verify_consistency(bigint, bigint, bytea[], bytea, bytea) IS 'Whether a path shows that one tree is the beginning of another';
COMMENT ON FUNCTION merkle_verify_range(bytea[], bigint, bigint, bytea[], bytea) IS 'Whether a path shows that these are the leaves from a first one on in the tree of this size and root';
COMMENT ON FUNCTION crdt_export_chain(text) IS 'Writes the whole chain to a file on the server, for bcrdt verify bundle';
COMMENT ON FUNCTION crdt_bundle(bigint) IS 'The whole chain in pieces, from a block on, as bcrdt export fetches it';
COMMENT ON FUNCTION crdt_prune(bigint, text, boolean) IS 'Archives old blocks in a file and takes the payloads of their row changes out of the database';
COMMENT ON FUNCTION crdt_restore_archive(text) IS 'Puts payloads back that were pruned, from an archive';
COMMENT ON FUNCTION crdt_table_digest(regclass) IS 'Digest of all rows: equal on members that hold equal rows';
COMMENT ON FUNCTION crdt_diff(regclass, text, integer) IS 'Rows of a table that a peer does not hold as this node does';
COMMENT ON FUNCTION verify_table(regclass) IS 'What in a tracked table is not as the log leads to it';
COMMENT ON FUNCTION crdt_history(regclass, text[]) IS 'What was done to a row, and how it stood after each time';
COMMENT ON FUNCTION crdt_as_of_block(regclass, bigint, text[]) IS 'A row as the blocks up to a height had it';
COMMENT ON FUNCTION crdt_as_of_time(regclass, timestamptz, text[]) IS 'A row as it was at a time';
COMMENT ON FUNCTION crdt_table_as_of_block(regclass, bigint) IS 'All rows of a table as the blocks up to a height had them';
COMMENT ON FUNCTION crdt_table_as_of_time(regclass, timestamptz) IS 'All rows of a table as they were at a time';
COMMENT ON FUNCTION crdt_block_ops(bigint) IS 'The ops that a block took in';
COMMENT ON FUNCTION crdt_op_time(bigint) IS 'The time of an op, for view crdt_ops';
COMMENT ON FUNCTION crdt_op_kind(smallint) IS 'The kind of an op, for view crdt_ops';
COMMENT ON FUNCTION crdt_op_actor(smallint, bytea) IS 'Who made an op, for view crdt_ops';
COMMENT ON FUNCTION crdt_op_content(smallint, integer, bytea) IS 'An op in words, for view crdt_ops';
COMMENT ON FUNCTION crdt_block_content(bytea, bytea, bytea) IS 'A block in words, for view crdt_blocks';

-- Comparison means the same for all types.
DO $$
DECLARE
    comparison record;
BEGIN
    FOR comparison IN
        SELECT o.oid::regoperator AS operator, m.meaning
          FROM pg_catalog.pg_operator o
          JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_operator'::regclass AND d.objid = o.oid
          JOIN pg_catalog.pg_extension e
            ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.refobjid = e.oid
          JOIN (VALUES ('=', 'Equal in value'), ('<>', 'Different in value'), ('<', 'Less in value'),
                       ('<=', 'Less or equal in value'), ('>', 'Greater in value'),
                       ('>=', 'Greater or equal in value')) AS m (symbol, meaning) ON m.symbol = o.oprname
         WHERE e.extname = 'blockchain_crdt'
    LOOP
        EXECUTE format('COMMENT ON OPERATOR %s IS %L', comparison.operator, comparison.meaning);
    END LOOP;
END
$$;

-- Who may do what. Tracking a table is up to its owner, whose triggers call
-- functions in schema crdt; its tables stay closed.
GRANT USAGE ON SCHEMA crdt TO PUBLIC;
REVOKE ALL ON FUNCTION crdt_install() FROM PUBLIC;
DO $$
DECLARE
    signature text;
BEGIN
    FOREACH signature IN ARRAY ARRAY['crdt_set_node(text, text)', 'crdt_create_invite(interval)',
                                     'crdt_join(text)', 'crdt_commit_block()',
                                     'crdt_found_successor()', 'crdt_prune(bigint, text, boolean)',
                                     'crdt_restore_archive(text)', 'crdt_add_witness(text, text)',
                                     'crdt_remove_witness(text)'] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO crdt_admin', signature);
    END LOOP;
    FOREACH signature IN ARRAY ARRAY['verify_chain(bigint, bigint, boolean)', 'scan_chain(bigint, bigint)',
                                     'crdt_verifications()',
                                     'crdt_op_proof(bytea, bigint)', 'crdt_proof(regclass, text[])',
                                     'verify_proof(jsonb, text)', 'crdt_checkpoint()',
                                     'crdt_cosigned_checkpoint(bigint)',
                                     'crdt_export_chain(text)', 'crdt_consistency_proof(bigint, bigint)',
                                     'crdt_bundle(bigint)',
                                     'crdt_table_digest(regclass)',
                                     'crdt_diff(regclass, text, integer)',
                                     'verify_table(regclass)', 'crdt_history(regclass, text[])',
                                     'crdt_as_of_block(regclass, bigint, text[])',
                                     'crdt_as_of_time(regclass, timestamptz, text[])',
                                     'crdt_table_as_of_block(regclass, bigint)',
                                     'crdt_table_as_of_time(regclass, timestamptz)',
                                     'crdt_block_ops(bigint)', 'crdt_op_time(bigint)',
                                     'crdt_op_kind(smallint)', 'crdt_op_actor(smallint, bytea)',
                                     'crdt_op_content(smallint, integer, bytea)',
                                     'crdt_block_content(bytea, bytea, bytea)'] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO crdt_admin, crdt_auditor', signature);
    END LOOP;
END
$$;
GRANT SELECT ON crdt_verify_progress, crdt_tracked, crdt_nodes, crdt_blocks, crdt_ops, crdt_witnesses, crdt_cosignatures TO crdt_admin, crdt_auditor;
