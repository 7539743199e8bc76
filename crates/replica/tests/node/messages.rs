//! The bytes on the wire.

use ledger::{Cut, Genesis, NodeId, Position, VersionVector};
use proptest::prelude::*;
use replica::message::{
    Body, MAX_MESSAGE_BYTES, MAX_NOTICES, MAX_SEGMENTS, MessageError, Notice, Request, Response,
};

use crate::rig::Rig;

fn vector() -> VersionVector {
    let at = Position {
        seq: 3,
        head: [7; 32],
    };
    VersionVector([(NodeId([5; 32]), at)].into())
}

/// One of each request, from one cluster.
fn requests(rig: &mut Rig) -> Vec<Request> {
    let segment = rig.written(0, 2);
    let block = rig.hosts[0].store.blocks[0].clone();
    vec![
        Request::Push {
            segments: vec![segment],
        },
        Request::Pull {
            vector: vector(),
            height: 4,
            barred: vec![NodeId([6; 32])],
            max_bytes: 9,
        },
        Request::PushBlocks {
            blocks: vec![block],
        },
        Request::PullBlocks { from: 300 },
        Request::Finality {
            message: b"vote".to_vec(),
        },
    ]
}

fn responses(rig: &mut Rig) -> Vec<Response> {
    let (one, other) = (rig.unkept(1, b"one"), rig.unkept(1, b"other"));
    rig.push(1, 0, [one, other]);
    let evidence = rig.hosts[0].store.evidence.clone();
    let segment = rig.written(0, 2);
    let block = rig.hosts[0].store.blocks[0].clone();
    let notice = Notice {
        origin: NodeId([5; 32]),
        first_seq: 1,
        held: true,
        reason: "later".into(),
    };
    let bodies = [
        Body::Taken {
            notices: vec![notice],
        },
        Body::Segments {
            segments: vec![segment],
            more: true,
            evidence,
            pruned: vec![(NodeId([6; 32]), 7)],
        },
        Body::Blocks {
            blocks: vec![block],
        },
        Body::Refused {
            reason: "no".into(),
        },
    ];
    bodies
        .map(|body| Response {
            vector: vector(),
            height: 2,
            body,
        })
        .into()
}

/// Without this nodes of different releases could not speak to each other.
#[test]
fn golden_bytes_of_messages() {
    let chain = ledger::ChainId([9; 32]);
    let envelope = |body: &[u8]| [&[1][..], &[9; 32], body].concat();
    // Variant, then bincode's variable-length integers: 300 is 251, 44, 1.
    let pull_blocks = Request::PullBlocks { from: 300 };
    assert_eq!(pull_blocks.encode(&chain), envelope(&[3, 251, 44, 1]));
    let vote = Request::Finality {
        message: b"vote".to_vec(),
    };
    assert_eq!(vote.encode(&chain), envelope(b"\x04\x04vote"));
    let pull = Request::Pull {
        vector: vector(),
        height: 4,
        barred: vec![NodeId([6; 32])],
        max_bytes: 9,
    };
    let entries = vector().to_bytes();
    let body = [
        &[1, entries.len() as u8][..],
        &entries,
        &[4, 1],
        &[6; 32],
        &[9],
    ]
    .concat();
    assert_eq!(pull.encode(&chain), envelope(&body));
    let body = Body::Refused {
        reason: "no".into(),
    };
    let refused = Response {
        vector: VersionVector::default(),
        height: 2,
        body,
    };
    let none = VersionVector::default().to_bytes();
    let body = [&[none.len() as u8][..], &none, &[2, 3, 2], b"no"].concat();
    assert_eq!(refused.encode(&chain), envelope(&body));
    let mut rig = Rig::new(1);
    let chain = rig.hosts[0].store.chain;
    let segment = rig.written(0, 1);
    let bytes = segment.to_bytes();
    let push = Request::Push {
        segments: vec![segment],
    }
    .encode(&chain);
    let length = (bytes.len() as u16).to_le_bytes();
    assert_eq!(push[33..], [&[0, 1, 251][..], &length, &bytes].concat());
}

