//! Fixed values of each kind, whose bytes tests know.

use ledger::{
    Block, Certificate, ChainId, Cut, Genesis, Header, Kind, NodeId, Op, Part, Position,
    Predecessor, Segment,
};

use super::{key, member};

pub const CHAIN: ChainId = ChainId([0xc0; 32]);

pub fn genesis() -> Genesis {
    Genesis {
        founder: member(1, 7),
        time_ms: 1_700_000_000_000,
        predecessor: Some(Predecessor {
            chain_id: ChainId([4; 32]),
            height: 5,
            header_hash: [6; 32],
        }),
        nonce: [8; 32],
    }
}

pub fn ops(count: u64) -> Vec<Op> {
    (1..=count)
        .map(|seq| Op {
            seq,
            hlc: seq << 20,
            kind: Kind::Delta,
            schema_hash: [5; 32],
            parts: (0..seq)
                .map(|part| Part {
                    salt: [part as u8; 32],
                    payload: vec![seq as u8; part as usize * 3],
                })
                .collect(),
        })
        .collect()
}

pub fn segment() -> Segment {
    let deps = [(NodeId([2; 32]), 9), (NodeId([3; 32]), 1)].into();
    let origin = member(1, 1).node_id;
    Segment::seal(&CHAIN, origin, Position::START, deps, 77, ops(3), &key(1)).unwrap()
}

pub fn header() -> Header {
    Header {
        chain_id: CHAIN,
        height: 0x0102_0304_0506_0708,
        epoch: 2,
        prev_header: [3; 32],
        first_leaf: 4,
        tree_size: 5,
        log_root: [6; 32],
        validator_set_hash: [7; 32],
        state_root: [8; 32],
        time_ms: 9,
        proposer: NodeId([10; 32]),
    }
}

pub fn cut() -> Cut {
    let at = |seq| Position {
        seq,
        head: [seq as u8; 32],
    };
    Cut([(NodeId([1; 32]), at(4)), (NodeId([2; 32]), at(9))].into())
}

pub fn block() -> Block {
    let header = header();
    let certificate = Certificate::by_sole_validator(
        &CHAIN,
        header.height,
        header.hash(),
        member(1, 1).node_id,
        &key(1),
    );
    Block {
        header,
        cut: cut(),
        certificate,
    }
}
