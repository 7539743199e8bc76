//! Deltas whose origins no honest author could have seen side by side: whatever is made of them,
//! every replica must make the same of it.

mod world;

use std::collections::BTreeSet;

use crdt::codec::{put_bytes, put_varint};
use crdt::{Crdt, RgaText};
use proptest::prelude::*;

/// Replica and tick.
type Name = (u8, u64);

/// An element of an operation.
type At = (Name, u64);

struct Span {
    len: u64,
    left: Option<At>,
    right: Option<At>,
}

fn zigzag(from: usize, to: usize) -> u64 {
    let distance = from as i64 - to as i64;
    ((distance << 1) ^ (distance >> 63)) as u64
}

/// The bytes of a delta that inserts `spans` under one dot.
fn forged(own: Name, spans: &[Span]) -> Vec<u8> {
    let origins = spans.iter().flat_map(|span| [span.left, span.right]);
    let mut names: BTreeSet<Name> = origins.flatten().map(|(name, _)| name).collect();
    names.insert(own);
    let names: Vec<Name> = names.into_iter().collect();
    let index = |name: Name| names.iter().position(|held| *held == name).unwrap();
    let count: u64 = spans.iter().map(|span| span.len).sum();
    let mut out = vec![1, 4];
    put_bytes(&mut out, "z".repeat(count as usize).as_bytes());
    let replicas = names.chunk_by(|a, b| a.0 == b.0);
    put_varint(&mut out, replicas.clone().count() as u64);
    for replica in replicas {
        out.extend([replica[0].0; 16]);
        put_varint(&mut out, replica.len() as u64);
        let mut next = 0;
        for (_, tick) in replica {
            put_varint(&mut out, tick - next);
            next = tick + 1;
        }
    }
    for name in &names {
        if *name != own {
            put_varint(&mut out, 0);
            continue;
        }
        put_varint(&mut out, spans.len() as u64);
        for span in spans {
            put_varint(&mut out, span.len - 1);
            for (origin, before) in [(span.left, None), (span.right, span.left)] {
                match origin {
                    None => put_varint(&mut out, 0),
                    Some((name, at)) if before == Some((name, at.wrapping_sub(1))) => {
                        put_varint(&mut out, 1);
                    }
                    Some((name, at)) => {
                        put_varint(&mut out, 2 + zigzag(index(own), index(name)));
                        put_varint(&mut out, at);
                    }
                }
            }
        }
    }
    put_varint(&mut out, 1);
    put_varint(&mut out, index(own) as u64 * 2);
    put_varint(&mut out, 0);
    put_varint(&mut out, count - 1);
    out
}

/// Of one delta: whose it is, and of each span the length and what picks its origins.
type Forgery = (u8, Vec<(u64, u16, u16)>);

fn forgeries() -> impl Strategy<Value = Vec<Forgery>> {
    let span = (1..3u64, any::<u16>(), any::<u16>());
    let spans = prop_oneof![
        4 => prop::collection::vec(span.clone(), 1..2),
        1 => prop::collection::vec(span, 2..3),
    ];
    prop::collection::vec((1..5u8, spans), 1..14)
}

/// All orders of joining that keep to who stands beside whom, by chance.
fn joined(deltas: &[RgaText], mut order: Vec<usize>) -> RgaText {
    let mut row = RgaText::default();
    while !order.is_empty() {
        let before = order.len();
        order.retain(|index| {
            let in_place = row.join(&deltas[*index]);
            let mut assigned = row.clone();
            let result = assigned.join_assign(&deltas[*index]);
            assert_eq!(result.is_ok(), in_place.is_ok());
            assert_eq!(&assigned, in_place.as_ref().unwrap_or(&row));
            if let Ok(joined) = in_place {
                let bytes = joined.encode();
                assert_eq!(RgaText::decode(&bytes).as_ref(), Ok(&joined));
                row = joined;
                return false;
            }
            true
        });
        if order.len() == before {
            break;
        }
    }
    row
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    /// One member could bring the others apart for ever, with a few signed bytes.
    #[test]
    fn forged_origins_lead_to_one_order(
        forgeries in forgeries(),
        shuffle in prop::collection::vec(any::<prop::sample::Index>(), 16),
    ) {
        // What stands first is whole.
        let mut clock = world::Clock::new(1);
        let first = RgaText::assign("abc".to_owned());
        let first = RgaText::settle(None, &first, &mut clock).unwrap();
        let mut made: Vec<At> = (0..3).map(|at| ((1, clock.last.0), at)).collect();
        let mut deltas = vec![first.clone()];
        let mut row = first;
        for (number, (replica, spans)) in forgeries.iter().enumerate() {
            let own = (*replica, 100 + 10 * number as u64);
            // One in a few has no neighbour, the others any that there is.
            let origin = |pick: u16| made.get(usize::from(pick) % (made.len() + 2)).copied();
            let spans: Vec<Span> = spans
                .iter()
                .map(|(len, left, right)| Span {
                    len: *len,
                    left: origin(*left),
                    right: origin(*right),
                })
                .collect();
            let Ok(delta) = RgaText::decode(&forged(own, &spans)) else {
                continue;
            };
            // What the first one to hear of it refuses is signed by nobody else.
            let Ok(joined) = row.join(&delta) else {
                continue;
            };
            row = joined;
            let count: u64 = spans.iter().map(|span| span.len).sum();
            made.extend((0..count).map(|at| (own, at)));
            deltas.push(delta);
        }
        let all = joined(&deltas, (0..deltas.len()).collect());
        prop_assert_eq!(all.encode(), row.encode());
        let mut order: Vec<usize> = (0..deltas.len()).collect();
        for (at, pick) in shuffle.iter().enumerate().take(order.len()) {
            let other = pick.index(order.len());
            order.swap(at, other);
        }
        prop_assert_eq!(joined(&deltas, order).encode(), row.encode());
    }
}
