//! A result that is fetched piece by piece, so that its size does not matter.

use super::sql::{AsOwner, Row, arguments, plan, rows};
use crate::error::OrCorrupt;
use pgrx::datum::DatumWithOid;
use pgrx::{Spi, check_for_interrupts, pg_sys};
use std::collections::VecDeque;

/// Rows fetched at once.
const BATCH: std::ffi::c_long = 64;

/// The rows of a statement that only reads, as they are asked for. It sees what
/// the active snapshot shows.
pub struct Cursor<T, F: FnMut(&Row) -> T> {
    portal: pg_sys::Portal,
    each: F,
    held: VecDeque<T>,
    ended: bool,
}

impl<T, F: FnMut(&Row) -> T> Cursor<T, F> {
    /// Opens a statement; `each` takes from a row what is needed of it.
    pub fn open(sql: &str, args: &[DatumWithOid], each: F) -> Self {
        let _owner = AsOwner::begin();
        let portal = Spi::connect(|_| {
            let plan = plan(sql, args);
            let (mut values, nulls) = arguments(args);
            // SAFETY: one entry for each parameter of the plan. The portal
            // outlives this connection; its parameters are copied.
            unsafe {
                pg_sys::SPI_cursor_open(
                    std::ptr::null(),
                    plan,
                    values.as_mut_ptr(),
                    nulls.as_ptr(),
                    true,
                )
            }
        });
        (!portal.is_null()).then_some(()).or_corrupt("a cursor");
        Self {
            portal,
            each,
            held: VecDeque::new(),
            ended: false,
        }
    }

    fn fetch(&mut self) {
        check_for_interrupts!();
        let _owner = AsOwner::begin();
        Spi::connect(|_| {
            // SAFETY: the portal is open until this is dropped.
            let found = unsafe {
                pg_sys::SPI_cursor_fetch(self.portal, true, BATCH);
                rows()
            };
            self.ended = found.is_empty();
            self.held.extend(found.iter().map(&mut self.each));
        });
    }
}

impl<T, F: FnMut(&Row) -> T> Iterator for Cursor<T, F> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if self.held.is_empty() && !self.ended {
            self.fetch();
        }
        self.held.pop_front()
    }
}

impl<T, F: FnMut(&Row) -> T> Drop for Cursor<T, F> {
    fn drop(&mut self) {
        // After an error PostgreSQL closes the transaction's portals itself.
        if !std::thread::panicking() {
            // SAFETY: opened above, closed once.
            unsafe { pg_sys::SPI_cursor_close(self.portal) }
        }
    }
}
