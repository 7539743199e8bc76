//! DDL on tracked tables, as event triggers report it, becomes schema ops: a
//! leaf of the log says that the table is another one from here on.

use super::enrol;
use crate::catalog;
use crdt::{Alteration, SchemaAction};
use pgrx::extension_sql_file;
use pgrx::prelude::*;

extension_sql_file!("../../sql/ddl.sql", name = "ddl", requires = ["catalog"]);

/// Longest name of an object that is told; PostgreSQL sets no limit.
const MAX_OBJECT_BYTES: usize = 1_024;

/// Notes that `command` was run on `object`, which is the tracked table
/// `relation` or belongs to it. A database that is no member of its chain (it
/// was restored from a dump, and nothing is written on in its name) notes
/// nothing.
#[pg_extern(sql = false)]
fn note_ddl(relation: pg_sys::Oid, command: &str, object: &str) {
    let Some((schema_id, tracked)) = catalog::tracked_schema(relation) else {
        return;
    };
    if catalog::local_node().is_none_or(|me| me.left_after.is_some()) {
        return;
    }
    let alteration = Alteration {
        schema: tracked.schema,
        table: tracked.table,
        command: command.to_owned(),
        object: object[..object.floor_char_boundary(MAX_OBJECT_BYTES)].to_owned(),
        columns: enrol::columns(relation),
    };
    enrol::announce(schema_id, SchemaAction::Alter(alteration));
}
