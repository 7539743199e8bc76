//! Sequences in FugueMax order (Weidner, Kleppmann, "The Art of the Fugue: Minimizing
//! Interleaving in Collaborative Text Editing", 2023): what two people type at one place never
//! interleaves, neither forwards nor backwards.
//!
//! State: elements that know what they were typed beside, and which of them are deleted. An
//! element's id is the dot of the settling that made it (one tick for all that one settling
//! inserts) and its number within that, in the order of the sequence. Of a deleted element the
//! content goes and the place stays, since others may type beside it. Deleting needs no dot.
//!
//! Edits are told by position, so they wait in the change, as a draft: which elements go and
//! what comes behind which element. What is typed and deleted before it settles leaves no trace.
//!
//! `content` says what a sequence is made of (`text`: characters, `list`: JSON values), `span`
//! the ids, `order` the order, `state` the lattice, `document` a whole state in chunks, `settled`
//! which of the two, `author` how edits become state, `draft` the edits, `diff` what a write by
//! value asks for, `layout` the bytes, `shown` the text forms.

mod author;
mod content;
mod diff;
mod document;
mod draft;
mod layout;
mod list;
mod order;
mod settled;
mod shown;
mod span;
mod state;
mod stored;
mod text;

use std::cmp::Ordering;

pub use content::{Content, Hunk};
pub use list::Values;

use draft::{Draft, Edits, edited};
use settled::Settled;

use crate::{
    Author, Change, Crdt, CrdtError, DecodeError, DeltaFault, Edit, Hlc, ReplicaId, TextError,
    VersionVector,
};

/// One use of an operator of a sequence; positions count elements from 0.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SequenceEdit<C> {
    /// Puts elements before the one at `at`, or at the end.
    Insert {
        /// At most the length.
        at: usize,
        /// What to insert.
        content: C,
    },
    /// Deletes elements.
    Delete {
        /// The first to go.
        at: usize,
        /// How many.
        count: usize,
    },
}

/// A sequence of elements.
#[derive(Clone, Debug)]
pub struct Sequence<C> {
    state: Settled<C>,
    change: Change<Draft<C>, C>,
}

impl<C: Content> Default for Sequence<C> {
    fn default() -> Self {
        Self {
            state: Settled::default(),
            change: Change::None,
        }
    }
}

impl<C: Content> PartialEq for Sequence<C> {
    fn eq(&self, other: &Self) -> bool {
        self.state == other.state
            && match (&self.change, &other.change) {
                (Change::None, Change::None) => true,
                (Change::Assign(a), Change::Assign(b)) => a == b,
                (Change::Add(a), Change::Add(b)) => {
                    let pieces = self.state.pieces();
                    a.edits(&pieces) == b.edits(&pieces)
                }
                _ => false,
            }
    }
}

impl<C: Content> Eq for Sequence<C> {}

impl<C: Content> Sequence<C> {
    /// Puts elements before the one at `at`, or at the end.
    ///
    /// # Errors
    /// A position beyond the end, or content that PostgreSQL cannot hold.
    pub fn insert(&self, at: usize, content: C) -> Result<Self, CrdtError> {
        self.edited(&SequenceEdit::Insert { at, content })
    }

    /// Deletes `count` elements from `at` on.
    ///
    /// # Errors
    /// A range that ends beyond the end.
    pub fn delete(&self, at: usize, count: usize) -> Result<Self, CrdtError> {
        self.edited(&SequenceEdit::Delete { at, count })
    }

    /// How many elements the value has.
    pub fn length(&self) -> usize {
        match &self.change {
            Change::None => self.state.living(),
            Change::Add(draft) => draft.len(),
            Change::Assign(content) => C::count(content.slice()),
        }
    }

    /// What the living elements of the settled state hold, and how many are deleted; of a delta
    /// these are what it brings and takes.
    pub(crate) fn brought(&self) -> Result<(C, usize), CrdtError> {
        let state = self.state.flat()?;
        let deleted = state.pieces.iter().filter(|piece| piece.deleted);
        let count = deleted.map(|piece| piece.len as usize).sum();
        Ok((state.content.clone(), count))
    }

    fn settled(state: Settled<C>) -> Self {
        Self {
            state,
            change: Change::None,
        }
    }

    /// Refuses a sequence whose encoding could not be read back.
    fn bounded(mut self) -> Result<Self, CrdtError> {
        layout::check_size(&mut self)?;
        Ok(self)
    }

    fn draft(&self) -> Draft<C> {
        match &self.change {
            Change::Add(draft) => draft.clone(),
            _ => Draft::new(&self.state.pieces()),
        }
    }

