-- Lineage and DDL in the log: where data came from and when its tables changed
-- their shape, signed like every other change.
SELECT crdt_record_lineage('s3://raw/2026-11', 'public.sales', 'load 1.2', '{"rows": 12345678901234567890.10}');
SELECT crdt_record_lineage('public.sales', 'public.daily', 'sum by day');
SELECT crdt_record_lineage('public.rates', 'public.daily', 'join');
SELECT crdt_record_lineage('public.daily', 'report/november', 'print');
-- A cycle must not make the walk endless.
SELECT crdt_record_lineage('report/november', 's3://raw/2026-11', 'feedback');
-- Seen at once, and the same once it is sealed.
SELECT direction, depth, source, target, transform, detail, actor = current_user AS by_me, seq IS NULL OR seq > 0 AS waits_or_sealed
  FROM crdt_lineage('public.daily', 2);
SELECT crdt_commit_block() > 0 AS final;
SELECT direction, depth, source, target, transform, detail, height > 0 AS final FROM crdt_lineage('public.daily', 2);
SELECT direction, count(*), max(depth) FROM crdt_lineage('public.daily') GROUP BY direction ORDER BY direction;
SELECT count(*) FROM crdt_lineage('nothing of that name');
SELECT change, actor = current_user AS by_me FROM crdt_ops WHERE kind = 'lineage' ORDER BY seq;
SELECT count(*) AS edges, bool_and(verify_proof(crdt_op_proof(origin_id, seq))) AS proved FROM crdt_ops WHERE kind = 'lineage';

-- Refused, with the reason.
SELECT crdt_record_lineage('', 'x', 'y');
SELECT crdt_record_lineage('x', repeat('x', 1025), 'y');
CREATE ROLE regress_crdt_guest;
SET ROLE regress_crdt_guest;
SELECT crdt_record_lineage('a', 'b', 'c');
SELECT crdt_lineage('a');
SELECT crdt.note_ddl('pg_class'::regclass, 'DROP TABLE', 'all');
RESET ROLE;
DROP ROLE regress_crdt_guest;

-- DDL on tracked tables becomes a schema op; on others it is nobody's business.
CREATE TABLE ledger_page (id integer PRIMARY KEY, views pn_counter DEFAULT 0);
ALTER TABLE ledger_page ADD COLUMN before_tracking text;
SELECT crdt_track('ledger_page');
CREATE TABLE other (id integer);
ALTER TABLE other ADD COLUMN note text;
ALTER TABLE ledger_page ADD COLUMN note text, DROP COLUMN before_tracking;
ALTER TABLE ledger_page DISABLE TRIGGER zz_crdt_capture;
ALTER TABLE ledger_page ENABLE TRIGGER zz_crdt_capture;
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER audit AFTER UPDATE ON ledger_page FOR EACH ROW EXECUTE FUNCTION audit();
DROP TRIGGER audit ON ledger_page;
CREATE POLICY all_of_it ON ledger_page USING (true);
DROP POLICY all_of_it ON ledger_page;
CREATE INDEX ON ledger_page (note);
COMMENT ON TABLE ledger_page IS 'a page';
BEGIN;
ALTER TABLE ledger_page RENAME COLUMN note TO remark;
ROLLBACK;
SELECT crdt_untrack('ledger_page');
ALTER TABLE ledger_page ADD COLUMN after_tracking text;
SELECT crdt_track('ledger_page');
DROP TABLE ledger_page, other;
SELECT crdt_commit_block() > 0 AS final;
SELECT table_name, change, actor = current_user AS by_me FROM crdt_ops WHERE kind = 'schema' AND table_name = 'public.ledger_page' ORDER BY seq;
SELECT verify_chain();
DROP FUNCTION audit();
