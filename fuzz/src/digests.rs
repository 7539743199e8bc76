//! Digest trees as bytes, and what two sides that compare theirs say to each other.

use ledger::VersionVector;
use ledger::digest_tree::{Answer, DigestTree, Entry, NodeAnswer, Prefix, Question, Theirs};
use replica::message::{CompareRequest, CompareResponse, PeerRow};

use super::chain::sample::{CHAIN, cut};
use super::{Target, is_canonical};

pub fn targets() -> Vec<Target> {
    let mut tree = DigestTree::default();
    let empty = tree.root();
    for n in 0..20 {
        tree.insert(Entry {
            key: [n * 12; 32],
            value: [n; 32],
        });
    }
    let question = Question {
        prefixes: vec![Prefix::ROOT, Prefix::of(&[0xab; 32], 5)],
    };
    let answer = Answer {
        nodes: vec![
            NodeAnswer::Empty,
            NodeAnswer::Bucket(vec![[1; 16]; 2]),
            NodeAnswer::Branch(vec![(0, [2; 16]), (15, [3; 16])]),
        ],
    };
    let addition = tree.since(&empty).expect("a tree that was empty");
    vec![
        Target::new("digest_tree", whole, vec![tree.to_bytes()]),
        Target::new("digest_addition", extend, vec![addition]),
        Target::new("digest_question", asked, vec![question.to_bytes()]),
        Target::new("digest_answer", answered, vec![answer.to_bytes()]),
        Target::new("compare_request", request, requests(question)),
        Target::new("compare_response", response, responses(answer)),
    ]
}

fn requests(question: Question) -> Vec<Vec<u8>> {
    let requests = [
        CompareRequest::Begin {
            schema: "public".to_owned(),
            table: "page".to_owned(),
            schema_hash: [1; 32],
            vector: VersionVector(cut().0),
        },
        CompareRequest::Wait { session: 2 },
        CompareRequest::Nodes {
            session: 2,
            question,
        },
        CompareRequest::Rows {
            session: 2,
            wanted: vec![Theirs {
                prefix: Prefix::of(&[0xab; 32], 5),
                tag: [4; 16],
            }],
            keys: vec![[5; 32]],
        },
        CompareRequest::End { session: 2 },
    ];
    requests
        .iter()
        .map(|request| request.encode(&CHAIN))
        .collect()
}

fn responses(answer: Answer) -> Vec<Vec<u8>> {
    let row = PeerRow {
        key: [1; 32],
        key_text: "7".to_owned(),
        values: Some("{}".to_owned()),
        columns: vec![[2; 16]],
        in_flight: true,
    };
    let responses = [
        CompareResponse::Working { session: 2 },
        CompareResponse::Ready {
            session: 2,
            root: DigestTree::default().root(),
            vector: VersionVector(cut().0),
        },
        CompareResponse::Nodes(answer),
        CompareResponse::Rows {
            rows: vec![None, Some(row)],
            in_flight: vec![true],
        },
        CompareResponse::Refused {
            reason: "no".to_owned(),
        },
    ];
    responses
        .iter()
        .map(|response| response.encode(&CHAIN))
        .collect()
}

fn whole(bytes: &[u8]) {
    is_canonical(bytes, DigestTree::from_bytes, DigestTree::to_bytes);
}

/// What can be added to an empty tree is what was added to one.
fn extend(bytes: &[u8]) {
    let mut tree = DigestTree::default();
    let empty = tree.root();
    if tree.extend(bytes).is_ok() {
        assert_eq!(tree.since(&empty).as_deref(), Some(bytes));
    }
}

fn asked(bytes: &[u8]) {
    is_canonical(bytes, Question::from_bytes, Question::to_bytes);
}

fn answered(bytes: &[u8]) {
    is_canonical(bytes, Answer::from_bytes, Answer::to_bytes);
}

/// Not hashed, not signed: what was read must come back as it was, not byte by byte.
fn request(bytes: &[u8]) {
    if let Ok(request) = CompareRequest::decode(&CHAIN, bytes) {
        let again = CompareRequest::decode(&CHAIN, &request.encode(&CHAIN));
        assert!(again.is_ok_and(|again| again == request));
    }
}

fn response(bytes: &[u8]) {
    if let Ok(response) = CompareResponse::decode(&CHAIN, bytes) {
        let again = CompareResponse::decode(&CHAIN, &response.encode(&CHAIN));
        assert!(again.is_ok_and(|again| again == response));
    }
}
