//! A database with a node worker in it cannot be dropped, renamed or copied:
//! PostgreSQL wants nobody connected. So before such a statement the worker is
//! asked to leave, and comes back afterwards if the database is still there.

use crate::instance::slot::{self, Slot};
use pgrx::pg_sys;
use pgrx::{PgTryBuilder, pg_guard};
use std::ffi::{CStr, c_char};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::time::{Duration, Instant};

/// How long a statement waits for the worker to leave.
const LEAVE_LIMIT: Duration = Duration::from_secs(10);

static PREVIOUS: AtomicPtr<()> = AtomicPtr::new(std::ptr::null_mut());

/// Puts this module's hook in front of those installed before.
pub fn install_hook() {
    // SAFETY: runs in the postmaster while it loads libraries, one thread.
    unsafe {
        let before = pg_sys::ProcessUtility_hook;
        PREVIOUS.store(
            before.map_or(std::ptr::null_mut(), |hook| hook as *mut ()),
            Ordering::Release,
        );
        pg_sys::ProcessUtility_hook = Some(process_utility);
    }
}

#[pg_guard]
#[allow(clippy::too_many_arguments)]
unsafe extern "C-unwind" fn process_utility(
    statement: *mut pg_sys::PlannedStmt,
    query: *const c_char,
    read_only: bool,
    context: pg_sys::ProcessUtilityContext::Type,
    params: pg_sys::ParamListInfo,
    environment: *mut pg_sys::QueryEnvironment,
    receiver: *mut pg_sys::DestReceiver,
    completion: *mut pg_sys::QueryCompletion,
) {
    let run = || {
        let previous = PREVIOUS.load(Ordering::Acquire);
        // SAFETY: the arguments are those PostgreSQL passed; the pointer, if
        // any, is the hook that stood there before.
        unsafe {
            if previous.is_null() {
                pg_sys::standard_ProcessUtility(
                    statement,
                    query,
                    read_only,
                    context,
                    params,
                    environment,
                    receiver,
                    completion,
                );
            } else {
                let hook: pg_sys::ProcessUtility_hook_type = std::mem::transmute(previous);
                if let Some(hook) = hook {
                    pg_sys::ffi::pg_guard_ffi_boundary(|| {
                        hook(
                            statement,
                            query,
                            read_only,
                            context,
                            params,
                            environment,
                            receiver,
                            completion,
                        );
                    });
                }
            }
        }
    };
    // SAFETY: PostgreSQL passes a complete statement.
    match unsafe { emptied_database((*statement).utilityStmt) } {
        None => run(),
        Some(slot) => PgTryBuilder::new(AssertUnwindSafe(|| {
            leave(slot);
            run();
        }))
        .finally(|| come_back(slot))
        .execute(),
    }
}

/// The slot of the database that the statement needs nobody in.
unsafe fn emptied_database(statement: *mut pg_sys::Node) -> Option<&'static Slot> {
    // SAFETY: each cast follows the node's tag; names are palloc'd strings or
    // null.
    let name = unsafe {
        match (*statement).type_ {
            pg_sys::NodeTag::T_DropdbStmt => (*statement.cast::<pg_sys::DropdbStmt>()).dbname,
            pg_sys::NodeTag::T_CreatedbStmt => {
                template(&*statement.cast::<pg_sys::CreatedbStmt>())?
            }
            pg_sys::NodeTag::T_RenameStmt => {
                let rename = &*statement.cast::<pg_sys::RenameStmt>();
                if rename.renameType != pg_sys::ObjectType::OBJECT_DATABASE {
                    return None;
                }
                rename.subname
            }
            _ => return None,
        }
    };
    if name.is_null() {
        return None;
    }
    // SAFETY: a catalog look-up within the statement's transaction.
    let database = unsafe { pg_sys::get_database_oid(name, true) };
    slot::try_shared()?;
    slot::index_of(database.to_u32())
        .filter(|_| database != pg_sys::InvalidOid)
        .map(|at| &slot::shared().slots[at])
}

/// The database that CREATE DATABASE copies.
unsafe fn template(statement: &pg_sys::CreatedbStmt) -> Option<*mut c_char> {
    // SAFETY: the list holds DefElem nodes; a string value is NUL-terminated.
    unsafe {
        let options = statement.options;
        if options.is_null() {
            return None;
        }
        let count = usize::try_from((*options).length).unwrap_or_default();
        (0..count)
            .map(|at| {
                (*(*options).elements.add(at))
                    .ptr_value
                    .cast::<pg_sys::DefElem>()
            })
            .find(|option| CStr::from_ptr((**option).defname) == c"template")
            .filter(|option| !(**option).arg.is_null())
            .map(|option| pg_sys::defGetString(option))
    }
}

fn leave(slot: &'static Slot) {
    slot.leaving.store(1, Ordering::Release);
    let deadline = Instant::now() + LEAVE_LIMIT;
    loop {
        let pid = slot.worker_pid.load(Ordering::Acquire);
        // SAFETY: a look-up in the process array; the signal is what
        // pg_terminate_backend sends.
        unsafe {
            if pid == 0 || pg_sys::BackendPidGetProc(pid).is_null() || Instant::now() > deadline {
                return;
            }
            libc::kill(pid, libc::SIGTERM);
        }
        pgrx::check_for_interrupts!();
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn come_back(slot: &'static Slot) {
    slot.leaving.store(0, Ordering::Release);
    slot.wanted.store(1, Ordering::Release);
    slot::wake_launcher();
}
