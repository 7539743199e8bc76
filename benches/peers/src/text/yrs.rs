//! yrs, the Rust port of Yjs (YATA).

use std::slice;

use yrs::block::ClientID;
use yrs::updates::decoder::Decode;
use yrs::{
    Doc, GetString, OffsetKind, Options, ReadTxn, StateVector, Text, TextRef, Transact,
    TransactionMut, Update,
};

use super::TextDocument;
use crate::trace::Patch;

pub struct YrsText {
    doc: Doc,
    text: TextRef,
}

impl YrsText {
    fn patch(&self, transaction: &mut TransactionMut<'_>, patches: &[Patch]) {
        for Patch(at, deleted, inserted) in patches {
            if *deleted > 0 {
                self.text
                    .remove_range(transaction, *at as u32, *deleted as u32);
            }
            if !inserted.is_empty() {
                self.text.insert(transaction, *at as u32, inserted);
            }
        }
    }
}

impl TextDocument for YrsText {
    const LIBRARY: &'static str = "yrs";

    fn new(replica: u8) -> Self {
        // The traces hold no character beyond the 16-bit plane, so these are code points.
        let doc = Doc::with_options(Options {
            offset_kind: OffsetKind::Utf16,
            ..Options::with_client_id(ClientID::new(u64::from(replica)))
        });
        let text = doc.get_or_insert_text("text");
        Self { doc, text }
    }

    fn edit(&mut self, patches: &[Patch]) {
        // Each patch in a transaction of its own: what is next to each other is only made one at
        // a transaction's end, and a walk over single letters is what takes long.
        for patch in patches {
            self.patch(&mut self.doc.transact_mut(), slice::from_ref(patch));
        }
    }

    fn edit_with_delta(&mut self, patches: &[Patch]) -> Vec<u8> {
        let mut transaction = self.doc.transact_mut();
        self.patch(&mut transaction, patches);
        transaction.encode_update_v1()
    }

    fn apply(&mut self, delta: &[u8]) {
        let update = Update::decode_v1(delta).expect("an update");
        let mut transaction = self.doc.transact_mut();
        transaction
            .apply_update(update)
            .expect("an update in order");
    }

    fn save(&mut self) -> Vec<u8> {
        self.doc
            .transact()
            .encode_state_as_update_v1(&StateVector::default())
    }

    fn load(stored: &[u8], replica: u8) -> Self {
        let mut document = Self::new(replica);
        document.apply(stored);
        document
    }

    fn text(&self) -> String {
        self.text.get_string(&self.doc.transact())
    }
}
