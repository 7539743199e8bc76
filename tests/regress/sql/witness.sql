-- Who cosigns the node's checkpoints: what is taken, what is refused, who may.
SELECT crdt_add_witness('witness.example/w1+cc9a7044+BBpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', 'http://127.0.0.1:1/');
SELECT name, url, last_size FROM crdt_witnesses;

-- Not a key, a key that is not its own, the key of a log.
SELECT crdt_add_witness('witness.example/w1', 'http://127.0.0.1:1');
SELECT crdt_add_witness('witness.example/w2+00000000+BBpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', 'http://127.0.0.1:1');
SELECT crdt_add_witness('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', 'http://127.0.0.1:1');
-- The same name twice; a URL that cannot be called.
SELECT crdt_add_witness('witness.example/w1+cc9a7044+BBpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', 'http://127.0.0.1:2');
SELECT crdt_remove_witness('witness.example/w1');
SELECT crdt_add_witness('witness.example/w1+cc9a7044+BBpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', 'witness.example');
SELECT crdt_add_witness('witness.example/w1+cc9a7044+BBpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', 'https://name:password@witness.example');
SELECT crdt_remove_witness('witness.example/w1');

-- Nothing is cosigned yet, under no size.
SELECT crdt_cosigned_checkpoint(), crdt_cosigned_checkpoint(1), crdt_cosigned_checkpoint(-1);
SELECT count(*) FROM crdt_cosignatures;
INSERT INTO crdt.cosignature VALUES (1, 'w', '\x00', 'x', now());
DELETE FROM crdt.cosignature;
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM crdt.cosignature;
COMMIT;

-- Roles.
CREATE ROLE regress_nobody;
CREATE ROLE regress_auditor IN ROLE crdt_auditor;
SET ROLE regress_nobody;
SELECT crdt_add_witness('w', 'http://127.0.0.1:1');
SELECT crdt_remove_witness('w');
SELECT crdt_cosigned_checkpoint();
SELECT * FROM crdt_witnesses;
SELECT * FROM crdt_cosignatures;
SET ROLE regress_auditor;
SELECT crdt_remove_witness('w');
SELECT crdt_cosigned_checkpoint();
SELECT count(*) FROM crdt_witnesses;
SELECT count(*) FROM crdt.witness;
RESET ROLE;
DROP ROLE regress_nobody, regress_auditor;
