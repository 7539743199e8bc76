//! The digest tree against a naive reading of its definition, its bytes, and comparisons of two
//! maps that are apart, with honest sides and with one that lies.

use std::collections::BTreeMap;

use ledger::Hash;
use ledger::digest_tree::{
    Answer, BUCKET, BuildError, Builder, CompareFault, Comparison, Difference, DigestTree, Entry,
    Insert, MAX_ANSWER_BYTES, MAX_PREFIXES, MAX_QUESTION_BYTES, Node, NodeAnswer, ParcelError,
    Prefix, Question, Summary, named, respond, tag,
};
use proptest::prelude::*;
use proptest::sample::subsequence;

type Map = BTreeMap<Hash, Hash>;

fn digest(pieces: &[&[u8]]) -> Hash {
    *blake3::hash(&pieces.concat()).as_bytes()
}

/// Key number `n` of a map like that of a table: keys are digests.
fn key(n: u64) -> Hash {
    digest(&[b"key", &n.to_be_bytes()])
}

fn entries(map: &Map) -> Vec<Entry> {
    map.iter()
        .map(|(&key, &value)| Entry { key, value })
        .collect()
}

fn map_of(keys: impl IntoIterator<Item = u64>) -> Map {
    keys.into_iter().map(|n| (key(n), key(n + 1))).collect()
}

/// The definition in the module's text, word by word: no sharing, no streaming.
fn naive(entries: &[Entry], digits: usize) -> Node {
    let count = entries.len() as u64;
    if entries.len() <= BUCKET {
        let mut message = b"bcrdt/digest-bucket/v1\0".to_vec();
        message.push(count as u8);
        for entry in entries {
            message.extend([entry.key, entry.value].concat());
        }
        let digest = digest(&[&message]);
        return Node { count, digest };
    }
    let (mut mask, mut children) = (0u16, Vec::new());
    for digit in 0..16u16 {
        let shift = if digits.is_multiple_of(2) { 4 } else { 0 };
        let under = |entry: &&Entry| u16::from(entry.key[digits / 2] >> shift & 15) == digit;
        let under: Vec<Entry> = entries.iter().filter(under).copied().collect();
        if !under.is_empty() {
            mask |= 1 << digit;
            children.extend(naive(&under, digits + 1).digest);
        }
    }
    let digest = digest(&[
        b"bcrdt/digest-branch/v1\0",
        &count.to_be_bytes(),
        &mask.to_be_bytes(),
        &children,
    ]);
    Node { count, digest }
}

fn tree(map: &Map) -> DigestTree {
    let mut tree = DigestTree::default();
    for entry in entries(map) {
        assert_eq!(tree.insert(entry), Insert::Added);
    }
    tree
}

fn summary(entries: &[Entry]) -> Summary {
    let mut builder = Builder::new(Prefix::ROOT, 3);
    for entry in entries {
        builder.push(*entry).unwrap();
    }
    builder.finish()
}

/// Keys as a table has them, and keys that share all but their last digits.
fn keys() -> impl Strategy<Value = Hash> {
    prop_oneof![
        4 => any::<u64>().prop_map(key),
        1 => (0usize..32, any::<[u8; 2]>()).prop_map(|(at, tail)| {
            let mut key = [7; 32];
            key[at] = tail[0] & 0x33;
            key[31] = tail[1];
            key
        }),
    ]
}

fn maps(most: usize) -> impl Strategy<Value = Map> {
    proptest::collection::btree_map(keys(), (0u64..3).prop_map(key), 0..most)
}

/// Two maps that share most of their content.
fn two_maps() -> impl Strategy<Value = (Map, Map)> {
    (maps(400), maps(40)).prop_flat_map(|(common, more)| {
        let (common, more): (Vec<_>, Vec<_>) =
            (common.into_iter().collect(), more.into_iter().collect());
        let part = |all: Vec<(Hash, Hash)>| {
            let most = all.len();
            subsequence(all, 0..=most)
        };
        let most = common.len();
        let near = subsequence(common, most.saturating_sub(8)..=most);
        (near.clone(), part(more.clone()), near, part(more)).prop_map(|(a, b, c, d)| {
            let join = |x: Vec<_>, y: Vec<_>| x.into_iter().chain(y).collect::<Map>();
            (join(a, b), join(c, d))
        })
    })
}

