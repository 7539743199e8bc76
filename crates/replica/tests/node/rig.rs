//! A few nodes side by side, driven by hand.

use std::sync::Arc;

use ledger::{Kind, NodeId, Segment};
use replica::message::{Body, Request, Response};
use replica::{Effect, Input, Node, Options, Report};

use crate::simulator::cast::{Cast, START_MS};
use crate::simulator::host::Host;
use crate::simulator::random::Random;

pub struct Rig {
    pub cast: Cast,
    pub hosts: Vec<Host>,
    pub random: Random,
    pub now_ms: u64,
    next_token: u64,
}

/// What a node sends: to whom, under which id, what.
pub type Sent = (NodeId, u64, Request);

impl Rig {
    pub fn new(nodes: usize) -> Self {
        Self::with(nodes, Options::default())
    }

    pub fn with(nodes: usize, options: Options) -> Self {
        let mut random = Random::new(7);
        let cast = Cast::new(nodes, &mut random);
        let mut hosts = cast.hosts(nodes, &options);
        for host in &mut hosts {
            host.open(START_MS);
        }
        Self {
            cast,
            hosts,
            random,
            now_ms: START_MS,
            next_token: 0,
        }
    }

    pub fn id(&self, node: usize) -> NodeId {
        self.hosts[node].id
    }

    pub fn node(&self, node: usize) -> &Node {
        self.hosts[node].node.as_ref().unwrap()
    }

    /// How many operations of `origin` a node has.
    pub fn has(&self, node: usize, origin: usize) -> u64 {
        self.node(node).vector().get(&self.id(origin)).seq
    }

    pub fn input(&mut self, node: usize, input: Input) -> Vec<Effect> {
        self.hosts[node].input(self.now_ms, None, input).unwrap()
    }

    /// Lets time pass for one node.
    pub fn tick(&mut self, node: usize, ms: u64) -> Vec<Effect> {
        self.now_ms += ms;
        self.input(
            node,
            Input::Tick {
                now_ms: self.now_ms,
            },
        )
    }

    /// The node's own users change rows.
    pub fn write(&mut self, node: usize, operations: usize) -> Vec<Effect> {
        let ops = vec![(Kind::Delta, b"row".to_vec()); operations];
        self.hosts[node]
            .seal(self.now_ms, None, ops, &mut self.random)
            .unwrap()
    }

    /// A node writes, and this is the segment.
    pub fn written(&mut self, node: usize, operations: usize) -> Arc<Segment> {
        self.write(node, operations);
        self.last_segment(node)
    }

    pub fn last_segment(&self, node: usize) -> Arc<Segment> {
        self.hosts[node].store.segments[&self.id(node)]
            .last()
            .unwrap()
            .clone()
    }

    /// A segment that a node signs and does not keep.
    pub fn unkept(&mut self, node: usize, payload: &[u8]) -> Arc<Segment> {
        let ops = vec![(Kind::Delta, payload.to_vec())];
        let (segment, _) = self.hosts[node].segment(self.now_ms, ops, &mut self.random);
        Arc::new(segment)
    }

    pub fn ask(&mut self, from: NodeId, to: usize, request: Request) -> (Response, Vec<Effect>) {
        let token = self.next_token;
        self.next_token += 1;
        let chain = self.hosts[to].store.chain;
        let request = Request::decode(&chain, &request.encode(&chain)).unwrap();
        let mut effects = self.input(
            to,
            Input::Request {
                peer: from,
                token,
                request,
            },
        );
        let at = effects
            .iter()
            .position(|effect| matches!(effect, Effect::Reply { .. }))
            .unwrap();
        let Effect::Reply {
            token: answered,
            response,
        } = effects.remove(at)
        else {
            unreachable!()
        };
        assert_eq!(answered, token);
        (
            Response::decode(&chain, &response.encode(&chain)).unwrap(),
            effects,
        )
    }

    /// Why segments pushed to a node were not admitted.
    pub fn push(
        &mut self,
        from: usize,
        to: usize,
        segments: impl Into<Vec<Arc<Segment>>>,
    ) -> Vec<String> {
        let request = Request::Push {
            segments: segments.into(),
        };
        match self.ask(self.id(from), to, request).0.body {
            Body::Taken { notices } => notices.into_iter().map(|notice| notice.reason).collect(),
            Body::Refused { reason } => vec![reason],
            other => panic!("a push is answered with {other:?}"),
        }
    }

    /// Carries what nodes send to and fro until nobody has anything to say.
    pub fn exchange(&mut self, from: usize, effects: Vec<Effect>) {
        let mut open: Vec<(usize, Sent)> = sent(&effects).into_iter().map(|s| (from, s)).collect();
        while let Some((from, (peer, id, request))) = open.pop() {
            let to = self.hosts.iter().position(|host| host.id == peer).unwrap();
            let (response, effects) = self.ask(self.id(from), to, request);
            open.extend(sent(&effects).into_iter().map(|sent| (to, sent)));
            let effects = self.input(
                from,
                Input::Response {
                    peer,
                    id,
                    result: Ok(response),
                },
            );
            open.extend(sent(&effects).into_iter().map(|sent| (from, sent)));
        }
    }

    pub fn fail(&mut self, node: usize, peer: NodeId, id: u64) -> Vec<Effect> {
        let result = Err("no route".to_owned());
        self.input(node, Input::Response { peer, id, result })
    }
}

pub fn sent(effects: &[Effect]) -> Vec<Sent> {
    let sent = |effect: &Effect| match effect {
        Effect::Send { peer, id, request } => Some((*peer, *id, request.clone())),
        _ => None,
    };
    effects.iter().filter_map(sent).collect()
}

pub fn reports(effects: &[Effect]) -> Vec<Report> {
    let report = |effect: &Effect| match effect {
        Effect::Report(report) => Some(report.clone()),
        _ => None,
    };
    effects.iter().filter_map(report).collect()
}
