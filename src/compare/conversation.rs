//! The asking session's side: it calls the peer itself, with the node's key,
//! by a network thread that lives as long as the conversation. So a long
//! comparison takes nothing of the node worker's time, and cancelling the
//! statement ends it.

use crate::error::raise;
use crate::instance::identity;
use crate::worker::{COMPARE_PATH, signals};
use ledger::{ChainId, Member};
use pgrx::PgSqlErrorCode;
use replica::message::{CompareRequest, CompareResponse};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use transport::{Config, Event, Events, Handle, Key, Limits, Peer};

/// Longest time for which a cancellation, or the end of the work meanwhile,
/// may go unnoticed.
const PATIENCE: Duration = Duration::from_millis(20);
/// A peer that is not asked anything hears at least so often that somebody is
/// there.
const PULSE: Duration = Duration::from_secs(5);
/// Time for which a first answer is waited for before this side begins its
/// own work.
const AT_ONCE: Duration = Duration::from_millis(250);
/// Time for telling the peer that it can stop.
const FAREWELL: Duration = Duration::from_millis(500);

/// Why the peer gives no answer.
enum Fault {
    /// It is not reached, or does not know this node.
    Unreachable(String),
    /// It says why.
    Refused(String),
    /// It does not keep to the protocol.
    Violated(String),
}

/// A comparison with one peer.
pub struct Conversation {
    handle: Handle,
    events: Events,
    chain: ChainId,
    name: String,
    key: Key,
    /// The number of the last request; answers to others are of no use any more.
    sent: u64,
    /// As the peer calls this comparison, once it has.
    session: Option<u64>,
    /// An answer that came while this side was busy.
    early: Option<Result<CompareResponse, Fault>>,
}

impl Conversation {
    /// Prepares to talk to a member. Raises an error if it has no address, or
    /// the system gives no thread.
    pub fn with(peer: &Member, chain: ChainId) -> Conversation {
        let name = peer.name.clone();
        if peer.url.is_empty() {
            raise(
                PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                format!("peer \"{name}\" has no address at which it can be asked"),
                "Run the comparison there, with this node as the peer, or give it an address with crdt_set_node().",
            );
        }
        let config = Config {
            listen: None,
            tls_seed: identity::identity().tls_seed,
            limits: Limits {
                // Of one caller to one peer.
                max_inflight: 4,
                max_peer_inflight: 4,
                ..Limits::default()
            },
        };
        let started = signals::with_signals_blocked(|| transport::start(config, || {}));
        let start = started.unwrap_or_else(|error| {
            raise(
                PgSqlErrorCode::ERRCODE_INSUFFICIENT_RESOURCES,
                format!("peer \"{name}\" cannot be called: {error}"),
                "Raise the limit of threads of the server's user.",
            )
        });
        let url = peer.url.clone();
        let peers = HashMap::from([(peer.tls_key, Peer { url })]);
        start.handle.set_peers(peers);
        Conversation {
            handle: start.handle,
            events: start.events,
            chain,
            name,
            key: peer.tls_key,
            sent: 0,
            session: None,
            early: None,
        }
    }

    /// The peer's name for this comparison; 0 before it gave one.
    pub fn session(&self) -> u64 {
        self.session.unwrap_or_default()
    }

    /// Sends a request and waits for the answer, awake for cancellation.
    pub fn ask(&mut self, request: &CompareRequest) -> CompareResponse {
        let answer = match self.send(request) {
            Ok(()) => self.wait(),
            Err(fault) => Err(fault),
        };
        answer.unwrap_or_else(|fault| self.fail(fault))
    }

    /// Sends a request and does `work` while the peer is at it. Returns the
    /// answer and what the work came to.
    pub fn ask_meanwhile<R>(
        &mut self,
        request: &CompareRequest,
        work: impl FnOnce() -> R,
    ) -> (CompareResponse, R) {
        if let Err(fault) = self.send(request) {
            self.fail(fault);
        }
        // Most that goes wrong goes wrong at once; the work may take long.
        let begin = Instant::now();
        while self.early.is_none() && begin.elapsed() < AT_ONCE {
            pgrx::check_for_interrupts!();
            self.early = self.hear(PATIENCE).transpose();
        }
        if let Some(Err(fault)) = self.early.take_if(|answer| answer.is_err()) {
            self.fail(fault);
        }
        let done = self.attend(work);
        let answer = self.early.take().unwrap_or_else(|| self.wait());
        (answer.unwrap_or_else(|fault| self.fail(fault)), done)
    }

