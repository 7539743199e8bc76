//! Comparing tables for peers. The node worker only passes messages on: each
//! comparison has a process of its own, which reads the table and answers.

use super::network::Network;
use crate::compare::channel::{Channel, Gone, Order};
use crate::worker::transaction;
use ledger::{ChainId, NodeId};
use pgrx::bgworkers::{BackgroundWorkerBuilder, BackgroundWorkerStatus, DynamicBackgroundWorker};
use pgrx::{log, pg_sys};
use replica::message::{CompareRequest, CompareResponse};
use std::time::{Duration, Instant};

/// Comparisons at one time, of all peers and of one.
const MOST: usize = 4;
const MOST_OF_ONE: usize = 2;
/// After this time a peer that waits hears that there is no answer yet; the
/// network thread's own patience is three times that.
const PATIENCE: Duration = Duration::from_secs(10);
/// After this time without a request the peer is taken for gone: the process
/// holds a snapshot, and so keeps dead rows from being removed.
const IDLE: Duration = Duration::from_secs(30);
/// No comparison lasts longer.
const LONGEST: Duration = Duration::from_secs(3_600);

/// The comparisons under way.
#[derive(Default)]
pub struct Comparisons {
    running: Vec<Running>,
    started: u64,
}

struct Running {
    session: u64,
    peer: NodeId,
    channel: Channel,
    process: Option<DynamicBackgroundWorker>,
    begun: Instant,
    /// When the peer was last heard or answered.
    last: Instant,
    /// Whether the process is at work on a request.
    busy: bool,
    /// Who waits for its answer, since when.
    waiting: Option<(u64, Instant)>,
    /// An answer for which nobody waits just now.
    answer: Option<Vec<u8>>,
}

fn refused(reason: impl Into<String>) -> CompareResponse {
    CompareResponse::Refused {
        reason: reason.into(),
    }
}

impl Comparisons {
    /// Takes a peer's request in.
    pub fn take(
        &mut self,
        network: &Network,
        chain: &ChainId,
        peer: NodeId,
        token: u64,
        body: &[u8],
    ) {
        let request = match CompareRequest::decode(chain, body) {
            Ok(request) => request,
            Err(error) => {
                network.reply(token, 400, error.to_string().into_bytes());
                return;
            }
        };
        let taken = match request.session() {
            None => self.begin(peer).map(|running| {
                running.pass_on(token, body);
            }),
            Some(session) => self.go_on(network, chain, peer, session, &request, token, body),
        };
        if let Err(response) = taken {
            network.reply(token, 200, response.encode(chain));
        }
    }

    fn begin(&mut self, peer: NodeId) -> Result<&mut Running, CompareResponse> {
        let of_peer = self.running.iter().filter(|running| running.peer == peer);
        if self.running.len() >= MOST || of_peer.count() >= MOST_OF_ONE {
            return Err(refused(
                "it is busy with as many comparisons as it makes at once; try again later",
            ));
        }
        self.started += 1;
        let session = self.started;
        let order = Order {
            // SAFETY: set once when this process connected.
            database: unsafe { pg_sys::MyDatabaseId }.to_u32(),
            session,
        };
        let (channel, handle) = transaction::run(|| Channel::create(order)).map_err(|reason| {
            log!("blockchain_crdt: no memory for comparing a table: {reason}");
            refused("it has no memory for a comparison")
        })?;
        let process = start(handle).ok_or_else(|| {
            refused("no background worker slot is free there: raise max_worker_processes")
        })?;
        let now = Instant::now();
        self.running.push(Running {
            session,
            peer,
            channel,
            process: Some(process),
            begun: now,
            last: now,
            busy: false,
            waiting: None,
            answer: None,
        });
        self.running
            .last_mut()
            .ok_or_else(|| refused("the comparison did not begin"))
    }

