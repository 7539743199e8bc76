//! A chain verified in pieces, by several processes or in several goes, must give what one pass
//! gives: whoever altered it could else hide at a seam.

mod chain;

use chain::Chain;
use ledger::{Cut, Position, Run};
use proptest::prelude::*;

/// Members that join late, segments that span blocks, more than one tile, a tail.
fn sample() -> Chain {
    let mut chain = Chain::new();
    let founder = chain.genesis.validators();
    chain.join(2, 0);
    chain.commit(&[1], &founder);
    for round in 0..6u64 {
        chain.deltas(2, 30 + round as usize);
        if round == 2 {
            chain.join(3, 0);
        }
        if round > 2 {
            chain.deltas(3, 25);
        }
        // Every second block ends in the middle of a segment.
        let node = chain.id(2);
        let at = chain.heads[&node];
        let mut cut = chain.cut.clone();
        cut.0
            .extend(chain.heads.iter().map(|(node, at)| (*node, *at)));
        if round % 2 == 1 {
            let seq = at.seq - 7;
            let head = chain.cores[&(node, seq)].2;
            cut.0.insert(node, Position { seq, head });
        }
        chain.commit_cut(cut, &[1], &founder);
    }
    chain.deltas(3, 5);
    chain.deltas(2, 4);
    chain
}

/// One alteration of a row, chosen by numbers.
fn alter(chain: &mut Chain, what: u8, row: usize, bit: usize) {
    let flip = |bytes: &mut Vec<u8>| match bytes.len() {
        0 => bytes.push(1),
        len => bytes[bit / 8 % len] ^= 1 << (bit % 8),
    };
    let op = row % chain.ops.len();
    let segment = row % chain.segments.len();
    let block = row % chain.blocks.len();
    let tile = chain.tiles.0.keys().nth(row % chain.tiles.0.len()).copied();
    match what {
        0 => flip(&mut chain.ops[op].payload),
        1 => flip(&mut chain.ops[op].salt),
        2 => flip(&mut chain.ops[op].op_hash),
        3 => chain.ops[op].hlc += 1,
        4 => chain.ops[op].kind = 1 + bit as u8 % 4,
        5 => flip(&mut chain.ops[op].schema_hash),
        6 => drop(chain.ops.remove(op)),
        7 => chain.ops.push(chain.ops[op].clone()),
        8 => chain.ops[op].seq += 1 + bit as u64 % 60,
        9 => flip(&mut chain.segments[segment].signature),
        10 => drop(chain.segments.remove(segment)),
        11 => chain.segments.push(chain.segments[segment].clone()),
        12 => chain.segments[segment].count += 1,
        13 => flip(&mut chain.segments[segment].prev),
        14 => flip(&mut chain.segments[segment].head),
        15 => flip(&mut chain.blocks[block].header),
        16 => flip(&mut chain.blocks[block].cut),
        17 => flip(&mut chain.blocks[block].certificate),
        18 => drop(chain.blocks.remove(block)),
        19 => {
            let row = chain.blocks[block].clone();
            chain.blocks.insert(block, row);
        }
        20 => {
            if let Some(bytes) = tile.and_then(|place| chain.tiles.0.get_mut(&place)) {
                flip(bytes);
            }
        }
        21 => {
            if let Some(place) = tile {
                chain.tiles.0.remove(&place);
            }
        }
        22 => {
            if let Some(bytes) = tile.and_then(|place| chain.tiles.0.get_mut(&place)) {
                bytes.truncate(bit / 8);
            }
        }
        23 => drop(chain.members.remove(row % chain.members.len())),
        24 => {
            let member = row % chain.members.len();
            chain.members[member].name.push('x');
        }
        25 => flip(&mut chain.genesis_bytes),
        26 => {
            // The cut and the header of a block, both decodable, of another block.
            let other = chain.blocks[bit % chain.blocks.len()].clone();
            chain.blocks[block].header = other.header;
            chain.blocks[block].cut = other.cut;
        }
        27 => {
            // A cut that is well formed and wrong.
            let row = &mut chain.blocks[block];
            if let Ok(mut cut) = Cut::from_bytes(&row.cut)
                && let Some(mut entry) = cut.0.last_entry()
            {
                entry.get_mut().seq += 1;
                row.cut = cut.to_bytes();
            }
        }
        28 => chain.ops[op].close(),
        _ => {
            // Two ops change places.
            let other = bit % chain.ops.len();
            let (a, b) = (chain.ops[op].seq, chain.ops[other].seq);
            if chain.ops[op].origin == chain.ops[other].origin {
                (chain.ops[op].seq, chain.ops[other].seq) = (b, a);
            }
        }
    }
}

