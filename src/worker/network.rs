//! The worker's end of the network thread: requests and answers as messages of
//! the node, peers by their node ids.

use super::signals;
use crate::catalog;
use crate::instance::{identity, settings};
use ledger::{ChainId, NodeId};
use pgrx::{log, warning};
use replica::message::{Request, Response};
use replica::{Effect, Input};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};
use transport::{
    Config, Event, Events, Handle, Key, Limits, Peer, Public, PublicConfig, TransportError,
    WebAnswer,
};

/// Path of the node's messages.
const NODE_PATH: &str = "/v1/node";
/// Path of comparing tables.
pub const COMPARE_PATH: &str = "/v1/compare";
/// Request ids of joining; the node counts its own from 0 up.
const JOIN_ID: u64 = u64::MAX;

/// What came in that is not for the node.
pub enum Incoming {
    /// For the node.
    Node(Input),
    /// A member compares a table with this node's.
    Compare {
        peer: NodeId,
        token: u64,
        body: Vec<u8>,
    },
    /// A guest wants to join.
    Guest { token: u64, key: Key, body: Vec<u8> },
    /// The inviter's answer to this node's own wish to join.
    Joined(Result<Vec<u8>, String>),
    /// The inviter did not answer.
    Unreachable(String),
}

/// The outcome of a request to a server that is no node.
pub struct Posted {
    /// As given to [`Network::post_web`].
    pub id: u64,
    /// The answer, or why there is none.
    pub result: Result<WebAnswer, TransportError>,
}

/// The network thread and who is known to it.
pub struct Network {
    handle: Handle,
    events: Events,
    bell: UnixStream,
    bell_fd: OwnedFd,
    far_end: Arc<UnixStream>,
    listen: Option<SocketAddr>,
    keys: HashMap<NodeId, Key>,
    nodes: HashMap<Key, NodeId>,
}

impl Network {
    /// Starts the network thread as the settings say.
    ///
    /// # Errors
    /// What stands in the way, for the log.
    pub fn start() -> Result<Network, String> {
        let listen = settings::listen()
            .map_err(|text| format!("blockchain_crdt.listen = '{text}' is not ip:port"))?;
        let (bell, far_end) = UnixStream::pair().map_err(|e| e.to_string())?;
        for end in [&bell, &far_end] {
            end.set_nonblocking(true).map_err(|e| e.to_string())?;
        }
        let bell_fd = OwnedFd::from(bell.try_clone().map_err(|e| e.to_string())?);
        let requests_per_second = settings::max_peer_requests();
        let limits = Limits {
            requests_per_second,
            burst: requests_per_second.saturating_mul(2),
            ..Limits::default()
        };
        let config = Config {
            listen,
            tls_seed: identity::identity().tls_seed,
            limits,
        };
        let far_end = Arc::new(far_end);
        let ring = ringer(&far_end);
        let started = signals::with_signals_blocked(|| transport::start(config, ring));
        let start = started.map_err(|e| e.to_string())?;
        if let Some(address) = start.local_addr {
            log!("blockchain_crdt listens on {address}");
        }
        Ok(Network {
            handle: start.handle,
            events: start.events,
            bell,
            bell_fd,
            far_end,
            listen,
            keys: HashMap::new(),
            nodes: HashMap::new(),
        })
    }

    /// Opens the public listener on the network thread.
    ///
    /// # Errors
    /// What stands in the way, for the log.
    pub fn serve_public(&self, config: PublicConfig) -> Result<Public, String> {
        let ring = ringer(&self.far_end);
        let opened = self.handle.serve_public(config, ring);
        opened.map_err(|error| error.to_string())
    }

    /// Posts to a server that is no node.
    ///
    /// # Errors
    /// As for [`Handle::post_web`].
    pub fn post_web(&self, url: &str, id: u64, body: Vec<u8>) -> Result<(), TransportError> {
        self.handle.post_web(url, id, body)
    }

    /// Becomes readable when events wait.
    pub fn bell(&self) -> &OwnedFd {
        &self.bell_fd
    }

    /// Whether the thread runs and listens where the settings say.
    pub fn is_current(&self) -> bool {
        self.handle.is_running() && settings::listen().is_ok_and(|listen| listen == self.listen)
    }

    /// Tells the thread who may call and who is called: the members, and
    /// guests with open invitations.
    pub fn set_members(&mut self) {
        let me = identity::identity().node_id();
        let present = catalog::members()
            .into_iter()
            .filter(|known| known.left_after.is_none() && known.member.node_id != me);
        let mut peers = HashMap::new();
        self.keys.clear();
        self.nodes.clear();
        for known in present {
            let member = known.member;
            self.keys.insert(member.node_id, member.tls_key);
            self.nodes.insert(member.tls_key, member.node_id);
            peers.insert(member.tls_key, Peer { url: member.url });
        }
        self.handle.set_peers(peers);
        let guests = catalog::query(
            "SELECT guest_key, extract(epoch FROM expires - now())::float8 FROM crdt.invite
              WHERE expires > now()",
            &[],
            |row| {
                let key: Vec<u8> = row.need(1);
                let left = Duration::try_from_secs_f64(row.need(2)).unwrap_or_default();
                Some((Key::try_from(key.as_slice()).ok()?, Instant::now() + left))
            },
        );
        self.handle
            .set_guests(guests.into_iter().flatten().collect());
    }

