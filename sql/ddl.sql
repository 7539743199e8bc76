-- DDL on tracked tables enters the log: what it did, not its text. Of the things
-- that hang on a table, those are told that act on its rows: triggers, rules and
-- policies.

CREATE FUNCTION crdt.note_ddl(relation oid, command text, object text) RETURNS void
    STRICT VOLATILE PARALLEL UNSAFE LANGUAGE c AS 'MODULE_PATHNAME', 'note_ddl_wrapper';
REVOKE ALL ON FUNCTION crdt.note_ddl(oid, text, text) FROM PUBLIC;

CREATE FUNCTION crdt.after_ddl() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM crdt.note_ddl(t.relation, c.command_tag, c.object_identity)
       FROM (SELECT DISTINCT classid, objid, command_tag, object_identity FROM pg_event_trigger_ddl_commands()) c
       LEFT JOIN pg_trigger g ON c.classid = 'pg_trigger'::regclass AND g.oid = c.objid
       LEFT JOIN pg_rewrite r ON c.classid = 'pg_rewrite'::regclass AND r.oid = c.objid
       LEFT JOIN pg_policy p ON c.classid = 'pg_policy'::regclass AND p.oid = c.objid
       JOIN crdt.tracked t ON t.relation = CASE WHEN c.classid = 'pg_class'::regclass THEN c.objid
                                                ELSE coalesce(g.tgrelid, r.ev_class, p.polrelid) END;
END
$$;

CREATE FUNCTION crdt.after_drop() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM crdt.note_ddl(t.relation, TG_TAG, d.object_identity)
       FROM pg_event_trigger_dropped_objects() d
       JOIN crdt.tracked t ON t.relation = CASE
                -- ALTER TABLE is told by the other trigger.
                WHEN d.classid = 'pg_class'::regclass AND (d.objsubid = 0 OR TG_TAG <> 'ALTER TABLE') THEN d.objid
                WHEN d.object_type IN ('trigger', 'rule', 'policy')
                THEN to_regclass(format('%I.%I', d.address_names[1], d.address_names[2])) END;
END
$$;

CREATE EVENT TRIGGER blockchain_crdt_ddl ON ddl_command_end EXECUTE FUNCTION crdt.after_ddl();
CREATE EVENT TRIGGER blockchain_crdt_drop ON sql_drop EXECUTE FUNCTION crdt.after_drop();
COMMENT ON EVENT TRIGGER blockchain_crdt_ddl IS 'Puts DDL on tracked tables into the log';
COMMENT ON EVENT TRIGGER blockchain_crdt_drop IS 'Puts drops of tracked tables, and of what acts on their rows, into the log';
