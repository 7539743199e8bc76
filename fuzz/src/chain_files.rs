//! What the ledger stores, signs and hands to auditors.

use ledger::audit::LogAudit;
use ledger::bundle::pack;
use ledger::merkle::{
    TilePath, consistency_path, entry_bundle, inclusion_path, range_path, read_entries,
};
use ledger::vector::{deps_from_bytes, deps_to_bytes};
use ledger::{
    Block, Certificate, ConsistencyProof, Cut, Genesis, Header, InclusionProof, Leaf, Lineage,
    Member, MembershipChange, OpProof, Pins, Prune, RangeProof, Run, Segment, TreeProof,
    ValidatorSet, VersionVector, verify_bundle, verify_bundle_blocks,
};

use super::chain::sample::{CHAIN, block, cut, genesis, segment};
use super::chain::{Chain, key, member};
use super::{Target, is_canonical, text};

pub fn targets() -> Vec<Target> {
    let chain = Chain::sample(3);
    let block = block();
    let vector = VersionVector(cut().0);
    let founder = member(1, 7);
    let joins = MembershipChange::Join(member(2, 1)).to_bytes();
    let leaves = MembershipChange::Leave(founder.node_id).to_bytes();
    let set = ValidatorSet::from_members([&founder, &member(2, 3)]);
    let pruned = Prune {
        height: 3,
        tree_size: 300,
        archive_sha256: [7; 32],
        archive_bytes: 65_536,
        file_name: "shop-3.bcrdt".to_owned(),
        actor: "dba".to_owned(),
        application: "psql".to_owned(),
    };
    let proof = chain.prove(1, 1, 1).to_json();
    vec![
        Target::new("header", header, vec![block.header.to_bytes()]),
        Target::new("block", whole_block, vec![block.to_bytes()]),
        Target::new(
            "certificate",
            certificate,
            vec![block.certificate.to_bytes()],
        ),
        Target::new("cut", cut_bytes, vec![block.cut.to_bytes()]),
        Target::new("vector", vector_bytes, vec![vector.to_bytes()]),
        Target::new("deps", deps, vec![deps_to_bytes(&segment().deps)]),
        Target::new("genesis", genesis_bytes, vec![genesis().to_bytes()]),
        Target::new("member", member_bytes, vec![founder.to_bytes()]),
        Target::new("membership_change", membership_change, vec![joins, leaves]),
        Target::new("lineage", lineage, vec![derived()]),
        Target::new("prune", prune, vec![pruned.to_bytes()]),
        Target::new("validator_set", validator_set, vec![set.to_bytes()]),
        Target::new("segment", segment_bytes, vec![segment().to_bytes()]),
        Target::new("leaf", leaf_bytes, vec![leaf().to_bytes()]),
        Target::new("audit", audit, audits()),
        Target::new("tile_path", tile_path, tile_paths()),
        Target::new("entry_bundle", entries, vec![entry_bundle_of_leaves()]),
        Target::new(
            "bundle",
            bundle,
            vec![
                Chain::new().bundle(),
                chain.bundle(),
                chain.archive(2),
                chain.public(),
                pack(&chain.bundle()).expect("packing in memory"),
            ],
        ),
        Target::new("run", run, vec![run_of_blocks()]),
        Target::new(
            "proof",
            op_proof,
            vec![proof.expect("a proof as text").into_bytes()],
        ),
        Target::new("tree_proof", tree_proof, of_tree(TreeProof::to_bytes)),
        Target::new("tree_proof_text", tree_proof_text, of_tree(as_text)),
    ]
}

fn header(bytes: &[u8]) {
    is_canonical(bytes, Header::from_bytes, Header::to_bytes);
}

fn whole_block(bytes: &[u8]) {
    is_canonical(bytes, Block::from_bytes, Block::to_bytes);
}

fn certificate(bytes: &[u8]) {
    is_canonical(bytes, Certificate::from_bytes, Certificate::to_bytes);
}

fn cut_bytes(bytes: &[u8]) {
    is_canonical(bytes, Cut::from_bytes, Cut::to_bytes);
}

fn vector_bytes(bytes: &[u8]) {
    is_canonical(bytes, VersionVector::from_bytes, VersionVector::to_bytes);
}

fn deps(bytes: &[u8]) {
    is_canonical(bytes, deps_from_bytes, deps_to_bytes);
}

fn genesis_bytes(bytes: &[u8]) {
    is_canonical(bytes, Genesis::from_bytes, Genesis::to_bytes);
}

fn member_bytes(bytes: &[u8]) {
    is_canonical(bytes, Member::from_bytes, Member::to_bytes);
}

fn membership_change(bytes: &[u8]) {
    is_canonical(
        bytes,
        MembershipChange::from_bytes,
        MembershipChange::to_bytes,
    );
}

fn derived() -> Vec<u8> {
    let lineage = Lineage {
        source: "raw".to_owned(),
        target: "daily".to_owned(),
        transform: "sum".to_owned(),
        detail: "{}".to_owned(),
        actor: "etl".to_owned(),
        application: String::new(),
    };
    lineage.to_bytes().expect("a seed within the limits")
}

fn lineage(bytes: &[u8]) {
    is_canonical(bytes, Lineage::from_bytes, |lineage| {
        lineage.to_bytes().expect("what was read can be written")
    });
}

fn prune(bytes: &[u8]) {
    is_canonical(bytes, Prune::from_bytes, Prune::to_bytes);
}