#[test]
fn a_sound_chain_is_joined_run_by_run() {
    for chain in [sample(), Chain::sample(3), Chain::sample(40)] {
        let one = chain.verify();
        assert!(one.is_verified(), "{one:#?}");
        let all: Vec<u64> = (1..=one.height).collect();
        for ends in [&all[..], &all[1..3], &[one.height][..], &[]] {
            let (report, joins) = chain.verify_in_pieces(ends);
            assert_eq!(report, one);
            assert_eq!((joins.joined, joins.fed), (ends.len(), 0), "{ends:?}");
        }
    }
}

/// An op before the seam is altered: the run behind it must still be joined, or one fault
/// would make everything behind it slow.
#[test]
fn a_fault_does_not_spread_to_later_runs() {
    let mut chain = Chain::sample(200);
    chain.op_mut(2, 3).payload[0] ^= 1;
    let (report, joins) = chain.verify_in_pieces(&[1, 2, 3, 4, 5]);
    assert_eq!(report, chain.verify());
    assert_eq!((joins.joined, joins.fed), (4, 1));
}

/// What a member pruned is no finding when it is verified in runs, what nobody said is.
#[test]
fn pruned_payloads_are_explained_across_runs() {
    let mut chain = sample();
    let founder = chain.genesis.validators();
    chain.close(3);
    let unexplained = chain.clone();
    chain.say_pruned(1, 3);
    chain.commit(&[1], &founder);
    chain.deltas(2, 5);
    chain.commit(&[1], &founder);
    let ends: Vec<u64> = (1..=chain.blocks.len() as u64).collect();
    let (report, joins) = chain.verify_in_pieces(&ends);
    assert!(report.is_verified(), "{report:#?}");
    assert_eq!(report, chain.verify());
    assert_eq!((joins.joined, joins.fed), (ends.len(), 0));
    let (report, _) = unexplained.verify_in_pieces(&[1, 2, 3, 4]);
    assert!(!report.is_verified());
    assert_eq!(report, unexplained.verify());
}

/// What a worker hands back is bytes; another process's bytes are not believed to be well formed.
#[test]
fn the_bytes_of_a_run_are_read_strictly() {
    let chain = sample();
    let (pieces, end) = (chain.pieces(), chain.ground(1).unwrap());
    let mut run = pieces.start(None);
    let plan = run.block(&chain.blocks[0].as_stored());
    chain.feed_plan(&mut run, &plan);
    let run = pieces.end(run, None, &end).unwrap();
    let bytes = run.to_bytes();
    assert!(bytes.len() <= Run::MAX_BYTES);
    assert_eq!(Run::from_bytes(&bytes), Ok(run.clone()));
    for len in 0..bytes.len() {
        assert!(Run::from_bytes(&bytes[..len]).is_err());
    }
    assert!(Run::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    // A run from elsewhere, or to elsewhere, is not joined.
    let other = chain.ground(2).unwrap();
    let mut whole = pieces.begin();
    assert!(!pieces.join(&mut whole, &run, None, &other));
    assert!(!pieces.join(&mut whole, &run, Some(&end), &other));
    assert!(pieces.join(&mut whole, &run, None, &end));
    assert!(!pieces.join(&mut whole, &run, None, &end), "not twice");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn pieces_find_what_one_pass_finds(
        changes in proptest::collection::vec((0u8..30, any::<usize>(), 0usize..4096), 0..4),
        ends in proptest::collection::btree_set(1u64..9, 0..8),
    ) {
        static GOOD: std::sync::LazyLock<Chain> = std::sync::LazyLock::new(sample);
        let mut chain = GOOD.clone();
        for (what, row, bit) in changes {
            alter(&mut chain, what, row % 100_000, bit);
        }
        let ends: Vec<u64> = ends.into_iter().collect();
        let (report, _) = chain.verify_in_pieces(&ends);
        prop_assert_eq!(report, chain.verify());
    }
}
