//! Every row of a small chain, removed, doubled or changed: none may pass unseen.

mod chain;

use chain::Chain;

/// Three blocks, three members, a tail.
fn small() -> Chain {
    let mut chain = Chain::new();
    let founder = chain.genesis.validators();
    chain.join(2, 0);
    chain.join(3, 0);
    chain.commit(&[1], &founder);
    chain.deltas(2, 2);
    chain.deltas(3, 1);
    chain.deltas(2, 2);
    chain.commit(&[1], &founder);
    // A cut in the middle of a segment.
    chain.deltas(3, 4);
    let mut cut = chain.cut.clone();
    let node = chain.id(3);
    let head = chain.cores[&(node, 3)].2;
    cut.0.insert(node, ledger::Position { seq: 3, head });
    chain.commit_cut(cut, &[1], &founder);
    chain.deltas(1, 2);
    chain
}

#[track_caller]
fn is_found(chain: &Chain, what: &str) {
    assert!(!chain.verify().is_verified(), "unseen: {what}");
}

#[test]
fn the_chain_itself_verifies() {
    let report = small().verify();
    assert!(report.is_verified(), "{report:#?}");
}

#[test]
fn no_row_is_removed_unseen() {
    let good = small();
    for i in 0..good.ops.len() {
        let mut chain = good.clone();
        chain.ops.remove(i);
        is_found(&chain, &format!("op {i} removed"));
    }
    for i in 0..good.segments.len() {
        let mut chain = good.clone();
        chain.segments.remove(i);
        is_found(&chain, &format!("segment {i} removed"));
    }
    for i in 0..good.blocks.len() {
        let mut chain = good.clone();
        chain.blocks.remove(i);
        is_found(&chain, &format!("block {i} removed"));
    }
    for place in good.tiles.0.keys() {
        let mut chain = good.clone();
        chain.tiles.0.remove(place);
        is_found(&chain, &format!("tile {place:?} removed"));
    }
    for i in 0..good.members.len() {
        let mut chain = good.clone();
        chain.members.remove(i);
        is_found(&chain, &format!("member {i} removed"));
    }
    for node in good.heads.keys() {
        let mut chain = good.clone();
        chain.heads.remove(node);
        is_found(&chain, &format!("vector of {node} removed"));
    }
}

#[test]
fn no_row_is_doubled_unseen() {
    let good = small();
    for i in 0..good.ops.len() {
        let mut chain = good.clone();
        chain.ops.push(good.ops[i].clone());
        is_found(&chain, &format!("op {i} doubled"));
    }
    for i in 0..good.segments.len() {
        let mut chain = good.clone();
        chain.segments.push(good.segments[i].clone());
        is_found(&chain, &format!("segment {i} doubled"));
    }
    for i in 0..good.blocks.len() {
        let mut chain = good.clone();
        chain.blocks.insert(i, good.blocks[i].clone());
        is_found(&chain, &format!("block {i} doubled"));
    }
}

/// Every field of every row, a byte here and there or one number at a time.
#[test]
fn no_field_is_changed_unseen() {
    let good = small();
    type Bytes = fn(&mut chain::OpRow) -> &mut Vec<u8>;
    let fields: [Bytes; 5] = [
        |op| &mut op.origin,
        |op| &mut op.schema_hash,
        |op| &mut op.salt,
        |op| &mut op.payload,
        |op| &mut op.op_hash,
    ];
    for i in 0..good.ops.len() {
        for (k, field) in fields.iter().enumerate() {
            let mut chain = good.clone();
            field(&mut chain.ops[i])[0] ^= 0x80;
            is_found(&chain, &format!("op {i}, field {k} changed"));
            let mut chain = good.clone();
            field(&mut chain.ops[i]).pop();
            is_found(&chain, &format!("op {i}, field {k} cut short"));
        }
        let numbers: [fn(&mut chain::OpRow); 3] = [
            |op| op.seq += 1,
            |op| op.hlc -= 1,
            |op| {
                op.kind ^= 1;
            },
        ];
        for (k, change) in numbers.iter().enumerate() {
            let mut chain = good.clone();
            change(&mut chain.ops[i]);
            is_found(&chain, &format!("op {i}, number {k} changed"));
        }
    }
    type SegmentBytes = fn(&mut chain::SegmentRow) -> &mut Vec<u8>;
    let fields: [SegmentBytes; 5] = [
        |s| &mut s.origin,
        |s| &mut s.prev,
        |s| &mut s.head,
        |s| &mut s.deps,
        |s| &mut s.signature,
    ];
    for i in 0..good.segments.len() {
        for (k, field) in fields.iter().enumerate() {
            let mut chain = good.clone();
            field(&mut chain.segments[i])[0] ^= 1;
            is_found(&chain, &format!("segment {i}, field {k} changed"));
        }
        let numbers: [fn(&mut chain::SegmentRow); 4] = [
            |s| s.first_seq += 1,
            |s| s.count += 1,
            |s| s.count -= 1,
            |s| s.sealed_ms ^= 1,
        ];
        for (k, change) in numbers.iter().enumerate() {
            let mut chain = good.clone();
            change(&mut chain.segments[i]);
            is_found(&chain, &format!("segment {i}, number {k} changed"));
        }
    }
    for i in 0..good.blocks.len() {
        for at in (0..good.blocks[i].header.len()).step_by(11) {
            let mut chain = good.clone();
            chain.blocks[i].header[at] ^= 1;
            is_found(&chain, &format!("block {i}, byte {at} of the header"));
        }
        for at in (0..good.blocks[i].cut.len()).step_by(7) {
            let mut chain = good.clone();
            chain.blocks[i].cut[at] ^= 1;
            is_found(&chain, &format!("block {i}, byte {at} of the cut"));
        }
        for at in (0..good.blocks[i].certificate.len()).step_by(7) {
            let mut chain = good.clone();
            chain.blocks[i].certificate[at] ^= 1;
            is_found(&chain, &format!("block {i}, byte {at} of the certificate"));
        }
    }
}

/// A forger with the tables, but without the keys, makes ops, hashes, tiles and headers fit each
/// other again. Signatures are all that is left, and they are enough.
#[test]
fn a_consistent_forgery_is_found() {
    let good = small();
    let mut chain = good.clone();
    chain.op_mut(2, 2).payload = b"forged".to_vec();
    chain.rehash(2, 2, 4);
    let head = chain.op_mut(2, 2).op_hash.clone();
    chain.segment_mut(2, 1).head = head.clone();
    chain.segment_mut(2, 3).prev = head;
    let head = chain.op_mut(2, 4).op_hash.clone();
    chain.segment_mut(2, 3).head = head;
    let report = chain.verify();
    let kinds: Vec<_> = report.findings.iter().map(|f| f.kind.as_str()).collect();
    assert!(kinds.contains(&"segment_signature_wrong"), "{report:#?}");
    assert!(kinds.contains(&"op_altered"), "{report:#?}");
}
