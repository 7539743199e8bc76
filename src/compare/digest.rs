//! `crdt_table_digest`, and the digests of all rows as a sorted stream.

use super::row::{RowState, entry_bytes, entry_of};
use crate::catalog;
use crate::error::{OrCorrupt, corrupt};
use crate::function;
use crate::track::table;
use ledger::digest_tree::{Builder, Entry, Prefix};
use pgrx::{IntoDatum, pg_extern, pg_sys};

/// Rows taken from PostgreSQL at once.
const PORTION: u32 = 2_000;

/// Where a row stands: block, and place in it.
pub type Place = (u32, u16);

function::v1_function!(crdt_row_digest, pg_finfo_crdt_row_digest, row_digest);

/// Hash of a row's key and hash of its state, 64 bytes.
///
/// # Safety
/// Called by PostgreSQL as declared: one argument, a record.
unsafe fn row_digest(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: declared with one argument, a record, which is not null.
    unsafe {
        let Some(record) = function::argument(fcinfo, 0) else {
            return function::null(fcinfo);
        };
        let digest = entry_bytes(&RowState::of_record(record).entry());
        digest.into_datum().unwrap_or(pg_sys::Datum::null())
    }
}

/// Calls for each row of a table, in the order of their digests, as of the
/// calling statement's snapshot; `between` is called now and then.
pub fn each_row(
    relation: pg_sys::Oid,
    mut call: impl FnMut(Entry, Place),
    mut between: impl FnMut(),
) {
    let sql = format!(
        "SELECT crdt.row_digest(t), t.ctid FROM ONLY {} t ORDER BY 1",
        table::name_of(relation)
    );
    catalog::stream(&sql, &[], PORTION, |rows| {
        for row in rows {
            let place = row.datum(2).or_corrupt("a row's place");
            // SAFETY: a tid is passed by reference and lives as long as the row.
            let place = unsafe { *place.cast_mut_ptr::<pg_sys::ItemPointerData>() };
            let block = u32::from(place.ip_blkid.bi_hi) << 16 | u32::from(place.ip_blkid.bi_lo);
            call(entry_of(&row.need::<Vec<u8>>(1)), (block, place.ip_posid));
        }
        between();
    });
}

/// Adds an entry to a builder. Two rows of one key would mean that the index of
/// the primary key is broken.
pub fn push(builder: &mut Builder, entry: Entry) {
    if let Err(fault) = builder.push(entry) {
        corrupt(format_args!("rows of one primary key: {fault}"));
    }
}

/// A digest over all rows of a tracked table: equal on members that hold equal
/// rows, whatever the order in which they came.
#[pg_extern(sql = "
    CREATE FUNCTION crdt_table_digest(relation regclass) RETURNS bytea
    STRICT STABLE PARALLEL UNSAFE LANGUAGE c AS 'MODULE_PATHNAME', '@FUNCTION_NAME@';
")]
fn crdt_table_digest(relation: pg_sys::Oid) -> Vec<u8> {
    table::tracked(relation);
    let mut builder = Builder::new(Prefix::ROOT, 0);
    each_row(relation, |entry, _| push(&mut builder, entry), || {});
    builder.finish().node.digest.to_vec()
}
