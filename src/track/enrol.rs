//! `crdt_track` and `crdt_untrack`: a table enters and leaves tracking.
//!
//! Enrolment is a change like any other: it goes into the log as a *schema*
//! op, and members that receive it enrol their table of the same name, or
//! create it.

use super::outbox::{self, Entry};
use super::{capture, table};
use crate::catalog;
use crate::error::{OrCorrupt, raise};
use crdt::{AnyState, Column, ColumnKind, SchemaAction, SchemaChange, TableSchema};
use ledger::Kind;
use pgrx::prelude::*;

/// Starts syncing and auditing a table: each row enters the log, and from here
/// on each write does.
///
/// The table needs a primary key. CRDT columns merge by their type; the other
/// columns travel with the row, last writer wins.
#[pg_extern(sql = "
    CREATE FUNCTION crdt_track(relation regclass) RETURNS void
    STRICT VOLATILE PARALLEL UNSAFE LANGUAGE c AS 'MODULE_PATHNAME', '@FUNCTION_NAME@';
")]
fn crdt_track(oid: pg_sys::Oid) {
    require_owner(oid);
    let schema = describe(oid);
    if catalog::tracked_schema(oid).is_some_and(|(_, known)| known == schema) {
        pgrx::notice!("table {} is already tracked", table::name_of(oid));
        return;
    }
    if catalog::tracked_schema(oid).is_some() {
        raise(
            PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
            format!(
                "table {} is tracked with other columns",
                table::name_of(oid)
            ),
            "Columns added later stay on this node. To sync them, crdt_untrack the table and crdt_track it again.",
        );
    }
    catalog::require_member();
    let schema_id = enrol(oid, &schema);
    announce(schema_id, SchemaAction::Track(schema));
    enter_rows(oid);
}

/// Stops syncing and auditing a table, here and on all members. The table, its
/// rows and the log stay as they are; the columns can then be converted with
/// ALTER TABLE ... TYPE bigint USING views::bigint and the like.
#[pg_extern(sql = "
    CREATE FUNCTION crdt_untrack(relation regclass) RETURNS void
    STRICT VOLATILE PARALLEL UNSAFE LANGUAGE c AS 'MODULE_PATHNAME', '@FUNCTION_NAME@';
")]
fn crdt_untrack(oid: pg_sys::Oid) {
    require_owner(oid);
    let Some((schema_id, schema)) = catalog::tracked_schema(oid) else {
        raise(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            format!("table {} is not tracked", table::name_of(oid)),
            "SELECT * FROM crdt_tracked lists the tracked tables.",
        )
    };
    catalog::require_member();
    leave(oid);
    announce(
        schema_id,
        SchemaAction::Untrack {
            schema: schema.schema,
            table: schema.table,
        },
    );
}

/// Puts a table's enrolment into the log.
pub fn announce(schema_id: i32, action: SchemaAction) {
    let change = SchemaChange {
        action,
        actor: capture::actor(),
        application: capture::application(),
    };
    let payload = change.encode().or_corrupt("a schema change");
    outbox::append(&Entry {
        kind: Kind::Schema,
        schema_id,
        row_id: 0,
        payload: &payload,
    });
}

