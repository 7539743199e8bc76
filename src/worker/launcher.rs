//! The launcher: one static worker for the instance. It looks which databases
//! there are, and starts a node worker in each; one that finds no extension in
//! its database leaves again, and is started anew when the extension comes.

use super::signals;
use super::transaction;
use crate::instance::slot::{self, Slot};
use pgrx::bgworkers::{BackgroundWorkerBuilder, BgWorkerStartTime, DynamicBackgroundWorker};
use pgrx::prelude::*;
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How often the launcher looks without being woken.
const LOOK_INTERVAL: Duration = Duration::from_secs(10);
/// Pause before a worker that died is started again; doubles up to the limit.
const RESTART_PAUSE: Duration = Duration::from_millis(500);
const RESTART_PAUSE_LIMIT: Duration = Duration::from_secs(30);
/// A worker that lived this long is started again without a longer pause.
const STABLE: Duration = Duration::from_secs(60);

/// Registers the launcher with the postmaster, from `_PG_init`.
pub fn register() {
    BackgroundWorkerBuilder::new("blockchain_crdt launcher")
        .set_function("bcrdt_launcher_main")
        .set_library("blockchain_crdt")
        .set_start_time(BgWorkerStartTime::RecoveryFinished)
        .set_restart_time(Some(Duration::from_secs(1)))
        .enable_spi_access()
        .load();
}

/// What the launcher knows of one database's worker.
struct Child {
    worker: Option<DynamicBackgroundWorker>,
    started: Instant,
    pause: Duration,
    /// Left by itself: there is nothing for it to do.
    idle: bool,
}

/// The launcher's main function.
#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn bcrdt_launcher_main(_argument: pg_sys::Datum) {
    signals::install();
    // SAFETY: connects to the shared catalogs only.
    unsafe { pg_sys::BackgroundWorkerInitializeConnection(std::ptr::null(), std::ptr::null(), 0) }
    let shared = slot::shared();
    // SAFETY: this process's latch.
    let latch = unsafe { pg_sys::MyLatch } as usize;
    shared.launcher_latch.store(latch, Ordering::Release);
    let mut children: HashMap<u32, Child> = HashMap::new();
    loop {
        signals::reload_if_asked();
        match transaction::run(databases) {
            Ok(databases) => look_after(&mut children, &databases),
            Err(reason) => log!("blockchain_crdt launcher cannot list databases: {reason}"),
        }
        let soon = children
            .values()
            .any(|child| !child.idle && child.worker.is_none());
        signals::wait(None, true, if soon { RESTART_PAUSE } else { LOOK_INTERVAL });
    }
}

/// Databases that accept connections.
fn databases() -> Vec<u32> {
    // SAFETY: a scan of the shared catalog, ended before return.
    unsafe {
        let relation = pg_sys::table_open(
            pg_sys::DatabaseRelationId,
            pg_sys::AccessShareLock as pg_sys::LOCKMODE,
        );
        let scan = pg_sys::systable_beginscan(
            relation,
            pg_sys::InvalidOid,
            false,
            std::ptr::null_mut(),
            0,
            std::ptr::null_mut(),
        );
        let mut found = Vec::new();
        loop {
            let tuple = pg_sys::systable_getnext(scan);
            if tuple.is_null() {
                break;
            }
            let database = pg_sys::heap_tuple_get_struct::<pg_sys::FormData_pg_database>(tuple);
            if (*database).datallowconn {
                found.push((*database).oid.to_u32());
            }
        }
        pg_sys::systable_endscan(scan);
        pg_sys::table_close(relation, pg_sys::AccessShareLock as pg_sys::LOCKMODE);
        found
    }
}

fn look_after(children: &mut HashMap<u32, Child>, databases: &[u32]) {
    children.retain(|database, _| {
        let exists = databases.contains(database);
        if !exists && let Some(at) = slot::index_of(*database) {
            slot::shared().slots[at].free();
        }
        exists
    });
    for &database in databases {
        let child = children.entry(database).or_insert_with(|| Child {
            worker: None,
            started: Instant::now(),
            pause: Duration::ZERO,
            idle: false,
        });
        let slot = slot::index_of(database).map(|at| &slot::shared().slots[at]);
        child.look(database, slot);
    }
}

impl Child {
    fn look(&mut self, database: u32, slot: Option<&'static Slot>) {
        if slot.is_some_and(|slot| slot.leaving.load(Ordering::Acquire) != 0) {
            return;
        }
        let wanted = slot.is_some_and(|slot| slot.wanted.swap(0, Ordering::AcqRel) != 0);
        if let Some(worker) = &self.worker {
            if !has_stopped(worker) {
                return;
            }
            self.worker = None;
            // A worker that has nothing to do gives its slot back before it
            // leaves; one that died did not.
            self.idle = slot.is_none_or(|slot| slot.worker_pid.load(Ordering::Acquire) == 0);
            self.pause = if self.started.elapsed() >= STABLE {
                RESTART_PAUSE
            } else {
                (self.pause * 2).clamp(RESTART_PAUSE, RESTART_PAUSE_LIMIT)
            };
        }
        if wanted {
            (self.idle, self.pause) = (false, Duration::ZERO);
        }
        if self.idle || self.started.elapsed() < self.pause {
            return;
        }
        self.started = Instant::now();
        self.worker = start(database);
    }
}

fn has_stopped(worker: &DynamicBackgroundWorker) -> bool {
    use pgrx::bgworkers::BackgroundWorkerStatus as Status;
    matches!(worker.pid(), Err(Status::Stopped | Status::PostmasterDied))
}

fn start(database: u32) -> Option<DynamicBackgroundWorker> {
    // SAFETY: this process's pid, so that the postmaster tells it of the end.
    let pid = unsafe { pg_sys::MyProcPid };
    BackgroundWorkerBuilder::new(&format!("blockchain_crdt node of database {database}"))
        .set_type("blockchain_crdt node")
        .set_function("bcrdt_node_main")
        .set_library("blockchain_crdt")
        .set_argument(i32::try_from(database).ok().map(pg_sys::Datum::from))
        .set_restart_time(None)
        .set_notify_pid(pid)
        .enable_spi_access()
        .load_dynamic()
        .inspect_err(|_| log!("no background worker slot is free for database {database}: raise max_worker_processes"))
        .ok()
}
