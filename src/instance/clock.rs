//! The instance's hybrid logical clock (Kulkarni et al. 2014): 48 bits of
//! Unix milliseconds, 16 bits of a logical counter, in one atomic word.
//!
//! A tick is also the counter of a dot, so none may ever be given out twice,
//! not even when the wall clock is set back between a crash and the restart.
//! Therefore ticks are given out only below a bound that is on disk; a restart
//! begins at that bound.

use super::slot::shared;
use crdt::Hlc;
use std::fs::OpenOptions;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

/// How far ahead of the clock the bound on disk is set, in milliseconds. A
/// restart quicker than this after a crash starts that much in the future.
const RESERVE_MS: u64 = 2_000;

/// Unix time in milliseconds.
pub fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX >> 16) & (u64::MAX >> 16)
}

/// A fresh tick: greater than all that this instance gave out or observed.
pub fn tick() -> Hlc {
    let shared = shared();
    loop {
        let now = now_ms();
        let mut last = shared.clock.load(Ordering::Acquire);
        let tick = loop {
            let next = Hlc::next(Hlc(last), now);
            match shared.clock.compare_exchange_weak(
                last,
                next.0,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => break next,
                Err(seen) => last = seen,
            }
        };
        // Most often the node worker has renewed the reservation long before.
        if tick.0 < shared.clock_reserved.load(Ordering::Acquire) {
            return tick;
        }
        reserve();
    }
}

/// Moves the clock past a tick seen from a peer.
pub fn observe(seen: Hlc) {
    shared().clock.fetch_max(seen.0, Ordering::AcqRel);
}

/// Renews the bound on disk when half of the reservation is used up. Called by
/// the node workers now and then, so that writers need not.
pub fn keep_reserved() {
    let shared = shared();
    let now = Hlc::next(Hlc(shared.clock.load(Ordering::Acquire)), now_ms());
    let bound = Hlc(shared.clock_reserved.load(Ordering::Acquire));
    if now.millis() + RESERVE_MS / 2 >= bound.millis() {
        reserve();
    }
}

/// Puts a bound `RESERVE_MS` ahead of the clock on disk, then in memory.
fn reserve() {
    if let Err(error) = try_reserve() {
        crate::error::raise(
            pgrx::PgSqlErrorCode::ERRCODE_IO_ERROR,
            format!(
                "cannot save the clock's bound to {}: {error}",
                path().display()
            ),
            "Writes to tracked tables need it, so that no event id is ever used twice.",
        );
    }
}

fn path() -> PathBuf {
    super::identity::directory().join("clock")
}

/// The bound is eight bytes, changed in place under a file lock, so that a
/// slow process cannot put an older bound over a newer one.
fn try_reserve() -> std::io::Result<()> {
    let shared = shared();
    std::fs::create_dir_all(super::identity::directory())?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path())?;
    file.lock()?;
    let mut stored = [0u8; 8];
    let on_disk = match file.read_exact_at(&mut stored, 0) {
        Ok(()) => u64::from_be_bytes(stored),
        Err(_) => 0,
    };
    if shared.clock_reserved.load(Ordering::Acquire) == 0 {
        // First use since the start: nothing below the old bound again.
        shared.clock.fetch_max(on_disk, Ordering::AcqRel);
    }
    let from = Hlc(shared.clock.load(Ordering::Acquire))
        .millis()
        .max(now_ms());
    let bound = Hlc::from_parts(from + RESERVE_MS, 0).0.max(on_disk);
    file.write_all_at(&bound.to_be_bytes(), 0)?;
    file.sync_all()?;
    shared.clock_reserved.fetch_max(bound, Ordering::AcqRel);
    Ok(())
}
