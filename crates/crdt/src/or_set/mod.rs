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
//! `tombstones` holds what was removed, `layout` the bytes, `text` the text form; the elements
//! are those of `elements`.

mod layout;
mod text;
mod tombstones;

use std::cmp::Ordering;
use std::collections::BTreeSet;

pub use tombstones::Tombstones;

pub use crate::elements::{SetEdit, Texts};

use tombstones::Joint;

use crate::elements::{
    Held, Live, Pair, Side, Splice, add_to, change_bytes, check_element, is_small, joined_change,
    remove_from, set_operators,
};
use crate::{
    Author, Change, Crdt, CrdtError, DecodeError, DeltaFault, Dot, Edit, Hlc, MAX_STATE_BYTES,
    ReplicaId, TextError, VersionVector, array_text,
};

/// A set of texts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OrSet {
    /// Its replicas are those of `tombstones`.
    live: Live,
    /// No dot of `live`, none that its floor covers.
    tombstones: Tombstones,
    change: Change<Texts, Texts>,
}

/// Its share of the replica table, index, count and counter at their longest.
const DOT_BYTES: usize = 40;

set_operators!(OrSet);

impl OrSet {
    /// The removed dots.
    pub fn removed(&self) -> &Tombstones {
        &self.tombstones
    }

    /// What it covers and does not live was removed: folded tombstones.
    pub fn floor(&self) -> VersionVector {
        self.tombstones.floor()
    }

    /// A dot whose replica is a place in this set's table, by its name.
    fn named(&self, (place, counter): (u16, u64)) -> Option<Dot> {
        let (replica, ..) = self.tombstones.at(usize::from(place))?;
        Some(Dot { replica, counter })
    }

    /// The living dots, in the order of the elements.
    fn live_dots(&self) -> impl Iterator<Item = Dot> {
        let dots = 0..self.live.counters.len();
        dots.filter_map(|at| self.named(self.live.dot(at)))
    }

    /// Living elements, ascending, under dots, ascending, above removed dots.
    fn of(fresh: &[(&[u8], Dot)], removed: Vec<Dot>, floor: &VersionVector) -> Self {
        let mut set = Self::default();
        set.tombstones.raise(&floor.iter().collect::<Vec<_>>());
        set.tombstones.remove(removed);
        let replicas: BTreeSet<ReplicaId> = fresh.iter().map(|(_, dot)| dot.replica).collect();
        set.tombstones.note(replicas.into_iter());
        for dots in fresh.chunk_by(|(a, _), (b, _)| a == b) {
            if let Some((element, _)) = dots.first() {
                let place = |dot: &Dot| Some((set.tombstones.place(&dot.replica)?, dot.counter));
                let dots: Vec<(u16, u64)> = dots.iter().filter_map(|(_, dot)| place(dot)).collect();
                set.live.push(element, dots);
            }
        }
        set
    }

    /// Refuses a set whose encoding could not be read back.
    fn bounded(self) -> Result<Self, CrdtError> {
        self.check_bytes(change_bytes(&self.change))?;
        Ok(self)
    }

    /// The same of this settled state with so many bytes more.
    fn check_bytes(&self, more: usize) -> Result<(), CrdtError> {
        let texts = self.live.texts.len() + 5 * self.live.len();
        let dots = DOT_BYTES * self.live.counters.len();
        if texts + dots + self.tombstones.bytes() + more > MAX_STATE_BYTES {
            return Err(CrdtError::TooLarge {
                what: "the set",
                limit: MAX_STATE_BYTES,
            });
        }
        Ok(())
    }

    /// If this state is an earlier one of `old`, perhaps with removals made upon it (all its
    /// dots are known there), those removals; None if it came from elsewhere.
    fn removals_upon(&self, old: &Self) -> Result<Option<Vec<Dot>>, CrdtError> {
        if self.live == old.live && self.tombstones == old.tombstones {
            return Ok(Some(Vec::new()));
        }
        if !self.tombstones.folds_within(&old.tombstones) {
            return Ok(None);
        }
        let joint = old.tombstones.joint(&self.tombstones)?;
        let pair = pair(old, self, &joint);
        let (mut removals, mut is_foreign) = (Vec::new(), false);
        pair.differences(|_, dot, held| match (joint.named(dot), held) {
            // Below a floor no tombstone tells what was removed: what does not live there was.
            (Some(named), Held::Left(author)) if pair.left.is_seen(author, dot.1) => {
                removals.push(named);
            }
            (Some(named), Held::Right(_)) => is_foreign |= !old.tombstones.contains(&named),
            _ => (),
        });
        removals.sort_unstable();
        let is_known = |dot: &Dot| {
            old.tombstones.contains(dot)
                || old.tombstones.folds(dot)
                || removals.binary_search(dot).is_ok()
        };
        let is_foreign = is_foreign || !self.tombstones.iter().all(|dot| is_known(&dot));
        Ok((!is_foreign).then_some(removals))
    }

