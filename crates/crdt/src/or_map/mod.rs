//! or_map: a map of counters, registers, sets and maps, where an addition inside a key wins
//! over a concurrent removal of it (Almeida, Shoker, Baquero, "Delta state replicated data
//! types", 2018, section 7).
//!
//! State: a tree of dotted values with one causal context for all of it; join keeps what both
//! have and what one has and the other never saw. Removing takes what was seen out of the
//! tree, and leaves nothing behind but the context. What holds nothing is not there.
//!
//! Each kind at a key: a map of its own; a set, its elements under the dots of their additions;
//! a counter, each addition under its own dot, so that a removal of the key takes exactly what
//! it saw; a register, its values under the dots of their writes, read as the one of the
//! greatest (tick, replica). Concurrent writes may leave several kinds at one key: it shows the
//! map, else the set, else the counter, else the register. A write of one kind removes what it
//! saw of the others.
//!
//! `nested` holds plain values, `shares` and `tree` the settled state, `draft` the edits and what
//! they leave to be settled, all of them in vectors of keys ([`Keyed`]) that hold some kinds each
//! (`kinds`); `settle` the authoring, `layout` the bytes, `text` the text form.

mod draft;
mod kinds;
mod layout;
mod nested;
mod settle;
mod shares;
mod text;
mod tree;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

pub use crate::dot_fun::DotFun;
pub use crate::keyed::Keyed;
pub use draft::{Want, Wants};
pub use kinds::{Kinds, Part, Parts};
pub use nested::{Nested, Plain};
pub use shares::Share;
pub use tree::{Elements, Entry, Tree};

use nested::{check_depth, check_element, check_key};
use shares::MAX_SHARE;

use crate::{
    Author, CausalContext, Change, Crdt, CrdtError, DecodeError, DeltaFault, Dot, Edit, Hlc,
    MAX_STATE_BYTES, ReplicaId, TextError, VersionVector, json,
};

/// The deepest nesting of maps, the outermost being 1.
pub const MAX_DEPTH: usize = 32;

/// One use of an operator of a map. A path names a key of the map, then one of the map there,
/// and so on; maps on the way to a write are made, and what was seen there of other kinds goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MapEdit {
    /// Makes a key show this, by difference where it is of that kind already.
    Put {
        /// Where.
        path: Vec<String>,
        /// What.
        value: Nested,
    },
    /// Makes a key show this JSON as a literal of the map would: an object is a map, a whole
    /// number over a counter a counter, an array of texts over a set a set, all else a register.
    PutJson {
        /// Where.
        path: Vec<String>,
        /// What: any JSON text.
        json: String,
    },
    /// Adds to a counter, from 0 if there is none.
    Add {
        /// Where.
        path: Vec<String>,
        /// Negative to subtract.
        amount: i64,
    },
    /// Adds to a set. An element that is there already takes a dot as well, so that it
    /// survives a concurrent removal.
    SetAdd {
        /// Where.
        path: Vec<String>,
        /// What.
        element: String,
    },
    /// Removes from a set, as far as this value shows it.
    SetRemove {
        /// Where.
        path: Vec<String>,
        /// What.
        element: String,
    },
    /// Removes a key with all in it, as far as this value shows it.
    Remove {
        /// Where.
        path: Vec<String>,
    },
}

/// A map of keys to counters, registers, sets and maps.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OrMap {
    tree: Tree,
    /// Covers every dot of the tree.
    context: CausalContext,
    /// Below it the shares of each replica in a counter are one; one span a replica.
    floor: CausalContext,
    change: Change<Wants, Plain>,
}

impl OrMap {
    /// The settled tree.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Which events the state has seen.
    pub fn context(&self) -> &CausalContext {
        &self.context
    }

    /// Below what the shares of counters were folded.
    pub fn floor(&self) -> &CausalContext {
        &self.floor
    }

    /// The unsettled change.
    pub fn change(&self) -> &Change<Wants, Plain> {
        &self.change
    }

    fn shown(&self) -> Plain<i128> {
        match &self.change {
            Change::None => draft::shown_map(&self.tree, &Wants::default()),
            Change::Add(wants) => draft::shown_map(&self.tree, wants),
            Change::Assign(value) => nested::widened(value),
        }
    }

    /// What the text form shows.
    pub(crate) fn readable(&self) -> String {
        text::readable(self)
    }

    /// The state as JSON, of the type that this is the state of.
    pub(crate) fn json_as(&self, type_name: &str) -> String {
        text::json(self, type_name)
    }

    /// Whether there is no state, so that a literal says it all.
    pub(crate) fn is_bare(&self) -> bool {
        self.tree.is_empty() && self.context.is_empty() && self.floor.is_empty()
    }

    /// Refuses a state whose encoding could not be read back.
    pub(crate) fn bounded(self) -> Result<Self, CrdtError> {
        if self.tree.bytes() + layout::change_bytes(&self.change) > MAX_STATE_BYTES / 2 {
            let bytes = self.encode().len();
            if bytes > MAX_STATE_BYTES {
                return Err(CrdtError::TooLarge {
                    what: "the map",
                    limit: MAX_STATE_BYTES,
                });
            }
        }
        Ok(self)
    }

