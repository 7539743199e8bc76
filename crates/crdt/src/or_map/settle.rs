//! Authoring: from an unsettled change to a tree of dots.

use super::draft::{self, Wants};
use super::{OrMap, Plain, nested};
use crate::dot_fun::DotFun;
use crate::{Author, Change, Crdt, CrdtError, Dot};

impl OrMap {
    pub(super) fn settled(
        old: Option<&Self>,
        new: &Self,
        author: &mut dyn Author,
    ) -> Result<Self, CrdtError> {
        let Some(old) = old else {
            return Self::authored_by_value(new, author);
        };
        if !old.is_settled() {
            let base = Self::authored_by_value(old, author)?;
            return base.assigned(&new.value()?, author);
        }
        if let Change::Assign(value) = &new.change {
            return old.clone().assigned(value, author);
        }
        if !new.descends_from(old)? {
            return old.clone().assigned(&new.value()?, author);
        }
        let mut base = old.join_states(new)?;
        base.change = Change::None;
        match &new.change {
            Change::Add(wants) => base.authored(wants, author),
            Change::None | Change::Assign(_) => Ok(base),
        }
    }

    /// Whether this is an earlier state of `old`, perhaps with removals made upon it.
    ///
    /// The spans of a replica may cover what it did elsewhere, so that another map's dots look
    /// like ones removed here: each replica's first event tells this map from others.
    fn descends_from(&self, old: &Self) -> Result<bool, CrdtError> {
        if self.context.is_empty() || (self.context == old.context && self.tree == old.tree) {
            return Ok(true);
        }
        if !self.context.is_earlier(&old.context) {
            return Ok(false);
        }
        if self.floor == old.floor {
            return Ok(self.tree.agrees(&old.tree));
        }
        if !old.floor.includes(&self.floor) {
            return Ok(false);
        }
        if self.has_seen_a_part_of(old) {
            return Err(CrdtError::StaleState(Self::NAME));
        }
        Ok(self.raised(&old.floor)?.tree.agrees(&old.tree))
    }

    /// Whether a share that was folded in `folded` may stand for some that this state had seen and
    /// removed and for others that it had not: none can tell how much of it is gone.
    fn has_seen_a_part_of(&self, folded: &Self) -> bool {
        let is_torn = |dot: Dot| {
            let seen = self.context.spans(&dot.replica).first();
            folded.floor.contains(&dot)
                && !self.context.contains(&dot)
                && seen.is_some_and(|seen| seen.after < dot.counter)
        };
        let mut torn = false;
        folded.tree.visit(&mut |entry| {
            let shares = entry.counter().into_iter().flat_map(DotFun::iter);
            torn |= shares.map(|(dot, _)| dot).any(is_torn);
        });
        torn
    }

    /// This settled state with what `wants` asks for, each under a fresh dot.
    fn authored(mut self, wants: &Wants, author: &mut dyn Author) -> Result<Self, CrdtError> {
        let Self { tree, context, .. } = &mut self;
        draft::author(tree, wants, &mut || {
            let dot = Dot {
                replica: author.replica(),
                counter: author.tick().0,
            };
            context.author(dot, author.is_exclusive());
            dot
        })?;
        self.bounded()
    }

    /// This settled state led by difference to show `value`.
    fn assigned(mut self, value: &Plain, author: &mut dyn Author) -> Result<Self, CrdtError> {
        nested::check(value, 1)?;
        let mut wants = Wants::default();
        draft::lead_map(&mut self.tree, &mut wants, value, false);
        self.authored(&wants, author)
    }

    /// This value with the wish to show `value`, as the difference to what it shows.
    pub(crate) fn led(&self, value: Plain) -> Result<Self, CrdtError> {
        let value = nested::normal(value);
        nested::check(&value, 1)?;
        if let Change::Assign(_) = self.change {
            return Ok(Self {
                change: Change::Assign(value),
                ..self.clone()
            });
        }
        let mut led = self.clone();
        let mut wants = match std::mem::take(&mut led.change) {
            Change::Add(wants) => wants,
            Change::None | Change::Assign(_) => Wants::default(),
        };
        draft::lead_map(&mut led.tree, &mut wants, &value, false);
        if !wants.is_empty() {
            led.change = Change::Add(wants);
        }
        led.bounded()
    }

    fn authored_by_value(new: &Self, author: &mut dyn Author) -> Result<Self, CrdtError> {
        let Change::Assign(value) = &new.change else {
            return Self::default().assigned(&new.value()?, author);
        };
        Self::default().assigned(value, author)
    }
}