    #[allow(clippy::too_many_arguments)]
    fn go_on(
        &mut self,
        network: &Network,
        chain: &ChainId,
        peer: NodeId,
        session: u64,
        request: &CompareRequest,
        token: u64,
        body: &[u8],
    ) -> Result<(), CompareResponse> {
        let of_peer = |running: &Running| running.session == session && running.peer == peer;
        let Some(at) = self.running.iter().position(of_peer) else {
            return Err(refused(
                "the comparison is over: it took too long, or the node was restarted",
            ));
        };
        if matches!(request, CompareRequest::End { .. }) {
            self.running.swap_remove(at);
            return Err(CompareResponse::Working { session });
        }
        let Some(running) = self.running.get_mut(at) else {
            return Ok(());
        };
        running.last = Instant::now();
        match request {
            CompareRequest::Wait { .. } => match running.answer.take() {
                Some(answer) => network.reply(token, 200, answer),
                None if running.busy => {
                    running.tell_to_wait(network, chain);
                    running.waiting = Some((token, Instant::now()));
                }
                // A sign of life.
                None => return Err(CompareResponse::Working { session }),
            },
            _ if running.busy => return Err(refused("it is at work on the request before")),
            _ => running.pass_on(token, body),
        }
        Ok(())
    }

    /// Passes on what the processes have answered, and ends what has lasted
    /// too long.
    pub fn look(&mut self, network: Option<&Network>, chain: Option<&ChainId>) {
        let (Some(network), Some(chain)) = (network, chain) else {
            self.running.clear();
            return;
        };
        self.running
            .retain_mut(|running| running.look(network, chain));
    }
}

impl Running {
    fn pass_on(&mut self, token: u64, body: &[u8]) {
        // A process that is gone is noticed at the next look.
        let _gone = self.channel.send_at_once(body);
        self.busy = true;
        self.answer = None;
        self.waiting = Some((token, Instant::now()));
    }

    /// Answers who waits that there is no answer yet.
    fn tell_to_wait(&mut self, network: &Network, chain: &ChainId) {
        if let Some((token, _)) = self.waiting.take() {
            let session = self.session;
            let response = CompareResponse::Working { session };
            network.reply(token, 200, response.encode(chain));
        }
    }

    /// Returns whether the comparison goes on.
    fn look(&mut self, network: &Network, chain: &ChainId) -> bool {
        let now = Instant::now();
        match self.channel.try_receive() {
            Ok(Some(answer)) => {
                (self.busy, self.last) = (false, now);
                match self.waiting.take() {
                    Some((token, _)) => network.reply(token, 200, answer),
                    None => self.answer = Some(answer),
                }
            }
            Ok(None) if !self.has_ended() => {}
            Ok(None) | Err(Gone) => {
                if let Some((token, _)) = self.waiting.take() {
                    let response = refused("the process that compared for it has ended");
                    network.reply(token, 200, response.encode(chain));
                }
                return false;
            }
        }
        if self
            .waiting
            .is_some_and(|(_, since)| now - since > PATIENCE)
        {
            self.tell_to_wait(network, chain);
            self.last = now;
        }
        let idle = self.waiting.is_none() && now - self.last > IDLE;
        !idle && now - self.begun < LONGEST
    }

    /// Whether the process has ended, or could not begin, without a word.
    fn has_ended(&self) -> bool {
        let status = self.process.as_ref().map(DynamicBackgroundWorker::pid);
        matches!(status, None | Some(Err(BackgroundWorkerStatus::Stopped)))
    }
}

impl Drop for Running {
    /// A process that waits for a request ends when the channel is given up;
    /// one at work is stopped.
    fn drop(&mut self) {
        if self.busy
            && let Some(process) = self.process.take()
        {
            process.terminate();
        }
    }
}

fn start(handle: u32) -> Option<DynamicBackgroundWorker> {
    // SAFETY: this process's pid, so that the postmaster tells it of the end.
    let pid = unsafe { pg_sys::MyProcPid };
    BackgroundWorkerBuilder::new("blockchain_crdt compare")
        .set_type("blockchain_crdt compare")
        .set_function("bcrdt_compare_main")
        .set_library("blockchain_crdt")
        .set_argument(Some(pg_sys::Datum::from(handle)))
        .set_restart_time(None)
        .set_notify_pid(pid)
        .enable_spi_access()
        .load_dynamic()
        .ok()
}