    /// Whether this state is an earlier one of `old`.
    fn descends_into(&self, old: &Self) -> bool {
        if self.state.whole().is_err() {
            return false;
        }
        self.state.is_empty()
            || self.state == old.state
            || old
                .state
                .join(&self.state)
                .is_ok_and(|joined| joined == old.state)
    }

    /// The join of two changes; edits are told by places in the joined state.
    fn joined_change(
        &self,
        other: &Self,
        state: &Settled<C>,
    ) -> Result<Change<Draft<C>, C>, CrdtError> {
        Ok(match (&self.change, &other.change) {
            (Change::Assign(a), Change::Assign(b)) => Change::Assign(a.max(b).clone()),
            (Change::Assign(a), _) | (_, Change::Assign(a)) => Change::Assign(a.clone()),
            (Change::None, Change::None) => Change::None,
            (a, b) => {
                let mut edits = Edits::default();
                let state = state.flat()?;
                for (from, change) in [(&self.state, a), (&other.state, b)] {
                    if let Change::Add(draft) = change {
                        let from = from.flat()?;
                        let moved = author::moved(&from, &draft.edits(&from.pieces), &state)?;
                        edits = author::united(edits, moved);
                    }
                }
                if edits.is_empty() {
                    return Ok(Change::None);
                }
                Change::Add(Draft::of(&state.pieces, &edits))
            }
        })
    }
}

impl<C: Content> Crdt for Sequence<C> {
    const NAME: &'static str = C::NAME;

    type Plain = C;

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        layout::decode(bytes)
    }

    fn decode_stored(bytes: &[u8]) -> Result<Self, DecodeError> {
        stored::decode(bytes)
    }

    fn encode(&self) -> Vec<u8> {
        layout::encode(self)
    }

    /// A delta that is only a part of a sequence has no value.
    fn value(&self) -> Result<C, CrdtError> {
        match &self.change {
            Change::Assign(content) => Ok(content.clone()),
            Change::None => Ok(self.state.whole()?.content()),
            Change::Add(draft) => {
                let document = self.state.whole()?;
                let pieces = document.pieces();
                Ok(edited(&pieces, &document.content(), &draft.edits(&pieces)))
            }
        }
    }

    fn plain_text(&self) -> Result<String, CrdtError> {
        Ok(self.value()?.print())
    }

    fn assign(plain: C) -> Self {
        Self {
            state: Settled::default(),
            change: Change::Assign(plain),
        }
    }

    fn reset(&self) -> Result<Self, CrdtError> {
        self.delete(0, self.length())
    }

    fn latest(&self) -> Hlc {
        self.state.latest()
    }

    fn version(&self) -> VersionVector {
        self.state.version()
    }

    fn is_settled(&self) -> bool {
        self.change.is_none()
    }

    /// # Errors
    /// [`CrdtError::MissingOrigin`] if a delta comes before what it builds on,
    /// [`CrdtError::Forked`] if one dot has two contents.
    fn join(&self, other: &Self) -> Result<Self, CrdtError> {
        let state = self.state.join(&other.state)?;
        let change = self.joined_change(other, &state)?;
        Self { state, change }.bounded()
    }

    fn join_assign(&mut self, other: &Self) -> Result<(), CrdtError> {
        let is_settled = self.change.is_none() && other.change.is_none();
        if !is_settled || !self.state.takes_in(&other.state) {
            *self = self.join(other)?;
        }
        Ok(())
    }

    fn settle(old: Option<&Self>, new: &Self, author: &mut dyn Author) -> Result<Self, CrdtError> {
        let bottom = Settled::default();
        let Some(old) = old else {
            return author::led(&bottom, &new.value()?, author)?.bounded();
        };
        let made;
        let base = match old.is_settled() {
            true => &old.state,
            false => {
                made = author::led(&bottom, &old.value()?, author)?.state;
                &made
            }
        };
        match &new.change {
            Change::Assign(content) => author::led(base, content, author)?,
            _ if !new.descends_into(old) => author::led(base, &new.value()?, author)?,
            Change::None => Self::settled(base.clone()),
            // Edits upon an unsettled value's state go with that value.
            Change::Add(_) if !old.is_settled() => author::led(base, &new.value()?, author)?,
            Change::Add(draft) => {
                let edits = draft.edits(&new.state.pieces());
                let edited = author::carried_out(&new.state, edits, author)?;
                if new.state == *base {
                    Self::settled(edited)
                } else {
                    Self::settled(base.join(&edited)?)
                }
            }
        }
        .bounded()
    }

    fn delta(old: Option<&Self>, new: &Self) -> Option<Self> {
        let Some(old) = old else {
            return Some(Self::settled(new.state.clone()));
        };
        if old.state == new.state {
            return None;
        }
        let delta = new.state.beyond(&old.state).ok()?;
        (!delta.is_empty()).then_some(Self::settled(delta))
    }

    fn join_bytes(stored: &[u8], other: &[u8]) -> Result<Vec<u8>, CrdtError> {
        stored::join::<C>(stored, other)
    }

    fn settle_bytes(
        old: Option<&[u8]>,
        new: &[u8],
        author: &mut dyn Author,
    ) -> Result<Vec<u8>, CrdtError> {
        stored::settle::<C>(old, new, author)
    }

    fn delta_bytes(old: Option<&[u8]>, new: &[u8]) -> Result<Option<Vec<u8>>, CrdtError> {
        stored::delta::<C>(old, new)
    }

    /// Folds nothing. Of deleted elements no content is left, but their places stay: deleting
    /// has no dot, so `stable` cannot tell that all have seen a deletion, and who has not may
    /// still type beside what is deleted here.
    fn compact(&self, _stable: &VersionVector) -> Result<Self, CrdtError> {
        Ok(self.clone())
    }

    fn check_delta(delta: &Self, author: ReplicaId, row: Option<&Self>) -> Result<(), DeltaFault> {
        author::check(delta, author, row)
    }

    fn to_text(&self) -> String {
        shown::print(self)
    }

    fn from_text(text: &str) -> Result<Self, TextError> {
        shown::parse(text)
    }

    fn to_json(&self) -> String {
        shown::json(self)
    }

    fn cmp_by_value(&self, other: &Self) -> Ordering {
        let value = |value: &Self| value.value().unwrap_or_default();
        value(self).compare(&value(other))
    }

    fn hash_key(&self) -> Vec<u8> {
        self.value().unwrap_or_default().hash_key()
    }
}

