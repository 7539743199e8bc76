//! The chain: what a validator makes, what a member takes.

use std::sync::Arc;

use ledger::{Block, Certificate, Header, SigningKey, VersionVector};
use replica::message::{Body, Request, Response};
use replica::{Input, Options, Report};

use crate::rig::{Rig, reports, sent};

fn offer(rig: &mut Rig, to: usize, block: Block) -> Vec<Report> {
    let request = Request::PushBlocks {
        blocks: vec![Arc::new(block)],
    };
    reports(&rig.ask(rig.id(0), to, request).1)
}

fn last_block(rig: &Rig, node: usize) -> Block {
    Block::clone(rig.hosts[node].store.blocks.last().unwrap())
}

/// Without this blocks would be empty or come too late, and a user who wants one now could not have it.
#[test]
fn a_block_is_made_when_it_is_due_or_full_or_wanted_and_never_empty() {
    let mut rig = Rig::with(
        1,
        Options {
            max_block_ops: 10,
            ..Options::default()
        },
    );
    rig.input(0, Input::CommitBlock);
    rig.tick(0, 5_000);
    assert_eq!(rig.node(0).height(), 0, "nothing to put in it");
    rig.write(0, 1);
    assert_eq!(rig.node(0).height(), 1, "the last one is long past");
    rig.write(0, 1);
    assert_eq!(rig.node(0).height(), 1);
    assert_eq!(rig.node(0).next_tick_ms(), rig.now_ms + 1_000);
    rig.tick(0, 1_000);
    assert_eq!(rig.node(0).height(), 2, "due");
    rig.write(0, 10);
    assert_eq!(rig.node(0).height(), 3, "full");
    rig.write(0, 1);
    rig.input(0, Input::CommitBlock);
    assert_eq!(rig.node(0).height(), 4, "wanted");
}

/// Without this one long import would become one endless transaction, and keep small writers waiting.
#[test]
fn a_backlog_is_cut_into_blocks_that_serve_every_origin() {
    let mut rig = Rig::with(
        3,
        Options {
            max_block_ops: 10,
            ..Options::default()
        },
    );
    let (busy, quiet) = (rig.written(1, 35), rig.written(2, 2));
    rig.push(1, 0, [busy, quiet]);
    let first = rig.hosts[0].store.blocks[0].clone();
    assert_eq!(first.cut.get(&rig.id(2)).seq, 2);
    assert_eq!(first.cut.get(&rig.id(1)).seq, 8);
    while rig.node(0).next_tick_ms() <= rig.now_ms {
        rig.tick(0, 0);
    }
    rig.tick(0, 1_000);
    assert_eq!(last_block(&rig, 0).cut.get(&rig.id(1)).seq, 35);
    assert!(
        rig.hosts[0]
            .store
            .blocks
            .iter()
            .all(|block| { block.header.tree_size - block.header.first_leaf <= 11 })
    );
}

/// Without this a member would need luck: blocks and operations come over different ways.
#[test]
fn a_block_that_comes_before_its_operations_waits_for_them() {
    let mut rig = Rig::new(2);
    let segment = rig.written(0, 2);
    let block = last_block(&rig, 0);
    offer(&mut rig, 1, block);
    assert_eq!(rig.node(1).height(), 0);
    assert!(
        rig.node(1)
            .block_wait()
            .unwrap()
            .contains("waits for operation 2")
    );
    rig.push(0, 1, [segment]);
    assert_eq!(rig.node(1).height(), 1);
    assert_eq!(rig.node(1).block_wait(), None);
}

/// Without this a member that was away would have a chain with a hole, or none.
#[test]
fn a_member_that_was_away_gets_all_blocks() {
    let mut rig = Rig::new(2);
    for _ in 0..70 {
        rig.write(0, 1);
        rig.input(0, Input::CommitBlock);
    }
    rig.hosts[0].open(rig.now_ms);
    for _ in 0..8 {
        let effects = rig.tick(1, 1_000);
        rig.exchange(1, effects);
    }
    assert_eq!(rig.node(1).height(), 70);
    assert_eq!(rig.hosts[0].store.blocks, rig.hosts[1].store.blocks);
}

