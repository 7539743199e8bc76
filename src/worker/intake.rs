//! Taking in what peers sent, and the time: in one transaction, whose effects leave this server
//! only once it has committed.

use super::main_loop::Worker;
use super::network::Incoming;
use super::store::Tables;
use super::transaction::{self, flush_at_commit};
use super::{join, letters};
use crate::catalog;
use crate::instance::{clock, mailbox};
use replica::{Effect, Input, Node};

/// Events taken in by one transaction.
const MAX_EVENTS: usize = 32;

/// What a transaction of the node leaves to be done after its commit.
#[derive(Default)]
struct Outcome {
    effects: Vec<Effect>,
    replies: Vec<(u64, u16, Vec<u8>)>,
    joined: Option<Result<String, String>>,
    members_changed: bool,
    more: bool,
}

impl Worker {
    /// Lets the node take in what peers sent, and the time. Returns whether
    /// more waits.
    pub(super) fn take_in(&mut self) -> Result<bool, String> {
        let (mut incoming, posted) = match &mut self.network {
            Some(network) => network.receive(self.chain.as_ref(), MAX_EVENTS),
            None => Default::default(),
        };
        posted
            .into_iter()
            .for_each(|outcome| self.hear_witness(outcome));
        self.pass_on_comparisons(&mut incoming);
        let now_ms = clock::now_ms();
        let due = self
            .node
            .as_ref()
            .is_some_and(|node| node.next_tick_ms() <= now_ms);
        if incoming.is_empty() && self.leftovers.is_empty() && !due {
            return Ok(false);
        }
        let tokens: Vec<u64> = incoming.iter().filter_map(token_of).collect();
        let leftovers = std::mem::take(&mut self.leftovers);
        let result = self.process(incoming, leftovers, now_ms);
        if result.is_err()
            && let Some(network) = &self.network
        {
            tokens
                .into_iter()
                .for_each(|token| network.reply(token, 503, Vec::new()));
        }
        let outcome = result?;
        if let Some(network) = &self.network {
            for (token, status, body) in outcome.replies {
                network.reply(token, status, body);
            }
        }
        self.carry_out(outcome.effects);
        if let Some(joined) = outcome.joined {
            self.pending = None;
            mailbox::answer(joined);
        }
        if outcome.members_changed {
            self.refresh_members()?;
        }
        Ok(outcome.more)
    }

    /// Takes out what concerns comparisons of tables, which need no
    /// transaction here.
    fn pass_on_comparisons(&mut self, incoming: &mut Vec<Incoming>) {
        let comparisons = &mut self.comparisons;
        let (network, chain) = (&self.network, &self.chain);
        incoming.retain(|event| {
            let Incoming::Compare { peer, token, body } = event else {
                return true;
            };
            if let (Some(network), Some(chain)) = (network, chain) {
                comparisons.take(network, chain, *peer, *token, body);
            }
            false
        });
    }

    fn process(
        &mut self,
        incoming: Vec<Incoming>,
        leftovers: Vec<Input>,
        now_ms: u64,
    ) -> Result<Outcome, String> {
        let (origins, node, pending) = (&mut self.origins, &mut self.node, &mut self.pending);
        transaction::with_extension(|| {
            let mut outcome = Outcome::default();
            let mut inputs = vec![Input::Tick { now_ms }];
            inputs.extend(leftovers);
            let (height, members) = (node.as_ref().map(Node::height), member_count());
            for event in incoming {
                match event {
                    Incoming::Node(input) => inputs.push(input),
                    // Taken out before.
                    Incoming::Compare { .. } => {}
                    Incoming::Guest { token, key, body } => {
                        let (status, body) = match join::admit(&key, &body) {
                            Ok(grant) => (200, grant),
                            Err(reason) => (403, reason.into_bytes()),
                        };
                        inputs.push(Input::MembershipChanged);
                        outcome.replies.push((token, status, body));
                        outcome.more = true;
                    }
                    Incoming::Unreachable(reason) => {
                        outcome.joined = letters::retry_or_fail(pending, reason)
                    }
                    Incoming::Joined(result) => {
                        outcome.joined = letters::finish_joining(pending, result);
                        outcome.more = true;
                    }
                }
            }
            if let Some(node) = node {
                let mut tables = Tables { origins };
                for input in inputs {
                    let Ok(effects) = node.handle(input, &mut tables);
                    outcome.effects.extend(effects);
                }
            }
            outcome.members_changed = member_count() != members;
            // What peers sent can be had from them again; what this node
            // decides or promises cannot.
            let decided = node.as_ref().map(Node::height) != height;
            flush_at_commit(decided || outcome.members_changed);
            outcome
        })
    }
}

fn token_of(incoming: &Incoming) -> Option<u64> {
    match incoming {
        Incoming::Node(Input::Request { token, .. }) | Incoming::Guest { token, .. } => {
            Some(*token)
        }
        _ => None,
    }
}

fn member_count() -> i64 {
    catalog::one("SELECT count(*) FROM crdt.node", &[], |row| row.need(1)).unwrap_or_default()
}
