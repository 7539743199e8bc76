//! or_set: a set of texts where an addition wins over a concurrent removal (Shapiro et al., "A
//! comprehensive study of Convergent and Commutative Replicated Data Types", 2011,
//! specification 15, with unique tags and tombstones).
//!
//! State: elements under the dots of their additions, the dots that were removed, and a floor:
//! what it covers and does not live was removed and seen by all. A removal
//! takes the dots that its writer saw; join unites both and drops what is removed. Removing
//! needs no author, so the operator `-` changes the state at once; adding needs a fresh dot, so
//! the operator `+` waits in the change.
//!
//! `live` and `dots` hold the sorted runs of the state, `layout` the bytes, `text` the text form.

mod dots;
mod layout;
mod live;
mod text;

use std::cmp::Ordering;
use std::collections::BTreeSet;

pub use dots::DotSet;
pub use live::Live;

pub use crate::elements::{SetEdit, Texts};

use crate::elements::{add_to, change_bytes, check_element, merged, remove_from};
use crate::{
    Author, Change, Crdt, CrdtError, DecodeError, DeltaFault, Dot, Edit, Hlc, MAX_STATE_BYTES,
    ReplicaId, TextError, VersionVector, array_text,
};

/// A set of texts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OrSet {
    live: Live,
    /// No dot of `live`, none that the floor covers.
    removed: DotSet,
    /// What it covers and does not live was removed.
    floor: VersionVector,
    change: Change<Texts, Texts>,
}

impl OrSet {
    /// The operator `+`. The addition of an element that is there already survives a
    /// concurrent removal, so it takes a dot as well.
    pub fn add(&self, element: &str) -> Result<Self, CrdtError> {
        self.edited(&SetEdit::Add(element.to_owned()))
    }

    /// The operator `-`: removes the element as far as this value shows it.
    pub fn remove(&self, element: &str) -> Result<Self, CrdtError> {
        self.edited(&SetEdit::Remove(element.to_owned()))
    }

    /// Whether `element` is in the set.
    pub fn contains(&self, element: &str) -> bool {
        match &self.change {
            Change::None => self.live.elements().contains(element),
            Change::Add(added) => added.contains(element) || self.live.elements().contains(element),
            Change::Assign(value) => value.contains(element),
        }
    }

