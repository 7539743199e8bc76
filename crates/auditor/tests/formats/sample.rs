//! The chain of the chapter's examples: two nodes, three blocks, one op in no block yet.

use crdt::{
    Author, Column, ColumnKind, Crdt, Hlc, PlainRow, PnCounter, ReplicaId, RowAction, RowChange,
    SchemaAction, SchemaChange, Stamp, TableSchema,
};
use ledger::{Kind, MembershipChange, ValidatorSet, ZERO_HASH};

use crate::chain::{Chain, member};

/// The chain, and what its ops were made from.
pub struct Sample {
    pub chain: Chain,
    pub schema: TableSchema,
    pub row: RowChange,
    /// Who decides from height 3 on.
    pub both: ValidatorSet,
}

impl Sample {
    pub fn new() -> Self {
        let mut chain = Chain::new();
        chain.clock = chain.genesis.time_ms;
        let founder = chain.genesis.validators();
        let both = ValidatorSet::from_members([&member(1, 1), &member(2, 1)]);
        let schema = schema();
        let hash = schema.hash();
        let track = SchemaChange {
            action: SchemaAction::Track(schema.clone()),
            actor: "ada".to_owned(),
            application: "psql".to_owned(),
        };
        let join = MembershipChange::Join(member(2, 1));
        chain.members.push(member(2, 1));
        chain.seal_under(
            1,
            vec![
                (Kind::ValidatorSet, ZERO_HASH, join.to_bytes()),
                (Kind::Schema, hash, track.encode().unwrap()),
            ],
        );
        chain.commit(&[1], &founder);
        let row = row();
        let delta = |key: u8| {
            let mut row = row.clone();
            row.key = vec![[[0; 7].as_slice(), &[key]].concat()];
            (Kind::Delta, hash, row.encode().unwrap())
        };
        chain.seal_under(2, vec![delta(7), delta(8)]);
        chain.seal_under(1, vec![delta(9)]);
        chain.commit(&[1], &founder);
        chain.seal_under(2, vec![delta(8)]);
        chain.commit(&[1, 2], &both);
        chain.seal_under(1, vec![delta(9)]);
        Self {
            chain,
            schema,
            row,
            both,
        }
    }
}

fn schema() -> TableSchema {
    let column = |name: &str, type_name: &str, kind, not_null| Column {
        name: name.to_owned(),
        type_name: type_name.to_owned(),
        kind,
        not_null,
    };
    TableSchema {
        schema: "public".to_owned(),
        table: "page".to_owned(),
        columns: vec![
            column("id", "bigint", ColumnKind::Plain, true),
            column("views", "public.pn_counter", ColumnKind::PnCounter, false),
            column("note", "text", ColumnKind::Plain, false),
        ],
        key: vec![0],
    }
}

/// node2 inserts page 7 with 12 views and the note "hello".
fn row() -> RowChange {
    let replica = ReplicaId(member(2, 1).replica_id);
    let tick = Hlc::from_parts(1_700_000_000_000, 1);
    let views = PnCounter::settle(None, &PnCounter::assign(12), &mut One(replica, tick)).unwrap();
    RowChange {
        action: RowAction::Upsert,
        causal_length: 1,
        key: vec![7i64.to_be_bytes().to_vec()],
        deltas: vec![(1, views.encode())],
        plain: Some(PlainRow {
            stamp: Stamp { hlc: tick, replica },
            values: vec![(2, Some(b"hello".to_vec()))],
        }),
        actor: "ada".to_owned(),
        application: "psql".to_owned(),
        transaction: 741,
    }
}

/// An author with one tick.
struct One(ReplicaId, Hlc);

impl Author for One {
    fn replica(&self) -> ReplicaId {
        self.0
    }

    fn tick(&mut self) -> Hlc {
        self.1
    }

    fn is_exclusive(&self) -> bool {
        true
    }
}
