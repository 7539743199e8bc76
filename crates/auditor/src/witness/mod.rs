//! `bcrdt witness`: remembers how far each log has come, and cosigns only what continues it
//! (https://c2sp.org/tlog-witness). The decisions are [`ledger::witness`]'s.
//!
//! `key` makes and reads the key file, `folder` keeps what was cosigned, `log` takes one request at
//! a time for a log, `service` answers over HTTP, `server` holds the connections.

#[cfg(feature = "network")]
mod folder;
pub mod key;
#[cfg(feature = "network")]
mod log;
#[cfg(feature = "network")]
mod server;
#[cfg(feature = "network")]
mod service;

#[cfg(feature = "network")]
use {
    crate::{arguments::witness::Witness, status::Answer},
    log::Log,
    service::Service,
    std::collections::BTreeMap,
};

/// `bcrdt witness`; returns when it is asked to end. An error says why it cannot start.
#[cfg(feature = "network")]
pub fn run(asked: &Witness) -> Result<Answer, String> {
    let key = key::read(&asked.key)?;
    let state = folder::StateFolder::open(&asked.state)?;
    let mut keys: BTreeMap<&str, Vec<ledger::VerifierKey>> = BTreeMap::new();
    for log in &asked.logs {
        log.need(ledger::KeyKind::Ed25519)
            .map_err(|error| format!("--log {}: {error}", log.name()))?;
        let of_log = keys.entry(log.name()).or_default();
        if !of_log.contains(log) {
            of_log.push(log.clone());
        }
    }
    let logs = keys
        .into_iter()
        .map(|(origin, keys)| Log::open(origin, keys, state.log(origin)?, &key))
        .collect::<Result<Vec<_>, _>>()?;
    server::serve(asked.listen, Service::new(key, logs))?;
    Ok(Answer {
        text: String::new(),
        holds: true,
    })
}
