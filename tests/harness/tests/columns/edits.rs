//! Every edit that can be made, from the catalog.

use harness::{Failure, Outcome, Session};

use super::TRACKED;

/// One edit of one row.
pub struct Edit {
    /// `table.column`, `table (row gone)` or `table (row twice)`.
    pub name: String,
    /// The table.
    pub table: String,
    statement: String,
}

impl Edit {
    /// Makes it, in one row. Where a constraint is in the way it is dropped first, as a superuser
    /// can.
    pub fn make(&self, session: &mut Session) -> Outcome {
        session.run("SAVEPOINT edit")?;
        let statement = format!(
            "WITH it AS ({} RETURNING 1) SELECT count(*) FROM it",
            self.statement
        );
        let rows = match session.number(&statement) {
            Ok(rows) => rows,
            Err(_) => {
                session.run("ROLLBACK TO edit")?;
                session.run(&UNCONSTRAINED.replace("{table}", &self.table))?;
                session.number(&statement)?
            }
        };
        match rows {
            1 => Ok(()),
            _ => Err(Failure::new(format!("{rows} rows were edited"))),
        }
    }
}

/// Takes constraints and identities from a table.
const UNCONSTRAINED: &str = "
    DO $$
    DECLARE it record;
    BEGIN
        -- Its sequences are the extension's, which refuses to lose them.
        DELETE FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND classid = 'pg_class'::regclass
           AND objid IN (SELECT objid FROM pg_depend WHERE refobjid = '{table}'::regclass AND deptype IN ('i', 'a'));
        FOR it IN SELECT conname FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype <> 't' LOOP
            EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT IF EXISTS %I CASCADE', it.conname);
        END LOOP;
        FOR it IN SELECT attname FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attidentity <> '' LOOP
            EXECUTE format('ALTER TABLE {table} ALTER %I DROP IDENTITY', it.attname);
        END LOOP;
        FOR it IN SELECT indexrelid::regclass AS name FROM pg_index WHERE indrelid = '{table}'::regclass AND indisunique LOOP
            EXECUTE format('DROP INDEX %s', it.name);
        END LOOP;
    END
    $$";

/// The row in the middle of each table is edited.
const MIDDLE: &str = "ctid = (SELECT ctid FROM {table} ORDER BY ctid OFFSET (SELECT count(*) / 2 FROM {table}) LIMIT 1)";

/// All edits of all tables, in the order of their names.
pub fn edits(session: &mut Session) -> Outcome<Vec<Edit>> {
    let tracked = TRACKED
        .map(|table| format!("'{table}'::regclass"))
        .join(", ");
    let columns = session.rows(&format!(
        "SELECT c.oid::regclass::text, quote_ident(a.attname), format_type(a.atttypid, NULL)
           FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
          WHERE (c.relnamespace = 'crdt'::regnamespace OR c.oid IN ({tracked})) AND c.relkind IN ('r', 'p')
            AND a.attnum > 0 AND NOT a.attisdropped
          ORDER BY 1, a.attnum"
    ))?;
    let mut edits: Vec<Edit> = Vec::new();
    for row in columns {
        let [Some(table), Some(column), Some(type_name)] = row.as_slice() else {
            continue;
        };
        if edits.last().is_none_or(|edit| edit.table != *table) {
            edits.extend(of_rows(table));
        }
        let value = changed(table, column, type_name);
        edits.push(edit(
            table,
            &format!("{table}.{column}"),
            &format!("UPDATE {{table}} SET {column} = {value} WHERE {MIDDLE}"),
        ));
    }
    Ok(edits)
}

fn of_rows(table: &str) -> [Edit; 2] {
    [
        edit(
            table,
            &format!("{table} (row gone)"),
            &format!("DELETE FROM {{table}} WHERE {MIDDLE}"),
        ),
        edit(
            table,
            &format!("{table} (row twice)"),
            &format!(
                "INSERT INTO {{table}} OVERRIDING SYSTEM VALUE SELECT * FROM {{table}} WHERE {MIDDLE}"
            ),
        ),
    ]
}

fn edit(table: &str, name: &str, statement: &str) -> Edit {
    Edit {
        name: name.to_owned(),
        table: table.to_owned(),
        statement: statement.replace("{table}", table),
    }
}

/// Another value of a column.
fn changed(table: &str, column: &str, type_name: &str) -> String {
    match type_name {
        "bytea" => format!(
            "CASE WHEN length(coalesce({column}, '')) = 0 THEN '\\x01'
                  ELSE set_byte({column}, length({column}) - 1, get_byte({column}, length({column}) - 1) # 1) END"
        ),
        "smallint" | "integer" | "bigint" | "numeric" => format!("coalesce({column} + 1, 1)"),
        "text" if column == "role" => format!("CASE {column} WHEN 'member' THEN 'validator' ELSE 'member' END"),
        "text" => format!("coalesce({column}, '') || 'x'"),
        "boolean" => format!("NOT coalesce({column}, false)"),
        "timestamp with time zone" => format!("coalesce({column}, now()) + interval '1 second'"),
        "regclass" => "'pg_class'::regclass".to_owned(),
        "jsonb" => "'\"forged\"'".to_owned(),
        "uuid" => "'ffffffff-0000-0000-0000-000000000000'".to_owned(),
        // The state of another row: well-formed, and not this row's.
        _ => format!("(SELECT {column} FROM {table} ORDER BY ctid LIMIT 1)"),
    }
}
