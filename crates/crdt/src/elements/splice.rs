//! The join of a small set into a large one, in place: what stays is moved, not built anew.

use std::ops::Range;

use super::live::Live;
use super::pair::{Pair, Side};

/// Below this share of the large one's elements a set is small.
const SMALL: usize = 8;

/// Whether a set of so many elements is small beside another.
pub(crate) fn is_small(small: &Live, large: &Live) -> bool {
    small.len() < large.len() / SMALL
}

/// What a join does to the elements of the left side; places ascend.
#[derive(Default)]
pub(crate) struct Splice {
    /// Elements with the dots that they get, in the joint table.
    fresh: Live,
    /// Of which these come in, before these places.
    inserted: Vec<(usize, usize)>,
    /// And of these the dots come in the place of as many.
    changed: Vec<(usize, usize)>,
    removed: Vec<usize>,
    /// Of each replica in the left side's table the place in the joint table, if any moves.
    to: Option<Vec<u16>>,
}

impl Splice {
    /// What the join with the right side does, which is small.
    pub fn new(pair: &Pair<'_>) -> Self {
        let (large, small) = (&pair.left, &pair.right);
        let mut splice = Self {
            to: (!large.is_same).then(|| large.to.clone()),
            ..Self::default()
        };
        let mut at = 0;
        // Elements of the large one up to here were looked at.
        let mut done = 0;
        for from in 0..small.live.len() {
            let text = small.live.bytes(from);
            at = large.live.seek(text, at);
            splice.remove_seen(large, done..at);
            done = at;
            if at == large.live.len() || large.live.bytes(at) != text {
                splice.insert(at, text, small.kept_dots(from));
            } else {
                done = at + 1;
                splice.change(large, at, pair.joined_dots(at, from));
            }
        }
        splice.remove_seen(large, done..large.live.len());
        splice
    }

    /// At most so many bytes the encoding grows, if a dot takes `dot` bytes.
    pub fn more_bytes(&self, dot: usize) -> usize {
        self.fresh.texts.len() + 5 * self.fresh.len() + dot * self.fresh.counters.len()
    }

    fn insert(&mut self, at: usize, text: &[u8], dots: impl Iterator<Item = (u16, u64)>) {
        let index = self.fresh.len();
        self.fresh.push(text, dots);
        if self.fresh.len() > index {
            self.inserted.push((at, index));
        }
    }

    /// Gives an element other dots.
    fn change(&mut self, large: &Side<'_>, at: usize, dots: Vec<(u16, u64)>) {
        if large.placed(at).eq(dots.iter().copied()) {
            return;
        }
        let text = large.live.bytes(at);
        if dots.len() == large.live.dots(at..at + 1).len() {
            self.changed.push((at, self.fresh.len()));
            self.fresh.push(text, dots);
        } else {
            self.removed.push(at);
            self.insert(at, text, dots.into_iter());
        }
    }

    /// Takes the dots that the small one has seen out of elements that it does not have.
    fn remove_seen(&mut self, large: &Side<'_>, elements: Range<usize>) {
        let mut from = elements.start;
        while let Some(at) = large.first_seen(from..elements.end) {
            self.change(large, at, large.kept_dots(at).collect());
            from = at + 1;
        }
    }

    /// Carries it out on the left side's elements.
    pub fn apply(self, live: &mut Live) {
        if let Some(to) = &self.to {
            live.replace(to);
        }
        for (at, from) in &self.changed {
            let (to, from) = (live.dots(*at..at + 1), self.fresh.dots(*from..from + 1));
            copy(
                &mut live.counters,
                to.clone(),
                &self.fresh.counters,
                from.clone(),
            );
            copy(&mut live.authors, to, &self.fresh.authors, from);
        }
        if !self.removed.is_empty() {
            remove(live, &self.removed);
        }
        if !self.inserted.is_empty() {
            // What stood before a place and was removed no longer does.
            let place = |at: usize| at - self.removed.partition_point(|removed| *removed < at);
            let places: Vec<usize> = self.inserted.iter().map(|(at, _)| place(*at)).collect();
            let indexes: Vec<usize> = self.inserted.iter().map(|(_, from)| *from).collect();
            insert(live, &places, &self.fresh, &indexes);
        }
        live.forget_dot_ends();
    }
}

fn remove(live: &mut Live, removed: &[usize]) {
    let elements: Vec<Range<usize>> = removed.iter().map(|at| *at..at + 1).collect();
    let texts = |at: &usize| live.start(*at)..live.start(at + 1);
    let texts: Vec<Range<usize>> = removed.iter().map(texts).collect();
    if live.is_single() {
        cut(&mut live.counters, &elements);
        cut(&mut live.authors, &elements);
    } else {
        let dots: Vec<Range<usize>> = elements.iter().map(|at| live.dots(at.clone())).collect();
        cut(&mut live.counters, &dots);
        cut(&mut live.authors, &dots);
        cut_ends(&mut live.dot_ends, &elements, &dots);
    }
    cut(&mut live.texts, &texts);
    cut_ends(&mut live.ends, &elements, &texts);
}

