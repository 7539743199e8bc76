//! SQL with kept plans: each statement text is planned once in a process.

use super::Relation;
use crate::error::{OrCorrupt, corrupt};
use crate::track::outbox::TABLES as OUTBOX;
use pgrx::datum::{Datum, DatumWithOid};
use pgrx::{FromDatum, Spi, pg_sys};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::{CString, c_char};

/// Plans kept in one process; more than that means generated SQL ran wild.
const MAX_PLANS: usize = 1_000;

/// A plan, and the types of its parameters.
type Kept = (Vec<pg_sys::Oid>, pg_sys::SPIPlanPtr);
/// By the text of the statement. A table that was made anew has statements of
/// one text with other types.
type Plans = HashMap<String, Vec<Kept>>;

thread_local! {
    static PLANS: RefCell<Plans> = RefCell::new(HashMap::new());
}

/// One row of a result.
pub struct Row {
    tuple: pg_sys::HeapTuple,
    descriptor: pg_sys::TupleDesc,
}

impl Row {
    /// Column by its position, from 1; `None` when null.
    pub fn get<T: FromDatum>(&self, column: i32) -> Option<T> {
        let mut null = false;
        // SAFETY: the row lives until the statement's result is dropped, and
        // rows are only lent within that time.
        unsafe {
            let value = pg_sys::SPI_getbinval(self.tuple, self.descriptor, column, &mut null);
            T::from_datum(value, null)
        }
    }

    /// Column that the catalog declares NOT NULL.
    pub fn need<T: FromDatum>(&self, column: i32) -> T {
        self.get(column)
            .or_corrupt("a column of the catalog is null")
    }

    /// The raw value, valid as long as the row is lent.
    pub fn datum(&self, column: i32) -> Option<pg_sys::Datum> {
        let mut null = false;
        // SAFETY: as above.
        let value =
            unsafe { pg_sys::SPI_getbinval(self.tuple, self.descriptor, column, &mut null) };
        (!null).then_some(value)
    }
}

thread_local! {
    static ONE_SNAPSHOT: Cell<bool> = const { Cell::new(false) };
}

/// Lets all statements in `read`, which only read, see what the calling query
/// sees. Else each would see what was committed meanwhile, and parts of the
/// ledger would not match.
pub fn under_one_snapshot<R>(read: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            ONE_SNAPSHOT.set(self.0);
        }
    }
    let _restore = Restore(ONE_SNAPSHOT.replace(true));
    read()
}

/// [`under_one_snapshot`], of what is committed now. The outbox is locked
/// before: the worker could else truncate it while an older snapshot still
/// needs it.
pub fn at_this_moment<R>(read: impl FnOnce() -> R) -> R {
    let _outbox = OUTBOX.map(|name| Relation::open(name, pg_sys::AccessShareLock));
    // SAFETY: popped below, or by PostgreSQL when an error ends the
    // (sub)transaction.
    unsafe { pg_sys::PushActiveSnapshot(pg_sys::GetLatestSnapshot()) }
    let result = under_one_snapshot(read);
    // SAFETY: the snapshot pushed above.
    unsafe { pg_sys::PopActiveSnapshot() }
    result
}

/// Runs a statement and lends each row of its result.
pub fn query<R>(sql: &str, args: &[DatumWithOid], mut each: impl FnMut(&Row) -> R) -> Vec<R> {
    execute(sql, args, |rows| rows.iter().map(&mut each).collect())
}

/// Runs a statement and lends the first row of its result.
pub fn one<R>(sql: &str, args: &[DatumWithOid], each: impl FnOnce(&Row) -> R) -> Option<R> {
    execute(sql, args, |rows| rows.first().map(each))
}

/// Runs a statement. Returns the number of rows it touched.
pub fn run(sql: &str, args: &[DatumWithOid]) -> u64 {
    // SAFETY: set by the execution just before.
    execute(sql, args, |_| unsafe { pg_sys::SPI_processed })
}

/// The extension's tables are its own business: its statements run with the
/// rights of the installation, whoever writes to a tracked table. Ended by
/// drop, or by PostgreSQL when an error ends the (sub)transaction.
pub(super) struct AsOwner {
    user: pg_sys::Oid,
    context: i32,
}

