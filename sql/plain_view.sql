-- crdt_create_view: a table as plain types, for applications that cannot cast.

-- What stands for a CRDT type in such a view; NULL for any other type.
CREATE FUNCTION crdt.plain_type(crdt_type regtype) RETURNS text
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE t.typname
               WHEN 'g_counter' THEN 'bigint'
               WHEN 'pn_counter' THEN 'bigint'
               WHEN 'b_counter' THEN 'bigint'
               WHEN 'lww_register' THEN 'jsonb'
               WHEN 'mv_register' THEN 'jsonb'
               WHEN 'or_set' THEN 'text[]'
               WHEN 'aw_set' THEN 'text[]'
               WHEN 'lww_set' THEN 'text[]'
               WHEN 'lww_map' THEN 'jsonb'
               WHEN 'or_map' THEN 'jsonb'
               WHEN 'or_cart' THEN 'jsonb'
               WHEN 'rga' THEN 'jsonb'
               WHEN 'rga_text' THEN 'text'
               WHEN 'vector_clock' THEN 'jsonb'
               WHEN 'hlc' THEN 'timestamptz'
           END
      FROM pg_type t
      JOIN pg_depend d ON d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
      JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
     WHERE t.oid = crdt_type AND e.extname = 'blockchain_crdt'
$$;

