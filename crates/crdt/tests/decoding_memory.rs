//! How much memory hostile bytes take while they are decoded, for every type.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

use crdt::codec::{put_bytes, put_varint};
use crdt::{AnyState, Author, ColumnKind, Crdt, Hlc, ReplicaId, Rga, RgaText};

/// Counts what this thread holds; passes all on to the system's allocator.
struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
}

fn count(more: usize, less: usize) {
    let held = (HELD.get() + more).saturating_sub(less);
    HELD.set(held);
    MOST.set(MOST.get().max(held));
}

// An allocator cannot be written without; this one only counts.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(0, layout.size());
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The most bytes held while `act` ran, beyond those held before.
fn most_held<T>(act: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    MOST.set(before);
    let result = act();
    (result, MOST.get() - before)
}

/// Decoding takes at most so many times the bytes, and a little more.
fn times(kind: ColumnKind) -> usize {
    match kind {
        // Ordering the elements takes as much again as holding them.
        ColumnKind::Rga | ColumnKind::RgaText => 32,
        _ => 16,
    }
}

const MORE: usize = 64 << 10;

/// Bytes to a length.
struct Bytes {
    out: Vec<u8>,
}

impl Bytes {
    fn of(parts: &[&[u8]]) -> Self {
        Self {
            out: parts.concat(),
        }
    }

    fn varint(mut self, number: usize) -> Self {
        put_varint(&mut self.out, number as u64);
        self
    }

    fn and(mut self, bytes: &[u8]) -> Self {
        self.out.extend_from_slice(bytes);
        self
    }

    /// A count, and so many items of what `item` appends for each.
    fn counted(mut self, count: usize, mut item: impl FnMut(&mut Vec<u8>, usize)) -> Self {
        put_varint(&mut self.out, count as u64);
        (0..count).for_each(|index| item(&mut self.out, index));
        self
    }

    /// A context or table of one replica that has seen ticks 1 to `upto`.
    fn context(self, upto: usize) -> Self {
        self.and(&[1]).and(&[1; 16]).and(&[1, 0]).varint(upto - 1)
    }
}

/// Short texts, ascending.
fn key(index: usize) -> Vec<u8> {
    let digit = |shift: usize| b'0' + (index >> shift & 63) as u8;
    vec![digit(12), digit(6), digit(0)]
}

fn put_key(out: &mut Vec<u8>, index: usize) {
    put_bytes(out, &key(index));
}

/// The most that keys of three bytes can tell apart.
const KEYS: usize = 1 << 18;

fn slots(kind: ColumnKind, size: usize) -> Vec<Vec<u8>> {
    let (header, numbers): (usize, usize) = match kind {
        ColumnKind::PnCounter => (0, 16),
        ColumnKind::GCounter => (0, 8),
        _ => (4, 24),
    };
    let count = (size / (24 + numbers)).min(65_535) as u16;
    let mut bytes = Bytes::of(&[&[1, 0], &count.to_be_bytes(), &vec![0; header]]).out;
    for index in 0..u64::from(count) {
        bytes.extend([[0; 8], index.to_be_bytes(), [1; 8]].concat());
        bytes.extend(vec![0; numbers]);
    }
    vec![bytes]
}

fn vector_clocks(size: usize) -> Vec<Vec<u8>> {
    let entry = |out: &mut Vec<u8>, index: usize| {
        out.extend([[0; 8], (index as u64).to_be_bytes(), [1; 8]].concat());
    };
    vec![
        Bytes::of(&[&[1, 0]])
            .counted((size / 24).min(60_000), entry)
            .out,
    ]
}

fn b_counters(size: usize) -> Vec<Vec<u8>> {
    let mut all = slots(ColumnKind::BCounter, size);
    // One slot that gives to many.
    let count = (size / 48).min(65_000);
    let mut bytes = Bytes::of(&[
        &[1, 0, 0, 1],
        &(count as u16).to_be_bytes(),
        &[0, 0],
        &[1; 24],
    ]);
    bytes.out.extend([0; 24]);
    for index in 0..count as u64 {
        bytes.out.extend([1; 24]);
        bytes
            .out
            .extend([[0; 8], index.to_be_bytes(), [1; 8]].concat());
    }
    all.push(bytes.out);
    all
}

