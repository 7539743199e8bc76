//! How far the running verifications of this server are, in shared memory: a
//! slot for each, for the view `crdt_verify_progress`.

use pgrx::{PGRXSharedMemory, PgAtomic, pg_guard, pg_shmem_init, pg_sys};
use std::cell::Cell;
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU32, AtomicU64, Ordering};

/// Verifications that are told at once; further ones run untold.
const SLOTS: usize = 64;

/// What a verification is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Phase {
    /// Looking through the tables for rows that were written since.
    Surveying,
    /// Hashing blocks, in several processes.
    Blocks,
    /// Joining what the processes found, feeding again what does not fit.
    Joining,
    /// Hashing what is in no block yet.
    Tail,
    /// Holding the catalog against the ledger.
    Catalog,
}

impl Phase {
    const ALL: [Phase; 5] = [
        Phase::Surveying,
        Phase::Blocks,
        Phase::Joining,
        Phase::Tail,
        Phase::Catalog,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Phase::Surveying => "looking for rows written since",
            Phase::Blocks => "verifying blocks",
            Phase::Joining => "joining",
            Phase::Tail => "verifying what is in no block",
            Phase::Catalog => "checking the catalog",
        }
    }
}

#[derive(Default)]
struct Slot {
    /// The process that verifies; 0: the slot is free.
    pid: AtomicI32,
    database: AtomicU32,
    phase: AtomicU32,
    blocks_total: AtomicU64,
    blocks_done: AtomicU64,
    ops_total: AtomicU64,
    ops_done: AtomicU64,
    workers: AtomicU32,
    /// PostgreSQL's microseconds.
    started: AtomicI64,
}

struct Slots([Slot; SLOTS]);

impl Default for Slots {
    fn default() -> Self {
        Slots(std::array::from_fn(|_| Slot::default()))
    }
}

// SAFETY: all fields are atomics without pointers into process memory.
unsafe impl PGRXSharedMemory for Slots {}

// SAFETY: the name is used once in this library.
static SHARED: PgAtomic<Slots> = unsafe { PgAtomic::new(c"blockchain_crdt verifications") };

/// Requests the shared memory, from `_PG_init`.
pub fn request_memory() {
    pg_shmem_init!(SHARED);
}

fn slots() -> &'static [Slot] {
    match crate::preloaded() {
        true => &SHARED.get().0,
        false => &[],
    }
}

/// Where a verification tells how far it is. Freed by the process that claimed
/// it when it is dropped, and when that process ends.
pub struct Progress {
    at: Option<usize>,
    /// It was claimed by another process, which frees it.
    lent: bool,
}

thread_local! {
    static WATCHING: Cell<bool> = const { Cell::new(false) };
}

impl Progress {
    /// Claims a slot, if one is free.
    pub fn begin() -> Progress {
        free_at_exit();
        let pid = my_pid();
        let at = slots().iter().position(|slot| {
            slot.pid
                .compare_exchange(0, pid, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
        });
        let progress = Progress { at, lent: false };
        if let Some(slot) = progress.slot() {
            // SAFETY: set when the process connected; a read of its state.
            let (database, started) =
                unsafe { (pg_sys::MyDatabaseId.to_u32(), pg_sys::GetCurrentTimestamp()) };
            for number in [
                &slot.blocks_total,
                &slot.blocks_done,
                &slot.ops_total,
                &slot.ops_done,
            ] {
                number.store(0, Ordering::Relaxed);
            }
            slot.workers.store(0, Ordering::Relaxed);
            slot.phase.store(0, Ordering::Relaxed);
            slot.started.store(started, Ordering::Relaxed);
            slot.database.store(database, Ordering::Release);
        }
        progress
    }

    /// Tells nobody.
    pub fn untold() -> Progress {
        Progress {
            at: None,
            lent: true,
        }
    }

    /// The slot in a form that can be given to another process.
    pub fn number(&self) -> u64 {
        self.at.map_or(u64::MAX, |at| at as u64)
    }

    /// The slot of another process, by its [`Self::number`].
    pub fn of(number: u64) -> Progress {
        let at = usize::try_from(number).ok();
        Progress {
            at: at.filter(|at| *at < slots().len()),
            lent: true,
        }
    }

    fn slot(&self) -> Option<&'static Slot> {
        slots().get(self.at?)
    }

    /// Says what is being done.
    pub fn phase(&self, phase: Phase) {
        if let Some(slot) = self.slot() {
            slot.phase.store(phase as u32, Ordering::Relaxed);
        }
    }

    /// Says how much there is to do.
    pub fn total(&self, blocks: u64, ops: u64) {
        if let Some(slot) = self.slot() {
            slot.blocks_total.store(blocks, Ordering::Relaxed);
            slot.ops_total.store(ops, Ordering::Relaxed);
        }
    }

    /// Blocks that were verified.
    pub fn blocks_done(&self, count: u64) {
        if let Some(slot) = self.slot() {
            slot.blocks_done.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Ops that were verified.
    pub fn ops_done(&self, count: u64) {
        if let Some(slot) = self.slot() {
            slot.ops_done.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Processes that help.
    pub fn workers(&self, count: u32) {
        if let Some(slot) = self.slot() {
            slot.workers.store(count, Ordering::Relaxed);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if !self.lent
            && let Some(slot) = self.slot()
        {
            slot.pid.store(0, Ordering::Release);
        }
    }
}

fn my_pid() -> i32 {
    // SAFETY: set at process start.
    unsafe { pg_sys::MyProcPid }
}

/// A process that is told to end does not come back to drop what it holds.
fn free_at_exit() {
    if !WATCHING.replace(true) {
        // SAFETY: the callback lives as long as the library, and never raises.
        unsafe { pg_sys::before_shmem_exit(Some(free_mine), pg_sys::Datum::null()) }
    }
}

#[pg_guard]
extern "C-unwind" fn free_mine(_code: i32, _argument: pg_sys::Datum) {
    let pid = my_pid();
    for slot in slots() {
        let _not_mine = slot
            .pid
            .compare_exchange(pid, 0, Ordering::AcqRel, Ordering::Acquire);
    }
}

/// One verification that runs.
pub struct Told {
    pub pid: i32,
    pub database: u32,
    pub phase: &'static str,
    pub blocks_total: u64,
    pub blocks_done: u64,
    pub ops_total: u64,
    pub ops_done: u64,
    pub workers: u32,
    /// PostgreSQL's microseconds.
    pub started: i64,
}

/// The verifications that run.
pub fn told() -> Vec<Told> {
    let running = |slot: &Slot| {
        let pid = slot.pid.load(Ordering::Acquire);
        let database = slot.database.load(Ordering::Acquire);
        let phase = slot.phase.load(Ordering::Relaxed) as usize;
        (pid != 0).then(|| Told {
            pid,
            database,
            phase: Phase::ALL.get(phase).map_or("", |phase| phase.as_str()),
            blocks_total: slot.blocks_total.load(Ordering::Relaxed),
            blocks_done: slot.blocks_done.load(Ordering::Relaxed),
            ops_total: slot.ops_total.load(Ordering::Relaxed),
            ops_done: slot.ops_done.load(Ordering::Relaxed),
            workers: slot.workers.load(Ordering::Relaxed),
            started: slot.started.load(Ordering::Relaxed),
        })
    };
    slots().iter().filter_map(running).collect()
}
