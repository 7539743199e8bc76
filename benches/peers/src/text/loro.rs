//! loro (Fugue).

use loro::{ExportMode, LoroDoc};

use super::TextDocument;
use crate::trace::Patch;

pub struct LoroText {
    doc: LoroDoc,
    text: loro::LoroText,
}

impl LoroText {
    fn of(doc: LoroDoc, replica: u8) -> Self {
        doc.set_peer_id(u64::from(replica)).expect("a peer id");
        let text = doc.get_text("text");
        Self { doc, text }
    }
}

impl TextDocument for LoroText {
    const LIBRARY: &'static str = "loro";

    fn new(replica: u8) -> Self {
        Self::of(LoroDoc::new(), replica)
    }

    fn edit(&mut self, patches: &[Patch]) {
        for Patch(at, deleted, inserted) in patches {
            if *deleted > 0 {
                self.text.delete(*at, *deleted).expect("within the text");
            }
            if !inserted.is_empty() {
                self.text.insert(*at, inserted).expect("within the text");
            }
        }
        self.doc.commit();
    }

    fn edit_with_delta(&mut self, patches: &[Patch]) -> Vec<u8> {
        let before = self.doc.oplog_vv();
        self.edit(patches);
        self.doc
            .export(ExportMode::updates(&before))
            .expect("updates")
    }

    fn apply(&mut self, delta: &[u8]) {
        self.doc.import(delta).expect("updates");
    }

    fn save(&mut self) -> Vec<u8> {
        self.doc.export(ExportMode::Snapshot).expect("a snapshot")
    }

    fn load(stored: &[u8], replica: u8) -> Self {
        Self::of(LoroDoc::from_snapshot(stored).expect("a snapshot"), replica)
    }

    fn text(&self) -> String {
        self.text.to_string()
    }
}
