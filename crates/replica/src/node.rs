//! The state machine: one input in, effects out. Everything here is a cache of the store.

use std::collections::{BTreeMap, VecDeque};

use ledger::{ChainId, MAX_SEGMENT_BYTES, Member, NodeId, VerifyingKey, VersionVector};

use crate::blocks::Blocks;
use crate::event::{Effect, Input, Report};
use crate::evidence::Evidence;
use crate::finality::Finality;
use crate::holdback::{HeldSegment, Holdback};
use crate::message::{Body, Notice, Request, Response};
use crate::options::Options;
use crate::peers::{Peer, PeerStatus};
use crate::relay::{self, Answered};
use crate::store::{Barred, Store};
use crate::sync::{self, Sync};

/// One member of the cluster, without clock, network or disk.
///
/// The host gives it [`Input`]s one after another, each within one transaction on the [`Store`],
/// commits, and then carries out the [`Effect`]s. If the transaction is lost it drops the node and the
/// effects, and opens a new one.
pub struct Node {
    pub(crate) id: NodeId,
    pub(crate) chain: ChainId,
    pub(crate) options: Options,
    pub(crate) now_ms: u64,
    pub(crate) vector: VersionVector,
    pub(crate) members: BTreeMap<NodeId, Signer>,
    pub(crate) peers: BTreeMap<NodeId, Peer>,
    pub(crate) barred: BTreeMap<NodeId, BarredFrom>,
    pub(crate) holdback: Holdback,
    /// Origins that have moved on, so that what waits for them is looked at again.
    pub(crate) moved: VecDeque<NodeId>,
    /// Counts what may make a waiting block appendable.
    pub(crate) changes: u64,
    pub(crate) blocks: Blocks,
    pub(crate) sync: Sync,
    pub(crate) out: Vec<Effect>,
}

pub(crate) struct Signer {
    pub(crate) key: VerifyingKey,
    pub(crate) left_after: Option<u64>,
}

pub(crate) struct BarredFrom {
    /// The last operation beyond dispute.
    pub(crate) after: u64,
    /// When this node learned of it, or opened knowing it.
    pub(crate) since_ms: u64,
    /// For those who do not know it yet.
    pub(crate) proof: Option<Evidence>,
}

impl Node {
    /// A node as the store describes it. `finality` is given by a host that holds a validator's key;
    /// the node proposes only while the store names it among the validators.
    ///
    /// # Errors
    /// The store's.
    pub fn open<S: Store>(
        store: &mut S,
        options: Options,
        finality: Option<Box<dyn Finality>>,
        now_ms: u64,
    ) -> Result<Self, S::Error> {
        let genesis = store.genesis()?;
        let blocks = Blocks::open(store, &genesis, finality)?;
        let mut barred: BTreeMap<NodeId, BarredFrom> = BTreeMap::new();
        for Barred { origin, after } in store.barred()? {
            barred.insert(
                origin,
                BarredFrom {
                    after,
                    since_ms: now_ms,
                    proof: None,
                },
            );
        }
        for evidence in store.evidence()? {
            let known = evidence.barred().and_then(|b| barred.get_mut(&b.origin));
            if let Some(known) = known {
                known.proof = Some(evidence);
            }
        }
        let mut node = Self {
            id: store.node_id()?,
            chain: genesis.chain_id(),
            holdback: Holdback::new(options.holdback_bytes, options.holdback_segments),
            options,
            now_ms,
            vector: store.vector()?,
            members: BTreeMap::new(),
            peers: BTreeMap::new(),
            barred,
            moved: VecDeque::new(),
            changes: 0,
            sync: Sync::new(now_ms, blocks.height()),
            blocks,
            out: Vec::new(),
        };
        node.read_members(store)?;
        node.start_height(store)?;
        Ok(node)
    }

    /// Takes one input and says what follows from it. See [`Store`] for when the effects may be
    /// carried out.
    ///
    /// # Errors
    /// The store's: the transaction is lost, and so is this node.
    pub fn handle<S: Store>(
        &mut self,
        input: Input,
        store: &mut S,
    ) -> Result<Vec<Effect>, S::Error> {
        match input {
            Input::Tick { now_ms } => self.tick(store, now_ms)?,
            Input::Sealed(segment) => self.sealed(store, &segment)?,
            Input::Request {
                peer,
                token,
                request,
            } => {
                let response = self.answer(store, peer, request)?;
                self.out.push(Effect::Reply { token, response });
            }
            Input::Response { peer, id, result } => self.answered(store, peer, id, result)?,
            Input::CommitBlock => self.blocks.force(),
            Input::MembershipChanged => {
                self.read_members(store)?;
                self.drain(store)?;
            }
        }
        self.advance_blocks(store)?;
        self.sync_blocks(store)?;
        Ok(std::mem::take(&mut self.out))
    }

    /// When the next [`Input::Tick`] is due, unix milliseconds. Not after a second or so, so that a
    /// clock that jumps does no harm.
    #[must_use]
    pub fn next_tick_ms(&self) -> u64 {
        self.sync_due_ms()
            .min(self.blocks_due_ms())
            .max(self.now_ms)
    }

