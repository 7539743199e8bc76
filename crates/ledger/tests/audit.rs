//! An audit of a log by what it serves to everybody: sound logs pass whatever their size, and what a
//! log could do to its readers is found.

mod chain;

use chain::Chain;
use ledger::audit::{AuditFault, AuditFaultKind, LogAudit};
use ledger::hash::sha256;
use ledger::merkle::{TilePath, TileStore, Tree, entry_bundle, leaf_hash};
use ledger::{Cut, Hash, Header, Leaf};

/// What a log serves.
#[derive(Clone)]
struct Log {
    leaves: Vec<Vec<u8>>,
    tiles: chain::Tiles,
}

impl Log {
    fn of(leaves: Vec<Vec<u8>>) -> Self {
        let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        let mut tree = Tree::new(chain::Tiles::default(), 0);
        tree.append(&hashes).unwrap();
        let tiles = tree.into_store();
        Self { leaves, tiles }
    }

    fn root(&self, size: u64) -> Hash {
        let tree = Tree::new(self.tiles.clone(), self.leaves.len() as u64);
        tree.root_at(size).unwrap()
    }

    fn get(&self, path: &TilePath) -> Vec<u8> {
        match *path {
            TilePath::Entries { index, width } => {
                let start = index as usize * 256;
                entry_bundle(&self.leaves[start..start + usize::from(width)]).unwrap()
            }
            TilePath::Hashes {
                level,
                index,
                width,
            } => {
                let mut tile = self.tiles.tile(level, index).unwrap();
                tile.truncate(usize::from(width) * 32);
                tile
            }
        }
    }

    /// Reads on to `size` leaves, and holds all tiles of higher levels against the leaves.
    fn audit(
        &self,
        audit: &mut LogAudit,
        size: u64,
        passing: Option<(u64, Hash)>,
    ) -> Result<(), AuditFault> {
        while let Some((entries, hashes)) = audit.ahead(size, 0) {
            let due = audit.read(&self.get(&entries), &self.get(&hashes), passing)?;
            due.iter()
                .try_for_each(|tile| tile.check(&self.get(&tile.path)))?;
        }
        let open = audit.open_tiles();
        open.iter()
            .try_for_each(|tile| tile.check(&self.get(&tile.path)))?;
        assert_eq!(audit.size(), size);
        Ok(())
    }
}

/// The leaves of a chain, by its blocks.
fn leaves(chain: &Chain) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    let (mut last, mut before) = (chain.genesis.header(), Cut::default());
    for block in &chain.blocks {
        let cut = Cut::from_bytes(&block.cut).unwrap();
        leaves.push(Leaf::of_header(&last, &last.hash(), leaves.len() as u64));
        for (node, at) in cut.iter() {
            for seq in before.get(node).seq + 1..=at.seq {
                let (op, prev, this) = &chain.cores[&(*node, seq)];
                let index = leaves.len() as u64;
                let leaf = Leaf::of_op(&chain.chain, index, node, &op.core(), prev, this);
                leaves.push(leaf);
            }
        }
        last = Header::from_bytes(&block.header).unwrap();
        before = cut;
    }
    leaves
}

fn bytes(leaves: &[Leaf]) -> Vec<Vec<u8>> {
    leaves.iter().map(Leaf::to_bytes).collect()
}

/// A chain of five blocks and more than two tiles.
fn sample() -> (Chain, Vec<Leaf>) {
    let chain = Chain::sample(50);
    let leaves = leaves(&chain);
    assert_eq!(leaves.len() as u64, chain.size);
    assert!(leaves.len() > 520);
    (chain, leaves)
}

fn whole(chain: &Chain, leaves: &[Leaf]) -> Result<LogAudit, AuditFault> {
    let log = Log::of(bytes(leaves));
    let mut audit = LogAudit::new(chain.chain);
    log.audit(&mut audit, leaves.len() as u64, None)?;
    Ok(audit)
}

fn fault(chain: &Chain, leaves: &[Leaf]) -> AuditFault {
    whole(chain, leaves).expect_err("a fault")
}

/// An auditor who reads a sound log, at once or bit by bit over days, comes to the signed root.
#[test]
fn a_sound_log_comes_to_its_signed_root() {
    let (chain, leaves) = sample();
    let audit = whole(&chain, &leaves).unwrap();
    assert_eq!(audit.root(), chain.last.log_root);
    assert_eq!(audit.headers(), chain.last.height);
    assert_eq!(audit.origins(), 3);
    let log = Log::of(bytes(&leaves));
    let mut kept = LogAudit::new(chain.chain).to_bytes();
    let mut before = None;
    for size in [1, 2, 7, 255, 256, 257, 300, 511, 512, 513, chain.size] {
        let mut audit = LogAudit::from_bytes(&kept).unwrap();
        log.audit(&mut audit, size, before).unwrap();
        assert_eq!(audit.root(), log.root(size), "{size}");
        before = Some((size, audit.root()));
        kept = audit.to_bytes();
    }
    assert_eq!(LogAudit::from_bytes(&kept).unwrap(), audit);
}

