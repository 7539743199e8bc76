//! What nodes say to each other.

use std::sync::Arc;

use ledger::VersionVector;
use replica::Evidence;
use replica::message::{Body, Notice, Request, Response};

use super::chain::member;
use super::chain::sample::{CHAIN, block, cut, segment};
use super::{Target, is_canonical};

pub fn targets() -> Vec<Target> {
    vec![
        Target::new("request", request, requests()),
        Target::new("response", response, responses()),
        Target::new("evidence", evidence, proofs()),
    ]
}

/// Messages are neither hashed nor signed, so other bytes may say the same: what was read must
/// come back as it was.
fn request(bytes: &[u8]) {
    if let Ok(request) = Request::decode(&CHAIN, bytes) {
        let again = Request::decode(&CHAIN, &request.encode(&CHAIN));
        assert!(again.is_ok_and(|again| again == request));
    }
}

fn response(bytes: &[u8]) {
    if let Ok(response) = Response::decode(&CHAIN, bytes) {
        let again = Response::decode(&CHAIN, &response.encode(&CHAIN));
        assert!(again.is_ok_and(|again| again == response));
    }
}

fn evidence(bytes: &[u8]) {
    is_canonical(bytes, Evidence::from_bytes, Evidence::to_bytes);
}

fn vector() -> VersionVector {
    VersionVector(cut().0)
}

fn requests() -> Vec<Vec<u8>> {
    let requests = [
        Request::Push {
            segments: vec![Arc::new(segment())],
        },
        Request::Pull {
            vector: vector(),
            height: 7,
            barred: vec![member(3, 1).node_id],
            max_bytes: 1 << 20,
        },
        Request::PushBlocks {
            blocks: vec![Arc::new(block())],
        },
        Request::PullBlocks { from: 3 },
        Request::Finality {
            message: vec![5; 40],
        },
    ];
    requests
        .iter()
        .map(|request| request.encode(&CHAIN))
        .collect()
}

fn responses() -> Vec<Vec<u8>> {
    let bodies = [
        Body::Taken {
            notices: vec![Notice {
                origin: member(3, 1).node_id,
                first_seq: 4,
                held: true,
                reason: "it waits".to_owned(),
            }],
        },
        Body::Segments {
            segments: vec![Arc::new(segment())],
            more: true,
            evidence: vec![blocks_of_one_height()],
            pruned: vec![(member(3, 1).node_id, 4)],
        },
        Body::Blocks {
            blocks: vec![Arc::new(block())],
        },
        Body::Refused {
            reason: "no".to_owned(),
        },
    ];
    let encoded = bodies.into_iter().map(|body| {
        let response = Response {
            vector: vector(),
            height: 7,
            body,
        };
        response.encode(&CHAIN)
    });
    encoded.collect()
}

fn blocks_of_one_height() -> Evidence {
    Evidence::Blocks {
        first: Arc::new(block()),
        second: Arc::new(block()),
    }
}

/// One proof of each kind; that of segments is all zeros behind its version and kind.
fn proofs() -> Vec<Vec<u8>> {
    const STATEMENT: usize = 8 + 4 + 3 * 32 + 8 + 64;
    let mut segments = vec![1, 1];
    segments.resize(2 + 8 + 32 + 2 * STATEMENT, 0);
    vec![segments, blocks_of_one_height().to_bytes()]
}