    /// What has come in, at most `limit` events.
    pub fn receive(
        &mut self,
        chain: Option<&ChainId>,
        limit: usize,
    ) -> (Vec<Incoming>, Vec<Posted>) {
        let mut drained = [0; 256];
        while self
            .bell
            .read(&mut drained)
            .is_ok_and(|n| n == drained.len())
        {}
        let (mut incoming, mut posted) = (Vec::new(), Vec::new());
        while incoming.len() + posted.len() < limit
            && let Some(event) = self.events.try_recv()
        {
            match event {
                Event::Posted { request_id, result } => posted.push(Posted {
                    id: request_id,
                    result,
                }),
                event => incoming.extend(self.understand(chain, event)),
            }
        }
        if incoming.len() + posted.len() == limit {
            // More may wait: look again without waiting for a further event.
            // SAFETY: this process's own latch.
            unsafe { pgrx::pg_sys::SetLatch(pgrx::pg_sys::MyLatch) }
        }
        (incoming, posted)
    }

    fn understand(&self, chain: Option<&ChainId>, event: Event) -> Option<Incoming> {
        match event {
            Event::Request {
                token,
                from,
                guest: true,
                path,
                body,
            } => {
                if path == transport::JOIN_PATH {
                    return Some(Incoming::Guest {
                        token,
                        key: from,
                        body,
                    });
                }
                self.handle.reply(token, 404, Vec::new());
                None
            }
            Event::Request {
                token,
                from,
                guest: false,
                path,
                body,
            } => {
                let known = chain
                    .zip(self.nodes.get(&from))
                    .filter(|_| path == NODE_PATH || path == COMPARE_PATH);
                let Some((chain, &peer)) = known else {
                    self.handle.reply(token, 404, Vec::new());
                    return None;
                };
                if path == COMPARE_PATH {
                    return Some(Incoming::Compare { peer, token, body });
                }
                match Request::decode(chain, &body) {
                    Ok(request) => Some(Incoming::Node(Input::Request {
                        peer,
                        token,
                        request,
                    })),
                    Err(error) => {
                        self.handle
                            .reply(token, 400, error.to_string().into_bytes());
                        None
                    }
                }
            }
            // Taken out before.
            Event::Posted { .. } => None,
            Event::Response {
                request_id: JOIN_ID,
                result,
                ..
            } => Some(match result {
                Ok(answer) if answer.status == 200 => Incoming::Joined(Ok(answer.body)),
                Ok(answer) => {
                    let reason = String::from_utf8_lossy(&answer.body).into_owned();
                    Incoming::Joined(Err(reason))
                }
                Err(error) => Incoming::Unreachable(error.to_string()),
            }),
            Event::Response {
                to,
                request_id,
                result,
            } => {
                let (chain, &peer) = chain.zip(self.nodes.get(&to))?;
                let result = match result {
                    Ok(answer) if answer.status == 200 => {
                        Response::decode(chain, &answer.body).map_err(|e| e.to_string())
                    }
                    Ok(answer) => Err(format!("answered with status {}", answer.status)),
                    Err(error) => Err(error.to_string()),
                };
                Some(Incoming::Node(Input::Response {
                    peer,
                    id: request_id,
                    result,
                }))
            }
        }
    }

    /// Carries out what the node asked for, after the commit. Returns inputs
    /// for requests that could not even be sent.
    pub fn carry_out(&self, chain: &ChainId, effects: Vec<Effect>) -> Vec<Input> {
        let mut failed = Vec::new();
        for effect in effects {
            match effect {
                Effect::Send { peer, id, request } => {
                    let sent = match self.keys.get(&peer) {
                        Some(key) => self.handle.send(*key, NODE_PATH, id, request.encode(chain)),
                        None => Err(TransportError::UnknownPeer),
                    };
                    if let Err(error) = sent {
                        let result = Err(error.to_string());
                        failed.push(Input::Response { peer, id, result });
                    }
                }
                Effect::Reply { token, response } => {
                    self.handle.reply(token, 200, response.encode(chain));
                }
                Effect::Report(report) => tell(&report),
            }
        }
        failed
    }

    /// Answers a request that is not the node's.
    pub fn reply(&self, token: u64, status: u16, body: Vec<u8>) {
        self.handle.reply(token, status, body);
    }

    /// Asks to join through an invitation.
    pub fn join(
        &self,
        url: &str,
        server: Key,
        guest_seed: &[u8; 32],
        body: Vec<u8>,
    ) -> Result<(), String> {
        self.handle
            .join(url, server, guest_seed, JOIN_ID, body)
            .map_err(|e| e.to_string())
    }
}

/// What wakes the worker; a full pipe has bytes enough to do so.
fn ringer(far_end: &Arc<UnixStream>) -> impl Fn() + Send + Sync + 'static {
    let far_end = Arc::clone(far_end);
    move || {
        let _already_ringing = far_end.as_ref().write(&[1]);
    }
}

/// Puts a node's report into the server log.
pub fn tell(report: &replica::Report) {
    match report {
        replica::Report::Appended { .. } => pgrx::debug1!("blockchain_crdt: {report}"),
        replica::Report::Peer { .. } => log!("blockchain_crdt: {report}"),
        _ => warning!("blockchain_crdt: {report}"),
    }
}
