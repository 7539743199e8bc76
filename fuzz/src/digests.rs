//! Digest trees as bytes, and what two sides that compare theirs say to each other.

use ledger::digest_tree::{Answer, DigestTree, Entry, NodeAnswer, Prefix, Question};

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
    ]
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