    /// This state with the counters folded below `floor`. A state that has not seen all below
    /// it cannot be told from one that has removed it, unless it holds no such share at all.
    fn raised(&self, floor: &CausalContext) -> Result<Cow<'_, Self>, CrdtError> {
        if self.floor == *floor {
            return Ok(Cow::Borrowed(self));
        }
        if self.context.includes(floor) {
            let mut raised = self.clone();
            raised.tree.fold(floor);
            raised.floor = floor.clone();
            return Ok(Cow::Owned(raised));
        }
        let mut stale = false;
        self.tree.visit(&mut |entry| {
            let shares = entry.counter().into_iter();
            stale |= shares
                .flat_map(DotFun::iter)
                .any(|(dot, _)| floor.contains(&dot));
        });
        match stale {
            true => Err(CrdtError::StaleState(Self::NAME)),
            false => Ok(Cow::Borrowed(self)),
        }
    }

    fn join_states(&self, other: &Self) -> Result<Self, CrdtError> {
        let floor = self.floor.join(&other.floor);
        let mut joined = self.raised(&floor)?.into_owned();
        let other = other.raised(&floor)?;
        joined
            .tree
            .join(&joined.context, &other.tree, &other.context);
        joined.context.join_assign(&other.context);
        joined.floor = floor;
        Ok(joined)
    }

    /// The dots of this tree that are not in `other`'s.
    fn dots_beyond(&self, other: &Self) -> BTreeSet<Dot> {
        let held: BTreeSet<Dot> = other.tree.dots().into_iter().collect();
        let mut beyond: BTreeSet<Dot> = self.tree.dots().into_iter().collect();
        beyond.retain(|dot| !held.contains(dot));
        beyond
    }
}

/// Refuses an edit that no state could hold; gives it in normal form.
fn checked(edit: &MapEdit) -> Result<MapEdit, CrdtError> {
    let mut edit = edit.clone();
    let path = match &mut edit {
        MapEdit::Put { path, value } => {
            if let Nested::Register(text) = value {
                *text = crate::json::canonical(text)?;
            }
            *value = value.clone().normal();
            value.check(path.len())?;
            path
        }
        MapEdit::PutJson { path, json } => {
            *json = crate::json::canonical(json)?;
            path
        }
        MapEdit::SetAdd { path, element } | MapEdit::SetRemove { path, element } => {
            check_element(element)?;
            path
        }
        MapEdit::Add { path, .. } | MapEdit::Remove { path } => path,
    };
    check_depth(path.len())?;
    path.iter().try_for_each(|key| check_key(key))?;
    match path.is_empty() {
        true => Err(CrdtError::EmptyPath),
        false => Ok(edit),
    }
}

impl Crdt for OrMap {
    const NAME: &'static str = "or_map";

