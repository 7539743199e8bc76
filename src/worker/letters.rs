//! What sessions ask of the worker through the mailbox: blocks made now, and
//! joining a cluster. Both take more than one turn of the main loop.

use super::main_loop::{RETRY_PAUSE, Worker};
use super::network::Network;
use super::origins::Origins;
use super::{join, log, transaction};
use crate::audit::log::node_name;
use crate::catalog;
use crate::instance::mailbox::{self, Request};
use crate::track::outbox::{self, Entry};
use ledger::Kind;
use replica::Input;
use std::time::Instant;

/// Times that an inviter is asked before joining fails.
const JOIN_TRIES: u32 = 10;

/// A letter whose answer takes more than one turn.
pub enum Pending {
    /// Wait until the chain has this origin's ops up to here.
    Block { me: i32, upto: u64 },
    /// Wait for the inviter's answer.
    Join(Joining),
}

/// A wish to join that the inviter has not answered yet.
pub struct Joining {
    invite: join::Invite,
    body: Vec<u8>,
    /// Tries that are left: an inviter that has just made the invitation may
    /// not let its guest in at once.
    tries: u32,
    next_try: Option<Instant>,
}

impl Worker {
    /// Reads a letter of a session.
    pub(super) fn read(&mut self, letter: Request, body: &str) {
        let begun = match letter {
            Request::CommitBlock => self.begin_block().map(Some),
            Request::Join => self.begin_join(body).map(Some),
            Request::Admitted => self.admitted(body).map(|()| None),
            Request::Prune => self.seal_prune(body).map(|()| None),
        };
        match begun {
            Ok(Some(pending)) => self.pending = Some(pending),
            Ok(None) => mailbox::answer(Ok(String::new())),
            Err(reason) => mailbox::answer(Err(reason)),
        }
    }

    /// Whether all peers have said that they have what the block of this height
    /// takes in. What they said before this worker started is not known.
    fn admitted(&mut self, height: &str) -> Result<(), String> {
        self.open()?;
        let height: i64 = height.parse().map_err(|_| "this is no height")?;
        let node = self
            .node
            .as_ref()
            .ok_or("this database is not a member of a chain")?;
        transaction::with_extension(|| {
            let cut = catalog::cut(height).ok_or("there is no such block")?;
            for peer in node.peers() {
                for (origin, at) in cut.iter() {
                    let has = peer.vector.get(origin).seq;
                    // What it wrote itself it has, whether or not it says so.
                    if has < at.seq && peer.node_id != *origin {
                        return Err(format!(
                            "{} is known to have admitted op {has} of {}, the block goes up to op {}",
                            node_name(&peer.node_id),
                            node_name(origin),
                            at.seq
                        ));
                    }
                }
            }
            Ok(())
        })?
    }

    /// Puts a prune op into the log, before the session takes payloads away: a
    /// verification must never find them gone and nothing that says why.
    fn seal_prune(&mut self, payload: &str) -> Result<(), String> {
        let payload = hex::decode(payload).map_err(|_| "this is no prune op")?;
        self.open()?;
        if self.node.is_none() {
            return Err("this database is not a member of a chain".to_owned());
        }
        transaction::with_extension(|| {
            outbox::append(&Entry {
                kind: Kind::Prune,
                schema_id: 0,
                row_id: 0,
                payload: &payload,
            });
        })?;
        while self.seal()? {}
        Ok(())
    }

    fn begin_block(&mut self) -> Result<Pending, String> {
        // The chain may have been founded since the turn began.
        self.open()?;
        while self.seal()? {}
        let (Some(me), Some(node)) = (self.me, &self.node) else {
            return Err("this database is not a member of a chain".to_owned());
        };
        let upto = node.vector().get(&node.id()).seq;
        self.leftovers.push(Input::CommitBlock);
        Ok(Pending::Block { me, upto })
    }

    fn begin_join(&mut self, text: &str) -> Result<Pending, String> {
        let invite = join::Invite::from_text(text)?;
        transaction::with_extension(|| join::prepare(&invite))??;
        (self.node, self.chain, self.me) = (None, None, None);
        self.origins = Origins::default();
        self.network_retry = Instant::now();
        if self.network.is_none() {
            self.network = Some(Network::start()?);
        }
        let network = self.network.as_ref().ok_or("the network is not running")?;
        let body = transaction::with_extension(|| {
            join::application(&invite.chain_id, &catalog::local_member(0))
        })?;
        network.join(
            &invite.url,
            invite.server_key,
            &invite.guest_seed,
            body.clone(),
        )?;
        Ok(Pending::Join(Joining {
            invite,
            body,
            tries: JOIN_TRIES,
            next_try: None,
        }))
    }

    /// Asks the inviter again after a failure that may pass.
    pub(super) fn retry_join(&mut self) {
        if let (Some(Pending::Join(joining)), Some(network)) = (&mut self.pending, &self.network)
            && joining.next_try.is_some_and(|at| at <= Instant::now())
        {
            joining.next_try = None;
            let Joining { invite, body, .. } = joining;
            let asked = network.join(
                &invite.url,
                invite.server_key,
                &invite.guest_seed,
                body.clone(),
            );
            if let Err(reason) = asked {
                self.pending = None;
                mailbox::answer(Err(reason));
            }
        }
    }

    /// Answers a letter once what it asked for has come.
    pub(super) fn answer_pending(&mut self) -> Result<(), String> {
        if self.pending.is_some() && mailbox::is_abandoned() {
            self.pending = None;
            mailbox::answer(Err("given up".to_owned()));
        }
        let Some(Pending::Block { me, upto }) = self.pending else {
            return Ok(());
        };
        let height = transaction::with_extension(|| log::height_of(me, upto))?;
        if let Some(height) = height {
            self.pending = None;
            mailbox::answer(Ok(height.to_string()));
        }
        Ok(())
    }
}

/// Takes the inviter's answer in, within the current transaction. Returns what
/// to tell the session after the commit.
pub fn finish_joining(
    pending: &Option<Pending>,
    result: Result<Vec<u8>, String>,
) -> Option<Result<String, String>> {
    let Some(Pending::Join(joining)) = pending else {
        return None;
    };
    Some(result.and_then(|grant| join::accept(&joining.invite, &grant)))
}

/// Notes that the inviter was not reached: another try, or an answer.
pub fn retry_or_fail(
    pending: &mut Option<Pending>,
    reason: String,
) -> Option<Result<String, String>> {
    let Some(Pending::Join(joining)) = pending else {
        return None;
    };
    joining.tries = joining.tries.saturating_sub(1);
    joining.next_try = Some(Instant::now() + RETRY_PAUSE);
    (joining.tries == 0).then_some(Err(reason))
}
