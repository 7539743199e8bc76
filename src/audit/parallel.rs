//! Runs of blocks shared out to parallel workers, by the means that PostgreSQL
//! has for its own parallel queries: all see one snapshot, an error of any ends
//! the query, cancelling it ends them all. The leader takes part, and does all
//! where no worker can be had.

use super::verify::{Piece, Stored};
use crate::catalog::under_one_snapshot;
use crate::instance::progress::Progress;
use ledger::Run;
use pgrx::{check_for_interrupts, pg_guard, pg_sys};
use std::cell::UnsafeCell;
use std::mem::size_of;
use std::slice;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The one key in the table of contents of the shared segment.
const KEY: u64 = 0xc4d7_0000_0000_0001;

/// What leader and workers share: this, and behind it a [`Slot`] for each run.
#[repr(C)]
struct Task {
    /// The next run that nobody has taken.
    next: AtomicU32,
    count: AtomicU32,
    /// Where to tell how far it is.
    progress: AtomicU64,
}

#[repr(C)]
struct Slot {
    after: u64,
    to: u64,
    /// Bytes of the result, 0: none. Written by the one process that took the
    /// run, read by the leader when all have ended.
    length: AtomicU32,
    result: UnsafeCell<[u8; Run::MAX_BYTES]>,
}

/// How many workers a verification may have.
pub fn max_workers() -> u32 {
    // SAFETY: settings and state of this process.
    unsafe {
        match pg_sys::IsInParallelMode() || pg_sys::ParallelWorkerNumber >= 0 {
            true => 0,
            false => u32::try_from(pg_sys::max_parallel_maintenance_workers).unwrap_or(0),
        }
    }
}

/// Verifies each run on its own; none where one pass must look at it.
pub fn run_all(stored: &Stored, runs: &[Piece], progress: &Progress) -> Vec<Option<Run>> {
    let workers = max_workers().min(runs.len().saturating_sub(1) as u32);
    if workers == 0 {
        return runs.iter().map(|piece| stored.run(piece)).collect();
    }
    // SAFETY: the protocol of access/parallel.h. An error on the way is cleaned
    // up by the end of the (sub)transaction, which ends the workers too.
    unsafe {
        pg_sys::EnterParallelMode();
        let context = pg_sys::CreateParallelContext(
            c"blockchain_crdt".as_ptr(),
            c"crdt_verify_worker".as_ptr(),
            workers as i32,
        );
        let size = size_of::<Task>() + runs.len() * size_of::<Slot>();
        (*context).estimator.space_for_chunks += size.next_multiple_of(64);
        (*context).estimator.number_of_keys += 1;
        pg_sys::InitializeParallelDSM(context);
        let memory = pg_sys::shm_toc_allocate((*context).toc, size);
        let shared = Shared::write(memory.cast(), runs, progress);
        pg_sys::shm_toc_insert((*context).toc, KEY, memory);
        pg_sys::LaunchParallelWorkers(context);
        progress.workers((*context).nworkers_launched.unsigned_abs());
        shared.work(stored);
        pg_sys::WaitForParallelWorkersToFinish(context);
        let results = shared.results();
        pg_sys::DestroyParallelContext(context);
        pg_sys::ExitParallelMode();
        progress.workers(0);
        results
    }
}

/// The shared segment as one process sees it.
struct Shared<'a> {
    task: &'a Task,
    slots: &'a [Slot],
}

impl Shared<'_> {
    /// # Safety
    /// `memory` must have room for the task and a slot for each run.
    unsafe fn write<'a>(memory: *mut Task, runs: &[Piece], progress: &Progress) -> Shared<'a> {
        // SAFETY: by the contract; nobody else sees the memory yet.
        unsafe {
            memory.write(Task {
                next: AtomicU32::new(0),
                count: AtomicU32::new(runs.len() as u32),
                progress: AtomicU64::new(progress.number()),
            });
            let slots = memory.add(1).cast::<Slot>();
            for (at, piece) in runs.iter().enumerate() {
                slots.add(at).write(Slot {
                    after: piece.after,
                    to: piece.to,
                    length: AtomicU32::new(0),
                    result: UnsafeCell::new([0; Run::MAX_BYTES]),
                });
            }
            Self::read(memory)
        }
    }

    /// # Safety
    /// `memory` must have been written by [`Self::write`] and stay mapped.
    unsafe fn read<'a>(memory: *mut Task) -> Shared<'a> {
        // SAFETY: by the contract.
        unsafe {
            let task = &*memory;
            let count = task.count.load(Ordering::Acquire) as usize;
            Shared {
                task,
                slots: slice::from_raw_parts(memory.add(1).cast(), count),
            }
        }
    }

    /// Takes runs until none is left.
    fn work(&self, stored: &Stored) {
        while let Some(slot) = self
            .slots
            .get(self.task.next.fetch_add(1, Ordering::AcqRel) as usize)
        {
            check_for_interrupts!();
            let piece = Piece {
                after: slot.after,
                to: slot.to,
            };
            let Some(run) = stored.run(&piece) else {
                continue;
            };
            let bytes = run.to_bytes();
            // SAFETY: `next` gave this slot to this process alone, and the
            // leader reads it only when all have ended.
            let result = unsafe { &mut *slot.result.get() };
            if let Some(room) = result.get_mut(..bytes.len()) {
                room.copy_from_slice(&bytes);
                slot.length.store(bytes.len() as u32, Ordering::Release);
            }
        }
    }

    /// What all found, once they have ended.
    fn results(&self) -> Vec<Option<Run>> {
        let read = |slot: &Slot| {
            let length = slot.length.load(Ordering::Acquire) as usize;
            // SAFETY: no process writes any more.
            let result = unsafe { &*slot.result.get() };
            Run::from_bytes(result.get(..length)?).ok()
        };
        self.slots.iter().map(read).collect()
    }
}

/// What a parallel worker runs.
#[pg_guard]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn crdt_verify_worker(
    _segment: *mut pg_sys::dsm_segment,
    contents: *mut pg_sys::shm_toc,
) {
    // SAFETY: PostgreSQL calls this with the leader's segment, which stays
    // mapped until the worker ends.
    let shared = unsafe {
        let memory = pg_sys::shm_toc_lookup(contents, KEY, false);
        Shared::read(memory.cast())
    };
    let progress = Progress::of(shared.task.progress.load(Ordering::Acquire));
    under_one_snapshot(|| {
        if let Some(stored) = Stored::open(progress) {
            shared.work(&stored);
        }
    });
}
