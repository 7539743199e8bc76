//! Shared memory: the clock's words and one slot per database.
//!
//! Everything here is an atomic, so the write path takes no lock. A slot is
//! claimed by the first process of a database that needs it and stays with
//! that database until it is dropped.

use pgrx::{PGRXSharedMemory, PgAtomic, pg_guard, pg_shmem_init, pg_sys};
use std::cell::Cell;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// Databases of one server instance that may hold a node.
pub const MAX_DATABASES: usize = 64;

/// What the processes of one database share.
#[derive(Default)]
pub struct Slot {
    /// OID of the database; 0 when the slot is free.
    pub database: AtomicU32,
    /// Process id of the node worker; 0 when none runs.
    pub worker_pid: AtomicI32,
    /// Address of the node worker's latch; 0 when none runs. Latches live in
    /// the main shared memory segment, at one address in all processes.
    pub worker_latch: AtomicUsize,
    /// Which of the two outbox tables writers use now (0 or 1): a hint, the
    /// worker reads both.
    pub outbox: AtomicU32,
    /// 1 while a `DROP DATABASE` waits for the worker to leave.
    pub leaving: AtomicU32,
    /// 1 when a committed transaction changed members or invitations.
    pub members_changed: AtomicU32,
    /// 1 when a committed transaction made the launcher's look worthwhile.
    pub wanted: AtomicU32,
    /// Replica id of the node, as two big-endian halves; zeros: not loaded yet.
    pub replica: [AtomicU64; 2],
}

/// The instance's shared memory.
pub struct Shared {
    /// Last hybrid logical clock tick given out.
    pub clock: AtomicU64,
    /// Ticks below this bound may be given out: it is on disk.
    pub clock_reserved: AtomicU64,
    /// Address of the launcher's latch; 0 when it is not running.
    pub launcher_latch: AtomicUsize,
    /// The databases.
    pub slots: [Slot; MAX_DATABASES],
}

impl Default for Shared {
    fn default() -> Self {
        Shared {
            clock: AtomicU64::new(0),
            clock_reserved: AtomicU64::new(0),
            launcher_latch: AtomicUsize::new(0),
            slots: std::array::from_fn(|_| Slot::default()),
        }
    }
}

// SAFETY: all fields are atomics without pointers into process memory.
unsafe impl PGRXSharedMemory for Shared {}

// SAFETY: the name is used once in this library.
static SHARED: PgAtomic<Shared> = unsafe { PgAtomic::new(c"blockchain_crdt shared state") };

/// Requests the shared memory. Call from `_PG_init` while
/// `shared_preload_libraries` are loaded.
pub fn request() {
    pg_shmem_init!(SHARED);
}

/// The instance's shared memory; `None` when the library was not preloaded.
pub fn try_shared() -> Option<&'static Shared> {
    crate::preloaded().then(|| SHARED.get())
}

/// The instance's shared memory. Raises an error that says what to set when
/// the library was not preloaded.
pub fn shared() -> &'static Shared {
    crate::require_preload();
    SHARED.get()
}

thread_local! {
    static MINE: Cell<Option<usize>> = const { Cell::new(None) };
}

/// The slot of the database this process is connected to, claimed if need be.
pub fn mine() -> &'static Slot {
    let shared = shared();
    // SAFETY: MyDatabaseId is set once when the backend connects.
    let database = unsafe { pg_sys::MyDatabaseId }.to_u32();
    if let Some(at) = MINE.get()
        && shared.slots[at].database.load(Ordering::Acquire) == database
    {
        return &shared.slots[at];
    }
    match claim(database) {
        Some(at) => {
            MINE.set(Some(at));
            &shared.slots[at]
        }
        None => crate::error::raise(
            pgrx::PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
            format!("blockchain_crdt serves at most {MAX_DATABASES} databases of one server"),
            "Drop the extension from a database that does not need it.",
        ),
    }
}

/// Index of the slot of `database`, claiming a free one if it has none.
fn claim(database: u32) -> Option<usize> {
    let slots = &shared().slots;
    loop {
        if let Some(at) = index_of(database) {
            return Some(at);
        }
        let free = slots
            .iter()
            .position(|s| s.database.load(Ordering::Acquire) == 0)?;
        let claimed =
            slots[free]
                .database
                .compare_exchange(0, database, Ordering::AcqRel, Ordering::Acquire);
        // Two processes of one database may claim two slots at once: the
        // lower one is kept, both agree on it because both look again.
        if claimed.is_ok()
            && let Some(at) = index_of(database)
            && at != free
        {
            slots[free].database.store(0, Ordering::Release);
        }
    }
}

/// Index of the slot that `database` holds now.
pub fn index_of(database: u32) -> Option<usize> {
    shared()
        .slots
        .iter()
        .position(|s| s.database.load(Ordering::Acquire) == database)
}

/// Index of this database's slot, for tables that run beside the slots.
pub fn my_index() -> usize {
    let database = mine().database.load(Ordering::Acquire);
    index_of(database).unwrap_or_default()
}

impl Slot {
    /// Wakes the node worker, if one runs. Never raises: it is called after
    /// commit, where an error would take the server down.
    pub fn wake_worker(&self) {
        set_latch(self.worker_latch.load(Ordering::Acquire));
    }

    /// Frees the slot of a dropped database.
    pub fn free(&self) {
        self.worker_pid.store(0, Ordering::Release);
        self.worker_latch.store(0, Ordering::Release);
        self.outbox.store(0, Ordering::Release);
        self.leaving.store(0, Ordering::Release);
        self.wanted.store(0, Ordering::Release);
        self.members_changed.store(0, Ordering::Release);
        self.replica
            .iter()
            .for_each(|half| half.store(0, Ordering::Release));
        self.database.store(0, Ordering::Release);
    }
}

/// Wakes the launcher, if it runs.
pub fn wake_launcher() {
    if let Some(shared) = try_shared() {
        set_latch(shared.launcher_latch.load(Ordering::Acquire));
    }
}

fn set_latch(address: usize) {
    if address != 0 {
        // SAFETY: the address is that of a process latch in PGPROC, which
        // stays mapped for the life of the instance; setting the latch of a
        // process that is gone, or of its successor, is harmless.
        unsafe { pg_sys::SetLatch(address as *mut pg_sys::Latch) }
    }
}
