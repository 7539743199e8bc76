//! The seam between a node and a finality protocol.

use std::sync::{Arc, Mutex};

use ledger::{Validator, ValidatorSet};
use replica::message::{Body, Request};
use replica::{Finality, FinalityEffect, FinalityInput, Input, Node, Options, SoleValidator};

use crate::rig::{Rig, sent};

/// Without this a validator could be brought to sign two blocks of one height.
#[test]
fn a_sole_validator_signs_each_height_once() {
    let rig = Rig::new(1);
    let (chain, id) = (rig.hosts[0].store.chain, rig.id(0));
    let mut sole = SoleValidator::new(chain, id, rig.cast.keys[0].clone());
    let validators = rig.cast.genesis.validators();
    let asked = sole.handle(FinalityInput::StartHeight {
        height: 4,
        validators: validators.clone(),
    });
    assert!(matches!(
        asked[..],
        [FinalityEffect::GetValue {
            height: 4,
            round: 0
        }]
    ));
    let value = |header_hash| FinalityInput::Value {
        height: 4,
        round: 0,
        header_hash,
    };
    let decided = sole.handle(value([1; 32]));
    let [FinalityEffect::Decide(certificate)] = &decided[..] else {
        panic!("{decided:?}")
    };
    assert!(certificate.verify(&chain, &validators).is_ok());
    assert!(sole.handle(value([2; 32])).is_empty());
}

/// Without this a validator that believes itself alone would decide against others.
#[test]
fn a_sole_validator_does_nothing_where_it_is_not_alone() {
    let rig = Rig::new(2);
    let mut sole = SoleValidator::new(
        rig.hosts[0].store.chain,
        rig.id(0),
        rig.cast.keys[0].clone(),
    );
    let validators = both(&rig);
    assert!(
        sole.handle(FinalityInput::StartHeight {
            height: 1,
            validators
        })
        .is_empty()
    );
    let header_hash = [1; 32];
    assert!(
        sole.handle(FinalityInput::Value {
            height: 1,
            round: 0,
            header_hash
        })
        .is_empty()
    );
}

fn both(rig: &Rig) -> ValidatorSet {
    let weigh = |node: usize| {
        let signing_key = rig.cast.members[node].signing_key;
        (
            rig.id(node),
            Validator {
                signing_key,
                weight: 1,
            },
        )
    };
    ValidatorSet([weigh(0), weigh(1)].into())
}

/// A protocol that talks and never decides.
struct Talker(Arc<Mutex<Vec<String>>>);

impl Finality for Talker {
    fn handle(&mut self, input: FinalityInput) -> Vec<FinalityEffect> {
        let mut heard = self.0.lock().unwrap();
        match input {
            FinalityInput::StartHeight { height, .. } => {
                heard.push(format!("start {height}"));
                vec![
                    FinalityEffect::Broadcast(b"hello".to_vec()),
                    FinalityEffect::ScheduleTimeout {
                        token: 2,
                        after_ms: 500,
                    },
                    FinalityEffect::ScheduleTimeout {
                        token: 1,
                        after_ms: 300,
                    },
                    FinalityEffect::GetValue { height, round: 0 },
                ]
            }
            FinalityInput::Value { height, round, .. } => {
                heard.push(format!("value {height} {round}"));
                Vec::new()
            }
            FinalityInput::Message { bytes, .. } => {
                heard.push(format!("message {}", String::from_utf8_lossy(&bytes)));
                Vec::new()
            }
            FinalityInput::Timeout { token } => {
                heard.push(format!("timeout {token}"));
                Vec::new()
            }
        }
    }
}

/// Without this a protocol of several validators could not be put in the place of the one.
#[test]
fn messages_timeouts_and_values_reach_the_protocol() {
    let mut rig = Rig::new(3);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let validators = both(&rig);
    for host in &mut rig.hosts {
        host.store.validators = validators.clone();
    }
    let talker = Box::new(Talker(heard.clone()));
    let store = &mut rig.hosts[0].store;
    let node = Node::open(store, Options::default(), Some(talker), rig.now_ms).unwrap();
    rig.hosts[0].node = Some(node);
    let effects = rig.tick(0, 0);
    let said = |(peer, _, request): &(_, _, Request)| {
        matches!(request, Request::Finality { message } if message == b"hello").then_some(*peer)
    };
    let told: Vec<_> = sent(&effects).iter().filter_map(said).collect();
    assert_eq!(told, [rig.id(1)], "the other validator, and no mere member");
    assert_eq!(rig.node(0).next_tick_ms(), rig.now_ms + 300);
    rig.tick(0, 400);
    rig.tick(0, 200);
    rig.write(0, 1);
    let vote = Request::Finality {
        message: b"vote".to_vec(),
    };
    let (response, _) = rig.ask(rig.id(1), 0, vote.clone());
    assert_eq!(response.body, Body::Taken { notices: vec![] });
    let (response, _) = rig.ask(rig.id(2), 0, vote.clone());
    assert_eq!(
        response.body,
        Body::Refused {
            reason: "only validators vote".into()
        }
    );
    let (response, _) = rig.ask(rig.id(0), 1, vote);
    assert_eq!(
        response.body,
        Body::Refused {
            reason: "this node does not vote".into()
        }
    );
    rig.input(0, Input::CommitBlock);
    let heard = heard.lock().unwrap();
    assert_eq!(
        heard[..],
        [
            "start 1",
            "timeout 1",
            "timeout 2",
            "value 1 0",
            "message vote"
        ]
    );
}
