//! A cluster on a virtual clock: a queue of events is all there is, so a seed repeats a run exactly.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

use ledger::hash::sha256;
use ledger::{Hash, Kind, Member, NodeId};
use replica::message::{Request, Response};
use replica::{Input, Options, Report};

use super::cast::{Cast, START_MS};
use super::host::{Host, join};
use super::plan::Plan;
use super::random::Random;

/// What happens, to one node.
pub(super) enum Event {
    /// A request arrives, in the bytes it travels in.
    Ask {
        from: usize,
        process: u64,
        id: u64,
        bytes: Vec<u8>,
    },
    /// An answer arrives, or word that there is none.
    Answer {
        from: usize,
        process: u64,
        id: u64,
        result: Result<Vec<u8>, String>,
    },
    Tick,
    Write,
    TakeIn(Member),
    SignTwice,
    Crash,
    Restart,
}

pub struct Cluster {
    pub hosts: Vec<Host>,
    pub reports: Vec<Report>,
    pub now_ms: u64,
    pub(super) plan: Plan,
    pub(super) random: Random,
    queue: BinaryHeap<Reverse<(u64, u64, usize)>>,
    events: BTreeMap<u64, Event>,
    next_event: u64,
    next_token: u64,
    pub(super) ticks: BTreeMap<usize, u64>,
    /// (from, until, who is on one side).
    pub(super) partitions: Vec<(u64, u64, BTreeSet<usize>)>,
    pub(super) calm: bool,
    /// What every node agrees on about a height, as soon as one has it.
    decided: BTreeMap<u64, Hash>,
    /// A digest over everything that has happened.
    pub trace: Hash,
}

impl Cluster {
    pub fn new(plan: Plan) -> Self {
        let mut random = Random::new(plan.seed);
        let cast = Cast::new(plan.nodes, &mut random);
        let options = Options {
            max_block_ops: plan.max_block_ops,
            ..Options::default()
        };
        let late = plan.nodes - usize::from(plan.joins_late);
        let mut hosts = cast.hosts(late, &options);
        for host in &mut hosts {
            host.clock_off_ms = random.range(0, plan.clock_off_ms + 1) as i64;
        }
        let mut cluster = Self {
            hosts,
            reports: Vec::new(),
            now_ms: START_MS,
            plan,
            random,
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            next_event: 0,
            next_token: 0,
            ticks: BTreeMap::new(),
            partitions: Vec::new(),
            calm: false,
            decided: BTreeMap::new(),
            trace: [0; 32],
        };
        cluster.arrange(&cast.members);
        cluster
    }

    fn arrange(&mut self, members: &[Member]) {
        let plan = self.plan.clone();
        let end = START_MS + plan.trouble_ms;
        for node in 0..plan.nodes {
            self.hosts[node].open(START_MS);
            self.at(START_MS, node, Event::Tick);
            for _ in 0..plan.writes {
                let at = self.random.range(START_MS, end);
                self.at(at, node, Event::Write);
            }
        }
        if plan.joins_late {
            let at = self.random.range(START_MS, end);
            self.at(at, 0, Event::TakeIn(members[plan.nodes - 1].clone()));
        }
        if plan.equivocates {
            let at = self.random.range(START_MS, end);
            self.at(at, plan.nodes - 1, Event::SignTwice);
        }
        for _ in 0..plan.crashes {
            let (node, at) = (self.some_node(), self.random.range(START_MS, end));
            let back = at + self.random.range(0, 4_000);
            self.at(at, node, Event::Crash);
            self.at(back, node, Event::Restart);
        }
        for _ in 0..plan.partitions {
            let at = self.random.range(START_MS, end);
            let until = at + self.random.range(500, 8_000);
            let side = (0..plan.nodes)
                .filter(|_| self.random.permille(500))
                .collect();
            self.partitions.push((at, until, side));
        }
    }

    fn some_node(&mut self) -> usize {
        self.random.range(0, self.plan.nodes as u64) as usize
    }

    pub(super) fn at(&mut self, at_ms: u64, node: usize, event: Event) {
        self.queue.push(Reverse((at_ms, self.next_event, node)));
        self.events.insert(self.next_event, event);
        self.next_event += 1;
    }

    /// Lets everything happen up to a time.
    pub fn run_until(&mut self, until_ms: u64) {
        while let Some(Reverse((at, number, node))) = self.queue.peek().copied() {
            if at > until_ms {
                break;
            }
            self.queue.pop();
            self.now_ms = at;
            if let Some(event) = self.events.remove(&number) {
                self.happen(node, event);
            }
        }
        self.now_ms = until_ms;
    }

    /// The end of all trouble: every node is up, every message arrives.
    pub fn calm_down(&mut self) {
        self.run_until(START_MS + self.plan.trouble_ms + 10_000);
        self.calm = true;
        self.partitions.clear();
        for node in 0..self.plan.nodes {
            self.happen(node, Event::Restart);
        }
    }

