//! The bytes of comparing tables.

use ledger::digest_tree::{Answer, Node, NodeAnswer, Prefix, Question, Theirs};
use ledger::{ChainId, NodeId, Position, VersionVector};
use proptest::prelude::*;
use replica::message::{
    CompareRequest, CompareResponse, MAX_COMPARE_REQUEST_BYTES, MAX_COMPARE_RESPONSE_BYTES,
    MAX_KEYS, MAX_ROWS, MAX_TEXT_BYTES, MessageError, PeerRow,
};

const CHAIN: ChainId = ChainId([9; 32]);

fn vector() -> VersionVector {
    let at = Position {
        seq: 3,
        head: [7; 32],
    };
    VersionVector([(NodeId([5; 32]), at)].into())
}

fn requests() -> Vec<CompareRequest> {
    let prefix = Prefix::of(&[0xab; 32], 3);
    vec![
        CompareRequest::Begin {
            schema: "public".into(),
            table: "page".into(),
            schema_hash: [1; 32],
            vector: vector(),
        },
        CompareRequest::Wait { session: 2 },
        CompareRequest::Nodes {
            session: 2,
            question: Question {
                prefixes: vec![Prefix::ROOT, prefix],
            },
        },
        CompareRequest::Rows {
            session: 2,
            wanted: vec![Theirs {
                prefix,
                tag: [4; 16],
            }],
            keys: vec![[5; 32]],
        },
        CompareRequest::End { session: 300 },
    ]
}

fn row(text: usize) -> PeerRow {
    PeerRow {
        key: [1; 32],
        key_text: "7".into(),
        values: Some("x".repeat(text)),
        columns: vec![[2; 16], [3; 16]],
        in_flight: true,
    }
}

fn responses() -> Vec<CompareResponse> {
    vec![
        CompareResponse::Working { session: 2 },
        CompareResponse::Ready {
            session: 2,
            root: Node {
                count: 70_000,
                digest: [6; 32],
            },
            vector: vector(),
        },
        CompareResponse::Nodes(Answer {
            nodes: vec![
                NodeAnswer::Empty,
                NodeAnswer::Bucket(vec![[1; 16]]),
                NodeAnswer::Branch(vec![(3, [2; 16])]),
            ],
        }),
        CompareResponse::Rows {
            rows: vec![None, Some(row(9))],
            in_flight: vec![true, false],
        },
        CompareResponse::Refused {
            reason: "no".into(),
        },
    ]
}

/// Without this what was said would not be what is heard.
#[test]
fn every_message_comes_back_as_it_was() {
    for request in requests() {
        let back = CompareRequest::decode(&CHAIN, &request.encode(&CHAIN));
        assert_eq!(back, Ok(request));
    }
    for response in responses() {
        let back = CompareResponse::decode(&CHAIN, &response.encode(&CHAIN));
        assert_eq!(back, Ok(response));
    }
}

/// Two releases of one protocol version must understand each other.
#[test]
fn golden_bytes() {
    let message = |body: &[u8]| [&[1][..], &[9; 32], body].concat();
    let [_, wait, nodes, rows, _] = &requests()[..] else {
        panic!()
    };
    assert_eq!(wait.encode(&CHAIN), message(&[1, 2]));
    let question = [1, 0, 2, 0, 3, 0xab, 0xa0];
    let body = [&[2, 2, 7][..], &question].concat();
    assert_eq!(nodes.encode(&CHAIN), message(&body));
    let mut first = [0; 32];
    first[..2].copy_from_slice(&[0xab, 0xa0]);
    let body = [&[3, 2, 1, 3][..], &first, &[4; 16], &[1], &[5; 32]].concat();
    assert_eq!(rows.encode(&CHAIN), message(&body));
    let [working, ready, ..] = &responses()[..] else {
        panic!()
    };
    assert_eq!(working.encode(&CHAIN), message(&[0, 2]));
    let known = vector().to_bytes();
    let count = [252, 0x70, 0x11, 1, 0];
    let body = [&[1, 2][..], &count, &[6; 32], &[known.len() as u8], &known].concat();
    assert_eq!(ready.encode(&CHAIN), message(&body));
}

/// The fullest answer must fit, or a wide table could not be compared; anything longer must not
/// be taken, or one peer could fill another's memory.
#[test]
fn the_fullest_answers_fit_and_longer_ones_are_refused() {
    let wide = PeerRow {
        key_text: "k".repeat(2 << 10),
        columns: vec![[2; 16]; 1_601],
        ..row(MAX_TEXT_BYTES)
    };
    let full = CompareResponse::Rows {
        rows: vec![Some(wide); MAX_ROWS],
        in_flight: vec![true; MAX_KEYS],
    };
    let bytes = full.encode(&CHAIN);
    assert!(bytes.len() <= MAX_COMPARE_RESPONSE_BYTES);
    assert_eq!(CompareResponse::decode(&CHAIN, &bytes), Ok(full));
    let refused = |rows: Vec<Option<PeerRow>>| {
        let response = CompareResponse::Rows {
            rows,
            in_flight: Vec::new(),
        };
        CompareResponse::decode(&CHAIN, &response.encode(&CHAIN)).unwrap_err();
    };
    refused(vec![None; MAX_ROWS + 1]);
    refused(vec![Some(row(MAX_TEXT_BYTES + 1))]);
    let largest = VersionVector(
        (0..4096u32)
            .map(|n| {
                let mut id = [0; 32];
                id[..4].copy_from_slice(&n.to_be_bytes());
                (NodeId(id), vector().0[&NodeId([5; 32])])
            })
            .collect(),
    );
    let begin = CompareRequest::Begin {
        schema: "s".repeat(255),
        table: "t".repeat(255),
        schema_hash: [1; 32],
        vector: largest,
    };
    let bytes = begin.encode(&CHAIN);
    assert!(bytes.len() <= MAX_COMPARE_REQUEST_BYTES);
    assert_eq!(CompareRequest::decode(&CHAIN, &bytes), Ok(begin));
    let long = vec![1; MAX_COMPARE_REQUEST_BYTES + 1];
    let refusal = CompareRequest::decode(&CHAIN, &long);
    assert!(matches!(refusal, Err(MessageError::TooLarge { .. })));
}

proptest! {
    /// Without this one hostile member could stop a node with a few bytes.
    #[test]
    fn no_bytes_make_decoding_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let framed = [&[1][..], &[9; 32], &bytes].concat();
        if let Ok(request) = CompareRequest::decode(&CHAIN, &framed) {
            prop_assert_eq!(CompareRequest::decode(&CHAIN, &request.encode(&CHAIN)), Ok(request));
        }
        if let Ok(response) = CompareResponse::decode(&CHAIN, &framed) {
            prop_assert_eq!(CompareResponse::decode(&CHAIN, &response.encode(&CHAIN)), Ok(response));
        }
    }
}
