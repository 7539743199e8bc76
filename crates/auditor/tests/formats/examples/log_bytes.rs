//! Leaves, blocks, votes, the Merkle log and checkpoints.

use ledger::checkpoint::log_key;
use ledger::merkle::{Tree, node_hash, verify_consistency};
use ledger::{Checkpoint, Header, Leaf, ZERO_HASH};

use super::Layout;
use crate::chain::key;
use crate::sample::Sample;

pub fn examples(sample: &Sample) -> Vec<(&'static str, Layout)> {
    vec![
        ("leaf", op_leaf(sample)),
        ("header-leaf", header_leaf(sample)),
        ("cut", cut(sample)),
        ("header", header(sample)),
        ("vote", vote(sample)),
        ("certificate", certificate(sample)),
        ("inclusion", inclusion(sample)),
        ("consistency", consistency(sample)),
    ]
}

fn op_leaf(sample: &Sample) -> Layout {
    let (chain, node) = (&sample.chain, sample.chain.id(2));
    let (op, prev, this) = &chain.cores[&(node, 1)];
    let index = chain.leaf_index(node, 1);
    let core = op.core();
    let leaf = Leaf::of_op(&chain.chain, index, &node, &core, prev, this);
    Layout::labelled("bcrdt/leaf/v1")
        .field("chain id", &chain.chain.0)
        .u64("leaf index", index)
        .field("kind: delta", &[1])
        .field("origin: node2", &node.0)
        .u64("seq", op.seq)
        .u64("hlc", op.hlc)
        .field("schema hash", &op.schema_hash)
        .field("number of parts", &[0, 1])
        .field("parts root", &core.parts_root)
        .field("hash of the op before", prev)
        .field("hash of the op", this)
        .is(&leaf.to_bytes())
        .told("leaf hash: SHA-256(00 ‖ leaf)", &leaf.hash())
}

fn header_leaf(sample: &Sample) -> Layout {
    let header = sample.chain.genesis.header();
    let hash = header.hash();
    let leaf = Leaf::of_header(&header, &hash, 0);
    Layout::labelled("bcrdt/leaf/v1")
        .field("chain id", &header.chain_id.0)
        .u64("leaf index", 0)
        .field("kind: header", &[10])
        .field("proposer: node1", &header.proposer.0)
        .u64("height", 0)
        .u64("time · 65536", header.time_ms << 16)
        .field("no schema", &ZERO_HASH)
        .field("one part", &[0, 1])
        .field("header hash", &hash)
        .field("hash of the header before: none", &ZERO_HASH)
        .field("header hash", &hash)
        .is(&leaf.to_bytes())
        .told("leaf hash: SHA-256(00 ‖ leaf)", &leaf.hash())
}

fn cut(sample: &Sample) -> Layout {
    let block = sample.chain.block(2);
    let mut layout = Layout::labelled("bcrdt/cut/v1")
        .field("chain id", &sample.chain.chain.0)
        .field("count", &2u32.to_be_bytes());
    for (node, at) in block.cut.iter() {
        layout = layout
            .field("node id", &node.0)
            .u64("seq", at.seq)
            .field("hash of that op", &at.head);
    }
    layout.hashes_to(
        "cut hash: the state root of block 2",
        &block.header.state_root,
    )
}

fn header(sample: &Sample) -> Layout {
    let header = sample.chain.block(2).header;
    Layout::labelled("bcrdt/block/v1")
        .field("chain id", &header.chain_id.0)
        .u64("height", header.height)
        .u64("epoch", header.epoch)
        .field("hash of the header before", &header.prev_header)
        .u64("first leaf", header.first_leaf)
        .u64("tree size", header.tree_size)
        .field("log root", &header.log_root)
        .field("validator set hash", &header.validator_set_hash)
        .field("state root", &header.state_root)
        .u64("time", header.time_ms)
        .field("proposer: node1", &header.proposer.0)
        .is(&header.to_bytes())
        .hashes_to("header hash", &header.hash())
}