/// Puts elements of `fresh` in before some places.
fn insert(live: &mut Live, places: &[usize], fresh: &Live, indexes: &[usize]) {
    let dots = |at: &usize| fresh.dots(*at..at + 1);
    let dots: Vec<Range<usize>> = indexes.iter().map(dots).collect();
    let is_single = live.is_single() && dots.iter().all(|dots| dots.len() == 1);
    if !is_single {
        live.note_dot_ends();
    }
    let texts = |at: &usize| fresh.start(*at)..fresh.start(at + 1);
    let texts: Vec<Range<usize>> = indexes.iter().map(texts).collect();
    let starts: Vec<usize> = places.iter().map(|at| live.start(*at)).collect();
    if is_single {
        weave(&mut live.counters, places, &fresh.counters, &dots);
        weave(&mut live.authors, places, &fresh.authors, &dots);
    } else {
        let starts: Vec<usize> = places.iter().map(|at| live.dots(*at..*at).start).collect();
        weave(&mut live.counters, &starts, &fresh.counters, &dots);
        weave(&mut live.authors, &starts, &fresh.authors, &dots);
        weave_ends(&mut live.dot_ends, places, &starts, &dots);
    }
    weave(&mut live.texts, &starts, &fresh.texts, &texts);
    weave_ends(&mut live.ends, places, &starts, &texts);
}

fn copy<T: Copy>(to: &mut [T], at: Range<usize>, from: &[T], since: Range<usize>) {
    if let (Some(to), Some(from)) = (to.get_mut(at), from.get(since))
        && to.len() == from.len()
    {
        to.copy_from_slice(from);
    }
}

/// Takes ranges out, from the first to the last: what lies between them moves once.
fn cut<T: Copy>(column: &mut Vec<T>, gone: &[Range<usize>]) {
    let mut to = gone.first().map_or(column.len(), |first| first.start);
    let ends = gone.iter().skip(1).map(|next| next.start);
    let ends: Vec<usize> = ends.chain([column.len()]).collect();
    for (range, end) in gone.iter().zip(ends) {
        column.copy_within(range.end..end, to);
        to += end - range.end;
    }
    column.truncate(to);
}

/// The same of a column of ends, whose items become less by what was taken out before them.
fn cut_ends(column: &mut Vec<u32>, gone: &[Range<usize>], sizes: &[Range<usize>]) {
    let mut to = gone.first().map_or(column.len(), |first| first.start);
    let ends = gone.iter().skip(1).map(|next| next.start);
    let ends: Vec<usize> = ends.chain([column.len()]).collect();
    let mut shift = 0;
    for ((range, end), size) in gone.iter().zip(ends).zip(sizes) {
        shift += size.len() as u32;
        column.copy_within(range.end..end, to);
        let next = to + end - range.end;
        let moved = column.get_mut(to..next).unwrap_or_default();
        moved.iter_mut().for_each(|end| *end -= shift);
        to = next;
    }
    column.truncate(to);
}

/// Puts ranges of another column in before some places, from the last to the first: what lies
/// behind moves once.
fn weave<T: Copy + Default>(
    column: &mut Vec<T>,
    places: &[usize],
    from: &[T],
    ranges: &[Range<usize>],
) {
    let mut end = column.len();
    let mut shift = ranges.iter().map(Range::len).sum::<usize>();
    column.resize(end + shift, T::default());
    for (at, range) in places.iter().zip(ranges).rev() {
        column.copy_within(*at..end, at + shift);
        shift -= range.len();
        let to = at + shift;
        copy(column, to..to + range.len(), from, range.clone());
        end = *at;
    }
}

/// The same of a column of ends: one for each range, which starts at `starts`; those behind
/// become greater by what came in before them.
fn weave_ends(column: &mut Vec<u32>, places: &[usize], starts: &[usize], ranges: &[Range<usize>]) {
    let mut end = column.len();
    let mut shift = ranges.iter().map(Range::len).sum::<usize>();
    column.resize(end + places.len(), 0);
    let items = places.iter().zip(starts).zip(ranges).enumerate().rev();
    for (before, ((at, start), range)) in items {
        let to = at + before + 1;
        column.copy_within(*at..end, to);
        let moved = column.get_mut(to..to + end - at).unwrap_or_default();
        moved.iter_mut().for_each(|end| *end += shift as u32);
        let last = start + shift;
        shift -= range.len();
        if let Some(to) = column.get_mut(at + before) {
            *to = last as u32;
        }
        end = *at;
    }
}
