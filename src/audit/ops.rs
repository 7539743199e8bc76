//! The rows of `crdt.op`, read through their index without the executor, and
//! lent, not copied: a chain of millions is re-hashed at about the speed of
//! hashing. Where table or index is not as it was created, somebody has been
//! at it, and SQL reads what is there.

use super::indexed::Indexed;
use super::shape;
use crate::catalog::{self, Relation};
use crate::error::corrupt;
use pgrx::pg_sys;
use std::ptr;

/// One stored op, its bytes valid while it is lent.
pub struct OpRow<'a> {
    pub seq: i64,
    pub hlc: i64,
    pub schema_id: i32,
    pub kind: i16,
    pub salt: &'a [u8],
    pub payload: &'a [u8],
    pub hash: &'a [u8],
}

/// The op log, open for reading.
pub struct Ops(Option<Indexed>);

/// Where the columns of `crdt.op` lie in a stored row; from `SALT` on their length varies.
const SEQ: usize = 0;
const HLC: usize = 8;
const SCHEMA_ID: usize = 28;
const KIND: usize = 32;
const SALT: usize = 34;

/// The numbers of those columns that the index is on.
const SEQ_COLUMN: i16 = 1;
const ORIGIN_COLUMN: i16 = 4;

impl Ops {
    /// Opens the op log.
    pub fn open() -> Ops {
        let table = Relation::open(c"op", pg_sys::AccessShareLock);
        if !shape::OP.fits(&table) {
            return Ops(None);
        }
        Ops(Indexed::open(table, &[ORIGIN_COLUMN, SEQ_COLUMN]))
    }

    /// Lends the ops `low ..= high` of an origin, by number ascending.
    /// Returns the last number there is.
    pub fn each(
        &self,
        origin: i32,
        low: i64,
        high: i64,
        mut lend: impl FnMut(&OpRow<'_>),
    ) -> Option<i64> {
        match &self.0 {
            Some(indexed) => by_index(indexed, origin, low, high, &mut lend),
            None => by_sql(origin, low, high, &mut lend),
        }
    }
}

fn by_index(
    indexed: &Indexed,
    origin: i32,
    low: i64,
    high: i64,
    lend: &mut dyn FnMut(&OpRow<'_>),
) -> Option<i64> {
    let mut keys = [pg_sys::ScanKeyData::default(); 3];
    let bounds = [
        (
            ORIGIN_COLUMN,
            pg_sys::BTEqualStrategyNumber,
            pg_sys::F_INT4EQ,
            pg_sys::Datum::from(origin),
        ),
        (
            SEQ_COLUMN,
            pg_sys::BTGreaterEqualStrategyNumber,
            pg_sys::F_INT8GE,
            pg_sys::Datum::from(low),
        ),
        (
            SEQ_COLUMN,
            pg_sys::BTLessEqualStrategyNumber,
            pg_sys::F_INT8LE,
            pg_sys::Datum::from(high),
        ),
    ];
    for (key, (column, strategy, function, value)) in keys.iter_mut().zip(bounds) {
        // SAFETY: an entry of the array above, for a column of that type.
        unsafe {
            pg_sys::ScanKeyInit(
                key,
                column,
                strategy as pg_sys::StrategyNumber,
                pg_sys::Oid::from(function),
                value,
            );
        }
    }
    let mut last = None;
    // SAFETY: the keys are those of the index; a row has the columns that
    // `shape::OP` names.
    unsafe {
        indexed.each(&mut keys, |tuple| {
            if tuple.has_nulls {
                corrupt("a row of crdt.op with a null column");
            }
            let bytes = tuple.varlenas(SALT).map(|value| Bytes::of(value));
            let [salt, hash, payload] = &bytes;
            let row = OpRow {
                seq: tuple.int8(SEQ),
                hlc: tuple.int8(HLC),
                schema_id: tuple.int4(SCHEMA_ID),
                kind: tuple.int2(KIND),
                salt: salt.slice(),
                payload: payload.slice(),
                hash: hash.slice(),
            };
            last = Some(row.seq);
            lend(&row);
        });
    }
    last
}

/// A bytea, put together in memory only if it is stored compressed or apart.
struct Bytes {
    varlena: *mut pg_sys::varlena,
    copied: bool,
}

impl Bytes {
    /// # Safety
    /// The value must be a bytea that outlives the result.
    unsafe fn of(stored: *mut pg_sys::varlena) -> Bytes {
        // SAFETY: by the contract.
        unsafe {
            let plain = pgrx::varlena::varatt_is_1b(stored)
                && !pgrx::varlena::varatt_is_1b_e(stored)
                || pgrx::varlena::varatt_is_4b_u(stored);
            let varlena = match plain {
                true => stored,
                false => pg_sys::pg_detoast_datum_packed(stored),
            };
            Bytes {
                varlena,
                copied: !ptr::eq(varlena, stored),
            }
        }
    }

    fn slice(&self) -> &[u8] {
        // SAFETY: plain, and alive by the contract of `of`.
        unsafe { pgrx::varlena::varlena_to_byte_slice(self.varlena) }
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        if self.copied {
            // SAFETY: made by pg_detoast_datum_packed for this value alone.
            unsafe { pg_sys::pfree(self.varlena.cast()) }
        }
    }
}

fn by_sql(origin: i32, low: i64, high: i64, lend: &mut dyn FnMut(&OpRow<'_>)) -> Option<i64> {
    let seqs = catalog::query(
        "SELECT seq, hlc, schema_id, kind, salt, payload, hash FROM crdt.op
          WHERE origin = $1 AND seq >= $2 AND seq <= $3 ORDER BY seq",
        &[origin.into(), low.into(), high.into()],
        |row| {
            let bytes: [Vec<u8>; 3] = [row.need(5), row.need(6), row.need(7)];
            let op = OpRow {
                seq: row.need(1),
                hlc: row.need(2),
                schema_id: row.need(3),
                kind: row.need(4),
                salt: &bytes[0],
                payload: &bytes[1],
                hash: &bytes[2],
            };
            lend(&op);
            op.seq
        },
    );
    seqs.last().copied()
}
