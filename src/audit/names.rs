//! Which node and which schema a local number stands for, as it is stored: a
//! row that was altered gives what it says, and the verifier finds that out.

use crate::catalog;
use ledger::NodeId;
use std::collections::BTreeMap;

/// Local numbers and what they stand for.
pub struct Names {
    nodes: BTreeMap<i32, Vec<u8>>,
    numbers: BTreeMap<NodeId, i32>,
    schemas: BTreeMap<i32, Vec<u8>>,
}

/// What number 0 stands for, which is that of no schema.
const NO_SCHEMA: &[u8] = &[0; 32];

impl Names {
    /// Reads them.
    pub fn read() -> Names {
        let pairs = |sql| catalog::query(sql, &[], |row| (row.need(1), row.need::<Vec<u8>>(2)));
        let nodes = pairs("SELECT id, node_id FROM crdt.node");
        let numbers = nodes.iter().filter_map(|(number, id)| {
            let id = id.as_slice().try_into().ok()?;
            Some((NodeId(id), *number))
        });
        Names {
            numbers: numbers.collect(),
            nodes: nodes.into_iter().collect(),
            schemas: pairs("SELECT id, hash FROM crdt.schema")
                .into_iter()
                .collect(),
        }
    }

    /// The node id that a number stands for; empty if none.
    pub fn node_id(&self, number: i32) -> &[u8] {
        self.nodes.get(&number).map_or(&[], Vec::as_slice)
    }

    /// The number of a node.
    pub fn number(&self, node: &NodeId) -> Option<i32> {
        self.numbers.get(node).copied()
    }

    /// The schema hash that a number stands for; empty if none.
    pub fn schema_hash(&self, number: i32) -> &[u8] {
        match number {
            0 => NO_SCHEMA,
            _ => self.schemas.get(&number).map_or(&[], Vec::as_slice),
        }
    }
}