CREATE FUNCTION crdt_create_view(relation regclass, name text) RETURNS regclass
LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    crdt_schema CONSTANT text := (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                                   WHERE e.extname = 'blockchain_crdt');
    parts CONSTANT text[] := parse_ident(name);
    made_here CONSTANT text := 'Writes to a view that crdt_create_view made';
    view_schema text;
    view_name text;      -- quoted, with its schema
    writer text;         -- of its trigger function
    columns text[];      -- all of the table's, quoted
    shown text[];        -- as the view gives them
    written text[];      -- those that INSERT may name
    given text[];        -- what INSERT gives them
    assignments text[];  -- of UPDATE
    key text[];          -- conditions that find the row of OLD
    item record;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = relation AND c.relkind IN ('r', 'p')) THEN
        RAISE EXCEPTION '% is no table', relation USING ERRCODE = 'wrong_object_type',
            HINT = 'The view is made over a table with CRDT columns.';
    END IF;
    IF cardinality(parts) > 2 THEN
        RAISE EXCEPTION 'invalid name of a view: %', name USING ERRCODE = 'invalid_name',
            HINT = 'Give the name of the view, with or without its schema.';
    END IF;
    -- Without a schema it goes beside the table.
    view_schema := CASE WHEN cardinality(parts) = 2 THEN parts[1]
                        ELSE (SELECT c.relnamespace::regnamespace::text FROM pg_class c WHERE c.oid = relation) END;
    IF cardinality(parts) = 2 THEN
        view_schema := quote_ident(view_schema);
    END IF;
    view_name := format('%s.%I', view_schema, parts[cardinality(parts)]);
    writer := format('%s.%I', view_schema, parts[cardinality(parts)] || '_write');

    FOR item IN
        SELECT quote_ident(a.attname) AS quoted, a.atttypid::regtype AS type, crdt.plain_type(a.atttypid::regtype) AS plain,
               a.attgenerated <> '' AS is_generated, a.attidentity = 'a' AS is_always,
               a.attnum = ANY (i.indkey::int2[]) AS in_key, pg_get_expr(d.adbin, d.adrelid) AS fallback,
               t.typname IN ('hlc', 'vector_clock') AS only_rises
          FROM pg_attribute a
          LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
          LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
          JOIN pg_type t ON t.oid = a.atttypid
         WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'crdt_meta'
         ORDER BY a.attnum
    LOOP
        columns := columns || item.quoted;
        shown := shown || CASE WHEN item.plain IS NULL THEN 't.' || item.quoted
                               ELSE format('t.%s::%s AS %1$s', item.quoted, item.plain) END;
        IF item.in_key IS NULL THEN
            RAISE EXCEPTION 'table % has no primary key', relation USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Writes to the view find the row by its primary key: add one to the table.';
        ELSIF item.in_key THEN
            key := key || format('t.%s = OLD.%1$s', item.quoted);
        END IF;
        CONTINUE WHEN item.is_generated;
        IF NOT item.is_always THEN
            written := written || item.quoted;
            -- A default may say more than its plain value, such as the floor of a counter.
            given := given || CASE
                WHEN item.plain IS NULL OR item.fallback IS NULL THEN format('NEW.%s', item.quoted)
                ELSE format('CASE WHEN NEW.%1$s IS NOT DISTINCT FROM (%2$s)::%3$s THEN (%2$s)::%4$s ELSE NEW.%1$s::%4$s END',
                            item.quoted, item.fallback, item.plain, item.type)
                END;
        END IF;
        -- Only what the statement changed is written, and by its difference:
        -- what others committed since is not undone.
        assignments := assignments || CASE
            WHEN item.plain IS NULL THEN format('%s = NEW.%1$s', item.quoted)
            WHEN item.plain = 'bigint' THEN format(
                '%1$s = CASE WHEN NEW.%1$s IS NULL OR OLD.%1$s IS NULL THEN NEW.%1$s::%2$s ELSE t.%1$s OPERATOR(%3$I.+) (NEW.%1$s - OLD.%1$s) END',
                item.quoted, item.type, crdt_schema)
            WHEN item.only_rises THEN format(
                '%1$s = CASE WHEN NEW.%1$s IS NOT DISTINCT FROM OLD.%1$s THEN t.%1$s ELSE NEW.%1$s::%2$s END', item.quoted, item.type)
            ELSE format(
                '%1$s = CASE WHEN NEW.%1$s IS NOT DISTINCT FROM OLD.%1$s THEN t.%1$s WHEN NEW.%1$s IS NULL OR OLD.%1$s IS NULL OR t.%1$s IS NULL THEN NEW.%1$s::%2$s ELSE crdt.led_from(t.%1$s, OLD.%1$s::%2$s, NEW.%1$s::%2$s) END',
                item.quoted, item.type)
            END;
    END LOOP;

    EXECUTE format('CREATE VIEW %s AS SELECT %s FROM %s AS t', view_name, array_to_string(shown, ', '), relation);
    FOR item IN
        SELECT quote_ident(a.attname) AS quoted, crdt.plain_type(a.atttypid::regtype) AS plain,
               coalesce(pg_get_expr(d.adbin, d.adrelid),
                        format('nextval(%L::regclass)', pg_get_serial_sequence(relation::text, a.attname))) AS expression
          FROM pg_attribute a
          LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity <> 'a'
           AND (d.oid IS NOT NULL OR a.attidentity = 'd')
    LOOP
        EXECUTE format('ALTER VIEW %s ALTER COLUMN %s SET DEFAULT (%s)%s', view_name, item.quoted, item.expression, '::' || item.plain);
    END LOOP;

    -- What is left of a view that was dropped is replaced, nothing else is.
    EXECUTE format($function$
        CREATE %8$s FUNCTION %1$s() RETURNS trigger LANGUAGE plpgsql AS $body$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                INSERT INTO %s AS t (%s) VALUES (%s) RETURNING %s INTO NEW;
            ELSIF TG_OP = 'UPDATE' THEN
                UPDATE %2$s AS t SET %6$s WHERE %7$s RETURNING %5$s INTO NEW;
            ELSE
                DELETE FROM %2$s AS t WHERE %7$s;
            END IF;
            -- A row that another session has deleted meanwhile counts for none.
            IF NOT FOUND THEN
                RETURN NULL;
            ELSIF TG_OP = 'DELETE' THEN
                RETURN OLD;
            END IF;
            RETURN NEW;
        END
        $body$ $function$,
        writer, relation, array_to_string(written, ', '), array_to_string(given, ', '), array_to_string(shown, ', '),
        array_to_string(assignments, ', '), array_to_string(key, ' AND '),
        CASE WHEN EXISTS (SELECT FROM pg_proc p
                           WHERE p.oid = to_regprocedure(writer || '()')
                             AND obj_description(p.oid, 'pg_proc') = made_here) THEN 'OR REPLACE' END);
    EXECUTE format('COMMENT ON FUNCTION %s() IS %L', writer, made_here);
    EXECUTE format('CREATE TRIGGER write INSTEAD OF INSERT OR UPDATE OR DELETE ON %s
                    FOR EACH ROW EXECUTE FUNCTION %s()', view_name, writer);
    RETURN view_name::regclass;
END
$$;
COMMENT ON FUNCTION crdt_create_view(regclass, text) IS 'An updatable view of a table with plain types in place of CRDT columns';
