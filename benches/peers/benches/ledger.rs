//! The ledger's log and signatures beside other libraries and beside bare hashing. `cargo bench
//! --bench ledger -- FILTER` runs a part; the table at the end shows what this run measured.

mod run;

use std::hint::black_box;

use ed25519_dalek::{Signature, Signer, SigningKey, Verifier};
use ledger::signature;
use peers::log::{Bare, CtLog, Growing, Hash, Log, OurLog, Ranges, RsLog};
use run::Run;

/// What a leaf of the ledger has.
const LEAF_BYTES: usize = 233;
const APPENDED: u64 = 100_000;
const BLOCK: u64 = 1_000;
const LOG: u64 = 1_000_000;

const APPEND: &str = "100,000 leaves of 233 B appended";
const SMALL: &str = "a tree of 1,000 leaves";
const PROVE: &str = "inclusion proof, of 1,000,000 leaves";
const FIRST: &str = "the same, nothing kept between proofs";
const VERIFY: &str = "inclusion verified";
const GROWTH: &str = "consistency proof, of 1,000,000 leaves";
const VERIFY_GROWTH: &str = "consistency verified";
const RANGE: &str = "proof of 1,000 leaves in 1,000,000";
const VERIFY_RANGE: &str = "1,000 leaves verified";
const OURS: &str = "signature";
const DALEK: &str = "ed25519-dalek";
const SIGN: &str = "a signature over 233 B";
const VERIFY_SIGNATURE: &str = "a signature verified";

fn main() {
    let mut run = Run::begin();
    let block = leaves(BLOCK, LEAF_BYTES);
    let appended = leaves(APPENDED, LEAF_BYTES);
    append::<OurLog>(&mut run, &block, &appended);
    append::<Bare>(&mut run, &block, &appended);
    append::<CtLog>(&mut run, &block, &appended);
    append::<RsLog>(&mut run, &block, &appended);
    drop(appended);
    let many = leaves(LOG, 32);
    let root = ours(&mut run, &many);
    let bare = inclusion::<Bare>(&mut run, &many, &root);
    drop(bare);
    let ct = inclusion::<CtLog>(&mut run, &many, &root);
    let mut place = places(LOG);
    run.time(GROWTH, "consistency", CtLog::NAME, |bencher| {
        bencher.iter(|| ct.prove_growth(1 + place.next().unwrap_or(0)));
    });
    verify_growth(&mut run, &ct, &many, &root);
    drop(ct);
    let rs = inclusion::<RsLog>(&mut run, &many, &root);
    ranges(&mut run, &rs, &many, &root);
    signatures(&mut run);
    let peers = [Bare::NAME, CtLog::NAME, RsLog::NAME];
    let table = run.end();
    table.print("log", &[OurLog::NAME], &peers);
    table.print("signatures", &[OURS], &[DALEK]);
}

fn leaves(count: u64, bytes: usize) -> Vec<Vec<u8>> {
    let leaf = |number: u64| {
        let mut leaf = vec![number as u8; bytes];
        leaf[..8].copy_from_slice(&number.to_be_bytes());
        leaf
    };
    (0..count).map(leaf).collect()
}

/// Places all over the log, the same for each library.
fn places(below: u64) -> impl Iterator<Item = u64> {
    (0u64..).map(move |step| step.wrapping_mul(0x9e37_79b9_7f4a_7c15) % below)
}

fn append<L: Log>(run: &mut Run, block: &[Vec<u8>], appended: &[Vec<u8>]) {
    for (work, group, leaves) in [(SMALL, "tree_1000", block), (APPEND, "append", appended)] {
        run.time(work, group, L::NAME, |bencher| {
            bencher.iter(|| L::of(black_box(leaves)).root());
        });
    }
}

