//! aw_set: a set of texts where an addition wins over a concurrent removal, without tombstones
//! (Bieniusa et al., "An optimized conflict-free replicated set", 2012; as a dot map of dot
//! sets: Almeida, Shoker, Baquero, "Delta state replicated data types", 2018).
//!
//! State: elements under the dots of their additions, and the causal context: every dot that
//! was seen. What the context covers and no element has is removed. An addition takes a fresh
//! dot in place of all that its author saw of the element. Removing needs no author, so the
//! operator `-` changes the state at once; the operator `+` waits in the change.
//!
//! `layout` holds the bytes, `text` the text form; the elements are those of `elements`.

mod layout;
mod text;

use std::cmp::Ordering;
use std::collections::BTreeSet;

pub use crate::elements::{SetEdit, Texts};

use crate::context::Span;
use crate::elements::{
    Held, Live, MAX_REPLICAS, Pair, Seen, Side, Splice, TOO_MANY_REPLICAS, add_to, change_bytes,
    check_element, is_small, joined_change, remove_from, set_operators,
};
use crate::{
    Author, CausalContext, Change, Crdt, CrdtError, DecodeError, DeltaFault, Dot, Edit, Hlc,
    MAX_STATE_BYTES, ReplicaId, TextError, VersionVector,
};

/// A set of texts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AwSet {
    live: Live,
    /// Covers every dot of `live`.
    context: CausalContext,
    change: Change<Texts, Texts>,
}

set_operators!(AwSet);

impl AwSet {
    /// What was seen.
    pub fn context(&self) -> &CausalContext {
        &self.context
    }

    /// A dot whose replica is a place in this context, by its name.
    fn named(&self, dot: (u16, u64)) -> Option<Dot> {
        named(&self.context, dot)
    }

    /// Refuses a set whose encoding could not be read back.
    fn bounded(self) -> Result<Self, CrdtError> {
        check_bytes(&self.live, &self.context, change_bytes(&self.change))?;
        Ok(self)
    }

    /// If this state is an earlier one of `old`, perhaps with removals made upon it, the dots of
    /// those removals; None if it came from elsewhere.
    fn removals_upon(&self, old: &Self) -> Option<Vec<Dot>> {
        if self.context == old.context && self.live == old.live {
            return Some(Vec::new());
        }
        if !self.context.is_earlier(&old.context) {
            return None;
        }
        let context = old.context.join(&self.context);
        let pair = pair(old, self, &context);
        let (mut removals, mut strays) = (Vec::new(), Vec::new());
        pair.differences(|_, dot, held| match held {
            Held::Left(author) if pair.left.is_seen(author, dot.1) => {
                removals.extend(named(&context, dot));
            }
            Held::Right(_) => strays.push(dot),
            _ => (),
        });
        // A dot that lives only here was removed since, unless it lives under another element.
        strays.sort_unstable();
        let mut all = old.live.authors.iter().zip(&old.live.counters);
        let is_forged = !strays.is_empty()
            && all.any(|(author, counter)| strays.binary_search(&(*author, *counter)).is_ok());
        (!is_forged).then_some(removals)
    }

    /// This settled state without the dots `removed` and with `added` under fresh dots.
    fn authored(
        mut self,
        mut removed: Vec<Dot>,
        added: &Texts,
        author: &mut dyn Author,
    ) -> Result<Self, CrdtError> {
        let mut context = self.context.clone();
        let mut ticks = Vec::with_capacity(added.len());
        for element in added.iter() {
            check_element(element)?;
            if let Ok(index) = self.live.search(element.as_bytes()) {
                removed.extend(self.dots_at(index));
            }
            let (replica, counter) = (author.replica(), author.tick().0);
            context.author(Dot { replica, counter }, author.is_exclusive());
            ticks.push(counter);
        }
        let mut delta = Self {
            context: context.beyond(&self.context),
            ..Self::default()
        };
        delta.cover(removed);
        let place = delta.context.index(&author.replica());
        if let Some(place) = place.and_then(|place| u16::try_from(place).ok()) {
            for (element, counter) in added.iter().zip(ticks) {
                delta.live.push(element.as_bytes(), [(place, counter)]);
            }
        }
        self.join_assign(&delta)?;
        Ok(self)
    }