    /// Whether all of `elements` are in the set.
    pub fn contains_all<'a>(&self, elements: impl IntoIterator<Item = &'a str>) -> bool {
        elements.into_iter().all(|element| self.contains(element))
    }

    /// The elements, ascending by bytes.
    pub fn elements(&self) -> impl Iterator<Item = &str> {
        let (base, added) = match &self.change {
            Change::None => (Some(self.live.elements()), None),
            Change::Add(added) => (Some(self.live.elements()), Some(added)),
            Change::Assign(value) => (Some(value), None),
        };
        merged(
            base.into_iter().flat_map(Texts::iter),
            added.into_iter().flat_map(Texts::iter),
        )
    }

    /// How many elements.
    pub fn cardinality(&self) -> usize {
        match &self.change {
            Change::None => self.live.elements().len(),
            Change::Add(_) => self.elements().count(),
            Change::Assign(value) => value.len(),
        }
    }

    /// The living elements with their dots.
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// The removed dots.
    pub fn removed(&self) -> &DotSet {
        &self.removed
    }

    /// What it covers and does not live was removed: folded tombstones.
    pub fn floor(&self) -> &VersionVector {
        &self.floor
    }

    /// The unsettled change.
    pub fn change(&self) -> &Change<Texts, Texts> {
        &self.change
    }

    /// Refuses a set whose encoding could not be read back.
    fn bounded(self) -> Result<Self, CrdtError> {
        self.check_bytes(0)?;
        Ok(self)
    }

    fn check_bytes(&self, more: usize) -> Result<(), CrdtError> {
        let elements = self.live.elements();
        // Per dot: its share of the replica table, index, count and counter at their longest.
        let dots = 40 * self.live.all_dots().len() + 36 * self.removed.len();
        let texts = elements.bytes() + 5 * elements.len();
        let floor = 26 * self.floor.len();
        if texts + dots + floor + change_bytes(&self.change) + more > MAX_STATE_BYTES {
            return Err(CrdtError::TooLarge {
                what: "the set",
                limit: MAX_STATE_BYTES,
            });
        }
        Ok(())
    }

    /// If this state is an earlier one of `old`, perhaps with removals made upon it (all its
    /// dots are known there), those removals; None if it came from elsewhere.
    fn removals_upon(&self, old: &Self) -> Option<DotSet> {
        if self.live == old.live && self.removed == old.removed && self.floor == old.floor {
            return Some(DotSet::default());
        }
        if !self.floor.iter().all(|dot| old.floor.covers(&dot)) {
            return None;
        }
        let mut held_of = old.live.lookup();
        let lives = self.live.iter().all(|(element, dots)| {
            let held = held_of(element);
            dots.iter()
                .all(|dot| held.binary_search(dot).is_ok() || old.removed.contains(dot))
        });
        let claimed = self.removed.without(&old.removed);
        let mut removals = claimed.above(&old.floor);
        if !claimed.is_empty() || !self.floor.is_empty() {
            let alive = old.live_dots();
            if !removals.without(&alive).is_empty() {
                return None;
            }
            // Below a floor no tombstone tells what was removed: what does not live there was.
            let own = self.live_dots();
            let is_gone = |dot: &Dot| {
                self.removed.contains(dot) || self.floor.covers(dot) && !own.contains(dot)
            };
            removals = alive.iter().filter(is_gone).collect();
        }
        lives.then_some(removals)
    }

    /// All dots of the living elements.
    fn live_dots(&self) -> DotSet {
        let mut dots = self.live.all_dots().to_vec();
        dots.sort_unstable();
        dots.dedup();
        dots.into_iter().collect()
    }

    /// This settled state without the dots `removed` and with `added` under fresh dots.
    fn authored(
        &self,
        removed: &DotSet,
        added: &Texts,
        author: &mut dyn Author,
    ) -> Result<Self, CrdtError> {
        let mut fresh = Live::with_capacity(added.len(), added.bytes());
        for element in added.iter() {
            check_element(element)?;
            let dot = Dot {
                replica: author.replica(),
                counter: author.tick().0,
            };
            fresh.push(element, std::iter::once(dot));
        }
        let removed = self.removed.union(removed);
        Self {
            live: self.live.join(&fresh, &removed),
            removed: removed.above(&self.floor),
            floor: self.floor.clone(),
            change: Change::None,
        }
        .bounded()
    }

    /// This settled state led to hold exactly `value`.
    fn assigned(&self, value: &Texts, author: &mut dyn Author) -> Result<Self, CrdtError> {
        let mut gone: Vec<Dot> = Vec::new();
        for (_, dots) in self
            .live
            .iter()
            .filter(|(element, _)| !value.contains(element))
        {
            gone.extend(dots);
        }
        gone.sort_unstable();
        gone.dedup();
        let missing: Texts = value
            .iter()
            .filter(|element| !self.live.elements().contains(element))
            .collect();
        if gone.is_empty() && missing.is_empty() {
            return Ok(self.clone());
        }
        self.authored(&gone.into_iter().collect(), &missing, author)
    }

    fn authored_by_value(new: &Self, author: &mut dyn Author) -> Result<Self, CrdtError> {
        Self::default().assigned(&new.elements().collect(), author)
    }
}

impl Crdt for OrSet {
    const NAME: &'static str = "or_set";

