//! The node worker: one process for a database, one thread that touches
//! PostgreSQL. Each turn of its loop seals what writers left, lets the node
//! take in what peers sent, commits, and only then lets anything out.

use super::comparisons::Comparisons;
use super::letters::Pending;
use super::network::{Network, tell};
use super::origins::Origins;
use super::outbox::Outbox;
use super::pace::Pace;
use super::public::PublicLog;
use super::store::Tables;
use super::witness::Witnesses;
use super::{signals, transaction};
use crate::catalog;
use crate::error::OrCorrupt;
use crate::instance::{clock, identity, mailbox, settings, slot};
use ledger::ChainId;
use pgrx::prelude::*;
use replica::{Effect, Input, Node, Options, SoleValidator};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Pause after a lost transaction, before the next try.
pub(super) const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// Longest wait, so that work left by a crashed or prepared transaction is
/// found without a wake-up.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// The node worker's main function; the argument is the database's OID.
#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn bcrdt_node_main(argument: pg_sys::Datum) {
    signals::install();
    let database = pg_sys::Oid::from(argument.value() as u32);
    // SAFETY: once, at the start of a background worker.
    unsafe {
        pg_sys::BackgroundWorkerInitializeConnectionByOid(database, pg_sys::InvalidOid, 0);
    }
    let slot = slot::mine();
    // SAFETY: this process's pid and latch.
    unsafe {
        slot.worker_pid.store(pg_sys::MyProcPid, Ordering::Release);
        slot.worker_latch
            .store(pg_sys::MyLatch as usize, Ordering::Release);
    }
    prepare_session();
    mailbox::recover();
    let mut worker = Worker::new();
    while worker.turn() {}
    // Nothing to do here: leave for good, until the extension is created.
    slot.worker_latch.store(0, Ordering::Release);
    slot.worker_pid.store(0, Ordering::Release);
}

/// Changes of peers are not captured again, and no statement of this session
/// waits for ever. Who notices a deadlock first gives way: that is to be this
/// session, which tries again, and not a user's.
fn prepare_session() {
    let prepared = transaction::run(|| {
        for setting in [
            "SET session_replication_role = replica",
            "SET lock_timeout = '2s'",
            "SET deadlock_timeout = '100ms'",
            "SET statement_timeout = '60s'",
            "SET application_name = 'blockchain_crdt node'",
        ] {
            Spi::run(setting).or_corrupt(setting);
        }
    });
    if let Err(reason) = prepared {
        warning!("blockchain_crdt node worker cannot prepare its session: {reason}");
    }
}

/// The node worker's memory: all of it a cache of the tables.
pub struct Worker {
    pub(super) extension: Option<pg_sys::Oid>,
    pub(super) origins: Origins,
    pub(super) outbox: Outbox,
    pub(super) chain: Option<ChainId>,
    pub(super) me: Option<i32>,
    pub(super) node: Option<Node>,
    pub(super) network: Option<Network>,
    pub(super) network_retry: Instant,
    pub(super) public: Option<PublicLog>,
    pub(super) public_retry: Instant,
    pub(super) witnesses: Witnesses,
    pub(super) pending: Option<Pending>,
    /// Tables that peers compare with theirs.
    pub(super) comparisons: Comparisons,
    /// Inputs that arose from carrying out effects.
    pub(super) leftovers: Vec<Input>,
    /// How busily ops are sealed, and when that was last.
    pub(super) pace: Pace,
    pub(super) last_seal: Instant,
    /// When sealing goes on, if it pauses.
    pub(super) seal_due: Option<Instant>,
}

impl Worker {
    fn new() -> Worker {
        Worker {
            extension: None,
            origins: Origins::default(),
            outbox: Outbox::default(),
            chain: None,
            me: None,
            node: None,
            network: None,
            network_retry: Instant::now(),
            public: None,
            public_retry: Instant::now(),
            witnesses: Witnesses::new(),
            pending: None,
            comparisons: Comparisons::default(),
            leftovers: Vec::new(),
            pace: Pace::new(),
            last_seal: Instant::now(),
            seal_due: None,
        }
    }