    /// Notes dots as seen; no element may live yet, for the places of replicas move.
    fn cover(&mut self, mut dots: Vec<Dot>) {
        dots.sort_unstable();
        dots.iter().for_each(|dot| self.context.insert(*dot));
    }
}

/// The elements of two sets, given the join of their contexts.
fn pair<'a>(left: &'a AwSet, right: &'a AwSet, context: &CausalContext) -> Pair<'a> {
    let side = |set: &'a AwSet, other: &'a AwSet| {
        let place = |(replica, _)| context.index(&replica).unwrap_or_default() as u16;
        let seen = |(replica, spans): (ReplicaId, &[Span])| {
            let seen = other.context.spans(&replica);
            let is_apart = seen.iter().all(|seen| {
                let at = spans.partition_point(|span| span.upto <= seen.after);
                spans.get(at).is_none_or(|span| span.after >= seen.upto)
            });
            match is_apart {
                true => Seen::NOTHING,
                false => Seen::Spans(seen),
            }
        };
        let places = set.context.iter().map(place).collect();
        Side::new(&set.live, places, set.context.iter().map(seen).collect())
    };
    Pair {
        left: side(left, right),
        right: side(right, left),
    }
}

fn named(context: &CausalContext, (place, counter): (u16, u64)) -> Option<Dot> {
    let (replica, _) = context.at(usize::from(place))?;
    Some(Dot { replica, counter })
}

/// Replica and distance of a dot at their longest.
const DOT_BYTES: usize = 13;

fn check_bytes(live: &Live, context: &CausalContext, change: usize) -> Result<(), CrdtError> {
    if context.len() > MAX_REPLICAS {
        return Err(TOO_MANY_REPLICAS);
    }
    let spans: usize = context.iter().map(|(_, spans)| 18 + 20 * spans.len()).sum();
    let dots = DOT_BYTES * live.counters.len();
    if live.texts.len() + 5 * live.len() + dots + spans + change > MAX_STATE_BYTES {
        return Err(CrdtError::TooLarge {
            what: "the set",
            limit: MAX_STATE_BYTES,
        });
    }
    Ok(())
}