    fn happen(&mut self, node: usize, event: Event) {
        let now_ms = self.now_ms;
        let lost = !self.calm && self.random.permille(self.plan.lost_transactions);
        let lost_after = lost.then(|| self.random.range(0, 12) as u32);
        let effects = match event {
            Event::Crash => {
                self.hosts[node].node = None;
                return;
            }
            Event::Restart => {
                if self.hosts[node].node.is_none() {
                    self.hosts[node].open(now_ms);
                    self.at(now_ms, node, Event::Tick);
                    self.ticks.remove(&node);
                }
                return;
            }
            Event::Write => {
                if self.hosts[node].node.is_none() {
                    self.at(now_ms + 500, node, Event::Write);
                    return;
                }
                let count = self.random.range(1, self.plan.operations + 1);
                let ops = (0..count)
                    .map(|_| (Kind::Delta, self.random.bytes().to_vec()))
                    .collect();
                self.hosts[node].seal(now_ms, lost_after, ops, &mut self.random)
            }
            Event::TakeIn(member) => {
                let ops = vec![join(&member)];
                let effects = match self.hosts[node].node {
                    Some(_) => self.hosts[node].seal(now_ms, lost_after, ops, &mut self.random),
                    None => None,
                };
                if effects.is_none() {
                    self.at(now_ms + 500, node, Event::TakeIn(member));
                }
                effects
            }
            Event::SignTwice => {
                self.sign_twice(node);
                return;
            }
            Event::Tick => {
                self.ticks.remove(&node);
                self.hosts[node].transaction(now_ms, lost_after, |_, _| Ok(Vec::new()))
            }
            Event::Ask {
                from,
                process,
                id,
                bytes,
            } => {
                let token = self.next_token;
                self.next_token += 1;
                let chain = self.hosts[node].store.chain;
                let request = Request::decode(&chain, &bytes).unwrap();
                let peer = self.hosts[from].id;
                self.admit_at_random(node, &request);
                let input = Input::Request {
                    peer,
                    token,
                    request,
                };
                let effects = self.hosts[node].input(now_ms, lost_after, input);
                self.answer(node, from, process, id, token, effects)
            }
            Event::Answer {
                from,
                process,
                id,
                result,
            } => {
                if self.hosts[node].process != process {
                    return;
                }
                let chain = self.hosts[node].store.chain;
                let result = result.map(|bytes| Response::decode(&chain, &bytes).unwrap());
                let input = Input::Response {
                    peer: self.hosts[from].id,
                    id,
                    result,
                };
                self.hosts[node].input(now_ms, lost_after, input)
            }
        };
        self.check(node);
        // Between the commit and the sending there is a time to die in.
        if lost && self.random.permille(300) {
            self.hosts[node].node = None;
            self.at(now_ms + 300, node, Event::Restart);
            return;
        }
        for effect in effects.into_iter().flatten() {
            self.carry_out(node, effect);
        }
        self.wake(node);
    }

    /// Some segments meet a host that is not ready for them.
    fn admit_at_random(&mut self, node: usize, request: &Request) {
        let Request::Push { segments } = request else {
            return;
        };
        for segment in segments {
            if !self.calm && self.random.permille(self.plan.unready) {
                self.hosts[node].store.unready.insert(segment.head);
            }
        }
    }

    /// The node goes on with one history, and one other member is shown another.
    fn sign_twice(&mut self, node: usize) {
        if self.hosts[node].node.is_none() {
            self.at(self.now_ms + 500, node, Event::SignTwice);
            return;
        }
        let victim = self.random.range(0, self.plan.nodes as u64 - 1) as usize;
        let ops = vec![(Kind::Delta, self.random.bytes().to_vec())];
        let (other, _) = self.hosts[node].segment(self.now_ms, ops, &mut self.random);
        let request = Request::Push {
            segments: vec![Arc::new(other)],
        };
        let bytes = request.encode(&self.hosts[node].store.chain);
        // Nobody waits for the answer to this one.
        let forged = Event::Ask {
            from: node,
            process: 0,
            id: u64::MAX,
            bytes,
        };
        let at = self.now_ms + self.random.range(0, self.plan.delay_ms + 1);
        self.at(at, victim, forged);
        self.at(self.now_ms + 1, node, Event::Write);
    }

    pub(super) fn note(&mut self, from: usize, to: usize, id: u64, bytes: &[u8]) {
        let place = [from as u8, to as u8];
        let times = [self.now_ms.to_be_bytes(), id.to_be_bytes()].concat();
        self.trace = sha256(&[&self.trace, &place, &times, bytes]);
    }

    /// What must hold at every moment.
    fn check(&mut self, node: usize) {
        let host = &self.hosts[node];
        let Some(running) = &host.node else {
            return;
        };
        assert_eq!(
            running.vector(),
            &host.store.vector,
            "the cache differs from the tables"
        );
        assert_eq!(running.height(), host.store.blocks.len() as u64);
        for block in host.store.blocks.iter().rev().take(20) {
            let hash = block.header.hash();
            let decided = *self.decided.entry(block.header.height).or_insert(hash);
            assert_eq!(
                decided, hash,
                "two chains at height {}",
                block.header.height
            );
        }
    }

    /// Who plays by the rules.
    pub fn honest(&self) -> &[Host] {
        &self.hosts[..self.plan.nodes - usize::from(self.plan.equivocates)]
    }

    /// The node that does not, if there is one.
    pub fn equivocator(&self) -> Option<NodeId> {
        self.plan
            .equivocates
            .then(|| self.hosts[self.plan.nodes - 1].id)
    }
}
