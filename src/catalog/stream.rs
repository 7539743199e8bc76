//! Results too large for memory, taken in portions.

use super::sql::{AsOwner, Row, arguments, plan, rows};
use pgrx::datum::DatumWithOid;
use pgrx::{Spi, pg_sys};

/// Runs a query as of the calling statement's snapshot and lends its rows, `portion` at a time;
/// PostgreSQL spills what it sorts. Between portions it can be cancelled.
pub fn stream(sql: &str, args: &[DatumWithOid], portion: u32, mut each: impl FnMut(&[Row])) {
    let _owner = AsOwner::begin();
    Spi::connect(|_| {
        let plan = plan(sql, args);
        let (mut values, nulls) = arguments(args);
        // SAFETY: values and nulls have one entry for each parameter of the plan; the portal
        // lives until it is closed below, or until an error ends the transaction.
        unsafe {
            let portal = pg_sys::SPI_cursor_open(
                std::ptr::null(),
                plan,
                values.as_mut_ptr(),
                nulls.as_ptr(),
                true,
            );
            loop {
                pgrx::check_for_interrupts!();
                pg_sys::SPI_cursor_fetch(portal, true, portion.into());
                let rows = rows();
                if rows.is_empty() {
                    break;
                }
                each(&rows);
                pg_sys::SPI_freetuptable(pg_sys::SPI_tuptable);
            }
            pg_sys::SPI_cursor_close(portal);
        }
    });
}
