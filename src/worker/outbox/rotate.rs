//! Two tables take turns: one is written to while the other is emptied.

use super::rows::scan_one;
use crate::catalog::{self, Relation, Snapshot};
use crate::instance::slot;
use crate::track::outbox::TABLES;
use pgrx::pg_sys;
use std::sync::atomic::Ordering;

/// Pages of an outbox table above which writers are sent to the other one.
const ROTATE_PAGES: u32 = 128;

/// Sends writers to the other table when theirs has grown, and truncates the
/// table they left once nothing is in it.
pub fn rotate(pages: &[u32; 2], more: bool) {
    let mine = slot::mine();
    let active = mine.outbox.load(Ordering::Acquire) as usize % 2;
    let idle = 1 - active;
    if pages[idle] > 0 {
        if !more {
            truncate_if_empty(idle);
        }
    } else if pages[active] > ROTATE_PAGES {
        mine.outbox.store(idle as u32, Ordering::Release);
    }
}

fn truncate_if_empty(at: usize) {
    let oid = catalog::relation_oid(TABLES[at]);
    // SAFETY: the lock, if it is had, keeps writers out until commit; it is
    // not waited for, so that no writer is ever stopped by a long transaction.
    let locked = unsafe {
        pg_sys::ConditionalLockRelationOid(oid, pg_sys::AccessExclusiveLock as pg_sys::LOCKMODE)
    };
    if !locked {
        return;
    }
    let table = Relation::open(TABLES[at], pg_sys::RowExclusiveLock);
    let mut left = 0;
    scan_one(at, &table, &Snapshot::latest(), false, &mut |_| left += 1);
    drop(table);
    if left == 0 {
        catalog::run(
            if at == 0 {
                "TRUNCATE crdt.outbox_0"
            } else {
                "TRUNCATE crdt.outbox_1"
            },
            &[],
        );
    } else {
        // Rows that committed meanwhile are taken next time.
        // SAFETY: releases the lock taken above.
        unsafe {
            pg_sys::UnlockRelationOid(oid, pg_sys::AccessExclusiveLock as pg_sys::LOCKMODE);
        }
    }
}