fn vote(sample: &Sample) -> Layout {
    let block = sample.chain.block(2);
    let (chain, certificate) = (&sample.chain.chain, &block.certificate);
    Layout::labelled("bcrdt/vote/v1")
        .field("chain id", &chain.0)
        .u64("height", certificate.height)
        .field("round", &certificate.round.to_be_bytes())
        .field("phase: precommit", &[2])
        .field("header hash", &certificate.header_hash)
        .is(&certificate.vote().message(chain))
        .told(
            "signature of node1's signing key",
            &certificate.signatures[0].signature,
        )
}

fn certificate(sample: &Sample) -> Layout {
    let certificate = sample.chain.block(2).certificate;
    Layout::default()
        .field("version", &[1])
        .u64("height", certificate.height)
        .field("round", &certificate.round.to_be_bytes())
        .field("header hash", &certificate.header_hash)
        .field("count", &1u32.to_be_bytes())
        .field("signer: node1", &certificate.signatures[0].node.0)
        .field("its signature", &certificate.signatures[0].signature)
        .is(&certificate.to_bytes())
}

/// The path of node2's first op under the header of block 2, and the nodes on its way.
fn inclusion(sample: &Sample) -> Layout {
    let chain = &sample.chain;
    let proof = chain.prove(2, 1, 2);
    let tree = Tree::new(chain.tiles.clone(), chain.size);
    let mut node = tree.leaf_hash(proof.leaf_index).unwrap();
    let root = proof.header.log_root.0;
    let path: Vec<[u8; 32]> = proof.inclusion.iter().map(|hash| hash.0).collect();
    let mut layout = Layout::default().told(
        &format!("leaf {} of {}", proof.leaf_index, proof.header.tree_size),
        &node,
    );
    let (mut place, mut last) = (proof.leaf_index, proof.header.tree_size - 1);
    for sibling in &path {
        let is_right = place % 2 == 1 || place == last;
        let side = if is_right { "left" } else { "right" };
        layout = layout.field(&format!("sibling on the {side}"), sibling);
        node = match is_right {
            true => node_hash(sibling, &node),
            false => node_hash(&node, sibling),
        };
        while is_right && place.is_multiple_of(2) && place != 0 {
            place /= 2;
            last /= 2;
        }
        place /= 2;
        last /= 2;
        layout = layout.told("node", &node);
    }
    assert_eq!(node, root);
    layout
}

fn consistency(sample: &Sample) -> Layout {
    let chain = &sample.chain;
    let (old, new) = (chain.block(1).header, chain.block(3).header);
    let tree = Tree::new(chain.tiles.clone(), chain.size);
    let path = tree
        .consistency_proof(old.tree_size, new.tree_size)
        .unwrap();
    let sound = verify_consistency(
        old.tree_size,
        new.tree_size,
        &path,
        &old.log_root,
        &new.log_root,
    );
    assert!(sound);
    let mut layout = Layout::default()
        .told(
            &format!("root of the first {} leaves", old.tree_size),
            &old.log_root,
        )
        .told(
            &format!("root of all {} leaves", new.tree_size),
            &new.log_root,
        );
    for hash in &path {
        layout = layout.field("of the path", hash);
    }
    layout
}

/// The state of the log after a block, as node1 signs it.
pub fn note(sample: &Sample, height: u64) -> String {
    let header: Header = sample.chain.block(height).header;
    Checkpoint::of_chain(&header.chain_id, header.tree_size, header.log_root)
        .sign(&key(201))
        .unwrap()
        .to_string()
}

/// The verifier key of [`note`].
pub fn note_key(sample: &Sample) -> String {
    log_key(&sample.chain.chain, key(201).verifying_key())
        .unwrap()
        .to_string()
}

pub fn checkpoint(sample: &Sample) -> String {
    format!("{}\nverifier key: {}\n", note(sample, 3), note_key(sample))
}
