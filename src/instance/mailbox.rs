//! Requests from a session to the node worker that need the network or the
//! sealed log, and so cannot be done in the session's own transaction: one
//! letter at a time for each database, answered in place.

use super::slot::{self, MAX_DATABASES};
use pgrx::{
    PGRXSharedMemory, PgLwLock, PgSqlErrorCode, check_for_interrupts, pg_guard, pg_shmem_init,
    pg_sys,
};
use std::time::{Duration, Instant};

/// Longest request, in bytes: an invitation with the URL in it.
pub const MAX_REQUEST: usize = 2_048;
/// Longest answer, in bytes; longer ones are cut.
const MAX_ANSWER: usize = 1_024;

/// What a session may ask of the worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Request {
    /// Seal what is committed, make it final, answer with the block's height.
    CommitBlock = 1,
    /// Join the cluster of the invitation in the body.
    Join = 2,
    /// Say whether all present members are known to have admitted the blocks up
    /// to the height in the body.
    Admitted = 3,
    /// Seal the prune op whose payload is in the body, in hexadecimal.
    Prune = 4,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Free,
    Posted,
    Taken,
    Answered,
}

#[derive(Clone, Copy)]
struct Letter {
    state: State,
    request: Request,
    /// Process that posted the letter, 0 if it gave up.
    sender: i32,
    ok: bool,
    length: usize,
    body: [u8; MAX_REQUEST],
}

// SAFETY: plain data without pointers, guarded by the lock.
unsafe impl PGRXSharedMemory for Letter {}

const EMPTY: Letter = Letter {
    state: State::Free,
    request: Request::CommitBlock,
    sender: 0,
    ok: false,
    length: 0,
    body: [0; MAX_REQUEST],
};

// SAFETY: the name is used once in this library.
static LETTERS: PgLwLock<[Letter; MAX_DATABASES]> =
    unsafe { PgLwLock::new(c"blockchain_crdt mailbox") };

/// Requests the shared memory, from `_PG_init`.
pub fn request_memory() {
    pg_shmem_init!(LETTERS = [EMPTY; MAX_DATABASES]);
}

impl Letter {
    fn write(&mut self, bytes: &[u8], limit: usize) {
        let length = bytes.len().min(limit);
        self.body[..length].copy_from_slice(&bytes[..length]);
        self.length = length;
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body[..self.length]).into_owned()
    }
}

/// Gives the letter back when the session stops waiting, however it stops.
struct Waiting {
    at: usize,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut letters = LETTERS.exclusive();
        let letter = &mut letters[self.at];
        if letter.sender == my_pid() {
            letter.sender = 0;
            if letter.state != State::Taken {
                letter.state = State::Free;
            }
        }
    }
}

fn my_pid() -> i32 {
    // SAFETY: set at process start.
    unsafe { pg_sys::MyProcPid }
}

fn is_alive(pid: i32) -> bool {
    // SAFETY: a look-up in the process array.
    pid != 0 && !unsafe { pg_sys::BackendPidGetProc(pid) }.is_null()
}

/// Asks the worker of this database and waits for its answer.
///
/// # Errors
/// What the worker says, or that it does not answer within `limit`.
pub fn ask(request: Request, body: &str, limit: Duration) -> Result<String, String> {
    if body.len() > MAX_REQUEST {
        return Err(format!(
            "the request has {} bytes, {MAX_REQUEST} are allowed",
            body.len()
        ));
    }
    let at = slot::my_index();
    let deadline = Instant::now() + limit;
    while !post(at, request, body) {
        pause(deadline)?;
    }
    let _waiting = Waiting { at };
    slot::mine()
        .wanted
        .store(1, std::sync::atomic::Ordering::Release);
    slot::wake_launcher();
    slot::mine().wake_worker();
    loop {
        {
            let letters = LETTERS.share();
            let letter = &letters[at];
            if letter.state == State::Answered {
                return if letter.ok {
                    Ok(letter.text())
                } else {
                    Err(letter.text())
                };
            }
        }
        pause(deadline)?;
    }
}

fn post(at: usize, request: Request, body: &str) -> bool {
    let mut letters = LETTERS.exclusive();
    let letter = &mut letters[at];
    let abandoned = letter.state != State::Taken && !is_alive(letter.sender);
    if letter.state != State::Free && !abandoned {
        return false;
    }
    letter.request = request;
    letter.sender = my_pid();
    letter.write(body.as_bytes(), MAX_REQUEST);
    letter.state = State::Posted;
    true
}

/// Waits a little, awake for cancellation.
fn pause(deadline: Instant) -> Result<(), String> {
    if Instant::now() >= deadline {
        return Err("the node worker does not answer".to_owned());
    }
    check_for_interrupts!();
    // SAFETY: MyLatch is this backend's own latch; the wait ends at the timeout.
    unsafe {
        pg_sys::WaitLatch(
            pg_sys::MyLatch,
            (pg_sys::WL_LATCH_SET | pg_sys::WL_TIMEOUT | pg_sys::WL_EXIT_ON_PM_DEATH) as i32,
            5,
            pg_sys::PG_WAIT_EXTENSION,
        );
        pg_sys::ResetLatch(pg_sys::MyLatch);
    }
    Ok(())
}

/// Worker: the letter that waits, if any. It must be answered with [`answer`].
pub fn take() -> Option<(Request, String)> {
    let at = slot::my_index();
    if LETTERS.share()[at].state != State::Posted {
        return None;
    }
    let mut letters = LETTERS.exclusive();
    let letter = &mut letters[at];
    letter.state = State::Taken;
    Some((letter.request, letter.text()))
}

/// Worker: answers the letter taken before. Without one, does nothing.
pub fn answer(result: Result<String, String>) {
    let mut letters = LETTERS.exclusive();
    let letter = &mut letters[slot::my_index()];
    if letter.state != State::Taken {
        return;
    }
    letter.ok = result.is_ok();
    letter.write(result.unwrap_or_else(|error| error).as_bytes(), MAX_ANSWER);
    letter.state = if letter.sender == 0 {
        State::Free
    } else {
        State::Answered
    };
}

/// Worker: at start, a letter that the predecessor took is posted again.
pub fn recover() {
    let mut letters = LETTERS.exclusive();
    let letter = &mut letters[slot::my_index()];
    if letter.state == State::Taken {
        letter.state = if letter.sender == 0 {
            State::Free
        } else {
            State::Posted
        };
    }
}

/// Raises the error of a failed request.
pub fn raise(what: &str, reason: String) -> ! {
    crate::error::raise(
        PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!("{what}: {reason}"),
        "See the server log for the node worker's messages.",
    )
}

/// Worker: whether the session whose letter was taken waits no longer.
pub fn is_abandoned() -> bool {
    let letter = LETTERS.share()[slot::my_index()];
    letter.state == State::Taken && !is_alive(letter.sender)
}
