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
use std::time::{Duration, Instant};
use transport::{Config, Event, Events, Handle, Key, Limits, Peer};

/// Longest time for which a cancellation may go unnoticed.
const PATIENCE: Duration = Duration::from_millis(20);
/// Time for telling the peer that it can stop.
const FAREWELL: Duration = Duration::from_millis(500);

/// A comparison with one peer.
pub struct Conversation {
    handle: Handle,
    events: Events,
    chain: ChainId,
    name: String,
    key: Key,
    sent: u64,
    /// As the peer calls this comparison, once it has.
    session: Option<u64>,
    /// An answer that came while this side was busy.
    early: Option<CompareResponse>,
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

    /// Sends a request whose answer is to be waited for later.
    pub fn begin(&mut self, request: &CompareRequest) {
        self.sent += 1;
        let body = request.encode(&self.chain);
        if let Err(error) = self.handle.send(self.key, COMPARE_PATH, self.sent, body) {
            self.unreachable(&error.to_string());
        }
    }

    /// Sends a request and waits for the answer.
    pub fn ask(&mut self, request: &CompareRequest) -> CompareResponse {
        self.begin(request);
        self.wait()
    }

    /// Waits for the answer, awake for cancellation.
    pub fn wait(&mut self) -> CompareResponse {
        if let Some(early) = self.early.take() {
            return early;
        }
        loop {
            pgrx::check_for_interrupts!();
            if let Some(response) = self.hear(PATIENCE) {
                return response;
            }
        }
    }

    /// Keeps the conversation alive while this side is busy itself.
    pub fn keep(&mut self) {
        if self.early.is_none() {
            self.early = self.hear(Duration::ZERO);
        }
    }

    /// The answer, if it comes in time. A peer that is still at work is asked
    /// again, and lets that question wait.
    fn hear(&mut self, patience: Duration) -> Option<CompareResponse> {
        let event = match patience {
            Duration::ZERO => self.events.try_recv(),
            _ => self.events.recv_timeout(patience),
        };
        let Some(Event::Response { result, .. }) = event else {
            if !self.handle.is_running() {
                self.unreachable("the network thread has ended");
            }
            return None;
        };
        let answer = match result {
            Ok(answer) => answer,
            Err(error) => self.unreachable(&error.to_string()),
        };
        match answer.status {
            200 => {}
            404 => self.unreachable(
                "it does not know this node as a member, or has an older release of the extension",
            ),
            429 | 503 => self.unreachable("it is busy"),
            status => self.unreachable(&format!("it answered with status {status}")),
        }
        match CompareResponse::decode(&self.chain, &answer.body) {
            Ok(CompareResponse::Working { session }) => {
                self.session = Some(session);
                self.begin(&CompareRequest::Wait { session });
                None
            }
            Ok(CompareResponse::Refused { reason }) => {
                self.session = None;
                raise(
                    PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                    format!("peer \"{}\" does not compare: {reason}", self.name),
                    "Its server log may say more.",
                )
            }
            Ok(response) => {
                if let CompareResponse::Ready { session, .. } = &response {
                    self.session = Some(*session);
                }
                Some(response)
            }
            Err(error) => self.violated(&error.to_string()),
        }
    }

    fn unreachable(&mut self, reason: &str) -> ! {
        self.session = None;
        raise(
            PgSqlErrorCode::ERRCODE_CONNECTION_FAILURE,
            format!("peer \"{}\" cannot be asked: {reason}", self.name),
            "SELECT name, url, present FROM crdt_nodes shows how this node calls its peers.",
        )
    }

    /// Ends the statement: the peer does not keep to the protocol.
    pub fn violated(&self, fault: &str) -> ! {
        raise(
            PgSqlErrorCode::ERRCODE_PROTOCOL_VIOLATION,
            format!("peer \"{}\" answers what fits no table: {fault}", self.name),
            "Is its extension of another release, or tampered with?",
        )
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        let Some(session) = self.session else { return };
        let body = CompareRequest::End { session }.encode(&self.chain);
        self.sent += 1;
        let sent = self.handle.send(self.key, COMPARE_PATH, self.sent, body);
        let deadline = Instant::now() + FAREWELL;
        // Whatever comes before is of no use any more. If the farewell is
        // lost, the peer ends the comparison after a while by itself.
        while sent.is_ok() {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Some(Event::Response { request_id, .. }) if request_id != self.sent => {}
                _ => break,
            }
        }
    }
}