    /// Does `work`, which may take any time between two looks at an interrupt
    /// (PostgreSQL sorts in it), while another thread keeps the conversation
    /// alive. That thread does not touch PostgreSQL.
    fn attend<R>(&mut self, work: impl FnOnce() -> R) -> R {
        struct Stop<'a>(&'a AtomicBool);
        impl Drop for Stop<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Release);
            }
        }
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            // Also when an error ends the work.
            let _stop = Stop(&done);
            let keep = || self.keep(&done);
            let spawn = || {
                thread::Builder::new()
                    .name("bcrdt-compare".to_owned())
                    .spawn_scoped(scope, keep)
            };
            // Without the thread the peer may give up early, and says so then.
            let _keeper = signals::with_signals_blocked(spawn);
            work()
        })
    }

    /// Takes the answer in when it comes; lets the peer know that it is waited
    /// for, until the work is done.
    fn keep(&mut self, done: &AtomicBool) {
        let mut last = Instant::now();
        while !done.load(Ordering::Acquire) && !matches!(self.early, Some(Err(_))) {
            match self.hear(PATIENCE).transpose() {
                // The answer to a sign of life is none.
                Some(Ok(_)) if self.early.is_some() => {}
                Some(answer) => self.early = Some(answer),
                None => {}
            }
            if let (Some(session), Some(Ok(_))) = (self.session, &self.early)
                && last.elapsed() > PULSE
            {
                last = Instant::now();
                if let Err(fault) = self.send(&CompareRequest::Wait { session }) {
                    self.early = Some(Err(fault));
                }
            }
        }
    }

    fn send(&mut self, request: &CompareRequest) -> Result<(), Fault> {
        self.sent += 1;
        let body = request.encode(&self.chain);
        let sent = self.handle.send(self.key, COMPARE_PATH, self.sent, body);
        sent.map_err(|error| Fault::Unreachable(error.to_string()))
    }

    fn wait(&mut self) -> Result<CompareResponse, Fault> {
        loop {
            pgrx::check_for_interrupts!();
            if let Some(response) = self.hear(PATIENCE)? {
                return Ok(response);
            }
        }
    }

    /// The answer, if it comes in time. A peer that is still at work is asked
    /// again, and lets that question wait.
    fn hear(&mut self, patience: Duration) -> Result<Option<CompareResponse>, Fault> {
        let result = match self.events.recv_timeout(patience) {
            Some(Event::Response {
                request_id, result, ..
            }) if request_id == self.sent => result,
            _ if self.handle.is_running() => return Ok(None),
            _ => {
                return Err(Fault::Unreachable(
                    "the network thread has ended".to_owned(),
                ));
            }
        };
        let answer = result.map_err(|error| Fault::Unreachable(error.to_string()))?;
        let reason = match answer.status {
            200 => None,
            404 => {
                Some("it does not know this node as a member, or its extension is older".to_owned())
            }
            429 | 503 => Some("it is busy".to_owned()),
            status => Some(format!("it answered with status {status}")),
        };
        if let Some(reason) = reason {
            return Err(Fault::Unreachable(reason));
        }
        match CompareResponse::decode(&self.chain, &answer.body) {
            Ok(CompareResponse::Working { session }) => {
                self.session = Some(session);
                if self.early.is_none() {
                    self.send(&CompareRequest::Wait { session })?;
                }
                Ok(None)
            }
            Ok(CompareResponse::Refused { reason }) => Err(Fault::Refused(reason)),
            Ok(response) => {
                if let CompareResponse::Ready { session, .. } = &response {
                    self.session = Some(*session);
                }
                Ok(Some(response))
            }
            Err(error) => Err(Fault::Violated(error.to_string())),
        }
    }

    fn fail(&mut self, fault: Fault) -> ! {
        // Nobody to say farewell to.
        self.session = None;
        let name = &self.name;
        match fault {
            Fault::Unreachable(reason) => raise(
                PgSqlErrorCode::ERRCODE_CONNECTION_FAILURE,
                format!("peer \"{name}\" cannot be asked: {reason}"),
                "SELECT name, url, present FROM crdt_nodes shows how this node calls its peers.",
            ),
            Fault::Refused(reason) => raise(
                PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                format!("peer \"{name}\" does not compare: {reason}"),
                "Its server log may say more.",
            ),
            Fault::Violated(fault) => raise(
                PgSqlErrorCode::ERRCODE_PROTOCOL_VIOLATION,
                format!("peer \"{name}\" answers what fits no table: {fault}"),
                "Is its extension of another release, or tampered with?",
            ),
        }
    }

    /// Ends the statement: what the peer says fits no table.
    pub fn violated(&mut self, fault: &str) -> ! {
        self.fail(Fault::Violated(fault.to_owned()))
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        let Some(session) = self.session else { return };
        let sent = self.send(&CompareRequest::End { session });
        let deadline = Instant::now() + FAREWELL;
        // If the farewell is lost, the peer ends the comparison after a while
        // by itself.
        while sent.is_ok() {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Some(Event::Response { request_id, .. }) if request_id != self.sent => {}
                _ => break,
            }
        }
    }
}