/// Lets one side compare itself with another. Returns the keys that it found, and its questions.
fn compare(ours: &[Entry], theirs: &[Entry], limit: usize) -> (Vec<Hash>, Vec<Hash>, Comparison) {
    let (own, other) = (summary(ours), summary(theirs));
    let mut comparison = Comparison::new(limit);
    while let Some(question) = comparison.question() {
        let bytes = question.to_bytes();
        assert!(bytes.len() <= MAX_QUESTION_BYTES);
        let question = Question::from_bytes(&bytes).unwrap();
        let answer = respond(theirs, &other, &question).to_bytes();
        assert!(answer.len() <= MAX_ANSWER_BYTES);
        let answer = Answer::from_bytes(&answer).unwrap();
        comparison.take(ours, &own, &answer).unwrap();
    }
    let mine = comparison.ours().iter().map(|at| ours[*at as usize].key);
    let wanted = comparison.theirs().iter();
    let others = wanted.map(|it| named(theirs, it).expect("a tag that was given").1.key);
    (mine.collect(), others.collect(), comparison)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Two nodes that compute the digest in different ways (as rows stream by, or as they come)
    /// would report equal tables as different.
    #[test]
    fn every_way_gives_the_digest_of_the_definition(map in maps(400), seed in any::<u64>()) {
        let entries = entries(&map);
        let expected = naive(&entries, 0);
        prop_assert_eq!(summary(&entries).node, expected);
        let mut shuffled = entries.clone();
        shuffled.sort_by_key(|entry| digest(&[&seed.to_be_bytes(), &entry.key]));
        let mut tree = DigestTree::default();
        for (at, entry) in shuffled.iter().enumerate() {
            // Asked in between: what was known of a part must not outlive a change beneath.
            if at % 7 == 0 {
                tree.root();
            }
            prop_assert_eq!(tree.insert(*entry), Insert::Added);
            prop_assert_eq!(tree.insert(*entry), Insert::Known);
        }
        prop_assert_eq!(tree.root(), expected);
        prop_assert_eq!(tree.entries(), entries);
        prop_assert_eq!(DigestTree::from_bytes(&tree.to_bytes()).unwrap().to_bytes(), tree.to_bytes());
    }

    /// A range's digest that took in a row beside it would hide, or invent, a difference.
    #[test]
    fn a_range_is_the_map_of_its_entries(map in maps(300), a in keys(), b in keys()) {
        let tree = tree(&map);
        let (from, to) = (a.min(b), a.max(b));
        let inside: Vec<Entry> = entries(&map)
            .into_iter()
            .filter(|entry| entry.key >= from && entry.key <= to)
            .collect();
        prop_assert_eq!(tree.range_node(&from, &to), naive(&inside, 0));
        prop_assert_eq!(tree.range(&from, &to), inside);
    }

    /// A difference that is skipped stays unseen for ever.
    #[test]
    fn all_differences_are_found((ours, theirs) in two_maps(), limit in 0usize..50) {
        let mut expected = Vec::new();
        for key in ours.keys().chain(theirs.keys()).collect::<std::collections::BTreeSet<_>>() {
            let (a, b) = (ours.get(key).copied(), theirs.get(key).copied());
            if a != b {
                expected.push(Difference { key: *key, ours: a, theirs: b });
            }
        }
        let (a, b) = (tree(&ours), tree(&theirs));
        prop_assert_eq!(a.diff(&b, usize::MAX), expected.clone());
        let few: Vec<_> = expected.iter().take(limit).copied().collect();
        prop_assert_eq!(a.diff(&b, limit), few);

        let (ours, theirs) = (entries(&ours), entries(&theirs));
        let (mut mine, mut others, comparison) = compare(&ours, &theirs, 10_000);
        prop_assert!(!comparison.is_cut_short());
        mine.sort_unstable();
        others.sort_unstable();
        let keys = |side: fn(&Difference) -> Option<Hash>| -> Vec<Hash> {
            expected.iter().filter(|d| side(d).is_some()).map(|d| d.key).collect()
        };
        prop_assert_eq!(mine, keys(|difference| difference.ours));
        prop_assert_eq!(others, keys(|difference| difference.theirs));
    }

    /// What was added since a mark makes the same tree elsewhere, and nothing else of it.
    #[test]
    fn additions_carry_on_a_tree(map in maps(200), at in any::<prop::sample::Index>()) {
        let all = entries(&map);
        let (first, rest) = all.split_at(at.index(all.len() + 1));
        let mut here = DigestTree::default();
        for entry in first { here.insert(*entry); }
        let mark = here.root();
        let mut there = DigestTree::from_bytes(&here.to_bytes()).unwrap();
        for entry in rest.iter().rev() { here.insert(*entry); }
        let bytes = here.since(&mark).unwrap();
        prop_assert_eq!(there.extend(&bytes), Ok(rest.len()));
        prop_assert_eq!(there.root(), here.root());
        if !rest.is_empty() {
            let refused = matches!(there.extend(&bytes), Err(ParcelError::Elsewhere { .. }));
            prop_assert!(refused, "added twice");
        }
        let beyond = Node { count: all.len() as u64 + 1, ..mark };
        prop_assert_eq!(here.since(&beyond), None);
    }

    /// Bytes of strangers: a value or an error, and what decodes encodes to the same again.
    #[test]
    fn decoders_stand_hostile_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300), version in any::<bool>()) {
        let mut bytes = bytes;
        if version && !bytes.is_empty() { bytes[0] = 1; }
        if let Ok(question) = Question::from_bytes(&bytes) { prop_assert_eq!(question.to_bytes(), bytes.clone()); }
        if let Ok(answer) = Answer::from_bytes(&bytes) { prop_assert_eq!(answer.to_bytes(), bytes.clone()); }
        let labelled = [b"bcrdt/digest-tree/v1\0".to_vec(), bytes].concat();
        if let Ok(tree) = DigestTree::from_bytes(&labelled) { prop_assert_eq!(tree.to_bytes(), labelled); }
    }
}