/// One entry that is not what was hashed is named, whoever changed it.
#[test]
fn an_altered_entry_is_named() {
    let (chain, leaves) = sample();
    for (index, place) in [(0, 20), (3, 100), (255, 54), (256, 226), (400, 80)] {
        let mut log = Log::of(bytes(&leaves));
        log.leaves[index][place] ^= 1;
        let mut audit = LogAudit::new(chain.chain);
        let fault = log
            .audit(&mut audit, chain.size, None)
            .expect_err("a fault");
        assert_eq!(fault.kind, AuditFaultKind::EntryAltered);
        assert_eq!(fault.leaf_index, Some(index as u64));
        assert_ne!(fault.expected, fault.found);
    }
}

/// A log that hashes what it likes, tiles and all, still cannot write a history that does not hang
/// together, nor leaves of another chain.
#[test]
fn leaves_that_do_not_hang_together_are_named() {
    use AuditFaultKind::{BlocksBroken, HistoryBroken, LeafMisplaced};
    let (chain, leaves) = sample();
    let op = leaves
        .iter()
        .position(|leaf| leaf.origin_seq == 5 && leaf.kind == 1)
        .unwrap();
    let header = leaves
        .iter()
        .position(|leaf| leaf.kind == 10 && leaf.origin_seq == 2)
        .unwrap();
    let altered = |at: usize, change: &dyn Fn(&mut Leaf)| {
        let mut leaves = leaves.clone();
        change(&mut leaves[at]);
        let fault = fault(&chain, &leaves);
        assert_eq!(fault.leaf_index, Some(at as u64), "{fault}");
        fault.kind
    };
    assert_eq!(altered(op, &|leaf| leaf.chain_id.0[0] ^= 1), LeafMisplaced);
    assert_eq!(altered(op, &|leaf| leaf.index += 1), LeafMisplaced);
    assert_eq!(altered(op, &|leaf| leaf.kind = 2), HistoryBroken);
    assert_eq!(altered(op, &|leaf| leaf.kind = 10), BlocksBroken);
    assert_eq!(
        altered(op, &|leaf| leaf.origin.0 = [0xff; 32]),
        HistoryBroken
    );
    assert_eq!(altered(op, &|leaf| leaf.origin.0 = [0; 32]), BlocksBroken);
    assert_eq!(altered(op, &|leaf| leaf.origin_seq += 1), HistoryBroken);
    assert_eq!(altered(op, &|leaf| leaf.hlc += 1), HistoryBroken);
    assert_eq!(altered(op, &|leaf| leaf.schema_hash[0] ^= 1), HistoryBroken);
    assert_eq!(altered(op, &|leaf| leaf.part_count += 1), HistoryBroken);
    assert_eq!(altered(op, &|leaf| leaf.parts_root[0] ^= 1), HistoryBroken);
    assert_eq!(altered(op, &|leaf| leaf.prev[0] ^= 1), HistoryBroken);
    assert_eq!(altered(op, &|leaf| leaf.this[0] ^= 1), HistoryBroken);
    assert_eq!(altered(header, &|leaf| leaf.kind = 1), BlocksBroken);
    assert_eq!(altered(header, &|leaf| leaf.origin_seq += 1), BlocksBroken);
    assert_eq!(altered(header, &|leaf| leaf.hlc = 0), BlocksBroken);
    assert_eq!(altered(header, &|leaf| leaf.hlc += 1), BlocksBroken);
    assert_eq!(
        altered(header, &|leaf| leaf.schema_hash[0] ^= 1),
        BlocksBroken
    );
    assert_eq!(altered(header, &|leaf| leaf.part_count += 1), BlocksBroken);
    assert_eq!(
        altered(header, &|leaf| leaf.parts_root[0] ^= 1),
        BlocksBroken
    );
    assert_eq!(altered(header, &|leaf| leaf.prev[0] ^= 1), BlocksBroken);
    assert_eq!(altered(header, &|leaf| leaf.this[0] ^= 1), BlocksBroken);
    assert_eq!(altered(0, &|leaf| leaf.kind = 1), BlocksBroken);
}

/// What no leaf beside it tells, such as the proposer of a block, the signed root does.
#[test]
fn any_other_change_comes_to_another_root() {
    let (chain, mut leaves) = sample();
    let header = leaves
        .iter()
        .position(|leaf| leaf.kind == 10 && leaf.origin_seq == 2)
        .unwrap();
    leaves[header].origin.0[0] ^= 1;
    let audit = whole(&chain, &leaves).unwrap();
    assert_ne!(audit.root(), chain.last.log_root);
}

