//! rga_text, as the extension drives it: what is stored is worked on as bytes, what people type
//! is settled once for each change.

use crdt::rga_text::{TextEdit, text_of_bytes};
use crdt::{Crdt, Edit, RgaText};

use super::TextDocument;
use crate::Clock;
use crate::trace::Patch;

pub struct OurText {
    text: RgaText,
    clock: Clock,
}

impl OurText {
    /// What has been typed, not written yet.
    fn typed(&self, patches: &[Patch]) -> RgaText {
        let mut typed = self.text.clone();
        each_edit(patches, |edit| typed.edit(edit).expect("within the text"));
        typed
    }

    fn write(&mut self, typed: &RgaText) {
        let written = RgaText::settle(Some(&self.text), typed, &mut self.clock);
        self.text = written.expect("within the limits");
    }
}

/// The edits of the patches, one after the other in the same place.
fn each_edit(patches: &[Patch], mut carry_out: impl FnMut(&TextEdit)) {
    let mut content = String::new();
    for Patch(at, deleted, inserted) in patches {
        let (at, count) = (*at, *deleted);
        if count > 0 {
            carry_out(&TextEdit::Delete { at, count });
        }
        if !inserted.is_empty() {
            content.push_str(inserted);
            let edit = TextEdit::Insert { at, content };
            carry_out(&edit);
            content = match edit {
                TextEdit::Insert { content, .. } => content,
                TextEdit::Delete { .. } => String::new(),
            };
            content.clear();
        }
    }
}

impl TextDocument for OurText {
    const LIBRARY: &'static str = RgaText::NAME;

    fn new(replica: u8) -> Self {
        Self {
            text: RgaText::default(),
            clock: Clock::new(replica),
        }
    }

    fn edit(&mut self, patches: &[Patch]) {
        let typed = self.typed(patches);
        self.write(&typed);
    }

    fn edit_with_delta(&mut self, patches: &[Patch]) -> Vec<u8> {
        let before = self.text.clone();
        self.edit(patches);
        RgaText::delta(Some(&before), &self.text)
            .unwrap_or_default()
            .encode()
    }

    fn apply(&mut self, delta: &[u8]) {
        let delta = RgaText::decode(delta).expect("a delta");
        self.text
            .join_assign(&delta)
            .expect("after what it builds on");
    }

    fn save(&mut self) -> Vec<u8> {
        self.text.encode()
    }

    fn load(stored: &[u8], replica: u8) -> Self {
        Self {
            text: RgaText::decode(stored).expect("what was stored"),
            clock: Clock::new(replica),
        }
    }

    fn text(&self) -> String {
        self.text.value().expect("whole")
    }

    fn edit_stored(stored: &[u8], patches: &[Patch]) -> Vec<u8> {
        let mut typed = stored.to_vec();
        each_edit(patches, |edit| {
            typed = RgaText::edit_bytes(&typed, edit).expect("within the text");
        });
        RgaText::settle_bytes(Some(stored), &typed, &mut Clock::new(2)).expect("within the limits")
    }

    fn text_of_stored(stored: &[u8]) -> String {
        text_of_bytes(stored).expect("what was stored")
    }
}