/// Version, two digests, six numbers, and one tile above level 0.
fn run_of_blocks() -> Vec<u8> {
    let numbers: Vec<u8> = [500u64, 3, 0, 0, 0, 0]
        .iter()
        .flat_map(|number| number.to_be_bytes())
        .collect();
    let tile = [[0, 0, 0, 1, 1].as_slice(), &[0; 8], &[9; 32]].concat();
    [[1].as_slice(), &[7; 64], &numbers, &tile].concat()
}

fn run(bytes: &[u8]) {
    is_canonical(bytes, Run::from_bytes, Run::to_bytes);
}

fn validator_set(bytes: &[u8]) {
    is_canonical(bytes, ValidatorSet::from_bytes, ValidatorSet::to_bytes);
}

fn segment_bytes(bytes: &[u8]) {
    is_canonical(bytes, Segment::from_bytes, Segment::to_bytes);
    if let Ok(segment) = Segment::from_bytes(bytes) {
        assert_eq!(segment.encoded_len(), bytes.len());
        let _ = segment.verify(&CHAIN, &key(1).verifying_key(), &segment.prev);
    }
}

fn leaf() -> Leaf {
    let header = block().header;
    Leaf::of_header(&header, &header.hash(), 6)
}

fn leaf_bytes(bytes: &[u8]) {
    is_canonical(bytes, Leaf::from_bytes, Leaf::to_bytes);
}

fn audits() -> Vec<Vec<u8>> {
    let mut audit = LogAudit::new(CHAIN);
    let begun = audit.to_bytes();
    let header = genesis().header();
    let first = Leaf {
        chain_id: CHAIN,
        ..Leaf::of_header(&header, &header.hash(), 0)
    };
    let bundle = entry_bundle(&[first.to_bytes()]).expect("short entries");
    let read = audit.read(&bundle, &first.hash(), None);
    read.expect("the first leaf of a log");
    vec![begun, audit.to_bytes()]
}

fn audit(bytes: &[u8]) {
    is_canonical(bytes, LogAudit::from_bytes, LogAudit::to_bytes);
    // What a log answers may be anything.
    let half = bytes.len() / 2 / 32 * 32;
    let _ = LogAudit::new(CHAIN).read(&bytes[half..], &bytes[..half], None);
}

fn tile_paths() -> Vec<Vec<u8>> {
    [
        "tile/0/x001/x234/067",
        "tile/entries/000.p/8",
        "tile/63/999",
    ]
    .map(|path| path.as_bytes().to_vec())
    .into()
}

/// A resource has one path.
fn tile_path(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(path) = text.parse::<TilePath>() {
        assert_eq!(path.to_string(), text);
        let _ = path.is_within(u64::MAX);
    }
}

fn entry_bundle_of_leaves() -> Vec<u8> {
    entry_bundle(&[leaf().to_bytes(), Vec::new()]).expect("short entries")
}

fn entries(bytes: &[u8]) {
    for count in [0, 1, 2, 256] {
        if let Ok(entries) = read_entries(bytes, count) {
            assert_eq!(entry_bundle(&entries).as_deref(), Some(bytes));
        }
    }
}

/// A bundle is read and verified in one pass; no forged one may bring the verifier down.
fn bundle(bytes: &[u8]) {
    let _ = verify_bundle(bytes, &Pins::default());
    let _ = verify_bundle_blocks(bytes, &Pins::default(), 2..=3);
}

/// A proof is JSON, which may be spaced and ordered as one likes: only its content comes back.
fn op_proof(bytes: &[u8]) {
    let Some(proof) = text(bytes).and_then(|text| OpProof::from_json(text).ok()) else {
        return;
    };
    let printed = proof
        .to_json()
        .expect("a proof that was read can be printed");
    let again = OpProof::from_json(&printed).and_then(|again| again.to_json());
    assert_eq!(again.as_ref(), Ok(&printed));
    let _ = proof.verify(&Pins::default());
}

/// One proof of each kind, of a tree of seven leaves.
fn of_tree(encode: impl Fn(&TreeProof) -> Vec<u8>) -> Vec<Vec<u8>> {
    let leaves = [[7; 32]; 7];
    let paths = [
        inclusion_path(&leaves, 5),
        consistency_path(&leaves, 6),
        range_path(&leaves, 1, 4),
    ];
    let [inclusion, consistency, range] = paths.map(|path| path.expect("a place in the tree"));
    let proofs = [
        InclusionProof::new(5, 7, inclusion).map(TreeProof::from),
        ConsistencyProof::new(6, 7, consistency).map(TreeProof::from),
        RangeProof::new(1, 4, 7, range).map(TreeProof::from),
    ];
    proofs
        .map(|proof| encode(&proof.expect("a path of that length")))
        .into()
}

fn as_text(proof: &TreeProof) -> Vec<u8> {
    proof.to_json().expect("a proof as text").into_bytes()
}

fn tree_proof(bytes: &[u8]) {
    is_canonical(bytes, TreeProof::from_bytes, TreeProof::to_bytes);
}

fn tree_proof_text(bytes: &[u8]) {
    let Some(proof) = text(bytes).and_then(|text| TreeProof::from_json(text).ok()) else {
        return;
    };
    let printed = proof
        .to_json()
        .expect("a proof that was read can be printed");
    assert_eq!(TreeProof::from_json(&printed).as_ref(), Ok(&proof));
    assert_eq!(
        TreeProof::from_bytes(&proof.to_bytes()).as_ref(),
        Ok(&proof)
    );
    let (leaf, root) = ([7; 32], [9; 32]);
    assert!(!match &proof {
        TreeProof::Inclusion(proof) => proof.verify(&leaf, &root),
        TreeProof::Consistency(proof) => proof.verify(&leaf, &root),
        TreeProof::Range(proof) => proof.verify(&[leaf; 3], &root),
    });
}
