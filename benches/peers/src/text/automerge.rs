//! automerge (RGA).

use automerge::transaction::Transactable;
use automerge::{ActorId, AutoCommit, Change, ObjId, ObjType, ROOT, ReadDoc};

use super::TextDocument;
use crate::trace::Patch;

pub struct AutomergeText {
    doc: AutoCommit,
    text: ObjId,
}

impl TextDocument for AutomergeText {
    const LIBRARY: &'static str = "automerge";

    fn new(replica: u8) -> Self {
        // All replicas share the change that makes the text: it is the same in each.
        let mut doc = AutoCommit::new().with_actor(ActorId::from([0; 16]));
        let text = doc.put_object(ROOT, "text", ObjType::Text).expect("a text");
        doc.commit();
        doc.set_actor(ActorId::from([replica; 16]));
        Self { doc, text }
    }

    fn edit(&mut self, patches: &[Patch]) {
        for Patch(at, deleted, inserted) in patches {
            let spliced = self
                .doc
                .splice_text(&self.text, *at, *deleted as isize, inserted);
            spliced.expect("within the text");
        }
        self.doc.commit();
    }

    fn edit_with_delta(&mut self, patches: &[Patch]) -> Vec<u8> {
        self.edit(patches);
        let change = self.doc.get_last_local_change();
        change.expect("a change").raw_bytes().to_vec()
    }

    fn apply(&mut self, delta: &[u8]) {
        let change = Change::from_bytes(delta.to_vec()).expect("a change");
        self.doc.apply_changes([change]).expect("a change in order");
    }

    fn save(&mut self) -> Vec<u8> {
        self.doc.save()
    }

    fn load(stored: &[u8], replica: u8) -> Self {
        let mut doc = AutoCommit::load(stored).expect("a document");
        doc.set_actor(ActorId::from([replica; 16]));
        let (_, text) = doc.get(ROOT, "text").ok().flatten().expect("a text");
        Self { doc, text }
    }

    fn text(&self) -> String {
        self.doc.text(&self.text).expect("a text")
    }
}