    /// This settled state without the dots `removed` and with `added` under fresh dots.
    fn authored(
        mut self,
        removed: Vec<Dot>,
        added: &Texts,
        author: &mut dyn Author,
    ) -> Result<Self, CrdtError> {
        let mut fresh = Vec::with_capacity(added.len());
        for element in added.iter() {
            check_element(element)?;
            let (replica, counter) = (author.replica(), author.tick().0);
            fresh.push((element.as_bytes(), Dot { replica, counter }));
        }
        self.join_assign(&Self::of(&fresh, removed, &VersionVector::default()))?;
        Ok(self)
    }
}

impl Joint {
    fn named(&self, (place, counter): (u16, u64)) -> Option<Dot> {
        let replica = *self.replicas.get(usize::from(place))?;
        Some(Dot { replica, counter })
    }
}

/// The elements of two sets, given their joint table.
fn pair<'a>(left: &'a OrSet, right: &'a OrSet, joint: &Joint) -> Pair<'a> {
    let seen = |set: &OrSet, other: &'a OrSet| set.tombstones.seen_by(&other.tombstones);
    Pair {
        left: Side::new(&left.live, joint.left.clone(), seen(left, right)),
        right: Side::new(&right.live, joint.right.clone(), seen(right, left)),
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
        let mut tombstones = self.tombstones.clone();
        tombstones.remove(self.live_dots().collect());
        Self {
            tombstones,
            ..Self::default()
        }
        .bounded()
    }

    fn version(&self) -> VersionVector {
        let removed = self.tombstones.iter();
        let mut version: VersionVector = removed.chain(self.floor().iter()).collect();
        self.live_dots().for_each(|dot| version.observe(dot));
        version
    }

    /// Tombstones that `stable` covers fold into the floor: one tick a replica. What a state
    /// that had not seen `stable` alone has below the floor is lost in a join with it.
    fn compact(&self, stable: &VersionVector) -> Result<Self, CrdtError> {
        let mut compact = self.clone();
        compact.tombstones.fold(stable);
        Ok(compact)
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
        Hlc(self.live.counters.iter().copied().max().unwrap_or_default())
    }

    fn is_settled(&self) -> bool {
        self.change.is_none()
    }

    fn join(&self, other: &Self) -> Result<Self, CrdtError> {
        let joint = self.tombstones.joint(&other.tombstones)?;
        let live = pair(self, other, &joint).join();
        let mut tombstones = self.tombstones.clone();
        tombstones.join_assign(&other.tombstones);
        Self {
            live,
            tombstones,
            change: joined_change(&self.change, &other.change),
        }
        .bounded()
    }

    fn join_assign(&mut self, other: &Self) -> Result<(), CrdtError> {
        if !is_small(&other.live, &self.live) {
            *self = self.join(other)?;
            return Ok(());
        }
        let joint = self.tombstones.joint(&other.tombstones)?;
        let change = joined_change(&self.change, &other.change);
        let splice = Splice::new(&pair(self, other, &joint));
        let more = splice.more_bytes(DOT_BYTES) + other.tombstones.bytes() + change_bytes(&change);
        self.check_bytes(more)?;
        splice.apply(&mut self.live);
        self.tombstones.join_assign(&other.tombstones);
        self.change = change;
        Ok(())
    }

    fn settle(old: Option<&Self>, new: &Self, author: &mut dyn Author) -> Result<Self, CrdtError> {
        let Some(old) = old else {
            return Self::authored_by_value(new, author);
        };
        let base = match old.is_settled() {
            true => old.clone(),
            false => Self::authored_by_value(old, author)?,
        };
        let Some(removals) = new.removals_upon(old)? else {
            return base.assigned(&new.elements().collect(), author);
        };
        match &new.change {
            Change::Assign(value) => base.assigned(value, author),
            Change::Add(added) => base.authored(removals, added, author),
            Change::None if removals.is_empty() => Ok(base),
            Change::None => base.authored(removals, &Texts::default(), author),
        }
    }

    fn delta(old: Option<&Self>, new: &Self) -> Option<Self> {
        let Some(old) = old else {
            return Some(Self {
                change: Change::None,
                ..new.clone()
            });
        };
        let (floor, held) = (new.floor(), old.floor());
        let mut removed: Vec<Dot> = new.tombstones.iter().collect();
        removed.retain(|dot| !old.tombstones.contains(dot));
        let mut fresh = Vec::new();
        if floor != held {
            // What lives below the floor must be told along with it.
            for (element, dots) in new.elements_with_dots() {
                let held = old.dots_of(element);
                let is_told = |dot: &Dot| floor.covers(dot) || held.binary_search(dot).is_err();
                let told = dots.into_iter().filter(is_told);
                fresh.extend(told.map(|dot| (element.as_bytes(), dot)));
            }
        } else if let Ok(joint) = old.tombstones.joint(&new.tombstones) {
            pair(old, new, &joint).differences(|element, dot, held| {
                match (joint.named(dot), held) {
                    // Below the floor it left no tombstone.
                    (Some(dot), Held::Left(_)) if !floor.is_empty() => removed.push(dot),
                    (Some(dot), Held::Right(_)) => fresh.push((element, dot)),
                    _ => (),
                }
            });
        }
        let none = VersionVector::default();
        let floor = if floor != held { &floor } else { &none };
        let delta = Self::of(&fresh, removed, floor);
        (delta != Self::default()).then_some(delta)
    }

    fn check_delta(delta: &Self, author: ReplicaId, row: Option<&Self>) -> Result<(), DeltaFault> {
        if !delta.is_settled() {
            return Err(DeltaFault::Unsettled);
        }
        let mut dots: Vec<Dot> = delta.live_dots().collect();
        if let Some(dot) = dots.iter().find(|dot| dot.replica != author) {
            return Err(DeltaFault::ForeignDot(*dot));
        }
        dots.sort_unstable();
        if let Some([dot, _]) = dots.array_windows().find(|[a, b]| a == b) {
            return Err(DeltaFault::RepeatedDot(*dot));
        }
        if delta.tombstones.is_folded() {
            let seen = row.map(Self::version).unwrap_or_default();
            if let Some(beyond) = delta.floor().iter().find(|dot| !seen.covers(dot)) {
                return Err(DeltaFault::UnknownDot(beyond));
            }
        }
        // Its own dots an author may take back at any time: that harms nobody else.
        let mut unknown: Vec<Dot> = delta.tombstones.iter().collect();
        unknown.retain(|dot| dot.replica != author);
        if let Some(row) = row.filter(|_| !unknown.is_empty()) {
            unknown.retain(|dot| !row.tombstones.contains(dot) && !row.tombstones.folds(dot));
            let known = row
                .live_dots()
                .filter_map(|dot| unknown.binary_search(&dot).ok());
            let mut is_known = vec![false; unknown.len()];
            known.for_each(|at| {
                if let Some(is_known) = is_known.get_mut(at) {
                    *is_known = true;
                }
            });
            let mut is_known = is_known.into_iter();
            unknown.retain(|_| is_known.next() == Some(false));
        }
        match unknown.first() {
            Some(dot) => Err(DeltaFault::UnknownDot(*dot)),
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
                let change = change_bytes(&self.change) + element.len() + 5;
                self.check_bytes(change)?;
                add_to(&mut self.change, element);
            }
            SetEdit::Remove(element) => {
                if !remove_from(&mut self.change, element)
                    && let Ok(index) = self.live.search(element.as_bytes())
                {
                    let gone = self.dots_at(index);
                    self.live.remove_at(index);
                    self.tombstones.remove(gone.clone());
                    // Only a forged state has a dot under two elements.
                    if gone.iter().any(|dot| self.live.has_counter(dot.counter)) {
                        let removed = Self::of(&[], gone, &VersionVector::default());
                        let joint = self.tombstones.joint(&removed.tombstones)?;
                        self.live = pair(self, &removed, &joint).join();
                    }
                }
            }
        }
        Ok(())
    }
}