impl AsOwner {
    pub(super) fn begin() -> AsOwner {
        let mut before = AsOwner {
            user: pg_sys::InvalidOid,
            context: 0,
        };
        // SAFETY: reads and sets this process's current user, as the function
        // manager does for SECURITY DEFINER.
        unsafe {
            pg_sys::GetUserIdAndSecContext(&mut before.user, &mut before.context);
            pg_sys::SetUserIdAndSecContext(
                pg_sys::Oid::from(pg_sys::BOOTSTRAP_SUPERUSERID),
                before.context | pg_sys::SECURITY_LOCAL_USERID_CHANGE as i32,
            );
        }
        before
    }
}

impl Drop for AsOwner {
    fn drop(&mut self) {
        // SAFETY: puts back what `begin` found.
        unsafe { pg_sys::SetUserIdAndSecContext(self.user, self.context) }
    }
}

fn execute<R>(sql: &str, args: &[DatumWithOid], finish: impl FnOnce(&[Row]) -> R) -> R {
    let _owner = AsOwner::begin();
    Spi::connect_mut(|_| {
        let plan = plan(sql, args);
        let (mut values, nulls) = arguments(args);
        // SAFETY: values and nulls have one entry for each parameter of the
        // plan, which was made for these argument types.
        let rows = unsafe {
            let status = pg_sys::SPI_execute_plan(
                plan,
                values.as_mut_ptr(),
                nulls.as_ptr(),
                ONE_SNAPSHOT.get(),
                0,
            );
            if status < 0 {
                corrupt(format_args!("SQL failed with SPI status {status}: {sql}"));
            }
            rows()
        };
        finish(&rows)
    })
}

/// Parameters as SPI takes them: values, and which of them are null.
pub(super) fn arguments(args: &[DatumWithOid]) -> (Vec<pg_sys::Datum>, Vec<c_char>) {
    let value = |arg: &DatumWithOid| {
        arg.datum()
            .map_or(pg_sys::Datum::null(), |d| d.sans_lifetime())
    };
    let null = |arg: &DatumWithOid| if arg.datum().is_some() { b' ' } else { b'n' } as c_char;
    (
        args.iter().map(value).collect(),
        args.iter().map(null).collect(),
    )
}

/// The rows of the statement that SPI has just run, valid until its next one.
///
/// # Safety
/// SPI must be connected.
pub(super) unsafe fn rows() -> Vec<Row> {
    // SAFETY: the table of results, if there is one, has numvals rows.
    unsafe {
        let table = pg_sys::SPI_tuptable;
        if table.is_null() {
            return Vec::new();
        }
        let count = usize::try_from((*table).numvals).unwrap_or_default();
        (0..count)
            .map(|at| Row {
                tuple: *(*table).vals.add(at),
                descriptor: (*table).tupdesc,
            })
            .collect()
    }
}

/// A raw value as a parameter.
///
/// # Safety
/// The value must stay valid for `'a`.
pub unsafe fn lend<'a>(value: pg_sys::Datum) -> Datum<'a> {
    // SAFETY: the two types have one layout; the lifetime is the caller's word.
    unsafe { std::mem::transmute(value) }
}

pub(super) fn plan(sql: &str, args: &[DatumWithOid]) -> pg_sys::SPIPlanPtr {
    let is_for = |(types, _): &&Kept| types.iter().copied().eq(args.iter().map(DatumWithOid::oid));
    let kept = |plans: &Plans| Some(plans.get(sql)?.iter().find(is_for)?.1);
    if let Some(plan) = PLANS.with_borrow(kept) {
        return plan;
    }
    let text = CString::new(sql).or_corrupt("SQL with a zero byte");
    let mut types: Vec<_> = args.iter().map(DatumWithOid::oid).collect();
    // SAFETY: SPI is connected; the kept plan outlives the connection.
    let plan = unsafe {
        let plan = pg_sys::SPI_prepare(text.as_ptr(), types.len() as i32, types.as_mut_ptr());
        if plan.is_null() || pg_sys::SPI_keepplan(plan) != 0 {
            corrupt(format_args!("SQL cannot be planned: {sql}"));
        }
        plan
    };
    PLANS.with_borrow_mut(|plans| {
        if plans.values().map(Vec::len).sum::<usize>() >= MAX_PLANS {
            for (_, plan) in plans.drain().flat_map(|(_, kept)| kept) {
                // SAFETY: kept above, not running: statements here do not nest
                // through this table of plans while it is full.
                unsafe { pg_sys::SPI_freeplan(plan) };
            }
        }
        plans.entry(sql.to_owned()).or_default().push((types, plan));
    });
    plan
}
