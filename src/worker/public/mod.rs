//! The public log: what strangers may read of this node, over plain HTTP. `pages` says what is at
//! which path and reads it from the tables, `entries` rebuilds the log's entries.
//!
//! Strangers must not keep the worker from its work: a turn answers a fixed number of them, and reads
//! a fixed amount of payload for them. The rest waits, or is turned away by the network thread.

mod entries;
mod pages;

use super::main_loop::{LONGEST_WAIT, Worker};
use super::origins::Origins;
use super::transaction;
use crate::audit::checkpoint;
use crate::catalog;
use crate::instance::settings;
use entries::Bundle;
use ledger::ChainId;
use pages::Step;
use pgrx::{log, warning};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use transport::{Get, Public, PublicConfig, PublicLimits};

/// Requests that one turn of the main loop answers.
const REQUESTS_PER_TURN: usize = 8;
/// Entry bundles that wait for the one that is being made; more are turned away.
const MAX_WAITING: usize = 64;
/// How long a checkpoint is shown before a newer one is looked for.
const LOOK_PAUSE: Duration = Duration::from_millis(250);
/// Shortest time between two warnings of one kind: strangers must not fill the server's log.
const WARNING_PAUSE: Duration = Duration::from_secs(60);

/// The listener, and what it was opened with.
pub struct PublicLog {
    public: Public,
    listen: SocketAddr,
    limits: PublicLimits,
    chain: ChainId,
    /// The bundle that is being made, over as many turns as its payloads need.
    making: Option<(Get, Bundle)>,
    /// Requests for further bundles.
    waiting: VecDeque<Get>,
    /// The checkpoint that is shown, and when it was looked for.
    shown: Option<Rc<Shown>>,
    looked: Option<Instant>,
    warned: Option<Instant>,
}

/// A checkpoint that is shown, with all that lies under it.
pub struct Shown {
    /// How many leaves lie under it.
    pub size: u64,
    /// The note.
    pub note: String,
}

impl Worker {
    /// Opens and closes the public listener as the settings say.
    pub(super) fn keep_public_log(&mut self) {
        let wanted = wanted(self.chain.filter(|_| self.node.is_some()));
        let is = self.public.as_ref().map(PublicLog::opened_with);
        if is == wanted.as_ref().ok().copied().flatten() && wanted.is_ok() {
            return;
        }
        self.public = None;
        if Instant::now() < self.public_retry {
            return;
        }
        let opened = match (wanted, &self.network) {
            (Ok(None), _) | (_, None) => return,
            (Ok(Some((listen, limits, chain))), Some(network)) => network
                .serve_public(PublicConfig { listen, limits })
                .map(|public| PublicLog::new(public, listen, limits, chain)),
            (Err(text), _) => Err(format!(
                "blockchain_crdt.log_listen = '{text}' is not ip:port"
            )),
        };
        match opened {
            Ok(opened) => {
                log!(
                    "blockchain_crdt serves its log on {}",
                    opened.public.address()
                );
                self.public = Some(opened);
            }
            Err(reason) => {
                warning!("blockchain_crdt cannot serve its log: {reason}");
                self.public_retry = Instant::now() + 10 * LONGEST_WAIT;
            }
        }
    }

    /// Answers some of the strangers that wait. Returns whether more wait.
    pub(super) fn serve_public(&mut self) -> bool {
        let origins = &mut self.origins;
        match &mut self.public {
            Some(public) => public.turn(origins),
            None => false,
        }
    }
}

/// What the listener should be opened with.
///
/// # Errors
/// The setting's text when it is not `ip:port`.
fn wanted(chain: Option<ChainId>) -> Result<Option<(SocketAddr, PublicLimits, ChainId)>, String> {
    let requests_per_second = settings::log_requests();
    let max_connections = settings::log_connections();
    let limits = PublicLimits {
        max_connections,
        max_address_connections: max_connections.div_ceil(4),
        requests_per_second,
        burst: requests_per_second.saturating_mul(2),
        ..PublicLimits::default()
    };
    let listen = settings::log_listen()?;
    Ok(listen
        .zip(chain)
        .map(|(listen, chain)| (listen, limits, chain)))
}