/// If these change, nodes of two versions call equal tables different.
#[test]
fn golden_digests() {
    let hex = |hash: Hash| hex::encode(hash);
    let root = |count: u64| tree(&map_of(0..count)).root();
    assert_eq!(
        [0, 1, 16, 17, 1000].map(|count| hex(root(count).digest)),
        GOLDEN_ROOTS
    );
    let entry = Entry {
        key: key(0),
        value: key(1),
    };
    assert_eq!(hex::encode(tag(&entry)), GOLDEN_TAG);
    let question = Question {
        prefixes: vec![
            Prefix::ROOT,
            Prefix::of(&[0xab; 32], 1),
            Prefix::of(&[0xab; 32], 4),
        ],
    };
    assert_eq!(hex::encode(question.to_bytes()), "0100030001a004abab");
    let answer = Answer {
        nodes: vec![
            NodeAnswer::Empty,
            NodeAnswer::Bucket(vec![[1; 16]]),
            NodeAnswer::Branch(vec![(0, [2; 16]), (15, [3; 16])]),
        ],
    };
    let expected = format!(
        "01000300{}{}{}{}{}",
        "0101",
        "01".repeat(16),
        "028001",
        "02".repeat(16),
        "03".repeat(16)
    );
    assert_eq!(hex::encode(answer.to_bytes()), expected);
    let one = tree(&map_of(0..1));
    assert_eq!(
        one.to_bytes(),
        [
            b"bcrdt/digest-tree/v1\0".as_slice(),
            &1u64.to_be_bytes(),
            &key(0),
            &key(1)
        ]
        .concat()
    );
    let empty = DigestTree::default().root();
    assert_eq!(
        one.since(&empty).unwrap(),
        [
            b"bcrdt/digest-add/v1\0".as_slice(),
            &0u64.to_be_bytes(),
            &empty.digest,
            &1u64.to_be_bytes(),
            &key(0),
            &key(1)
        ]
        .concat()
    );
}

/// The digest must depend on each bit of each entry, and on nothing that is not there.
#[test]
fn any_change_changes_the_root() {
    let map = map_of(0..100);
    let root = tree(&map).root();
    for at in 0..100 {
        let mut changed = map.clone();
        changed.get_mut(&key(at)).unwrap()[31] ^= 1;
        assert_ne!(tree(&changed).root(), root, "value {at}");
        changed.remove(&key(at));
        assert_ne!(tree(&changed).root(), root, "without {at}");
    }
}

/// The tree only grows: a value that was vouched for cannot be replaced in it.
#[test]
fn another_value_is_refused() {
    let mut tree = tree(&map_of(0..40));
    let root = tree.root();
    let forged = Entry {
        key: key(5),
        value: [0; 32],
    };
    assert_eq!(tree.insert(forged), Insert::Conflict { value: key(6) });
    assert_eq!((tree.root(), tree.get(&key(5))), (root, Some(key(6))));
    assert_eq!(tree.get(&key(40)), None);
    assert_eq!((tree.len(), tree.is_empty()), (40, false));
}

/// Unsorted input would give a digest that nobody else gets.
#[test]
fn the_builder_demands_order() {
    let entry = |byte| Entry {
        key: [byte; 32],
        value: [0; 32],
    };
    let mut builder = Builder::new(Prefix::ROOT, 0);
    builder.push(entry(2)).unwrap();
    assert_eq!(builder.push(entry(1)), Err(BuildError::Order([1; 32])));
    assert_eq!(builder.push(entry(2)), Err(BuildError::Order([2; 32])));
    builder.push(entry(3)).unwrap();
    assert_eq!(builder.finish().node.count, 2);
    let mut builder = Builder::new(Prefix::of(&[2; 32], 2), 0);
    assert_eq!(builder.push(entry(1)), Err(BuildError::Elsewhere([1; 32])));
}

