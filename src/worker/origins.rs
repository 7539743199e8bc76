//! Numbers that stand for long names in this database's tables: nodes and
//! schemas. A cache; the tables are the truth.

use crate::catalog;
use crate::error::OrCorrupt;
use ledger::{Hash, Member, NodeId};
use std::collections::HashMap;

/// Maps local numbers to node ids and schema hashes, and back.
#[derive(Default)]
pub struct Origins {
    members: HashMap<i32, Member>,
    numbers: HashMap<NodeId, i32>,
    schemas: HashMap<i32, Hash>,
}

impl Origins {
    /// The member with this number.
    pub fn member(&mut self, number: i32) -> &Member {
        if !self.members.contains_key(&number) {
            self.reload();
        }
        self.members
            .get(&number)
            .or_corrupt("a node that crdt.node does not know")
    }

    /// The node with this number.
    pub fn node_id(&mut self, number: i32) -> NodeId {
        self.member(number).node_id
    }

    /// The number of a node; `None` for a stranger.
    pub fn number(&mut self, node: &NodeId) -> Option<i32> {
        if !self.numbers.contains_key(node) {
            self.reload();
        }
        self.numbers.get(node).copied()
    }

    /// Reads the members again.
    pub fn reload(&mut self) {
        let known = catalog::members();
        self.numbers = known.iter().map(|k| (k.member.node_id, k.id)).collect();
        self.members = known.into_iter().map(|k| (k.id, k.member)).collect();
    }

    /// The hash of a schema; zeros for number 0, which stands for none.
    pub fn schema_hash(&mut self, id: i32) -> Hash {
        if id == 0 {
            return [0; 32];
        }
        *self.schemas.entry(id).or_insert_with(|| {
            catalog::one(
                "SELECT hash FROM crdt.schema WHERE id = $1",
                &[id.into()],
                |row| super::log::hash(&row.need::<Vec<u8>>(1)),
            )
            .or_corrupt("a schema that crdt.schema does not know")
        })
    }
}