/// Leaves that are left out or shuffled are named at the place where they lack.
#[test]
fn lacking_and_shuffled_leaves_are_named() {
    let (chain, leaves) = sample();
    let numbered = |mut leaves: Vec<Leaf>| {
        for (leaf, index) in leaves.iter_mut().zip(0..) {
            leaf.index = index;
        }
        fault(&chain, &leaves)
    };
    let mut lacking = leaves.clone();
    lacking.remove(30);
    assert_eq!(numbered(lacking).leaf_index, Some(30));
    let mut shuffled = leaves.clone();
    shuffled.swap(40, 41);
    assert_eq!(numbered(shuffled).leaf_index, Some(40));
    let mut doubled = leaves.clone();
    doubled.insert(60, leaves[59]);
    assert_eq!(numbered(doubled).leaf_index, Some(60));
}

/// A log that was rewritten behind an auditor's back is refused, wherever the change is.
#[test]
fn a_log_that_was_rewritten_is_refused() {
    let (chain, leaves) = sample();
    let sound = Log::of(bytes(&leaves));
    let mut kept = LogAudit::new(chain.chain);
    sound.audit(&mut kept, 300, None).unwrap();
    let signed = (300, kept.root());
    for altered in [10, 290] {
        let mut other = leaves.clone();
        other[altered].parts_root[0] ^= 1;
        let forked = Log::of(bytes(&other));
        let mut audit = kept.clone();
        let gone_on = forked.audit(&mut audit, chain.size, None);
        // A change in the open tile is seen at once, an earlier one by the tiles above.
        let wanted = match altered {
            290 => AuditFaultKind::Forked,
            _ => AuditFaultKind::TileAltered,
        };
        assert_eq!(gone_on.expect_err("a fault").kind, wanted);
        assert_ne!(audit.root(), forked.root(chain.size));
    }
    // Who was interrupted before the checkpoint that he keeps is told when he passes it.
    let mut interrupted = LogAudit::new(chain.chain);
    let mut other = signed;
    other.1[0] ^= 1;
    let fault = sound
        .audit(&mut interrupted, 512, Some(other))
        .expect_err("a fault");
    assert_eq!(fault.kind, AuditFaultKind::Forked);
    let mut passing = LogAudit::new(chain.chain);
    sound.audit(&mut passing, 512, Some(signed)).unwrap();
}

/// What a server answers may be anything: it gives a fault, never a wrong audit.
#[test]
fn odd_answers_are_faults() {
    let (chain, leaves) = sample();
    let log = Log::of(bytes(&leaves));
    let mut audit = LogAudit::new(chain.chain);
    let (entries, hashes) = audit.ahead(chain.size, 0).unwrap();
    let (bundle, tile) = (log.get(&entries), log.get(&hashes));
    for (bundle, tile) in [
        (&[][..], &[][..]),
        (&bundle, &[]),
        (&[], &tile),
        (&bundle[1..], &tile),
        (&bundle, &tile[1..]),
        (&bundle, &tile[32..]),
        (&bundle, &[tile.as_slice(), &[0; 32]].concat()),
        (&[bundle.as_slice(), &[0, 0]].concat(), &tile),
        (&bundle, &[0; 32 * 257]),
    ] {
        assert!(audit.clone().read(bundle, tile, None).is_err());
    }
    assert_eq!(audit.read(&bundle, &tile, None), Ok(Vec::new()));
    assert_eq!(audit.size(), 256);
    assert_eq!(audit.ahead(256, 0), None);
}

/// Kept audits are read by later versions; a damaged one must not be gone on with.
#[test]
fn kept_audits_come_back_or_not_at_all() {
    let (chain, leaves) = sample();
    let audit = whole(&chain, &leaves).unwrap();
    let bytes = audit.to_bytes();
    assert_eq!(LogAudit::from_bytes(&bytes), Ok(audit));
    assert_eq!(hex::encode(&sha256(&[&bytes])[..16]), GOLDEN);
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert!(LogAudit::from_bytes(&damaged).is_err(), "{at}");
        assert!(LogAudit::from_bytes(&bytes[..at]).is_err(), "{at}");
    }
    // With a good sum, but not as it would be written.
    let resum = |bytes: &[u8]| [bytes, &sha256(&[bytes])].concat();
    let body = &bytes[..bytes.len() - 32];
    assert!(LogAudit::from_bytes(&resum(&[body, &[0]].concat())).is_err());
    assert!(LogAudit::from_bytes(&resum(&body[..body.len() - 1])).is_err());
}

const GOLDEN: &str = "86102f5595cc34265bdd3ae0cc6dc99c";
