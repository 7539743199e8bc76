//! Nodes, members, the genesis, ops and segments.

use ledger::op::{part_commitment, parts_root};
use ledger::vector::deps_to_bytes;
use ledger::{
    Member, MembershipChange, NodeId, SegmentClaim, ValidatorSet, replica_id, vector::deps_hash,
};

use super::Layout;
use crate::chain::member;
use crate::sample::Sample;

pub fn examples(sample: &Sample) -> Vec<(&'static str, Layout)> {
    vec![
        ("node-id", node_id()),
        ("replica-id", replica()),
        ("member", member_record(&member(1, 1))),
        ("membership-change", join()),
        ("validators", validators(sample)),
        ("genesis", genesis(sample)),
        ("part", part(sample)),
        ("op", op(sample)),
        ("deps", deps(sample)),
        ("segment", segment(sample)),
    ]
}

fn node_id() -> Layout {
    let one = member(1, 1);
    let id = NodeId::derive(&one.signing_key, &one.incarnation);
    Layout::labelled("bcrdt/node/v1")
        .field("signing key", &one.signing_key)
        .field("incarnation", &one.incarnation)
        .hashes_to("node id of node1", &id.0)
}

fn replica() -> Layout {
    let one = member(1, 1);
    let id = replica_id(&one.signing_key, &one.incarnation);
    Layout::labelled("bcrdt/replica/v1")
        .field("signing key", &one.signing_key)
        .field("incarnation", &one.incarnation)
        .hashes_to("replica id of node1 (the first 16 bytes)", &id)
}

fn member_record(one: &Member) -> Layout {
    Layout::default()
        .field("version", &[1])
        .field("node id", &one.node_id.0)
        .field("signing key", &one.signing_key)
        .field("TLS key", &one.tls_key)
        .field("checkpoint key", &one.checkpoint_key)
        .field("incarnation", &one.incarnation)
        .field("replica id", &one.replica_id)
        .field("role: validator", &[2])
        .u64("weight", one.weight)
        .field("length of the name", &[0, one.name.len() as u8])
        .field("name", one.name.as_bytes())
        .field("length of the URL", &[0, one.url.len() as u8])
        .field("URL", one.url.as_bytes())
        .is(&one.to_bytes())
}

fn join() -> Layout {
    let two = member(2, 1);
    Layout::default()
        .field("version", &[1])
        .field("action: join", &[1])
        .field("member node2", &two.to_bytes())
        .is(&MembershipChange::Join(two).to_bytes())
}

fn validators(sample: &Sample) -> Layout {
    let set = ValidatorSet(sample.both.0.clone());
    let mut layout = Layout::labelled("bcrdt/validators/v1")
        .field("chain id", &sample.chain.chain.0)
        .field("count", &2u32.to_be_bytes());
    for (node, validator) in &set.0 {
        layout = layout
            .field("node id", &node.0)
            .field("signing key", &validator.signing_key)
            .u64("weight", validator.weight);
    }
    layout.hashes_to(
        "validator set hash from height 3 on",
        &set.hash(&sample.chain.chain),
    )
}

fn genesis(sample: &Sample) -> Layout {
    let genesis = &sample.chain.genesis;
    let founder = genesis.founder.to_bytes();
    Layout::labelled("bcrdt/genesis/v1")
        .field(
            "length of the founder",
            &(founder.len() as u32).to_be_bytes(),
        )
        .field("founder: the member node1", &founder)
        .u64("time", genesis.time_ms)
        .field("no predecessor", &[0])
        .field("nonce", &genesis.nonce)
        .is(&genesis.to_bytes())
        .hashes_to("chain id", &sample.chain.chain.0)
}

fn part(sample: &Sample) -> Layout {
    let node = sample.chain.id(2);
    let (op, _, _) = &sample.chain.cores[&(node, 1)];
    let part = &op.parts[0];
    let commitment = part_commitment(&part.salt, &part.payload);
    Layout::labelled("bcrdt/part/v1")
        .field("salt", &part.salt)
        .u64("length", part.payload.len() as u64)
        .field("payload", &part.payload)
        .hashes_to("part commitment", &commitment)
        .told(
            "parts root: SHA-256(00 ‖ part commitment)",
            &parts_root(&[commitment]),
        )
}

fn op(sample: &Sample) -> Layout {
    let node = sample.chain.id(2);
    let (op, prev, this) = &sample.chain.cores[&(node, 1)];
    Layout::labelled("bcrdt/op/v1")
        .field("chain id", &sample.chain.chain.0)
        .field("origin: node2", &node.0)
        .u64("seq", op.seq)
        .u64("hlc", op.hlc)
        .field("kind: delta", &[1])
        .field("schema hash", &op.schema_hash)
        .field("number of parts", &[0, 1])
        .field("parts root", &op.core().parts_root)
        .field("hash of the op before: none", prev)
        .hashes_to("op hash", this)
}

fn deps(sample: &Sample) -> Layout {
    let (chain, one) = (&sample.chain.chain, sample.chain.id(1));
    let deps = [(one, 2)].into();
    assert_eq!(
        sample
            .chain
            .segments
            .iter()
            .find(|s| s.origin == sample.chain.id(2).0)
            .unwrap()
            .deps,
        deps_to_bytes(&deps)
    );
    Layout::labelled("bcrdt/deps/v1")
        .field("chain id", &chain.0)
        .field("count", &1u32.to_be_bytes())
        .field("node1", &one.0)
        .u64("seq", 2)
        .hashes_to("dependencies hash", &deps_hash(chain, &deps))
}

fn segment(sample: &Sample) -> Layout {
    let (chain, two) = (&sample.chain.chain, sample.chain.id(2));
    let row = sample.chain.segments.iter().find(|s| s.origin == two.0);
    let row = row.unwrap();
    let head: [u8; 32] = row.head.clone().try_into().unwrap();
    let deps_hash = deps_hash(chain, &[(sample.chain.id(1), 2)].into());
    let claim = SegmentClaim {
        origin: two,
        first_seq: 1,
        count: 2,
        prev: [0; 32],
        head,
        deps_hash,
        sealed_ms: row.sealed_ms,
    };
    Layout::labelled("bcrdt/segment/v1")
        .field("chain id", &chain.0)
        .field("origin: node2", &two.0)
        .u64("number of the first op", 1)
        .field("number of ops = 2", &2u32.to_be_bytes())
        .field("hash of the op before: none", &[0; 32])
        .field("head: hash of the last op", &head)
        .field("dependencies hash", &deps_hash)
        .u64("sealed at", row.sealed_ms)
        .is(&claim.message(chain))
        .told("signature of node2's signing key", &row.signature)
}