fn aw_sets(size: usize) -> Vec<Vec<u8>> {
    let spans = Bytes::of(&[&[1, 0, 1], &[1; 16]])
        .counted(size / 2, |out, _| out.extend([1, 0]))
        .and(&[0]);
    let count = (size / 6).min(KEYS);
    let mut elements = Bytes::of(&[&[1, 0]]).context(100).varint(count);
    elements.out.extend(vec![3; count]);
    (0..count).for_each(|index| elements.out.extend(key(index)));
    elements.out.extend(vec![0; 2 * count]);
    // One element with two dots, and all dots under one.
    let dots = size / 5;
    let mut many = Bytes::of(&[&[1, 0]]).context(dots).and(&[1, 1, b'a']);
    for dot in 0..dots {
        many = many.and(&[u8::from(dot + 1 < dots)]).varint(dot);
    }
    let asked = Bytes::of(&[&[1, 2, 0, 0]]).counted((size / 4).min(KEYS), put_key);
    vec![spans.out, elements.out, many.out, asked.out]
}

fn or_sets(size: usize) -> Vec<Vec<u8>> {
    let table = |bytes: Bytes| bytes.and(&[1]).and(&[1; 16]).and(&[1]);
    let removed = table(Bytes::of(&[&[1, 0]]))
        .and(&[0])
        .counted(size, |out, _| out.push(0));
    let elements = table(Bytes::of(&[&[1, 0]]))
        .counted((size / 7).min(KEYS), |out, index| {
            put_key(out, index);
            out.extend([1, 0, (index % 100) as u8]);
        })
        .and(&[0]);
    let dots = table(Bytes::of(&[&[1, 0]]))
        .and(&[1, 1, b'a'])
        .counted(size / 2, |out, _| out.extend([0, 0]))
        .and(&[0]);
    let replicas = size / 18;
    let mut floor = Bytes::of(&[&[1, 4, 0, 0]]).varint(replicas);
    for index in 0..replicas as u64 {
        floor.out.extend([[0; 8], index.to_be_bytes()].concat());
        floor.out.push(1);
    }
    let asked = Bytes::of(&[&[1, 2, 0, 0]]).counted((size / 4).min(KEYS), put_key);
    vec![removed.out, elements.out, dots.out, floor.out, asked.out]
}

fn lww_tables(size: usize) -> Vec<Vec<u8>> {
    let table = |bytes: Bytes| bytes.and(&[0, 1]).and(&[1; 16]).and(&[1]);
    let entries =
        table(Bytes::of(&[&[1, 0]]))
            .and(&[0])
            .counted((size / 7).min(KEYS), |out, index| {
                put_key(out, index);
                out.extend([0, 0, 1]);
            });
    let births = table(Bytes::of(&[&[1, 0]]))
        .counted(size / 4, |out, index| {
            out.push(0);
            put_varint(out, index as u64);
        })
        .and(&[0]);
    let change = |code: u8| {
        Bytes::of(&[&[1, code, 0, 0, 0, 0]]).counted((size / 5).min(KEYS), |out, index| {
            put_key(out, index);
            out.push(1);
        })
    };
    vec![entries.out, births.out, change(1).out, change(2).out]
}

fn mv_registers(size: usize) -> Vec<Vec<u8>> {
    let replicas = size / (19 + 64 * 4);
    let mut live = Bytes::of(&[&[1, 0]]).varint(replicas);
    for index in 0..replicas as u64 {
        live.out.extend([[0; 8], index.to_be_bytes()].concat());
        live.out.extend([1, 0, 63]);
    }
    let live = live.counted(replicas * 64, |out, index| {
        put_varint(out, index as u64 / 64);
        out.extend([63 - (index % 64) as u8, 1, b'1']);
    });
    let wanted = Bytes::of(&[&[1, 1, 0, 0]]).counted(size / 7, |out, index| {
        put_bytes(out, (100_000 + index).to_string().as_bytes());
    });
    vec![live.out, wanted.out]
}

