//! Sequences against the plain tree of the paper, element by element.

mod world;

use std::collections::{BTreeMap, BTreeSet};

use crdt::{Crdt, CrdtError, RgaText};
use proptest::prelude::*;
use world::Clock;

/// Replica, tick, number.
type Id = (u8, u64, usize);

#[derive(Clone, Debug, PartialEq)]
struct Node {
    parent: Option<Id>,
    is_right: bool,
    right_origin: Option<Id>,
    content: char,
}

/// Algorithm 1 of the paper with the order of siblings of FugueMax, without any cleverness.
#[derive(Clone, Debug, Default, PartialEq)]
struct Tree {
    nodes: BTreeMap<Id, Node>,
    deleted: BTreeSet<Id>,
}

impl Tree {
    fn children(&self, parent: Option<Id>, is_right: bool) -> Vec<Id> {
        let of = |node: &Node| node.parent == parent && node.is_right == is_right;
        let children = self.nodes.iter().filter(|(_, node)| of(node));
        children.map(|(id, _)| *id).collect()
    }

    /// All elements in order; that of the right siblings needs that of their right origins.
    fn walk(&self, at: Option<Id>, behind: &mut Vec<Id>) {
        let mut right = self.children(at, true);
        let place = |id: &Id, behind: &Vec<Id>| match self.nodes[id].right_origin {
            None => 0,
            Some(origin) => behind.iter().position(|id| *id == origin).unwrap() + 1,
        };
        right.sort_by_key(|id| (place(id, behind), *id));
        right
            .iter()
            .rev()
            .for_each(|id| self.walk(Some(*id), behind));
        if let Some(id) = at {
            behind.push(id);
            let left = self.children(at, false);
            left.iter()
                .rev()
                .for_each(|id| self.walk(Some(*id), behind));
        }
    }

    fn order(&self) -> Vec<Id> {
        let mut behind = Vec::new();
        self.walk(None, &mut behind);
        behind.reverse();
        behind
    }

    fn living(&self) -> Vec<Id> {
        let order = self.order().into_iter();
        order.filter(|id| !self.deleted.contains(id)).collect()
    }

    fn text(&self) -> String {
        self.living()
            .iter()
            .map(|id| self.nodes[id].content)
            .collect()
    }

    fn insert(&mut self, at: usize, id: Id, content: char) {
        let left = at.checked_sub(1).map(|before| self.living()[before]);
        let order = self.order();
        let next = match left {
            None => order.first().copied(),
            Some(left) => {
                let place = order.iter().position(|id| *id == left).unwrap();
                order.get(place + 1).copied()
            }
        };
        let is_right = self.children(left, true).is_empty();
        let node = Node {
            parent: if is_right { left } else { next },
            is_right,
            right_origin: next,
            content,
        };
        self.nodes.insert(id, node);
    }

    fn delete(&mut self, at: usize, count: usize) {
        let gone = self.living()[at..at + count].to_vec();
        self.deleted.extend(gone);
    }

    fn join(&mut self, other: &Self) {
        self.nodes.extend(other.nodes.clone());
        self.deleted.extend(other.deleted.iter().copied());
    }
}

/// A replica as it is and as it should be.
#[derive(Clone)]
struct Peer {
    row: RgaText,
    tree: Tree,
    clock: Clock,
    versions: Vec<(RgaText, Tree)>,
}

impl Peer {
    fn new(name: u8) -> Self {
        Self {
            row: RgaText::default(),
            tree: Tree::default(),
            clock: Clock::new(name),
            versions: vec![(RgaText::default(), Tree::default())],
        }
    }

    /// Edits a version of the row, perhaps a stale one; gives the delta as it is and as it
    /// should be.
    fn edit(&mut self, back: usize, edit: &Typed) -> Option<(RgaText, Tree)> {
        let index = self.versions.len().saturating_sub(1 + back);
        let (base, mut tree) = self.versions[index].clone();
        let length = base.length();
        assert_eq!(length, tree.living().len());
        let at = edit.at.index(length + 1);
        let count = usize::from(edit.count).min(length - at);
        let new = base
            .delete(at, count)
            .and_then(|cut| cut.insert(at, edit.text.clone()))
            .unwrap();
        let old = self.row.clone();
        self.row = RgaText::settle(Some(&old), &new, &mut self.clock).unwrap();
        let before = self.tree.clone();
        tree.delete(at, count);
        for (number, content) in edit.text.chars().enumerate() {
            let id = (self.clock.replica.0[0], self.clock.last.0, number);
            tree.insert(at + number, id, content);
        }
        self.tree.join(&tree);
        self.check();
        let delta = RgaText::delta(Some(&old), &self.row)?;
        RgaText::check_delta(&delta, self.clock.replica, Some(&old)).unwrap();
        let mut made = self.tree.clone();
        made.nodes.retain(|id, _| !before.nodes.contains_key(id));
        made.deleted.retain(|id| !before.deleted.contains(id));
        Some((delta, made))
    }

    /// Whether the delta could be placed: all that it builds on must be there.
    fn admit(&mut self, (delta, tree): &(RgaText, Tree)) -> bool {
        let delta = RgaText::decode(&delta.encode()).unwrap();
        match self.row.join(&delta) {
            Ok(joined) => {
                self.row = joined;
                self.tree.join(tree);
                self.clock.observe(delta.latest());
                self.check();
                true
            }
            Err(CrdtError::MissingOrigin(_)) => false,
            Err(other) => panic!("{other}"),
        }
    }