impl PublicLog {
    fn new(public: Public, listen: SocketAddr, limits: PublicLimits, chain: ChainId) -> PublicLog {
        PublicLog {
            public,
            listen,
            limits,
            chain,
            making: None,
            waiting: VecDeque::new(),
            shown: None,
            looked: None,
            warned: None,
        }
    }

    fn opened_with(&self) -> (SocketAddr, PublicLimits, ChainId) {
        (self.listen, self.limits, self.chain)
    }

    fn turn(&mut self, origins: &mut Origins) -> bool {
        self.go_on_making(origins);
        for _ in 0..REQUESTS_PER_TURN {
            let Some(get) = self.next() else {
                return self.making.is_some();
            };
            let answer = self.look().and_then(|shown| {
                self.read(|chain| pages::at(get.path(), chain, shown.as_deref()))
            });
            match answer {
                Ok(Step::Page(page)) => get.reply(page),
                Ok(Step::Heavy(page)) => {
                    get.reply(page);
                    return true;
                }
                Ok(Step::Bundle(bundle)) => {
                    self.making = Some((get, bundle));
                    self.go_on_making(origins);
                }
                Err(reason) => self.fail(get, &reason),
            }
        }
        true
    }

    /// The checkpoint to be shown. It never goes back while this listener is open: whoever reads the
    /// log would take that for a rollback.
    fn look(&mut self) -> Result<Option<Rc<Shown>>, String> {
        let now = Instant::now();
        if self.looked.is_none_or(|at| now - at >= LOOK_PAUSE) {
            let published = self.read(|_| Ok(checkpoint::published(0)))?;
            self.looked = Some(now);
            let size = published.as_ref().map(|note| note.checkpoint().size);
            if let Some(note) = published
                && self
                    .shown
                    .as_ref()
                    .is_none_or(|shown| Some(shown.size) <= size)
            {
                self.shown = Some(Rc::new(Shown {
                    size: note.checkpoint().size,
                    note: note.to_string(),
                }));
            }
        }
        Ok(self.shown.clone())
    }

    /// The next request that somebody waits for. One for a bundle is put aside while another is made.
    fn next(&mut self) -> Option<Get> {
        let is_free = self.making.is_none();
        if is_free && let Some(get) = self.waiting.pop_front() {
            return Some(get);
        }
        loop {
            let get = self.public.try_recv()?;
            if get.is_given_up() {
                continue;
            }
            if is_free || !pages::is_bundle(get.path()) {
                return Some(get);
            }
            self.waiting.retain(|get| !get.is_given_up());
            if self.waiting.len() < MAX_WAITING {
                self.waiting.push_back(get);
            }
        }
    }

    fn go_on_making(&mut self, origins: &mut Origins) {
        let Some((get, mut bundle)) = self.making.take() else {
            return;
        };
        if get.is_given_up() {
            return;
        }
        match self.read(|chain| bundle.go_on(chain, origins)) {
            Ok(false) => self.making = Some((get, bundle)),
            Ok(true) => match bundle.finish() {
                Some(page) => get.reply(page),
                None => self.fail(
                    get,
                    "the ledger was altered: leaves are missing at its end; see scan_chain()",
                ),
            },
            Err(reason) => self.fail(get, &reason),
        }
    }

    /// Reads under one snapshot, in a transaction of its own: what fails here fails for one stranger.
    fn read<R>(
        &self,
        work: impl FnOnce(&ChainId) -> Result<R, pages::Altered>,
    ) -> Result<R, String> {
        let chain = self.chain;
        let result = transaction::with_extension(|| catalog::under_one_snapshot(|| work(&chain)));
        result?.map_err(|altered| altered.to_string())
    }

    fn fail(&mut self, get: Get, reason: &str) {
        let now = Instant::now();
        if self.warned.is_none_or(|at| now - at >= WARNING_PAUSE) {
            self.warned = Some(now);
            warning!(
                "blockchain_crdt cannot serve {} of its log: {reason}",
                get.path()
            );
        }
        get.reply(pages::failed());
    }
}