impl Crdt for AwSet {
    const NAME: &'static str = "aw_set";

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
        Ok(crate::array_text::print(self.elements()))
    }

    fn keys(&self) -> Vec<String> {
        self.elements().map(str::to_owned).collect()
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

    fn reset(&self) -> Result<Self, CrdtError> {
        if matches!(self.change, Change::Assign(_)) {
            return Ok(Self {
                change: Change::Assign(Texts::default()),
                ..self.clone()
            });
        }
        Ok(Self {
            context: self.context.clone(),
            ..Self::default()
        })
    }

    /// Removed dots count as well.
    fn latest(&self) -> Hlc {
        self.context.latest()
    }

    fn version(&self) -> VersionVector {
        self.context.version()
    }

    fn is_settled(&self) -> bool {
        self.change.is_none()
    }

    fn join(&self, other: &Self) -> Result<Self, CrdtError> {
        let context = self.context.join(&other.context);
        let change = joined_change(&self.change, &other.change);
        // Before places are made: they are two bytes.
        check_bytes(&Live::default(), &context, change_bytes(&change))?;
        Self {
            live: pair(self, other, &context).join(),
            context,
            change,
        }
        .bounded()
    }

    fn join_assign(&mut self, other: &Self) -> Result<(), CrdtError> {
        if !is_small(&other.live, &self.live) {
            *self = self.join(other)?;
            return Ok(());
        }
        let context = self.context.join(&other.context);
        let change = joined_change(&self.change, &other.change);
        check_bytes(&Live::default(), &context, change_bytes(&change))?;
        let splice = Splice::new(&pair(self, other, &context));
        let more = splice.more_bytes(DOT_BYTES) + change_bytes(&change);
        check_bytes(&self.live, &context, more)?;
        splice.apply(&mut self.live);
        (self.context, self.change) = (context, change);
        Ok(())
    }

    fn settle(old: Option<&Self>, new: &Self, author: &mut dyn Author) -> Result<Self, CrdtError> {
        let Some(old) = old else {
            return Self::authored_by_value(new, author);
        };
        let (base, removals) = if old.is_settled() {
            (old.clone(), new.removals_upon(old))
        } else {
            // The state under an unsettled change is authored anew: of `new` only a bare change
            // still fits upon it.
            let is_bare = new.context.is_empty() && new.live.is_empty();
            let base = Self::authored_by_value(old, author)?;
            (base, is_bare.then(Vec::new))
        };
        let Some(removals) = removals else {
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
        let joint = old.context.join(&new.context);
        let pair = pair(old, new, &joint);
        let (mut gone, mut fresh) = (Vec::new(), Vec::new());
        pair.differences(|element, dot, held| {
            let Some(dot) = named(&joint, dot) else {
                return;
            };
            match held {
                Held::Left(_) => gone.push(dot),
                Held::Right(_) => fresh.push((element, dot)),
                Held::Both => (),
            }
        });
        let mut delta = Self {
            context: new.context.beyond(&old.context),
            ..Self::default()
        };
        // Of a `new` that is not below `old` the context covers the new dots already.
        gone.extend(fresh.iter().map(|(_, dot)| *dot));
        delta.cover(gone);
        for dots in fresh.chunk_by(|(a, _), (b, _)| a == b) {
            let place = |dot: &Dot| {
                let place = delta.context.index(&dot.replica).unwrap_or_default();
                (place as u16, dot.counter)
            };
            let placed: Vec<(u16, u64)> = dots.iter().map(|(_, dot)| place(dot)).collect();
            if let Some((element, _)) = dots.first() {
                delta.live.push(element, placed);
            }
        }
        (!delta.context.is_empty()).then_some(delta)
    }

    /// Gaps in the context below `stable` are closed. A state that had not seen all of `stable`
    /// loses in a join the dots in them that it alone has; no honest one has any.
    fn compact(&self, stable: &VersionVector) -> Result<Self, CrdtError> {
        Ok(Self {
            context: self.context.filled(stable),
            ..self.clone()
        })
    }

    fn check_delta(delta: &Self, author: ReplicaId, row: Option<&Self>) -> Result<(), DeltaFault> {
        if !delta.is_settled() {
            return Err(DeltaFault::Unsettled);
        }
        let nothing = CausalContext::default();
        let seen = row.map_or(&nothing, |row| &row.context);
        if let Some(dot) = delta.context.foreign_beyond(seen, author) {
            return Err(DeltaFault::UnknownDot(dot));
        }
        let mut counters = Vec::with_capacity(delta.live.counters.len());
        for (element, dots) in delta.elements_with_dots() {
            for dot in dots {
                if dot.replica != author {
                    return Err(DeltaFault::ForeignDot(dot));
                }
                let is_used =
                    |row: &Self| row.context.contains(&dot) && !row.dots_of(element).contains(&dot);
                if row.is_some_and(is_used) {
                    return Err(DeltaFault::UsedDot(dot));
                }
                counters.push(dot.counter);
            }
        }
        counters.sort_unstable();
        match counters.array_windows().find(|[a, b]| a == b) {
            Some([counter, _]) => Err(DeltaFault::RepeatedDot(Dot {
                replica: author,
                counter: *counter,
            })),
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

impl Edit for AwSet {
    type Edit = SetEdit;

    fn edit(&mut self, edit: &SetEdit) -> Result<(), CrdtError> {
        match edit {
            SetEdit::Add(element) => {
                check_element(element)?;
                let change = change_bytes(&self.change) + element.len() + 5;
                check_bytes(&self.live, &self.context, change)?;
                add_to(&mut self.change, element);
            }
            SetEdit::Remove(element) => {
                if !remove_from(&mut self.change, element)
                    && let Ok(index) = self.live.search(element.as_bytes())
                {
                    self.live.remove_at(index);
                }
            }
        }
        Ok(())
    }
}