fn or_maps(size: usize) -> Vec<Vec<u8>> {
    let head = |code: u8| Bytes::of(&[&[1, code]]).context(100).and(&[0]);
    let state = |code: u8| head(code).and(&[0]);
    /// A map inside a map and so on, the innermost with a leaf.
    fn chain(out: &mut Vec<u8>, depth: usize, key: &[u8], leaf: &[u8]) {
        for _ in 1..depth {
            put_bytes(out, key);
            out.extend([1, 1]);
        }
        put_bytes(out, key);
        out.extend(leaf);
    }
    let chains = |bytes: Bytes, key: &'static [u8], leaf: &'static [u8]| {
        let each = 6 + 30 * (3 + key.len()) + key.len() + 1 + leaf.len();
        bytes.counted(size / each, |out, index| {
            put_key(out, index);
            out.extend([1, 1]);
            chain(out, 31, key, leaf);
        })
    };
    let keys = |bytes: Bytes, leaf: &'static [u8]| {
        let count = (size / (4 + leaf.len())).min(KEYS);
        bytes.counted(count, |out, index| {
            put_key(out, index);
            out.extend(leaf);
        })
    };
    let shares = head(0)
        .and(&[1, 1, b'a', 4])
        .counted(size / 3, |out, _| out.extend([0, 0, 1]));
    let mut shares = shares.out;
    // The context of the state must cover them all.
    let wide = Bytes::of(&[&[1, 0]]).context(size).and(&[0]).out;
    shares.splice(..head(0).out.len(), wide.iter().copied());
    let mut values = head(0)
        .and(&[1, 1, b'a', 8])
        .counted(size / 4, |out, _| out.extend([0, 0, 1, b'1']))
        .out;
    values.splice(..head(0).out.len(), wide);
    let elements = head(0)
        .and(&[1, 1, b'a', 2])
        .counted((size / 7).min(KEYS), |out, index| {
            put_key(out, index);
            out.extend([1, 0, 0]);
        });
    vec![
        chains(head(0), b"", &[4, 1, 0, 0, 1]).out,
        chains(head(0), b"k", &[8, 1, 0, 0, 1, b'1']).out,
        keys(head(0), &[4, 1, 0, 0, 1]).out,
        keys(head(0), &[8, 1, 0, 0, 1, b'1']).out,
        keys(head(0), &[2, 1, 0, 1, 0, 0]).out,
        keys(
            head(0),
            &[
                15, 1, 0, 4, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, b'1',
            ],
        )
        .out,
        shares,
        values,
        elements.out,
        chains(state(1), b"", &[4, 1]).out,
        keys(state(1), &[4, 1]).out,
        keys(state(1), &[8, 1, b'1']).out,
        keys(state(1), &[2, 1, 1, b'a']).out,
        keys(state(1), &[14, 1, 1, b'a', 1, 1, b'1']).out,
        state(1)
            .and(&[1, 1, b'a', 2])
            .counted((size / 4).min(KEYS), put_key)
            .out,
        chains(state(2), b"", &[4, 1]).out,
        keys(state(2), &[4, 1]).out,
        keys(state(2), &[8, 1, b'1']).out,
        keys(state(2), &[2, 1, 1, b'a']).out,
        state(2)
            .and(&[1, 1, b'a', 2])
            .counted((size / 4).min(KEYS), put_key)
            .out,
    ]
}

fn registers(size: usize) -> Vec<Vec<u8>> {
    let mut list = "[".to_owned();
    list.push_str(&"0, ".repeat(size / 3));
    list.push_str("0]");
    let mut deep = "[".repeat(500);
    deep.push_str(&"]".repeat(500));
    [list, deep]
        .iter()
        .map(|text| {
            let mut bytes = vec![1, 2];
            let canonical = crdt::json::canonical(text).unwrap();
            put_bytes(&mut bytes, canonical.as_bytes());
            bytes
        })
        .collect()
}

struct Clock(u8, u64);

impl Author for Clock {
    fn replica(&self) -> ReplicaId {
        ReplicaId([self.0; 16])
    }

    fn tick(&mut self) -> Hlc {
        self.1 += 1;
        Hlc(self.1)
    }

    fn is_exclusive(&self) -> bool {
        true
    }
}