/// Gives a table the meta column and the triggers, and keeps its schema.
pub fn enrol(oid: pg_sys::Oid, schema: &TableSchema) -> i32 {
    let name = table::name_of(oid);
    let schema_id = catalog::store_schema(schema);
    let known = catalog::run(
        "UPDATE crdt.tracked SET schema_id = $2 WHERE relation = $1",
        &[oid.into(), schema_id.into()],
    );
    if known == 0 {
        let has_meta = catalog::one(
            "SELECT FROM pg_catalog.pg_attribute
              WHERE attrelid = $1 AND attname = $2 AND NOT attisdropped",
            &[oid.into(), table::META.into()],
            |_| (),
        );
        if has_meta.is_none() {
            ddl(&format!(
                "ALTER TABLE {name} ADD COLUMN {} bytea",
                table::META
            ));
        }
        // Named to run after the user's own BEFORE triggers, which may still
        // change the row.
        ddl(&format!(
            "CREATE OR REPLACE TRIGGER zz_crdt_guard BEFORE INSERT OR UPDATE ON {name}
             FOR EACH ROW EXECUTE FUNCTION crdt.guard()"
        ));
        ddl(&format!(
            "CREATE OR REPLACE TRIGGER zz_crdt_capture AFTER INSERT OR UPDATE OR DELETE ON {name}
             FOR EACH ROW EXECUTE FUNCTION crdt.capture()"
        ));
        ddl(&format!(
            "CREATE OR REPLACE TRIGGER zz_crdt_no_truncate BEFORE TRUNCATE ON {name}
             FOR EACH STATEMENT EXECUTE FUNCTION crdt.no_truncate()"
        ));
        catalog::run(
            "INSERT INTO crdt.tracked (relation, schema_id) VALUES ($1, $2)",
            &[oid.into(), schema_id.into()],
        );
    }
    table::forget(oid);
    schema_id
}

/// Whether the table has no row.
pub fn is_empty(oid: pg_sys::Oid) -> bool {
    let any = format!("SELECT FROM ONLY {} LIMIT 1", table::name_of(oid));
    catalog::one(&any, &[], |_| ()).is_none()
}

/// Rows that stood in the table before enter the log as inserts: the guard
/// settles each row without meta as new.
pub fn enter_rows(oid: pg_sys::Oid) {
    let (name, meta) = (table::name_of(oid), table::META);
    ddl(&format!(
        "UPDATE ONLY {name} SET {meta} = NULL WHERE {meta} IS NULL"
    ));
}

/// Rows enter the log anew, each under the value it has, whatever was known of
/// them before.
pub fn enter_rows_again(oid: pg_sys::Oid) {
    let (name, meta) = (table::name_of(oid), table::META);
    with_triggers(false, || {
        ddl(&format!("UPDATE ONLY {name} SET {meta} = NULL"))
    });
    enter_rows(oid);
}

/// Runs `work` with this session's ordinary triggers switched on or off.
pub fn with_triggers<R>(on: bool, work: impl FnOnce() -> R) -> R {
    let switch = |role: &str| {
        catalog::one(
            "SELECT set_config('session_replication_role', $1, true)",
            &[role.into()],
            |_| (),
        );
    };
    let before = catalog::one(
        "SELECT current_setting('session_replication_role')",
        &[],
        |row| row.need::<String>(1),
    )
    .or_corrupt("session_replication_role");
    switch(if on { "origin" } else { "replica" });
    let result = work();
    switch(&before);
    result
}

/// Takes the triggers away and forgets the table.
pub fn leave(oid: pg_sys::Oid) {
    let name = table::name_of(oid);
    // First, so that what follows is not told as DDL on a tracked table.
    catalog::run(
        "DELETE FROM crdt.tracked WHERE relation = $1",
        &[oid.into()],
    );
    for trigger in ["guard", "capture", "no_truncate"] {
        ddl(&format!(
            "DROP TRIGGER IF EXISTS zz_crdt_{trigger} ON {name}"
        ));
    }
    ddl(&format!(
        "ALTER TABLE {name} DROP COLUMN IF EXISTS {}",
        table::META
    ));
    table::forget(oid);
}

fn ddl(sql: &str) {
    Spi::run(sql).or_corrupt(sql);
}

fn require_owner(oid: pg_sys::Oid) {
    let owner = Spi::get_one_with_args::<bool>(
        "SELECT pg_catalog.pg_has_role(relowner, 'USAGE') FROM pg_catalog.pg_class WHERE oid = $1",
        &[oid.into()],
    );
    if owner != Ok(Some(true)) {
        raise(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!("must be owner of table {}", table::name_of(oid)),
            "The table's owner decides whether it is synced.",
        );
    }
}

