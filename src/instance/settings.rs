//! Settings `blockchain_crdt.*`, each with unit, range and default.

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use std::ffi::CString;
use std::net::SocketAddr;

static LISTEN: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));
static BLOCK_INTERVAL: GucSetting<i32> = GucSetting::<i32>::new(1_000);
static MAX_BLOCK_OPS: GucSetting<i32> = GucSetting::<i32>::new(2_000);
static MAX_CLOCK_SKEW: GucSetting<i32> = GucSetting::<i32>::new(60_000);
static MAX_PEER_REQUESTS: GucSetting<i32> = GucSetting::<i32>::new(2_000);
static LOG_LISTEN: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));
static LOG_BLOCKS: GucSetting<bool> = GucSetting::<bool>::new(false);
static LOG_CONNECTIONS: GucSetting<i32> = GucSetting::<i32>::new(128);
static LOG_REQUESTS: GucSetting<i32> = GucSetting::<i32>::new(200);
static WITNESS_INTERVAL: GucSetting<i32> = GucSetting::<i32>::new(60_000);
static WITNESS_RENEWAL: GucSetting<i32> = GucSetting::<i32>::new(3_600);
static WITNESS_QUORUM: GucSetting<i32> = GucSetting::<i32>::new(1);
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
    GucRegistry::define_string_guc(
        c"blockchain_crdt.log_listen",
        c"Address and port on which this node serves its log to everybody; empty: it does not.",
        c"host:port with a literal IP address, plain HTTP without authentication. What is served holds no payload.",
        &LOG_LISTEN,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_bool_guc(
        c"blockchain_crdt.log_blocks",
        c"Whether the public log also serves whole blocks without payloads, for bcrdt export.",
        c"They name the members and the tables and columns that are tracked.",
        &LOG_BLOCKS,
        GucContext::Sighup,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"blockchain_crdt.log_connections",
        c"Connections that readers of the public log may hold, all together.",
        c"One address may hold a quarter of them.",
        &LOG_CONNECTIONS,
        1,
        10_000,
        GucContext::Sighup,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"blockchain_crdt.log_requests",
        c"Requests a second that one address may make to the public log before it is answered with 429.",
        c"Bursts of twice this number are served.",
        &LOG_REQUESTS,
        1,
        1_000_000,
        GucContext::Sighup,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"blockchain_crdt.witness_interval",
        c"Shortest time between two checkpoints that are submitted to witnesses.",
        c"While the log does not grow only what witness_renewal asks for is submitted.",
        &WITNESS_INTERVAL,
        100,
        86_400_000,
        GucContext::Sighup,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"blockchain_crdt.witness_renewal",
        c"Age at which the cosignature of a log that does not grow is asked for anew.",
        c"0 never asks anew.",
        &WITNESS_RENEWAL,
        0,
        2_592_000,
        GucContext::Sighup,
        GucFlags::UNIT_S,
    );
    GucRegistry::define_int_guc(
        c"blockchain_crdt.witness_quorum",
        c"Witnesses that must have cosigned a checkpoint before the public log shows it.",
        c"All of them, if there are fewer; 0 always shows the newest checkpoint.",
        &WITNESS_QUORUM,
        0,
        1_000,
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
    address(&LISTEN)
}

/// The address at which the log is served to everybody; `None` when it is not.
///
/// # Errors
/// The setting's text when it is not `ip:port`.
pub fn log_listen() -> Result<Option<SocketAddr>, String> {
    address(&LOG_LISTEN)
}

fn address(setting: &GucSetting<Option<CString>>) -> Result<Option<SocketAddr>, String> {
    let text = setting
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

/// Whether the public log serves blocks.
pub fn log_blocks() -> bool {
    LOG_BLOCKS.get()
}

/// Connections.
pub fn log_connections() -> usize {
    LOG_CONNECTIONS.get().unsigned_abs() as usize
}

/// Requests a second of one address.
pub fn log_requests() -> u32 {
    LOG_REQUESTS.get().unsigned_abs()
}

/// Milliseconds.
pub fn witness_interval_ms() -> u64 {
    WITNESS_INTERVAL.get().unsigned_abs().into()
}

/// Age in seconds at which a cosignature is renewed; none: never.
pub fn witness_renewal() -> Option<f64> {
    Some(f64::from(WITNESS_RENEWAL.get())).filter(|age| *age > 0.0)
}

/// Witnesses.
pub fn witness_quorum() -> usize {
    WITNESS_QUORUM.get().unsigned_abs() as usize
}

/// Requests a second.
pub fn max_peer_requests() -> u32 {
    MAX_PEER_REQUESTS.get().unsigned_abs()
}

/// Milliseconds.
pub fn seal_delay_ms() -> u64 {
    SEAL_DELAY.get().unsigned_abs().into()
}