    /// This node.
    #[must_use]
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// The chain it is on.
    #[must_use]
    pub fn chain_id(&self) -> ChainId {
        self.chain
    }

    /// What has been admitted of each origin.
    #[must_use]
    pub fn vector(&self) -> &VersionVector {
        &self.vector
    }

    /// The height of the last block.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.blocks.height()
    }

    /// Why the next block that others have is not appended here, for people; none if nothing is known
    /// to stand in its way.
    #[must_use]
    pub fn block_wait(&self) -> Option<&str> {
        self.blocks.wait.as_deref()
    }

    /// Each peer, for a view.
    #[must_use]
    pub fn peers(&self) -> Vec<PeerStatus> {
        self.peers
            .iter()
            .map(|(id, peer)| peer.status(*id, &self.vector))
            .collect()
    }

    /// Each segment that waits, for a view.
    #[must_use]
    pub fn held(&self) -> Vec<HeldSegment> {
        self.holdback
            .iter()
            .map(|held| HeldSegment {
                origin: held.segment.origin,
                first_seq: held.segment.prev.seq.saturating_add(1),
                operations: held.segment.ops.len(),
                wait: held.wait.clone(),
            })
            .collect()
    }

    pub(crate) fn report(&mut self, report: Report) {
        self.out.push(Effect::Report(report));
    }

    /// Reads the members anew and keeps what is known of the peers that stay.
    pub(crate) fn read_members<S: Store>(&mut self, store: &mut S) -> Result<(), S::Error> {
        let known = store.members()?;
        let is_peer = |member: &Member, left: bool| member.node_id != self.id && !left;
        let mut peers = BTreeMap::new();
        self.members.clear();
        for known in known {
            let Some(key) = known.member.verifying_key() else {
                continue;
            };
            let id = known.member.node_id;
            if is_peer(&known.member, known.left_after.is_some()) {
                let mut peer = self.peers.remove(&id).unwrap_or_default();
                peer.has_address = !known.member.url.is_empty();
                peers.insert(id, peer);
            }
            self.members.insert(
                id,
                Signer {
                    key,
                    left_after: known.left_after,
                },
            );
        }
        self.peers = peers;
        // Whose segments waited for the host may have waited for this.
        self.changes = self.changes.wrapping_add(1);
        self.moved.extend(self.holdback.origins());
        Ok(())
    }

    fn answer<S: Store>(
        &mut self,
        store: &mut S,
        from: NodeId,
        request: Request,
    ) -> Result<Response, S::Error> {
        if !self.peers.contains_key(&from) {
            let reason = format!("{from} is not a member");
            return Ok(self.response(VersionVector::default(), Body::Refused { reason }));
        }
        self.heard_from(store, from)?;
        match request {
            Request::Push { segments } => {
                let mut notices = Vec::new();
                let mut concerned = VersionVector::default();
                for segment in segments {
                    let (origin, first_seq) = (segment.origin, segment.prev.seq.saturating_add(1));
                    if let Some((held, reason)) = self.take_in(store, segment)?.into_reason() {
                        notices.push(Notice {
                            origin,
                            first_seq,
                            held,
                            reason,
                        });
                    }
                    concerned.0.insert(origin, self.vector.get(&origin));
                }
                self.drain(store)?;
                for (origin, at) in &mut concerned.0 {
                    *at = self.vector.get(origin);
                }
                concerned.0.retain(|_, at| at.seq > 0);
                Ok(self.response(concerned, Body::Taken { notices }))
            }
            Request::Pull {
                vector,
                height,
                barred,
                max_bytes,
            } => {
                let budget = max_bytes.min(self.options.max_pull_bytes);
                let budget = (budget as usize).min(MAX_SEGMENT_BYTES);
                let turn = self.sync.answered_pulls;
                self.sync.answered_pulls = turn.wrapping_add(1);
                let Answered {
                    segments,
                    more,
                    pruned,
                } = relay::answer_pull(store, &self.vector, &vector, budget, turn)?;
                self.note_pull(from, vector, height, &segments);
                let evidence = self.evidence_beside(&barred);
                let body = Body::Segments {
                    segments,
                    more,
                    evidence,
                    pruned,
                };
                Ok(self.response(self.vector.clone(), body))
            }
            Request::PushBlocks { blocks } => {
                for block in blocks {
                    self.take_block(store, from, block)?;
                }
                self.advance_blocks(store)?;
                let notices = Vec::new();
                Ok(self.response(VersionVector::default(), Body::Taken { notices }))
            }
            Request::PullBlocks { from } => {
                let blocks = sync::blocks_from(store, from)?;
                Ok(self.response(VersionVector::default(), Body::Blocks { blocks }))
            }
            Request::Finality { message } => {
                let body = match self.finality_message(store, from, message)? {
                    Ok(()) => Body::Taken {
                        notices: Vec::new(),
                    },
                    Err(reason) => Body::Refused { reason },
                };
                Ok(self.response(VersionVector::default(), body))
            }
        }
    }

    fn response(&self, vector: VersionVector, body: Body) -> Response {
        Response {
            vector,
            height: self.blocks.height(),
            body,
        }
    }
}
