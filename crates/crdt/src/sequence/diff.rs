//! The difference of two values: what a write by value asks for.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::content::Hunk;

/// How many comparisons a difference may cost, about: product of the lengths that differ.
/// Beyond it the middle is replaced as one.
const MAX_COST: usize = 4 << 20;

/// The hunks that lead from `old` to `new`. What both start and end with stays. In between it
/// is a shortest difference (Myers, 1986) by lines as `is_end` tells them, then element by
/// element; where that would cost too much, all of the part is replaced.
pub(super) fn hunks<T: Eq + Ord + std::hash::Hash>(
    old: &[T],
    new: &[T],
    is_end: impl Fn(&T) -> bool,
) -> Vec<Hunk> {
    let mut hunks = Vec::new();
    let mut budget = MAX_COST;
    let whole = Hunk {
        at: 0,
        removed: old.len(),
        from: 0,
        added: new.len(),
    };
    let Some(middle) = trimmed(old, new, whole) else {
        return hunks;
    };
    if middle.removed.saturating_mul(middle.added) <= MAX_COST {
        refine(old, new, middle, &mut budget, &mut hunks);
        return hunks;
    }
    let (old_lines, new_lines) = (
        lines(part(old, middle.at, middle.removed), &is_end),
        lines(part(new, middle.from, middle.added), &is_end),
    );
    if old_lines.len().saturating_mul(new_lines.len()) > MAX_COST {
        hunks.push(middle);
        return hunks;
    }
    let length = |lines: &[&[T]]| lines.iter().map(|line| line.len()).sum::<usize>();
    let (mut at, mut from) = (middle.at, middle.from);
    for op in capture_diff_slices(Algorithm::Myers, &old_lines, &new_lines) {
        let removed = length(old_lines.get(op.old_range()).unwrap_or_default());
        let added = length(new_lines.get(op.new_range()).unwrap_or_default());
        if !matches!(op, DiffOp::Equal { .. }) {
            let hunk = Hunk {
                at,
                removed,
                from,
                added,
            };
            if let Some(hunk) = trimmed(old, new, hunk) {
                refine(old, new, hunk, &mut budget, &mut hunks);
            }
        }
        at += removed;
        from += added;
    }
    hunks
}

fn part<T>(all: &[T], at: usize, count: usize) -> &[T] {
    all.get(at..at + count).unwrap_or_default()
}

/// Without what both start and end with; None if nothing is left.
fn trimmed<T: Eq>(old: &[T], new: &[T], hunk: Hunk) -> Option<Hunk> {
    let (a, b) = (
        part(old, hunk.at, hunk.removed),
        part(new, hunk.from, hunk.added),
    );
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let most = a.len().min(b.len()) - same;
    let ends = a.iter().rev().zip(b.iter().rev());
    let tail = ends.take(most).take_while(|(a, b)| a == b).count();
    let hunk = Hunk {
        at: hunk.at + same,
        removed: hunk.removed - same - tail,
        from: hunk.from + same,
        added: hunk.added - same - tail,
    };
    (hunk.removed + hunk.added > 0).then_some(hunk)
}

fn refine<T: Eq + Ord + std::hash::Hash>(
    old: &[T],
    new: &[T],
    hunk: Hunk,
    budget: &mut usize,
    hunks: &mut Vec<Hunk>,
) {
    let cost = hunk.removed.saturating_mul(hunk.added);
    if cost == 0 || cost > *budget {
        hunks.push(hunk);
        return;
    }
    *budget -= cost;
    let ops = capture_diff_slices(
        Algorithm::Myers,
        part(old, hunk.at, hunk.removed),
        part(new, hunk.from, hunk.added),
    );
    // Positions are counted here: an operation knows for sure only those of its own side.
    let (mut at, mut from) = (hunk.at, hunk.from);
    for op in ops {
        let (removed, added) = (op.old_range().len(), op.new_range().len());
        if !matches!(op, DiffOp::Equal { .. }) {
            hunks.push(Hunk {
                at,
                removed,
                from,
                added,
            });
        }
        at += removed;
        from += added;
    }
}

/// Elements up to and with each end.
fn lines<'a, T>(all: &'a [T], is_end: &impl Fn(&T) -> bool) -> Vec<&'a [T]> {
    all.split_inclusive(is_end).collect()
}