/// Few differences in a large map take few questions of few bytes, none takes one.
#[test]
fn the_price_of_a_comparison_goes_with_the_differences() {
    let map = map_of(0..50_000);
    let ours = entries(&map);
    let (_, _, same) = compare(&ours, &ours, 100);
    assert_eq!(same.questions(), 1);
    let mut other = map.clone();
    other.get_mut(&key(77)).unwrap()[0] ^= 1;
    other.remove(&key(78));
    let (mine, others, comparison) = compare(&ours, &entries(&other), 100);
    assert_eq!((mine.len(), others), (2, vec![key(77)]));
    assert!(
        comparison.questions() <= 5,
        "{} questions",
        comparison.questions()
    );
    let (mine, _, comparison) = compare(&ours, &[], 100);
    assert!(comparison.is_cut_short() && mine.len() > 100);
    let (_, others, comparison) = compare(&[], &ours, 100);
    assert!(comparison.is_cut_short() && others.len() > 100);
}

/// A peer that answers with nonsense for ever costs a bounded time and gets an error.
#[test]
fn a_liar_is_given_up() {
    let ours = entries(&map_of(0..1_000));
    let own = summary(&ours);
    let mut comparison = Comparison::new(100);
    let mut rounds = 0u8;
    let fault = loop {
        let question = comparison
            .question()
            .expect("it pretends that there is more");
        rounds = rounds.wrapping_add(1);
        let lie = |prefix: &Prefix| match prefix.child(0) {
            Some(_) => NodeAnswer::Branch((0..16).map(|digit| (digit, [rounds; 16])).collect()),
            None => NodeAnswer::Empty,
        };
        let nodes = question.prefixes.iter().map(lie).collect();
        if let Err(fault) = comparison.take(ours.as_slice(), &own, &Answer { nodes }) {
            break fault;
        }
    };
    assert_eq!(fault, CompareFault::Endless);

    let mut comparison = Comparison::new(100);
    comparison.question();
    let nodes = vec![NodeAnswer::Empty; 2];
    assert_eq!(
        comparison.take(ours.as_slice(), &own, &Answer { nodes }),
        Err(CompareFault::Count { asked: 1, got: 2 })
    );
}

/// Counts that the bytes do not hold must not be believed, and nothing may have two forms.
#[test]
fn decoders_refuse_what_is_not_canonical() {
    let refused = |bytes: &[u8]| {
        assert!(Question::from_bytes(bytes).is_err(), "{bytes:?}");
        assert!(Answer::from_bytes(bytes).is_err(), "{bytes:?}");
    };
    refused(&[]);
    refused(&[2, 0, 0]);
    refused(&[1, 0xff, 0xff]);
    refused(&[1, 0, 0, 9]);
    let too_many = (MAX_PREFIXES as u16 + 1).to_be_bytes();
    refused(&[[1].as_slice(), &too_many, &[0; 2_000]].concat());
    // Digits behind the prefix, prefixes that do not ascend, empty buckets and branches.
    assert!(Question::from_bytes(&[1, 0, 1, 1, 0xa1]).is_err());
    assert!(Question::from_bytes(&[1, 0, 2, 0, 0]).is_err());
    assert!(Answer::from_bytes(&[1, 0, 1, 1, 0]).is_err());
    assert!(Answer::from_bytes(&[1, 0, 1, 1, 17]).is_err());
    assert!(Answer::from_bytes(&[1, 0, 1, 2, 0, 0]).is_err());
    assert!(Answer::from_bytes(&[1, 0, 1, 3]).is_err());
    let tree = tree(&map_of(0..2));
    let bytes = tree.to_bytes();
    for end in 0..bytes.len() {
        assert!(DigestTree::from_bytes(&bytes[..end]).is_err(), "{end}");
    }
    let (head, rows) = bytes.split_at(bytes.len() - 128);
    let swapped = [head, &rows[64..], &rows[..64]].concat();
    assert!(DigestTree::from_bytes(&swapped).is_err());
    let mut known = DigestTree::default();
    let addition = tree.since(&known.root()).unwrap();
    assert!(known.extend(&addition[..addition.len() - 1]).is_err());
    assert_eq!(known.len(), 0);
}

const GOLDEN_ROOTS: [&str; 5] = [
    "ad28d8b6186a5f78cadacbc9f8a6dcf906e32321fb11cd55b434afafd5df50d1",
    "4b125c8efc033fc35e8686d369ee25e6296a252fd0c5acefb7be2717de8d2c00",
    "c1743d3856b892c1e9135dc8a7a0c497ca757f7997341afcfb1b30602d54145c",
    "7d66e8902dcbc05df76a3291cc32c0ca080b4129c36e3b8089043a0db196f6a6",
    "0326fec58dbf7e34378ab6995442fbb4e3721e9464e036e93b2507245b973e73",
];
const GOLDEN_TAG: &str = "2814dba3245d91eced6d818f838ed0ab";