    type Plain = Plain;

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        layout::decode(bytes)
    }

    fn encode(&self) -> Vec<u8> {
        layout::encode(self)
    }

    /// Fails if concurrent additions have driven a counter beyond bigint.
    fn value(&self) -> Result<Plain, CrdtError> {
        nested::narrowed(self.shown())
    }

    fn plain_text(&self) -> Result<String, CrdtError> {
        self.value().map(|value| nested::to_json(&value))
    }

    fn keys(&self) -> Vec<String> {
        self.shown().keys().map(str::to_owned).collect()
    }

    /// A register that is no JSON becomes a JSON string, an empty set or map a register. Keys
    /// must not contain NUL nor maps be nested too deeply: `settle` and `decode` refuse them.
    fn assign(plain: Plain) -> Self {
        Self {
            change: Change::Assign(nested::normal(plain)),
            ..Self::default()
        }
    }

    fn reset(&self) -> Result<Self, CrdtError> {
        Ok(match self.change {
            Change::Assign(_) => Self {
                change: Change::Assign(Plain::default()),
                ..self.clone()
            },
            Change::None | Change::Add(_) => Self {
                tree: Tree::default(),
                context: self.context.clone(),
                floor: self.floor.clone(),
                change: Change::None,
            },
        })
    }

    fn latest(&self) -> Hlc {
        self.context.latest()
    }

    fn version(&self) -> VersionVector {
        self.context.version()
    }

    fn is_settled(&self) -> bool {
        self.change.is_none()
    }

    /// Fails if one of the states was compacted, and the other holds a part of what was folded
    /// there and lacks the rest.
    fn join(&self, other: &Self) -> Result<Self, CrdtError> {
        let mut joined = self.join_states(other)?;
        joined.change = self
            .change
            .join(&other.change, draft::joined, |a, b| a.cmp(b));
        joined.bounded()
    }

    /// # Errors
    /// [`CrdtError::StaleState`] if `new` was made of a state from before a fold and removed a
    /// part of what was folded.
    fn settle(old: Option<&Self>, new: &Self, author: &mut dyn Author) -> Result<Self, CrdtError> {
        Self::settled(old, new, author)
    }

    fn delta(old: Option<&Self>, new: &Self) -> Option<Self> {
        let settled = || Self {
            change: Change::None,
            ..new.clone()
        };
        let Some(old) = old else {
            return Some(settled());
        };
        // What `new` was folded from it has seen: only a forged state fails here.
        let Ok(raised) = old.raised(&new.floor) else {
            return Some(settled());
        };
        let tree = new.tree.beyond(&raised.tree);
        let removed = raised.dots_beyond(new);
        let mut context = new.context.beyond(&old.context);
        removed.iter().for_each(|dot| context.insert(*dot));
        // A receiver must fold before it removes what stands for several shares.
        let folds = old.floor != new.floor || removed.iter().any(|dot| new.floor.contains(dot));
        let delta = Self {
            tree,
            context,
            floor: match folds {
                true => new.floor.clone(),
                false => CausalContext::default(),
            },
            change: Change::None,
        };
        (delta != Self::default()).then_some(delta)
    }

    /// Folds the shares of each replica in a counter that lie below `stable` into one, under
    /// the greatest of their dots, and the context into one span a replica up to there. A
    /// state that had not seen `stable` is refused by [`Crdt::join`] where it would matter.
    ///
    /// A removal has no dot: who says that a replica has seen `stable` must say it after all
    /// its removals before. What was computed before that and is settled later
    /// [`Crdt::settle`] refuses if a folded share may hold a part of what it removed.
    fn compact(&self, stable: &VersionVector) -> Result<Self, CrdtError> {
        let mut compact = self.clone();
        compact.context = self.context.filled(stable);
        let floor = self.floor.join(&compact.context.upto(stable));
        if self.tree.folds(&floor) {
            compact.tree.fold(&floor);
            compact.floor = floor;
        }
        Ok(compact)
    }

    fn check_delta(delta: &Self, author: ReplicaId, row: Option<&Self>) -> Result<(), DeltaFault> {
        if !delta.is_settled() {
            return Err(DeltaFault::Unsettled);
        }
        let mut used = BTreeSet::new();
        for dot in delta.tree.dots() {
            if dot.replica != author {
                return Err(DeltaFault::ForeignDot(dot));
            }
            if row.is_some_and(|row| row.context.contains(&dot)) {
                return Err(DeltaFault::UsedDot(dot));
            }
            if !used.insert(dot) {
                return Err(DeltaFault::RepeatedDot(dot));
            }
        }
        let mut beyond = None;
        delta.tree.visit(&mut |entry| {
            let over =
                |(dot, share): (Dot, &Share)| (share.unsigned_abs() > MAX_SHARE).then_some(dot);
            let shares = entry.counter().into_iter();
            beyond = beyond.or_else(|| shares.flat_map(DotFun::iter).find_map(over));
        });
        if let Some(dot) = beyond {
            return Err(DeltaFault::ShareOutOfRange(dot));
        }
        let nothing = CausalContext::default();
        let seen = row.map_or(&nothing, |row| &row.context);
        let foreign = delta.context.foreign_beyond(seen, author);
        let floor = delta.floor.beyond(&seen.join(&delta.context)).version();
        match foreign.or_else(|| floor.iter().next()) {
            Some(dot) => Err(DeltaFault::UnknownDot(dot)),
            None => Ok(()),
        }
    }

    fn to_text(&self) -> String {
        text::print(self)
    }

    fn from_text(text: &str) -> Result<Self, TextError> {
        text::parse(text)
    }

    fn to_json(&self) -> String {
        text::json(self, Self::NAME)
    }

    /// Key by key, by the JSON that each shows, of whatever kind; then the smaller map first.
    fn cmp_by_value(&self, other: &Self) -> Ordering {
        let (mine, others) = (self.shown(), other.shown());
        let pairs = mine.iter().zip(others.iter());
        let differing = pairs
            .map(|((k, v), (l, w))| {
                k.cmp(l)
                    .then_with(|| json::compare(&nested::json_of(v), &nested::json_of(w)))
            })
            .find(|order| order.is_ne());
        differing.unwrap_or_else(|| mine.len().cmp(&others.len()))
    }

    fn hash_key(&self) -> Vec<u8> {
        json::hash_key(&self.readable()).into()
    }
}

impl Edit for OrMap {
    type Edit = MapEdit;

    fn edit(&mut self, edit: &MapEdit) -> Result<(), CrdtError> {
        let edit = checked(edit)?;
        if let Change::Assign(value) = &mut self.change {
            return draft::edit_plain(value, &edit);
        }
        let mut wants = match std::mem::take(&mut self.change) {
            Change::Add(wants) => wants,
            Change::None | Change::Assign(_) => Wants::default(),
        };
        let done = draft::edit(&mut self.tree, &mut wants, &edit);
        if !wants.is_empty() {
            self.change = Change::Add(wants);
        }
        done
    }
}
