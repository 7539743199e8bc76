-- Checkpoints and the proofs between them: what an auditor keeps, and what he
-- asks for later.
CREATE TABLE regress_checkpoint (id int PRIMARY KEY, n pn_counter NOT NULL DEFAULT '0');
SELECT crdt_track('regress_checkpoint');
INSERT INTO regress_checkpoint VALUES (1, 1);
SELECT crdt_commit_block() > 0 AS final;
CREATE TEMP TABLE kept AS SELECT crdt_checkpoint() AS note;
-- The key that signs has the name of the log.
SELECT split_part(note, E'\n', 1) = split_part(crdt_node() ->> 'checkpoint_vkey', '+', 1) AS of_this_log,
       split_part(note, E'\n', 1) = 'blockchain_crdt/' || (crdt_node() ->> 'chain_id') AS of_this_chain,
       split_part(note, E'\n', 5) LIKE '— ' || split_part(note, E'\n', 1) || ' %' AS signed
  FROM kept;
UPDATE regress_checkpoint SET n = n + 1;
SELECT crdt_commit_block() > 0 AS final;
-- From the one that was kept to the newest.
CREATE TEMP TABLE proof AS
SELECT crdt_consistency_proof(split_part(note, E'\n', 2)::bigint) AS proof,
       split_part(note, E'\n', 2)::bigint AS old_size,
       split_part(crdt_checkpoint(), E'\n', 2)::bigint AS new_size
  FROM kept;
SELECT proof ->> 'proof' AS kind, proof -> 'format' AS format,
       (proof ->> 'old_size')::bigint = old_size AS old, (proof ->> 'tree_size')::bigint = new_size AS new,
       jsonb_array_length(proof -> 'path') > 0 AS has_path,
       proof = crdt_consistency_proof(old_size, new_size) AS same
  FROM proof;
-- To itself and from nothing it is empty.
SELECT crdt_consistency_proof(old_size, old_size) -> 'path' AS itself, crdt_consistency_proof(0) -> 'path' AS nothing
  FROM proof;

-- Refused, with the reason.
SELECT crdt_consistency_proof(-1);
SELECT crdt_consistency_proof(1, -1);
SELECT crdt_consistency_proof(2, 1);
\set VERBOSITY terse
DO $$ BEGIN PERFORM crdt_consistency_proof(1, 9223372036854775807); EXCEPTION WHEN numeric_value_out_of_range THEN RAISE INFO 'too many leaves'; END $$;
CREATE ROLE regress_crdt_guest;
SET ROLE regress_crdt_guest;
SELECT crdt_consistency_proof(0);
RESET ROLE;
DROP ROLE regress_crdt_guest;
SELECT crdt_untrack('regress_checkpoint');
DROP TABLE regress_checkpoint;
