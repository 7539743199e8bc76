//! Signals and waiting, as PostgreSQL's own workers do it.

use pgrx::pg_sys;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

unsafe extern "C-unwind" {
    /// PostgreSQL's handler that ends a process at its next interrupt check.
    fn die(signal: std::ffi::c_int);
    /// PostgreSQL's handler that notes SIGHUP.
    fn SignalHandlerForConfigReload(signal: std::ffi::c_int);
}

/// Takes over the signals of a background worker: SIGTERM ends it at the next
/// interrupt check, SIGHUP asks for a reload.
pub fn install() {
    // SAFETY: handlers of PostgreSQL itself; called before they are unblocked.
    unsafe {
        pg_sys::pqsignal(pg_sys::SIGTERM as i32, Some(die));
        pg_sys::pqsignal(pg_sys::SIGHUP as i32, Some(SignalHandlerForConfigReload));
        pg_sys::BackgroundWorkerUnblockSignals();
    }
}

/// Reloads the configuration if SIGHUP came. Returns whether it did.
pub fn reload_if_asked() -> bool {
    // SAFETY: flags that this process's signal handler sets.
    unsafe {
        let asked = std::ptr::read_volatile(&raw const pg_sys::ConfigReloadPending) != 0;
        if asked {
            std::ptr::write_volatile(&raw mut pg_sys::ConfigReloadPending, 0);
            pg_sys::ProcessConfigFile(pg_sys::GucContext::PGC_SIGHUP);
        }
        asked
    }
}

/// Waits for the latch (if `latch`), for a byte on `waker`, or for the timeout;
/// ends the process if the postmaster is gone or SIGTERM came. Without `latch`
/// only an interrupt ends the wait early.
pub fn wait(waker: Option<&OwnedFd>, latch: bool, timeout: Duration) {
    let millis = i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX);
    let mut events = (pg_sys::WL_TIMEOUT | pg_sys::WL_EXIT_ON_PM_DEATH) as i32;
    if latch {
        events |= pg_sys::WL_LATCH_SET as i32;
    }
    let socket = match waker {
        Some(fd) => {
            events |= pg_sys::WL_SOCKET_READABLE as i32;
            fd.as_raw_fd()
        }
        None => pg_sys::PGINVALID_SOCKET,
    };
    // SAFETY: the latch is this process's own, the socket is open.
    unsafe {
        pg_sys::WaitLatchOrSocket(
            pg_sys::MyLatch,
            events,
            socket,
            millis,
            pg_sys::PG_WAIT_EXTENSION,
        );
        if latch {
            pg_sys::ResetLatch(pg_sys::MyLatch);
        }
    }
    pgrx::check_for_interrupts!();
}

/// Runs `start` with all signals blocked, so that the threads it makes never
/// run PostgreSQL's signal handlers.
pub fn with_signals_blocked<R>(start: impl FnOnce() -> R) -> R {
    // SAFETY: plain POSIX calls on sets on this stack.
    unsafe {
        let mut all = std::mem::zeroed::<libc::sigset_t>();
        let mut before = std::mem::zeroed::<libc::sigset_t>();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
        let result = start();
        libc::pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut());
        result
    }
}
