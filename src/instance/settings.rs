//! Settings `blockchain_crdt.*`, each with unit, range and default.

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use std::ffi::CString;
use std::net::SocketAddr;

static LISTEN: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));
static BLOCK_INTERVAL: GucSetting<i32> = GucSetting::<i32>::new(1_000);
static MAX_BLOCK_OPS: GucSetting<i32> = GucSetting::<i32>::new(2_000);
static MAX_CLOCK_SKEW: GucSetting<i32> = GucSetting::<i32>::new(60_000);
static MAX_PEER_REQUESTS: GucSetting<i32> = GucSetting::<i32>::new(2_000);
static SEAL_DELAY: GucSetting<i32> = GucSetting::<i32>::new(0);

/// Declares the settings to PostgreSQL. Call once, from `_PG_init`.
pub fn declare() {
    GucRegistry::define_string_guc(
        c"blockchain_crdt.listen",
        c"Address and port on which this node serves its peers; empty: it does not listen.",
        c"host:port with a literal IP address, for example 0.0.0.0:7432. Set it per database with ALTER DATABASE ... SET when one server holds several nodes.",
        &LISTEN,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"blockchain_crdt.block_interval",
        c"Longest time that admitted operations wait before a validator proposes a block.",
        c"Blocks without operations are not made.",
        &BLOCK_INTERVAL,
        10,
        3_600_000,
        GucContext::Sighup,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"blockchain_crdt.max_block_ops",
        c"Number of waiting operations that makes a validator propose a block at once.",
        c"Also the greatest number of operations in one block.",
        &MAX_BLOCK_OPS,
        1,
        100_000,
        GucContext::Sighup,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"blockchain_crdt.max_clock_skew",
        c"How far ahead of this node's clock a peer's operation may be stamped.",
        c"Operations from further in the future are held back until their time has come.",
        &MAX_CLOCK_SKEW,
        100,
        86_400_000,
        GucContext::Sighup,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"blockchain_crdt.max_peer_requests",
        c"Requests a second that one peer may make before it is answered with 429.",
        c"Bursts of twice this number are served.",
        &MAX_PEER_REQUESTS,
        1,
        1_000_000,
        GucContext::Sighup,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"blockchain_crdt.seal_delay",
        c"Time the worker waits after a commit for others to seal together with it.",
        c"0 seals at once, for the least lag; some milliseconds make fewer, larger segments.",
        &SEAL_DELAY,
        0,
        10_000,
        GucContext::Sighup,
        GucFlags::UNIT_MS,
    );
}

/// The address to listen on; `None` when the node does not listen.
///
/// # Errors
/// The setting's text when it is not `ip:port`.
pub fn listen() -> Result<Option<SocketAddr>, String> {
    let text = LISTEN
        .get()
        .map(|c| c.to_string_lossy().trim().to_owned())
        .unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| text)
}

/// Milliseconds.
pub fn block_interval_ms() -> u64 {
    BLOCK_INTERVAL.get().unsigned_abs().into()
}

/// Operations.
pub fn max_block_ops() -> u64 {
    MAX_BLOCK_OPS.get().unsigned_abs().into()
}

/// Milliseconds.
pub fn max_clock_skew_ms() -> u64 {
    MAX_CLOCK_SKEW.get().unsigned_abs().into()
}

/// Requests a second.
pub fn max_peer_requests() -> u32 {
    MAX_PEER_REQUESTS.get().unsigned_abs()
}

/// Milliseconds.
pub fn seal_delay_ms() -> u64 {
    SEAL_DELAY.get().unsigned_abs().into()
}
