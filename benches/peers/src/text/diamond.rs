//! diamond-types (event graph).

use diamond_types::list::ListCRDT;
use diamond_types::list::encoding::{ENCODE_PATCH, EncodeOptions};

use super::TextDocument;
use crate::trace::Patch;

pub struct DiamondText {
    list: ListCRDT,
    replica: u8,
}

impl TextDocument for DiamondText {
    const LIBRARY: &'static str = "diamond-types";

    fn new(replica: u8) -> Self {
        Self {
            list: ListCRDT::new(),
            replica,
        }
    }

    fn edit(&mut self, patches: &[Patch]) {
        let agent = self
            .list
            .get_or_create_agent_id(&format!("replica{}", self.replica));
        for Patch(at, deleted, inserted) in patches {
            if *deleted > 0 {
                self.list.delete_without_content(agent, *at..at + deleted);
            }
            if !inserted.is_empty() {
                self.list.insert(agent, *at, inserted);
            }
        }
    }

    fn edit_with_delta(&mut self, patches: &[Patch]) -> Vec<u8> {
        let before = self.list.oplog.local_version();
        self.edit(patches);
        self.list.oplog.encode_from(ENCODE_PATCH, &before)
    }

    fn apply(&mut self, delta: &[u8]) {
        self.list.merge_data_and_ff(delta).expect("a patch");
    }

    fn save(&mut self) -> Vec<u8> {
        self.list.oplog.encode(EncodeOptions::default())
    }

    fn load(stored: &[u8], replica: u8) -> Self {
        Self {
            list: ListCRDT::load_from(stored).expect("an oplog"),
            replica,
        }
    }

    fn text(&self) -> String {
        self.list.branch.content().to_string()
    }
}