    /// One turn. Returns whether the worker stays.
    fn turn(&mut self) -> bool {
        let members_changed = slot::mine().members_changed.swap(0, Ordering::AcqRel) != 0;
        if signals::reload_if_asked() || members_changed {
            (self.node, self.chain, self.me) = (None, None, None);
            self.origins = Origins::default();
        }
        match transaction::run(transaction::extension) {
            Ok(None) => return false,
            Ok(found) if found == self.extension => {}
            // Created anew since the last turn: nothing known still holds.
            Ok(found) => {
                *self = Worker {
                    extension: found,
                    ..Worker::new()
                }
            }
            Err(reason) => {
                // Who waits to drop the extension waits for comparisons too.
                self.comparisons = Comparisons::default();
                return self.lost(&reason);
            }
        }
        clock::keep_reserved();
        if let Err(reason) = self.open() {
            return self.lost(&reason);
        }
        self.keep_network();
        self.keep_public_log();
        if let Some((letter, body)) = mailbox::take() {
            self.read(letter, &body);
        }
        let sealed = match self.seal_in_time() {
            Ok(more) => more,
            Err(reason) => return self.lost(&reason),
        };
        let received = match self.take_in() {
            Ok(more) => more,
            Err(reason) => return self.lost(&reason),
        };
        self.comparisons
            .look(self.network.as_ref(), self.chain.as_ref());
        self.retry_join();
        if let Err(reason) = self.answer_pending() {
            return self.lost(&reason);
        }
        if let Err(reason) = self.ask_witnesses() {
            return self.lost(&reason);
        }
        let asked = self.serve_public();
        if !sealed && !received && !asked {
            self.wait();
        }
        true
    }

    /// A transaction was lost: memory may be ahead of the tables, so begin
    /// from them again.
    fn lost(&mut self, reason: &str) -> bool {
        log!("blockchain_crdt: {reason}");
        self.node = None;
        self.origins = Origins::default();
        self.outbox = Outbox::default();
        signals::wait(None, true, RETRY_PAUSE);
        true
    }

    /// Opens the node from the tables, once this database is a member.
    pub(super) fn open(&mut self) -> Result<(), String> {
        if self.node.is_some() {
            return Ok(());
        }
        let origins = &mut self.origins;
        let opened = transaction::with_extension(|| {
            let chain = catalog::chain()?;
            let me = catalog::local_node().filter(|known| known.left_after.is_none())?;
            let identity = identity::identity();
            let finality = SoleValidator::new(chain.id, identity.node_id(), identity.signing);
            let node = Node::open(
                &mut Tables { origins },
                options(),
                Some(Box::new(finality)),
                clock::now_ms(),
            );
            let Ok(node) = node;
            Some((chain.id, me.id, node))
        })?;
        if let Some((chain, me, node)) = opened {
            (self.chain, self.me, self.node) = (Some(chain), Some(me), Some(node));
            self.refresh_members()?;
        }
        Ok(())
    }

    /// Runs the network thread while there is a use for it.
    fn keep_network(&mut self) {
        let needed = self.node.is_some() || matches!(self.pending, Some(Pending::Join(_)));
        if self
            .network
            .as_ref()
            .is_some_and(|network| !network.is_current())
        {
            // The public listener lives on the same thread.
            (self.network, self.public) = (None, None);
        }
        if self.network.is_some() || !needed || Instant::now() < self.network_retry {
            return;
        }
        match Network::start() {
            Ok(network) => {
                self.network = Some(network);
                if let Err(reason) = self.refresh_members() {
                    self.lost(&reason);
                }
            }
            Err(reason) => {
                warning!("blockchain_crdt cannot start its network: {reason}");
                self.network_retry = Instant::now() + 10 * LONGEST_WAIT;
            }
        }
    }

    pub(super) fn refresh_members(&mut self) -> Result<(), String> {
        match &mut self.network {
            Some(network) => transaction::with_extension(|| network.set_members()),
            None => Ok(()),
        }
    }

    pub(super) fn carry_out(&mut self, effects: Vec<Effect>) {
        match (&self.network, &self.chain) {
            (Some(network), Some(chain)) => {
                self.leftovers.extend(network.carry_out(chain, effects));
            }
            _ => effects.iter().for_each(|effect| {
                if let Effect::Report(report) = effect {
                    tell(report);
                }
            }),
        }
    }

    fn wait(&self) {
        let tick = self.node.as_ref().map_or(LONGEST_WAIT, |node| {
            Duration::from_millis(node.next_tick_ms().saturating_sub(clock::now_ms()).max(1))
        });
        let seal = self.seal_due.map_or(LONGEST_WAIT, |due| {
            due.saturating_duration_since(Instant::now())
                .max(Duration::from_millis(1))
        });
        let wait = tick.min(seal).min(LONGEST_WAIT);
        signals::wait(
            self.network.as_ref().map(Network::bell),
            self.seal_due.is_none(),
            wait,
        );
    }
}

fn options() -> Options {
    Options {
        block_interval_ms: settings::block_interval_ms(),
        max_block_ops: settings::max_block_ops(),
        max_clock_skew_ms: settings::max_clock_skew_ms(),
        ..Options::default()
    }
}
