//! Comparing two maps that are apart. One side asks for nodes, from the root downwards where they
//! differ, and finds which of its entries the other lacks and the tags of those that it lacks
//! itself; the other side answers from its sorted entries and keeps nothing between questions.

use super::builder::{Branch, Builder, Summary, children_of};
use super::hash::{Tag, short, tag};
use super::message::{Answer, MAX_PREFIXES, NodeAnswer, Question};
use super::prefix::{DIGITS, Prefix};
use super::{BUCKET, Entry};

/// Entries that are read at once.
const CHUNK: u64 = 1_024;

/// Entries in the order of their keys, wherever they lie.
pub trait Sorted {
    /// How many.
    fn len(&self) -> u64;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Up to `count` entries from place `first` on, fewer only at the end.
    fn read(&self, first: u64, count: u64) -> Vec<Entry>;
}

impl Sorted for [Entry] {
    fn len(&self) -> u64 {
        <[Entry]>::len(self) as u64
    }

    fn read(&self, first: u64, count: u64) -> Vec<Entry> {
        let place = |at: u64| {
            usize::try_from(at)
                .unwrap_or(usize::MAX)
                .min(<[Entry]>::len(self))
        };
        self.get(place(first)..place(first.saturating_add(count)))
            .unwrap_or_default()
            .to_vec()
    }
}

/// The place of the first entry that is not before what `is_before` says.
fn partition(entries: &(impl Sorted + ?Sized), is_before: impl Fn(&Entry) -> bool) -> u64 {
    let (mut low, mut high) = (0, entries.len());
    while low < high {
        let middle = low + (high - low) / 2;
        if entries.read(middle, 1).first().is_some_and(&is_before) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// The places of the entries under a prefix.
fn find(entries: &(impl Sorted + ?Sized), prefix: &Prefix) -> std::ops::Range<u64> {
    if prefix.digits() == 0 {
        return 0..entries.len();
    }
    let last = prefix.last_key();
    let from = partition(entries, |entry| entry.key < *prefix.first_key());
    let to = partition(entries, |entry| entry.key <= last);
    from..to.max(from)
}

/// What is under one prefix here.
enum Own {
    Few(Vec<Entry>),
    Many(Branch),
}

fn look(entries: &(impl Sorted + ?Sized), summary: &Summary, prefix: &Prefix) -> Own {
    if let Some(branch) = summary.branches.get(prefix) {
        return Own::Many(branch.clone());
    }
    let places = find(entries, prefix);
    if places.end - places.start <= BUCKET as u64 {
        return Own::Few(entries.read(places.start, places.end - places.start));
    }
    let mut builder = Builder::new(*prefix, prefix.digits());
    let mut at = places.start;
    while at < places.end {
        let chunk = entries.read(at, CHUNK.min(places.end - at));
        if chunk.is_empty() {
            break;
        }
        at += chunk.len() as u64;
        for entry in chunk {
            // Sorted, as the trait demands; one that is not is as good as missing.
            let _in_order = builder.push(entry);
        }
    }
    let branches = builder.finish().branches;
    Own::Many(branches.into_values().next().unwrap_or_default())
}

/// Answers a question from the entries and the summary that they went by for.
pub fn respond(entries: &(impl Sorted + ?Sized), summary: &Summary, question: &Question) -> Answer {
    let node = |prefix| match look(entries, summary, prefix) {
        Own::Few(few) if few.is_empty() => NodeAnswer::Empty,
        Own::Few(few) => NodeAnswer::Bucket(few.iter().map(tag).collect()),
        Own::Many(branch) => {
            let children = branch.children.iter();
            NodeAnswer::Branch(children.map(|(d, child)| (*d, short(child))).collect())
        }
    };
    Answer {
        nodes: question.prefixes.iter().map(node).collect(),
    }
}

/// An answer that no honest side gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CompareFault {
    /// Another number of nodes than was asked for.
    #[error("asked for {asked} nodes, got {got}")]
    Count {
        /// Prefixes of the question.
        asked: usize,
        /// Nodes of the answer.
        got: usize,
    },
    /// A whole key cannot have more than one entry.
    #[error("more than one entry under a whole key")]
    Deep,
    /// Digests differ again and again, with no entry that differs.
    #[error("its digests differ without an entry that differs")]
    Endless,
}

/// An entry that only the other side has, or has otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Theirs {
    /// Under which its bucket stands.
    pub prefix: Prefix,
    /// Its tag.
    pub tag: Tag,
}

/// The asking side of a comparison.
pub struct Comparison {
    /// Still to be asked for; the end first, so that what is found is found soon and little waits.
    waiting: Vec<Prefix>,
    /// Asked for now, ascending.
    asked: Vec<Prefix>,
    limit: usize,
    questions: usize,
    total_asked: usize,
    ours: Vec<u64>,
    theirs: Vec<Theirs>,
    cut_short: bool,
}

impl Comparison {
    /// Finds up to about `limit` entries on each side, then stops.
    pub fn new(limit: usize) -> Self {
        Self {
            waiting: vec![Prefix::ROOT],
            asked: Vec::new(),
            limit,
            questions: 0,
            total_asked: 0,
            ours: Vec::new(),
            theirs: Vec::new(),
            cut_short: false,
        }
    }