impl<C: Content> Edit for Sequence<C> {
    type Edit = SequenceEdit<C>;

    fn edit(&mut self, edit: &SequenceEdit<C>) -> Result<(), CrdtError> {
        if let Change::Assign(value) = &mut self.change {
            return assigned_edit(value, edit);
        }
        if self.change.is_none() {
            self.state.whole()?;
            if !checked_edit(self.length(), edit)? {
                return Ok(());
            }
        } else if let SequenceEdit::Insert { content, .. } = edit {
            content.check()?;
        }
        if self.change.is_none() {
            self.change = Change::Add(self.draft());
        }
        let Change::Add(draft) = &mut self.change else {
            return Ok(());
        };
        match edit {
            SequenceEdit::Insert { at, content } => draft.insert(*at, content),
            SequenceEdit::Delete { at, count } => draft.delete(*at, *count),
        }?;
        if draft.is_untouched() {
            self.change = Change::None;
        }
        Ok(())
    }

    fn edit_bytes(value: &[u8], edit: &SequenceEdit<C>) -> Result<Vec<u8>, CrdtError> {
        stored::edit(value, edit)
    }
}

/// Whether the edit of a value of a length changes anything, if it can be made.
fn checked_edit<C: Content>(length: usize, edit: &SequenceEdit<C>) -> Result<bool, CrdtError> {
    let (at, adds, needed) = match edit {
        SequenceEdit::Insert { at, content } => (*at, C::count(content.slice()), Some(*at)),
        SequenceEdit::Delete { at, count } => (*at, *count, at.checked_add(*count)),
    };
    if needed.is_none_or(|needed| needed > length) {
        let at = at.max(length);
        return Err(CrdtError::OutOfRange { at, length });
    }
    if let SequenceEdit::Insert { content, .. } = edit {
        content.check()?;
    }
    Ok(adds > 0)
}

fn assigned_edit<C: Content>(value: &mut C, edit: &SequenceEdit<C>) -> Result<(), CrdtError> {
    let length = C::count(value.slice());
    match edit {
        SequenceEdit::Insert { at, content } => {
            if *at > length {
                return Err(CrdtError::OutOfRange { at: *at, length });
            }
            content.check()?;
            value.splice(*at, 0, content.slice());
        }
        SequenceEdit::Delete { at, count } => {
            if at.checked_add(*count).is_none_or(|end| end > length) {
                let at = (*at).max(length);
                return Err(CrdtError::OutOfRange { at, length });
            }
            value.splice(*at, *count, C::default().slice());
        }
    }
    Ok(())
}

/// How many elements the value of encoded bytes has, without reading more than is needed. For
/// bytes that this node encoded.
pub fn length_of_bytes<C: Content>(bytes: &[u8]) -> Result<usize, CrdtError> {
    stored::length::<C>(bytes)
}

/// The content of encoded bytes, without reading more than is needed. For bytes that this node
/// encoded: only the content itself is checked.
pub fn content_of_bytes<C: Content>(bytes: &[u8]) -> Result<C, CrdtError> {
    match layout::settled_content(bytes)? {
        Some(mut reader) => Ok(document::content_of(&mut reader)?),
        None => Sequence::<C>::decode(bytes)?.value(),
    }
}