/// A sequence that many short operations made, one inside the other.
fn sequences<T: Crdt>(literal: impl Fn(&str) -> T, size: usize) -> Vec<Vec<u8>> {
    let mut clocks = [Clock(1, 0), Clock(2, 1_000_000)];
    let mut row = T::settle(None, &literal(""), &mut clocks[0]).unwrap();
    let mut text = String::new();
    let steps = (size / 20).min(200);
    for step in 0..steps {
        let at = if step % 3 == 0 { 0 } else { text.len() / 2 };
        text.insert(at, (b'a' + (step % 26) as u8) as char);
        row = T::settle(Some(&row), &literal(&text), &mut clocks[step % 2]).unwrap();
    }
    // The same with nothing left but what was deleted.
    let gone = T::settle(Some(&row), &literal(""), &mut clocks[0]).unwrap();
    vec![
        row.encode(),
        gone.encode(),
        literal(&"ab".repeat(size / 16)).encode(),
    ]
}

fn worst(kind: ColumnKind, size: usize) -> Vec<Vec<u8>> {
    let list = |text: &str| {
        let items: Vec<String> = text.chars().map(|c| format!("\"{c}\"")).collect();
        Rga::from_text(&format!("[{}]", items.join(","))).unwrap()
    };
    match kind {
        ColumnKind::Plain => Vec::new(),
        ColumnKind::PnCounter | ColumnKind::GCounter => slots(kind, size),
        ColumnKind::BCounter => b_counters(size),
        ColumnKind::OrSet => or_sets(size),
        ColumnKind::AwSet => aw_sets(size),
        ColumnKind::LwwRegister => registers(size),
        ColumnKind::MvRegister => mv_registers(size),
        ColumnKind::LwwSet | ColumnKind::LwwMap => lww_tables(size),
        ColumnKind::OrMap | ColumnKind::OrCart => or_maps(size),
        ColumnKind::Rga => sequences(list, size),
        ColumnKind::RgaText => sequences(|text| RgaText::from_text(text).unwrap(), size),
        ColumnKind::VectorClock => vector_clocks(size),
        ColumnKind::HlcRegister => vec![vec![1; 200]],
    }
}

fn kinds() -> impl Iterator<Item = ColumnKind> {
    (1..=15).map(|code| ColumnKind::of(code).unwrap())
}

fn check(kind: ColumnKind, case: usize, bytes: &[u8]) -> bool {
    let (state, most) = most_held(|| black_box(AnyState::decode(kind, bytes)));
    assert!(
        most <= times(kind) * bytes.len() + MORE,
        "{kind:?}, case {case}: {most} bytes for {} ({:.1} times)",
        bytes.len(),
        most as f64 / bytes.len() as f64
    );
    state.is_ok()
}

/// Anybody who may send a row could stop the server with a few megabytes.
#[test]
fn hostile_bytes_take_little_memory() {
    for kind in kinds() {
        let size = match kind {
            // As those of or_map and lww_map are.
            ColumnKind::OrCart | ColumnKind::LwwSet => 1 << 16,
            _ => 1 << 20,
        };
        for (case, bytes) in worst(kind, size).iter().enumerate() {
            // A case that is refused at its first bytes would show nothing.
            let may_be_refused = match kind {
                // What is no counter, and what is too long.
                ColumnKind::OrCart | ColumnKind::HlcRegister => true,
                _ => false,
            };
            let is_good = check(kind, case, bytes);
            assert!(is_good || may_be_refused, "{kind:?}, case {case}: refused");
            // The last byte is missing: all was read and nothing kept.
            check(
                kind,
                case,
                bytes.split_last().map_or(&[][..], |(_, head)| head),
            );
        }
    }
}

/// The same where counts and lengths lie.
#[test]
fn altered_bytes_take_little_memory() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for kind in kinds() {
        for (case, bytes) in worst(kind, 20_000).iter().enumerate() {
            for _ in 0..20 {
                let mut altered = bytes.clone();
                for _ in 0..=random % 3 {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    let at = random as usize % altered.len();
                    // The counts stand in front.
                    let at = if random >> 40 & 1 == 0 {
                        at % 64.min(altered.len())
                    } else {
                        at
                    };
                    altered[at] = (random >> 32) as u8;
                }
                check(kind, case, &altered);
            }
        }
    }
}