/// The table's schema as members will see it: types are named in full, whatever
/// this session's search_path.
pub fn describe(oid: pg_sys::Oid) -> TableSchema {
    // SAFETY: the level is ended below; after an error, with the transaction.
    let level = unsafe { pg_sys::NewGUCNestLevel() };
    catalog::one(
        "SELECT set_config('search_path', 'pg_catalog', true)",
        &[],
        |_| (),
    );
    let schema = describe_in_full(oid);
    // SAFETY: ends the level begun above; the settings of before are back.
    unsafe { pg_sys::AtEOXact_GUC(false, level) }
    schema
}

fn describe_in_full(oid: pg_sys::Oid) -> TableSchema {
    let name = table::name_of(oid);
    let unsupported = |what: &str, hint: &str| -> ! {
        raise(
            PgSqlErrorCode::ERRCODE_WRONG_OBJECT_TYPE,
            format!("table {name} {what}"),
            hint,
        )
    };
    let (schema, relation, kind, persistence) = catalog::one(
        "SELECT n.nspname::text, c.relname::text, c.relkind::text, c.relpersistence::text
           FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          WHERE c.oid = $1",
        &[oid.into()],
        |row| -> (String, String, String, String) {
            (row.need(1), row.need(2), row.need(3), row.need(4))
        },
    )
    .or_corrupt("pg_class");
    if kind != "r" {
        unsupported(
            "is not an ordinary table",
            "Partitioned and foreign tables and views cannot be tracked; track each partition.",
        );
    }
    if persistence != "p" {
        unsupported(
            "is temporary or unlogged",
            "ALTER TABLE ... SET LOGGED first.",
        );
    }
    if matches!(
        schema.as_str(),
        "crdt" | "pg_catalog" | "information_schema"
    ) {
        unsupported("belongs to the system", "Track tables of your own.");
    }
    let columns = columns(oid);
    let key: Vec<u16> = catalog::query(
        "SELECT a.attname::text
           FROM pg_catalog.pg_index i
           CROSS JOIN LATERAL unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k (number, place)
           JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
          WHERE i.indrelid = $1 AND i.indisprimary AND i.indimmediate ORDER BY k.place",
        &[oid.into()],
        |row| row.need::<String>(1),
    )
    .iter()
    .filter_map(|name| columns.iter().position(|c| &c.name == name))
    .filter_map(|at| u16::try_from(at).ok())
    .collect();
    if key.is_empty() {
        unsupported(
            "has no primary key",
            "Rows are named by their primary key on all nodes, at once and not deferred: ALTER TABLE ... ADD PRIMARY KEY.",
        );
    }
    if key
        .iter()
        .any(|&at| columns[usize::from(at)].kind != ColumnKind::Plain)
    {
        unsupported(
            "has a CRDT column in its primary key",
            "A key must not change by merging.",
        );
    }
    TableSchema {
        schema,
        table: relation,
        columns,
        key,
    }
}

/// The table's columns as a schema lists them; types are qualified as this
/// session's search_path wants it.
pub fn columns(oid: pg_sys::Oid) -> Vec<Column> {
    catalog::query(
        "SELECT a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
                t.typname::text,
                EXISTS (SELECT FROM pg_catalog.pg_depend d
                          JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
                         WHERE d.classid = 'pg_catalog.pg_type'::regclass AND d.objid = t.oid
                           AND d.refclassid = 'pg_catalog.pg_extension'::regclass
                           AND d.deptype = 'e' AND e.extname = 'blockchain_crdt')
           FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
          WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
            AND a.attgenerated = '' AND a.attname <> 'crdt_meta'
          ORDER BY a.attnum",
        &[oid.into()],
        |row| {
            let (own_type, name): (bool, String) = (row.need(5), row.need(4));
            let kind = own_type.then(|| AnyState::kind_of_type(&name)).flatten();
            Column {
                name: row.need(1),
                type_name: row.need(2),
                kind: kind.unwrap_or(ColumnKind::Plain),
                not_null: row.need(3),
            }
        },
    )
}