    fn check(&mut self) {
        assert_eq!(self.row.value(), Ok(self.tree.text()));
        assert_eq!(RgaText::decode(&self.row.encode()), Ok(self.row.clone()));
        self.versions.push((self.row.clone(), self.tree.clone()));
    }
}

#[derive(Clone, Debug)]
struct Typed {
    at: prop::sample::Index,
    count: u8,
    text: String,
}

#[derive(Clone, Debug)]
enum Event {
    Edit {
        peer: usize,
        back: usize,
        typed: Typed,
    },
    /// Any delta of anyone, early, late or again.
    Deliver {
        to: usize,
        which: prop::sample::Index,
    },
    /// Two deltas as one.
    Regroup {
        to: usize,
        first: prop::sample::Index,
        second: prop::sample::Index,
    },
    /// A whole state, perhaps an old one.
    Branch { from: usize, back: usize, to: usize },
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let typed = (any::<prop::sample::Index>(), 0..3u8, "[a-cäé]{0,3}")
        .prop_map(|(at, count, text)| Typed { at, count, text });
    let peer = 0..3usize;
    let index = any::<prop::sample::Index>();
    let event = prop_oneof![
        5 => (peer.clone(), prop_oneof![3 => Just(0usize), 1 => 1..4usize], typed)
            .prop_map(|(peer, back, typed)| Event::Edit { peer, back, typed }),
        5 => (peer.clone(), index.clone())
            .prop_map(|(to, which)| Event::Deliver { to, which }),
        1 => (peer.clone(), index.clone(), index)
            .prop_map(|(to, first, second)| Event::Regroup { to, first, second }),
        1 => (peer.clone(), 0..3usize, peer)
            .prop_map(|(from, back, to)| Event::Branch { from, back, to }),
    ];
    prop::collection::vec(event, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Were the order another than the paper's, two people's words could interleave; were it
    /// not the same on all nodes, their texts would differ for ever.
    #[test]
    fn the_order_is_that_of_the_tree(events in events()) {
        let mut peers: Vec<Peer> = (1..=3).map(Peer::new).collect();
        let mut deltas: Vec<(RgaText, Tree)> = Vec::new();
        for event in &events {
            match event {
                Event::Edit { peer, back, typed } => {
                    deltas.extend(peers[*peer].edit(*back, typed));
                }
                Event::Deliver { to, which } if !deltas.is_empty() => {
                    peers[*to].admit(which.get(&deltas));
                }
                Event::Regroup { to, first, second } if !deltas.is_empty() => {
                    let ((a, left), (b, right)) = (first.get(&deltas), second.get(&deltas));
                    if let Ok(both) = a.join(b) {
                        let mut tree = left.clone();
                        tree.join(right);
                        peers[*to].admit(&(both, tree));
                    }
                }
                Event::Branch { from, back, to } => {
                    let versions = &peers[*from].versions;
                    let version = versions[versions.len().saturating_sub(1 + back)].clone();
                    prop_assert!(peers[*to].admit(&version), "a whole state always joins");
                }
                _ => (),
            }
        }
        // Whatever could not be placed yet comes again until it can.
        for peer in &mut peers {
            let mut waiting: Vec<&(RgaText, Tree)> = deltas.iter().rev().collect();
            while !waiting.is_empty() {
                let before = waiting.len();
                waiting.retain(|delta| !peer.admit(delta));
                prop_assert!(waiting.len() < before, "a delta that never fits");
            }
        }
        prop_assert_eq!(peers[0].row.encode(), peers[1].row.encode());
        prop_assert_eq!(peers[0].row.encode(), peers[2].row.encode());
    }
}

/// Types words at one place, character by character, forwards or backwards, each settled.
fn typed(base: &RgaText, at: usize, word: &str, forwards: bool, name: u8) -> RgaText {
    let mut clock = Clock::new(name);
    let mut row = base.clone();
    let mut letters: Vec<char> = word.chars().collect();
    if !forwards {
        letters.reverse();
    }
    for (number, letter) in letters.into_iter().enumerate() {
        let at = if forwards { at + number } else { at };
        let new = row.insert(at, letter.to_string()).unwrap();
        row = RgaText::settle(Some(&row), &new, &mut clock).unwrap();
    }
    row
}

/// Two people who write at the same place while apart must find their words whole afterwards.
#[test]
fn words_never_interleave() {
    let mut clock = Clock::new(9);
    let base = RgaText::settle(None, &RgaText::assign("ab".to_owned()), &mut clock).unwrap();
    for at in 0..3 {
        for (first, second) in [(true, true), (true, false), (false, true), (false, false)] {
            let here = typed(&base, at, "milk", first, 1);
            let there = typed(&base, at, "eggs", second, 2);
            let third = typed(&base, at, "bread", !first, 3);
            let two = here.join(&there).unwrap();
            let all = third.join(&two).unwrap();
            assert_eq!(
                all.encode(),
                there.join(&third).unwrap().join(&here).unwrap().encode()
            );
            let text = all.value().unwrap();
            for word in ["milk", "eggs", "bread"] {
                assert!(text.contains(word), "{word} in {text}");
            }
        }
    }
}
