-- Trigger functions, views and privileges, once all functions exist.

CREATE FUNCTION crdt.guard() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_guard';
CREATE FUNCTION crdt.capture() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_capture';
CREATE FUNCTION crdt.no_truncate() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_no_truncate';

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
    FOREACH ledger_table IN ARRAY ARRAY['chain', 'op', 'segment', 'block', 'block_range', 'tile', 'evidence'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON crdt.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION crdt.append_only()', ledger_table);
    END LOOP;
END
$$;

SELECT crdt_install();
