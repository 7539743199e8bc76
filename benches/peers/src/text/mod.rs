//! What each library does with a text document.

mod automerge;
mod diamond;
mod loro;
mod ours;
mod yrs;

pub use automerge::AutomergeText;
pub use diamond::DiamondText;
pub use loro::LoroText;
pub use ours::OurText;
pub use yrs::YrsText;

use crate::trace::{Patch, Trace};

/// A text document that several people edit.
pub trait TextDocument: Sized {
    /// The column of the table.
    const LIBRARY: &'static str;

    /// An empty document in the hands of a replica.
    fn new(replica: u8) -> Self;

    /// Carries the patches out, in as many transactions as are best for the library.
    fn edit(&mut self, patches: &[Patch]);

    /// The same as one change, and what a peer must apply to have it too.
    fn edit_with_delta(&mut self, patches: &[Patch]) -> Vec<u8>;

    /// Takes in a peer's delta, so that [`TextDocument::text`] shows it.
    fn apply(&mut self, delta: &[u8]);

    /// As it would be stored.
    fn save(&mut self) -> Vec<u8>;

    /// From what was stored, ready to edit, in the hands of a replica.
    fn load(stored: &[u8], replica: u8) -> Self;

    /// The text.
    fn text(&self) -> String;

    /// One change of what is stored, stored again.
    fn edit_stored(stored: &[u8], patches: &[Patch]) -> Vec<u8> {
        let mut document = Self::load(stored, 2);
        document.edit(patches);
        document.save()
    }

    /// The text of what is stored.
    fn text_of_stored(stored: &[u8]) -> String {
        Self::load(stored, 2).text()
    }
}

/// The deltas of a concurrent trace, in its order, and the text that its people end with.
pub fn deltas<D: TextDocument>(trace: &Trace) -> (Vec<Vec<u8>>, String) {
    let mut people: Vec<D> = (1..=trace.num_agents as u8).map(D::new).collect();
    let mut deltas: Vec<Vec<u8>> = Vec::with_capacity(trace.txns.len());
    let mut text = String::new();
    for (index, (txn, taken_in)) in trace.txns.iter().zip(trace.taken_in()).enumerate() {
        let document = &mut people[txn.agent];
        for earlier in taken_in {
            document.apply(&deltas[earlier]);
        }
        deltas.push(document.edit_with_delta(&txn.patches));
        if index + 1 == trace.txns.len() {
            text = document.text();
        }
    }
    (deltas, text)
}