/// Without this what was said would not be what is heard.
#[test]
fn every_message_comes_back_as_it_was() {
    let mut rig = Rig::new(2);
    let chain = rig.hosts[0].store.chain;
    for request in requests(&mut rig) {
        assert_eq!(
            Request::decode(&chain, &request.encode(&chain)),
            Ok(request)
        );
    }
    for response in responses(&mut rig) {
        assert_eq!(
            Response::decode(&chain, &response.encode(&chain)),
            Ok(response)
        );
    }
}

/// Without this a node of another cluster or release would be misunderstood, not refused.
#[test]
fn other_chains_versions_and_sizes_are_refused_by_name() {
    let mut rig = Rig::new(1);
    let chain = rig.hosts[0].store.chain;
    let other = Genesis {
        nonce: [1; 32],
        ..rig.cast.genesis.clone()
    }
    .chain_id();
    let bytes = requests(&mut rig)[3].encode(&chain);
    assert_eq!(
        Request::decode(&other, &bytes),
        Err(MessageError::OtherChain)
    );
    let mut newer = bytes.clone();
    newer[0] = 2;
    assert_eq!(
        Request::decode(&chain, &newer),
        Err(MessageError::Version(2))
    );
    let huge = vec![1; MAX_MESSAGE_BYTES + 1];
    assert_eq!(
        Request::decode(&chain, &huge),
        Err(MessageError::TooLarge {
            length: huge.len(),
            limit: MAX_MESSAGE_BYTES
        })
    );
    let trailing = [&bytes[..], &[0]].concat();
    let malformed = Request::decode(&chain, &trailing).unwrap_err();
    assert_eq!(
        malformed.to_string(),
        "malformed message: 1 bytes follow it"
    );
}

/// Without this a short message could make a node reserve memory for millions of segments.
#[test]
fn a_list_is_refused_by_its_announced_length() {
    let chain = ledger::ChainId([9; 32]);
    let length = (MAX_SEGMENTS as u32 + 1).to_le_bytes();
    let bytes = [&[1][..], &[9; 32], &[0, 252], &length].concat();
    let refused = Request::decode(&chain, &bytes).unwrap_err().to_string();
    assert!(refused.contains("at most 4096 items"), "{refused}");
}

/// Without this an answer about many bad segments would itself be refused.
#[test]
fn what_is_too_much_for_an_answer_is_cut() {
    let chain = ledger::ChainId([9; 32]);
    let origin = NodeId([5; 32]);
    let notice = Notice {
        origin,
        first_seq: 1,
        held: false,
        reason: "ä".repeat(1_000),
    };
    let body = Body::Taken {
        notices: vec![notice; MAX_NOTICES + 5],
    };
    let response = Response {
        vector: VersionVector::default(),
        height: 0,
        body,
    };
    let back = Response::decode(&chain, &response.encode(&chain)).unwrap();
    let Body::Taken { notices } = back.body else {
        panic!()
    };
    assert_eq!((notices.len(), notices[0].reason.len()), (MAX_NOTICES, 512));
    assert_eq!(Cut::default().get(&origin).seq, 0);
}

proptest! {
    /// Without this one hostile peer could stop a node with a few bytes.
    #[test]
    fn no_bytes_make_decoding_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let chain = ledger::ChainId([9; 32]);
        let framed = [&[1][..], &[9; 32], &bytes].concat();
        for bytes in [&bytes, &framed] {
            if let Ok(request) = Request::decode(&chain, bytes) {
                prop_assert_eq!(Request::decode(&chain, &request.encode(&chain)), Ok(request));
            }
            let _ = Response::decode(&chain, bytes);
        }
    }

    /// The same for messages that are almost right.
    #[test]
    fn no_altered_message_makes_decoding_panic(
        which in 0usize..9, at in any::<prop::sample::Index>(), bits in 1u8.., cut in any::<bool>(),
    ) {
        let mut rig = Rig::new(2);
        let chain = rig.hosts[0].store.chain;
        let mut messages: Vec<Vec<u8>> =
            requests(&mut rig).iter().map(|request| request.encode(&chain)).collect();
        messages.extend(responses(&mut rig).iter().map(|response| response.encode(&chain)));
        let mut bytes = messages.swap_remove(which);
        let at = at.index(bytes.len());
        bytes[at] ^= bits;
        if cut {
            bytes.truncate(at);
        }
        let _ = (Request::decode(&chain, &bytes), Response::decode(&chain, &bytes));
    }
}