    /// The next question; `None` when the comparison is at its end.
    pub fn question(&mut self) -> Option<Question> {
        if self.asked.is_empty() {
            let from = self.waiting.len().saturating_sub(MAX_PREFIXES);
            self.asked = self.waiting.split_off(from);
            self.asked.sort_unstable();
            self.total_asked = self.total_asked.saturating_add(self.asked.len());
            self.questions += usize::from(!self.asked.is_empty());
        }
        (!self.asked.is_empty()).then(|| Question {
            prefixes: self.asked.clone(),
        })
    }

    /// Takes in the answer to the last question.
    ///
    /// # Errors
    /// The answer fits no tree; the comparison is of no use any more.
    pub fn take(
        &mut self,
        entries: &(impl Sorted + ?Sized),
        summary: &Summary,
        answer: &Answer,
    ) -> Result<(), CompareFault> {
        let asked = std::mem::take(&mut self.asked);
        if asked.len() != answer.nodes.len() {
            return Err(CompareFault::Count {
                asked: asked.len(),
                got: answer.nodes.len(),
            });
        }
        for (prefix, node) in asked.iter().zip(&answer.nodes) {
            match node {
                NodeAnswer::Empty => self.ours_under(entries, prefix, &[]),
                NodeAnswer::Bucket(tags) => {
                    if prefix.digits() == DIGITS && tags.len() > 1 {
                        return Err(CompareFault::Deep);
                    }
                    self.bucket(entries, prefix, tags);
                }
                NodeAnswer::Branch(children) => {
                    if prefix.digits() == DIGITS {
                        return Err(CompareFault::Deep);
                    }
                    self.branch(entries, summary, prefix, children);
                }
            }
            if self.ours.len() > self.limit || self.theirs.len() > self.limit {
                self.cut_short = true;
                self.waiting.clear();
                break;
            }
        }
        // Each prefix after the root holds a difference, on both sides as one entry or two.
        let most = (self.limit.saturating_add(MAX_PREFIXES)).saturating_mul(2 * DIGITS);
        if self.total_asked > most {
            return Err(CompareFault::Endless);
        }
        Ok(())
    }

    /// Notes own entries under a prefix whose tags are not among the other side's.
    fn ours_under(&mut self, entries: &(impl Sorted + ?Sized), prefix: &Prefix, tags: &[Tag]) {
        let places = find(entries, prefix);
        let mut at = places.start;
        while at < places.end && self.ours.len() <= self.limit {
            let chunk = entries.read(at, CHUNK.min(places.end - at));
            if chunk.is_empty() {
                break;
            }
            let lacking = (at..).zip(&chunk).filter(|(_, e)| !tags.contains(&tag(e)));
            self.ours.extend(lacking.map(|(at, _)| at));
            at += chunk.len() as u64;
        }
    }

    fn bucket(&mut self, entries: &(impl Sorted + ?Sized), prefix: &Prefix, tags: &[Tag]) {
        self.ours_under(entries, prefix, tags);
        let places = find(entries, prefix);
        let mut unknown = tags.to_vec();
        let mut at = places.start;
        while at < places.end && !unknown.is_empty() {
            let chunk = entries.read(at, CHUNK.min(places.end - at));
            if chunk.is_empty() {
                break;
            }
            at += chunk.len() as u64;
            for entry in &chunk {
                let known = tag(entry);
                unknown.retain(|tag| *tag != known);
            }
        }
        let prefix = *prefix;
        let lacking = unknown.into_iter().map(|tag| Theirs { prefix, tag });
        self.theirs.extend(lacking);
    }

    fn branch(
        &mut self,
        entries: &(impl Sorted + ?Sized),
        summary: &Summary,
        prefix: &Prefix,
        theirs: &[(u8, Tag)],
    ) {
        let ours: Vec<(u8, Tag)> = match look(entries, summary, prefix) {
            Own::Few(few) => children_of(&few, prefix.digits())
                .map(|(digit, child)| (digit, short(&child)))
                .collect(),
            Own::Many(branch) => {
                let children = branch.children.iter();
                children
                    .map(|(digit, child)| (*digit, short(child)))
                    .collect()
            }
        };
        let of = |children: &[(u8, Tag)], digit| {
            let child = children.iter().find(|(d, _)| *d == digit);
            child.map(|(_, digest)| *digest)
        };
        for digit in 0..16 {
            let Some(child) = prefix.child(digit) else {
                return;
            };
            match (of(&ours, digit), of(theirs, digit)) {
                (ours, theirs) if ours == theirs => {}
                (_, Some(_)) => self.waiting.push(child),
                (_, None) => self.ours_under(entries, &child, &[]),
            }
        }
    }

    /// Places of own entries that the other side lacks, or has otherwise.
    pub fn ours(&self) -> &[u64] {
        &self.ours
    }

    /// Entries of the other side that are lacking here, or are otherwise.
    pub fn theirs(&self) -> &[Theirs] {
        &self.theirs
    }

    /// Whether there were more than the limit.
    pub fn is_cut_short(&self) -> bool {
        self.cut_short
    }

    /// Questions asked so far.
    pub fn questions(&self) -> usize {
        self.questions
    }
}

/// The entry that a tag under a prefix means here.
pub fn named(entries: &(impl Sorted + ?Sized), wanted: &Theirs) -> Option<(u64, Entry)> {
    let places = find(entries, &wanted.prefix);
    let count = (places.end - places.start).min(BUCKET as u64);
    let few = entries.read(places.start, count);
    (places.start..)
        .zip(few)
        .find(|(_, entry)| tag(entry) == wanted.tag)
}