/// Without this a member would take a history that no quorum has decided, or that its own log denies.
#[test]
fn a_block_that_is_wrong_anywhere_is_refused_and_the_right_one_taken() {
    let mut rig = Rig::new(2);
    let segment = rig.written(0, 2);
    rig.push(0, 1, [segment]);
    let right = last_block(&rig, 0);
    let key = rig.cast.keys[0].clone();
    let certified = |header: Header, key: &SigningKey| {
        let (chain, node, height) = (header.chain_id, header.proposer, header.height);
        let certificate = Certificate::by_sole_validator(&chain, height, header.hash(), node, key);
        Block {
            header,
            cut: right.cut.clone(),
            certificate,
        }
    };
    let altered = |alter: fn(&mut Header)| {
        let mut header = right.header.clone();
        alter(&mut header);
        header
    };
    let cases = [
        (altered(|h| h.log_root = [1; 32]), "log root"),
        (
            altered(|h| h.prev_header = [1; 32]),
            "follows another block",
        ),
        (altered(|h| h.epoch = 3), "follows another block"),
        (altered(|h| h.tree_size += 1), "leaves"),
        (altered(|h| h.first_leaf += 1), "leaves"),
        (altered(|h| h.time_ms = 1), "time"),
        (altered(|h| h.state_root = [1; 32]), "cut"),
        (altered(|h| h.validator_set_hash = [1; 32]), "validators"),
    ];
    for (header, part) in cases {
        let told = offer(&mut rig, 1, certified(header, &key));
        assert!(told[0].to_string().contains(part), "{part}: {told:?}");
        assert_eq!(rig.node(1).height(), 0);
    }
    let forged = certified(right.header.clone(), &SigningKey::from_bytes(&[9; 32]));
    assert!(
        offer(&mut rig, 1, forged)[0]
            .to_string()
            .contains("signature")
    );
    let mut uncut = right.clone();
    uncut.cut.0.clear();
    assert!(!offer(&mut rig, 1, uncut).is_empty());
    offer(&mut rig, 1, right);
    assert_eq!(rig.node(1).height(), 1);
}

/// Without this two histories could both call themselves final, and the choice would be silent. Writes
/// go on all the same.
#[test]
fn two_certified_blocks_of_one_height_halt_finality_and_nothing_else() {
    let mut rig = Rig::new(2);
    let segment = rig.written(0, 1);
    rig.push(0, 1, [segment]);
    let first = last_block(&rig, 0);
    offer(&mut rig, 1, first.clone());
    let mut header = first.header.clone();
    header.time_ms += 1;
    let certificate = Certificate::by_sole_validator(
        &header.chain_id,
        1,
        header.hash(),
        header.proposer,
        &rig.cast.keys[0],
    );
    let second = Block {
        header,
        cut: first.cut.clone(),
        certificate,
    };
    assert_eq!(
        offer(&mut rig, 1, second.clone()),
        [Report::Halted { height: 1 }]
    );
    assert_eq!(rig.hosts[1].store.evidence.len(), 1);
    assert!(offer(&mut rig, 1, second.clone()).is_empty());

    let request = Request::PushBlocks {
        blocks: vec![Arc::new(second)],
    };
    rig.ask(rig.id(1), 0, request);
    rig.write(0, 1);
    rig.input(0, Input::CommitBlock);
    assert_eq!(rig.node(0).height(), 1, "no further block is made");
    rig.hosts[0].open(rig.now_ms);
    rig.input(0, Input::CommitBlock);
    assert_eq!(rig.node(0).height(), 1, "nor after a restart");
    let segment = rig.last_segment(0);
    rig.push(0, 1, [segment]);
    assert_eq!(rig.has(1, 0), 2);
}

/// Without this a damaged table would be signed into the chain.
#[test]
fn a_damaged_operation_does_not_become_part_of_a_block() {
    let mut rig = Rig::new(1);
    rig.write(0, 1);
    rig.write(0, 1);
    let id = rig.id(0);
    rig.hosts[0].store.ops.get_mut(&id).unwrap()[1].0.hlc += 1;
    let told = reports(&rig.tick(0, 1_000));
    assert!(told[0].to_string().contains("is damaged"), "{told:?}");
    assert_eq!(rig.node(0).height(), 1);
    assert!(rig.node(0).block_wait().unwrap().contains("is damaged"));
}

/// Without this a peer that claims blocks it does not have could keep another busy without end.
#[test]
fn a_peer_that_only_claims_to_have_blocks_is_not_asked_on_and_on() {
    let mut rig = Rig::new(2);
    let mut open = sent(&rig.write(1, 1));
    let mut asked = 0;
    while let Some((peer, id, _)) = open.pop() {
        asked += 1;
        let body = Body::Blocks { blocks: vec![] };
        let response = Response {
            vector: VersionVector::default(),
            height: 99,
            body,
        };
        let effects = rig.input(
            1,
            Input::Response {
                peer,
                id,
                result: Ok(response),
            },
        );
        open.extend(sent(&effects));
        assert!(asked < 10);
    }
    assert_eq!(rig.node(1).peers()[0].height, 99);
}

/// Without this others would learn of a block only by asking.
#[test]
fn a_new_block_goes_to_every_peer_at_once() {
    let mut rig = Rig::new(3);
    let offered = |effects: &[replica::Effect]| {
        let blocks = |(_, _, r): &(_, _, Request)| matches!(r, Request::PushBlocks { .. });
        sent(effects).iter().filter(|sent| blocks(sent)).count()
    };
    assert_eq!(offered(&rig.write(0, 1)), 2);
    let request = Request::PullBlocks { from: 1 };
    let (response, _) = rig.ask(rig.id(1), 0, request);
    let Body::Blocks { blocks } = response.body else {
        panic!()
    };
    assert_eq!(blocks.len(), 1);
}