/// Ours, and the root that all others must have.
fn ours(run: &mut Run, many: &[Vec<u8>]) -> Hash {
    let log = OurLog::of(many);
    let root = log.root();
    let mut prover = log.prover();
    for index in (0..LOG).step_by(256) {
        prover
            .inclusion_proof(index, LOG)
            .expect("a leaf of this log");
    }
    let mut place = places(LOG);
    run.time(PROVE, "inclusion", OurLog::NAME, |bencher| {
        bencher.iter(|| prover.inclusion_proof(place.next().unwrap_or(0), LOG));
    });
    run.time(FIRST, "inclusion_first", OurLog::NAME, |bencher| {
        bencher.iter(|| log.prove(place.next().unwrap_or(0)));
    });
    verify(run, &log, many, &root);
    run.time(GROWTH, "consistency", OurLog::NAME, |bencher| {
        bencher.iter(|| prover.consistency_proof(1 + place.next().unwrap_or(0), LOG));
    });
    verify_growth(run, &log, many, &root);
    ranges(run, &log, many, &root);
    root
}

fn inclusion<L: Log>(run: &mut Run, many: &[Vec<u8>], root: &Hash) -> L {
    let log = L::of(many);
    assert_eq!(log.root(), *root, "{}", L::NAME);
    let mut place = places(LOG);
    run.time(PROVE, "inclusion", L::NAME, |bencher| {
        bencher.iter(|| log.prove(place.next().unwrap_or(0)));
    });
    verify(run, &log, many, root);
    log
}

fn verify<L: Log>(run: &mut Run, log: &L, many: &[Vec<u8>], root: &Hash) {
    let index = LOG / 3;
    let (proof, leaf) = (log.prove(index), &many[index as usize]);
    assert!(L::verify(&proof, leaf, index, LOG, root));
    assert!(!L::verify(&proof, &many[0], index, LOG, root));
    run.time(VERIFY, "inclusion_verified", L::NAME, |bencher| {
        bencher.iter(|| L::verify(black_box(&proof), leaf, index, LOG, root));
    });
}

fn verify_growth<L: Growing>(run: &mut Run, log: &L, many: &[Vec<u8>], root: &Hash) {
    let old = LOG / 3 * 2;
    let old_root = L::of(&many[..old as usize]).root();
    let proof = log.prove_growth(old);
    assert!(L::verify_growth(&proof, (old, &old_root), (LOG, root)));
    assert!(!L::verify_growth(&proof, (old, root), (LOG, root)));
    run.time(VERIFY_GROWTH, "consistency_verified", L::NAME, |bencher| {
        bencher.iter(|| L::verify_growth(black_box(&proof), (old, &old_root), (LOG, root)));
    });
}

fn ranges<L: Ranges>(run: &mut Run, log: &L, many: &[Vec<u8>], root: &Hash) {
    let first = LOG / 3;
    let shown = &many[first as usize..(first + BLOCK) as usize];
    let shown: Vec<Hash> = shown
        .iter()
        .map(|leaf| ledger::merkle::leaf_hash(leaf))
        .collect();
    run.time(RANGE, "range", L::NAME, |bencher| {
        bencher.iter(|| log.prove_range(black_box(first), BLOCK));
    });
    let proof = log.prove_range(first, BLOCK);
    run.table.bytes(
        "the proof's hashes",
        L::NAME,
        32.0 * L::range_hashes(&proof) as f64,
    );
    assert!(L::verify_range(&proof, &shown, first, LOG, root));
    run.time(VERIFY_RANGE, "range_verified", L::NAME, |bencher| {
        bencher.iter(|| L::verify_range(black_box(&proof), &shown, first, LOG, root));
    });
}

/// dalek's own `verify` takes keys of small order, which ours refuses.
fn signatures(run: &mut Run) {
    let key = SigningKey::from_bytes(&[7; 32]);
    let public = key.verifying_key();
    let message = [5; LEAF_BYTES];
    let bytes = signature::sign(&key, &message);
    let parsed = Signature::from_bytes(&bytes);
    run.time(SIGN, "sign", OURS, |bencher| {
        bencher.iter(|| signature::sign(&key, black_box(&message)));
    });
    run.time(SIGN, "sign", DALEK, |bencher| {
        bencher.iter(|| key.sign(black_box(&message)));
    });
    run.time(VERIFY_SIGNATURE, "signature_verified", OURS, |bencher| {
        bencher.iter(|| signature::verify(&public, black_box(&message), &bytes));
    });
    run.time(VERIFY_SIGNATURE, "signature_verified", DALEK, |bencher| {
        bencher.iter(|| public.verify(black_box(&message), &parsed).is_ok());
    });
}
