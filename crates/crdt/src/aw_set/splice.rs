//! The join of a small state into a large one, in place: what stays is moved, not built anew.

use std::ops::Range;

use super::join::{Pair, Side};
use super::live::Live;
use super::{AwSet, check_bytes, joined_change};
use crate::CrdtError;
use crate::elements::change_bytes;

/// Below this share of the large one's elements a state is small.
const SMALL: usize = 8;

/// What the join does to the large one's elements; places ascend.
#[derive(Default)]
struct Plan {
    /// Elements of the small one with the places before which they come.
    inserted: Vec<(usize, usize)>,
    /// Elements whose dot is replaced by that of an element of the small one.
    replaced: Vec<(usize, usize)>,
    removed: Vec<usize>,
}

/// Joins if `small` is small and every element has one dot before and after; whether it did.
/// After an error `set` is as before.
pub(super) fn join_small(set: &mut AwSet, small: &AwSet) -> Result<bool, CrdtError> {
    let is_small = small.live.len() < set.live.len() / SMALL;
    if !is_small || !set.live.is_single() || !small.live.is_single() {
        return Ok(false);
    }
    let pair = Pair::new(set, small);
    let Some(plan) = plan(&pair) else {
        return Ok(false);
    };
    let more: usize = plan
        .inserted
        .iter()
        .map(|(_, from)| small.live.bytes(*from).len() + 18)
        .sum();
    let change = joined_change(&set.change, &small.change);
    check_bytes(&set.live, &pair.context, change_bytes(&change) + more)?;
    let (to, is_same) = (pair.left.to, pair.left.is_same);
    let (context, from) = (pair.context, pair.right.to);
    if !is_same {
        let place =
            |author: &mut u16| *author = to.get(usize::from(*author)).copied().unwrap_or_default();
        set.live.authors.iter_mut().for_each(place);
    }
    (set.context, set.change) = (context, change);
    let place = |author: u16| from.get(usize::from(author)).copied().unwrap_or_default();
    for (at, from) in &plan.replaced {
        let (author, counter) = small.live.dot(*from);
        self::set(&mut set.live.authors, *at, place(author));
        self::set(&mut set.live.counters, *at, counter);
    }
    remove(&mut set.live, &plan.removed);
    // What stood before a place and was removed no longer does.
    let mut inserted = plan.inserted;
    for (at, _) in &mut inserted {
        *at -= plan.removed.partition_point(|removed| *removed < *at);
    }
    insert(&mut set.live, &inserted, &small.live, place);
    Ok(true)
}

/// None if an element would have two dots.
fn plan(pair: &Pair<'_>) -> Option<Plan> {
    let (large, small) = (&pair.left, &pair.right);
    let mut plan = Plan::default();
    let mut at = 0;
    // Elements of the large one up to here were looked at.
    let mut done = 0;
    for from in 0..small.live.len() {
        let text = small.live.bytes(from);
        at = large.live.seek(text, at);
        plan.remove_seen(large, done..at);
        done = at;
        let (author, counter) = small.live.dot(from);
        let is_fresh = !small.is_seen(author, counter);
        if at == large.live.len() || large.live.bytes(at) != text {
            if is_fresh {
                plan.inserted.push((at, from));
            }
            continue;
        }
        done = at + 1;
        let (old_author, old) = large.live.dot(at);
        let is_same = old == counter && large.place(old_author) == small.place(author);
        match (is_same, !large.is_seen(old_author, old), is_fresh) {
            (true, _, _) | (false, true, false) => (),
            (false, true, true) => return None,
            (false, false, true) => plan.replaced.push((at, from)),
            (false, false, false) => plan.removed.push(at),
        }
    }
    plan.remove_seen(large, done..large.live.len());
    Some(plan)
}

impl Plan {
    /// Removes those elements of the large one whose dot the small one has seen.
    fn remove_seen(&mut self, large: &Side<'_>, elements: Range<usize>) {
        let mut from = elements.start;
        while let Some(at) = large.first_seen(from..elements.end) {
            self.removed.push(at);
            from = at + 1;
        }
    }
}

/// Puts elements of `small` in, from the last to the first: what lies behind moves once.
fn insert(live: &mut Live, inserted: &[(usize, usize)], small: &Live, place: impl Fn(u16) -> u16) {
    let old = live.len();
    let bytes: usize = inserted
        .iter()
        .map(|(_, from)| small.bytes(*from).len())
        .sum();
    let (mut text_end, mut end) = (live.texts.len(), old);
    let mut text_shift = bytes;
    live.texts.resize(text_end + bytes, 0);
    live.ends.resize(old + inserted.len(), 0);
    live.counters.resize(old + inserted.len(), 0);
    live.authors.resize(old + inserted.len(), 0);
    for (before, (at, from)) in inserted.iter().enumerate().rev() {
        let shift = before + 1;
        let start = live.start(*at);
        live.texts.copy_within(start..text_end, start + text_shift);
        live.counters.copy_within(*at..end, at + shift);
        live.authors.copy_within(*at..end, at + shift);
        live.ends.copy_within(*at..end, at + shift);
        let moved = live
            .ends
            .get_mut(at + shift..end + shift)
            .unwrap_or_default();
        moved.iter_mut().for_each(|end| *end += text_shift as u32);
        (text_end, end) = (start, *at);
        let text = small.bytes(*from);
        text_shift -= text.len();
        let (author, counter) = small.dot(*from);
        let start = start + text_shift;
        if let Some(to) = live.texts.get_mut(start..start + text.len()) {
            to.copy_from_slice(text);
        }
        let index = at + before;
        set(&mut live.ends, index, (start + text.len()) as u32);
        set(&mut live.counters, index, counter);
        set(&mut live.authors, index, place(author));
    }
}

fn set<T>(column: &mut [T], index: usize, value: T) {
    if let Some(to) = column.get_mut(index) {
        *to = value;
    }
}

/// Takes elements out, from the first to the last: what lies between them moves once.
fn remove(live: &mut Live, removed: &[usize]) {
    let Some(first) = removed.first() else {
        return;
    };
    let (mut to, mut text_to) = (*first, live.start(*first));
    let ends: Vec<usize> = removed
        .iter()
        .skip(1)
        .copied()
        .chain([live.len()])
        .collect();
    // The end of a removed element may be overwritten before it is asked for: ask now.
    let starts: Vec<usize> = removed.iter().map(|at| live.start(at + 1)).collect();
    let text_ends: Vec<usize> = ends.iter().map(|end| live.start(*end)).collect();
    for (((at, end), start), text_end) in removed.iter().zip(ends).zip(starts).zip(text_ends) {
        let from = at + 1;
        live.texts.copy_within(start..text_end, text_to);
        live.counters.copy_within(from..end, to);
        live.authors.copy_within(from..end, to);
        live.ends.copy_within(from..end, to);
        let shift = (start - text_to) as u32;
        let moved = live.ends.get_mut(to..to + end - from).unwrap_or_default();
        moved.iter_mut().for_each(|end| *end -= shift);
        to += end - from;
        text_to += text_end - start;
    }
    live.texts.truncate(text_to);
    live.counters.truncate(to);
    live.authors.truncate(to);
    live.ends.truncate(to);
}