    type Plain = BTreeSet<String>;

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        layout::decode(bytes)
    }

    fn encode(&self) -> Vec<u8> {
        layout::encode(self)
    }

    fn value(&self) -> Result<BTreeSet<String>, CrdtError> {
        Ok(self.elements().map(str::to_owned).collect())
    }

    fn plain_text(&self) -> Result<String, CrdtError> {
        Ok(array_text::print(self.elements()))
    }

    fn keys(&self) -> Vec<String> {
        self.elements().map(str::to_owned).collect()
    }

    fn reset(&self) -> Result<Self, CrdtError> {
        if matches!(self.change, Change::Assign(_)) {
            return Ok(Self {
                change: Change::Assign(Texts::default()),
                ..self.clone()
            });
        }
        Self {
            live: Live::default(),
            removed: self.removed.union(&self.live_dots().above(&self.floor)),
            floor: self.floor.clone(),
            change: Change::None,
        }
        .bounded()
    }

    fn version(&self) -> VersionVector {
        let live = self.live.all_dots().iter().copied();
        live.chain(self.removed.iter())
            .chain(self.floor.iter())
            .collect()
    }

    /// Tombstones that `stable` covers fold into the floor: one tick a replica. What a state
    /// that had not seen `stable` alone has below the floor is lost in a join with it.
    fn compact(&self, stable: &VersionVector) -> Result<Self, CrdtError> {
        let mut floor = self.floor.clone();
        let folded = self.removed.iter().filter(|dot| stable.covers(dot));
        folded.for_each(|dot| floor.observe(dot));
        Ok(Self {
            removed: self.removed.above(&floor),
            floor,
            ..self.clone()
        })
    }

    /// Elements must not contain NUL, as no text of PostgreSQL does: `settle` and `decode`
    /// refuse them.
    fn assign(plain: BTreeSet<String>) -> Self {
        let value = plain.iter().map(String::as_str).collect();
        Self {
            change: Change::Assign(value),
            ..Self::default()
        }
    }

    fn latest(&self) -> Hlc {
        Hlc(self
            .live
            .all_dots()
            .iter()
            .map(|dot| dot.counter)
            .max()
            .unwrap_or_default())
    }

    fn is_settled(&self) -> bool {
        self.change.is_none()
    }

    fn join(&self, other: &Self) -> Result<Self, CrdtError> {
        let removed = self.removed.union(&other.removed);
        let live = if self.floor == other.floor && self.floor.is_empty() {
            self.live.join(&other.live, &removed)
        } else {
            let left = self.live.above(&other.floor, &other.live);
            left.join(&other.live.above(&self.floor, &self.live), &removed)
        };
        let floor = self.floor.join(&other.floor);
        let change = self
            .change
            .join(&other.change, Texts::union, |a, b| a.iter().cmp(b.iter()));
        Self {
            live,
            removed: removed.above(&floor),
            floor,
            change,
        }
        .bounded()
    }

    fn settle(old: Option<&Self>, new: &Self, author: &mut dyn Author) -> Result<Self, CrdtError> {
        let Some(old) = old else {
            return Self::authored_by_value(new, author);
        };
        let base = match old.is_settled() {
            true => old.clone(),
            false => Self::authored_by_value(old, author)?,
        };
        let Some(removals) = new.removals_upon(old) else {
            return base.assigned(&new.elements().collect(), author);
        };
        match &new.change {
            Change::Assign(value) => base.assigned(value, author),
            Change::Add(added) => base.authored(&removals, added, author),
            Change::None if removals.is_empty() => Ok(base),
            Change::None => base.authored(&removals, &Texts::default(), author),
        }
    }

    fn delta(old: Option<&Self>, new: &Self) -> Option<Self> {
        let bottom = Self::default();
        let base = old.unwrap_or(&bottom);
        let mut delta = Self {
            live: new.live.beyond(&base.live),
            removed: new.removed.without(&base.removed),
            ..bottom.clone()
        };
        if new.floor != base.floor {
            // What lives below the floor must be told along with it.
            delta.live = new
                .live
                .beyond(&base.live.above(&new.floor, &Live::default()));
            delta.floor = new.floor.clone();
        } else if !new.floor.is_empty() {
            let gone = base.live_dots().without(&new.live_dots());
            delta.removed = delta.removed.union(&gone);
        }
        (old.is_none() || delta != bottom).then_some(delta)
    }

    fn check_delta(delta: &Self, author: ReplicaId, row: Option<&Self>) -> Result<(), DeltaFault> {
        if !delta.is_settled() {
            return Err(DeltaFault::Unsettled);
        }
        let mut dots = delta.live.all_dots().to_vec();
        if let Some(dot) = dots.iter().find(|dot| dot.replica != author) {
            return Err(DeltaFault::ForeignDot(*dot));
        }
        dots.sort_unstable();
        if let Some([dot, _]) = dots.array_windows().find(|[a, b]| a == b) {
            return Err(DeltaFault::RepeatedDot(*dot));
        }
        if !delta.floor.is_empty() {
            let seen = row.map(Self::version).unwrap_or_default();
            if let Some(beyond) = delta.floor.iter().find(|dot| !seen.covers(dot)) {
                return Err(DeltaFault::UnknownDot(beyond));
            }
        }
        // Its own dots an author may take back at any time: that harms nobody else.
        let mut foreign: DotSet = delta
            .removed
            .iter()
            .filter(|dot| dot.replica != author)
            .collect();
        if let Some(row) = row.filter(|_| !foreign.is_empty()) {
            foreign = foreign.above(&row.floor);
            foreign = foreign.without(&row.removed).without(&row.live_dots());
        }
        match foreign.iter().next() {
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
        text::json(self)
    }

    fn cmp_by_value(&self, other: &Self) -> Ordering {
        self.elements().cmp(other.elements())
    }
}

impl Edit for OrSet {
    type Edit = SetEdit;

    fn edit(&mut self, edit: &SetEdit) -> Result<(), CrdtError> {
        match edit {
            SetEdit::Add(element) => {
                check_element(element)?;
                self.check_bytes(element.len() + 5)?;
                add_to(&mut self.change, element);
            }
            SetEdit::Remove(element) => {
                if !remove_from(&mut self.change, element) {
                    let gone = self.live.remove(element);
                    // Only a forged state has a dot under two elements.
                    if self.live.all_dots().iter().any(|dot| gone.contains(dot)) {
                        self.live = self.live.without(&gone.iter().copied().collect());
                    }
                    let above = gone.into_iter().filter(|dot| !self.floor.covers(dot));
                    above.for_each(|dot| self.removed.insert(dot));
                }
            }
        }
        Ok(())
    }
}
