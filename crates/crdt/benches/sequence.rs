//! What a stored text of 100 KB costs: `cargo bench -p crdt --bench sequence`.

// The bench uses a part of it.
#[allow(dead_code)]
#[path = "../tests/world/trace.rs"]
mod trace;

use std::hint::black_box;
use std::time::{Duration, Instant};

use crdt::rga_text::{TextEdit, text_of_bytes};
use crdt::{Author, Crdt, Edit, Hlc, ReplicaId, RgaText};
use trace::Trace;

struct Clock(Hlc, u8);

impl Author for Clock {
    fn replica(&self) -> ReplicaId {
        ReplicaId([self.1; 16])
    }

    fn tick(&mut self) -> Hlc {
        self.0 = Hlc::next(self.0, 0);
        self.0
    }

    fn is_exclusive(&self) -> bool {
        true
    }
}

/// The median of many runs.
fn measure(name: &str, mut run: impl FnMut()) {
    let mut times: Vec<Duration> = (0..200)
        .map(|_| {
            let begun = Instant::now();
            run();
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!("{name}: {:?}", times[times.len() / 2]);
}

fn main() {
    let mut clock = Clock(Hlc(1), 1);
    let line = "The quick brown fox jumps over the lazy dog.\n";
    let text = line.repeat(100_000 / line.len() + 1);
    let plain = RgaText::settle(None, &RgaText::assign(text), &mut clock).unwrap();
    let mut edited = plain.clone();
    for number in 0..1_000 {
        let at = number * 7_919 % edited.length();
        let new = edited.insert(at, "new".to_owned()).unwrap();
        let new = new.delete(at / 2, 2).unwrap();
        edited = RgaText::settle(Some(&edited), &new, &mut clock).unwrap();
    }
    for (name, row) in [("one run", plain), ("1,000 edits", edited)] {
        let bytes = row.encode();
        println!("{name}: {} bytes, {} characters", bytes.len(), row.length());
        measure("  text of bytes", || {
            black_box(text_of_bytes(black_box(&bytes)).unwrap());
        });
        measure("  decode", || {
            black_box(RgaText::decode(black_box(&bytes)).unwrap());
        });
        measure("  decode of one's own", || {
            black_box(RgaText::decode_stored(black_box(&bytes)).unwrap());
        });
        measure("  encode", || {
            black_box(row.encode());
        });
        measure("  insert and settle", || {
            let new = row.insert(50_000, "x".to_owned()).unwrap();
            black_box(RgaText::settle(Some(&row), &new, &mut clock).unwrap());
        });
        measure("  decode, insert, settle, encode", || {
            let mut new = RgaText::decode(black_box(&bytes)).unwrap();
            let old = new.clone();
            new = new.insert(50_000, "x".to_owned()).unwrap();
            black_box(
                RgaText::settle(Some(&old), &new, &mut clock)
                    .unwrap()
                    .encode(),
            );
        });
        let edit = TextEdit::Insert {
            at: 50_000,
            content: "x".to_owned(),
        };
        let asked = RgaText::edit_bytes(&bytes, &edit).unwrap();
        measure("  as bytes: insert", || {
            black_box(RgaText::edit_bytes(black_box(&bytes), &edit).unwrap());
        });
        measure("  as bytes: settle", || {
            let old = black_box(bytes.as_slice());
            black_box(RgaText::settle_bytes(Some(old), &asked, &mut clock).unwrap());
        });
        let settled = RgaText::settle_bytes(Some(&bytes), &asked, &mut clock).unwrap();
        measure("  as bytes: delta", || {
            let old = black_box(bytes.as_slice());
            black_box(RgaText::delta_bytes(Some(old), &settled).unwrap());
        });
        let delta = RgaText::delta_bytes(Some(&bytes), &settled);
        let delta = delta.unwrap().unwrap();
        measure("  as bytes: join a delta", || {
            black_box(RgaText::join_bytes(black_box(&bytes), &delta).unwrap());
        });
        let mut other = Clock(Hlc(1 << 40), 2);
        let new = row.insert(50_000, "x".to_owned()).unwrap();
        let new = RgaText::settle(Some(&row), &new, &mut other).unwrap();
        let delta = RgaText::delta(Some(&row), &new).unwrap();
        measure("  join a delta", || {
            black_box(row.join(&delta).unwrap());
        });
        let mut alike = row.value().unwrap();
        alike.insert(50_000, 'x');
        let alike = RgaText::assign(alike).encode();
        measure("  as bytes: settle a value with one change", || {
            let old = black_box(bytes.as_slice());
            black_box(RgaText::settle_bytes(Some(old), &alike, &mut clock).unwrap());
        });
        let unlike: String = row.value().unwrap().chars().rev().collect();
        measure("  settle an unlike text", || {
            let new = RgaText::assign(unlike.clone());
            black_box(RgaText::settle(Some(&row), &new, &mut clock).unwrap());
        });
    }
    session_of_two();
    for (length, line) in [(2_000, 2_000), (1_000_000, 500), (1_000_000, 2_000_000)] {
        let first = RgaText::assign(unlike(3, length, line));
        let row = RgaText::settle(None, &first, &mut clock).unwrap();
        let new = RgaText::assign(unlike(5, length, line));
        let begun = Instant::now();
        black_box(RgaText::settle(Some(&row), &new, &mut clock).unwrap());
        let elapsed = begun.elapsed();
        println!("settle {length} unlike characters, {line} a line: {elapsed:?}");
    }
}

/// The deltas of two people who typed for hours, each joined on its own.
fn session_of_two() {
    let Some(trace) = Trace::named("friendsforever") else {
        return;
    };
    let mut clocks = [Clock(Hlc(1), 1), Clock(Hlc(2), 2)];
    let begun = Instant::now();
    let deltas = trace.deltas(&mut clocks, |clock, seen| clock.0 = clock.0.max(seen));
    println!("friendsforever: typed anew in {:?}", begun.elapsed());
    let encoded: Vec<Vec<u8>> = deltas.iter().map(Crdt::encode).collect();
    let each = |begun: Instant| begun.elapsed() / deltas.len() as u32;
    for _ in 0..3 {
        let (mut row, begun) = (RgaText::default(), Instant::now());
        for delta in &deltas {
            row.join_assign(delta).unwrap();
        }
        println!(
            "friendsforever: {} deltas, {:?} each",
            deltas.len(),
            each(begun)
        );
        assert_eq!(row.value().unwrap(), trace.end);
        let (mut bytes, begun) = (RgaText::default().encode(), Instant::now());
        for delta in &encoded {
            bytes = RgaText::join_bytes(&bytes, delta).unwrap();
        }
        println!("  as bytes, {:?} each, {} bytes", each(begun), bytes.len());
        assert_eq!(bytes, row.encode());
        let begun = Instant::now();
        for delta in &encoded {
            black_box(RgaText::decode(black_box(delta)).unwrap());
        }
        println!("  decode of a delta: {:?}", each(begun));
    }
}

/// Letters by chance.
fn unlike(factor: u64, length: usize, line: usize) -> String {
    let mut seed = factor;
    let mut letter = |at: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(factor);
        match (at + 1) % line {
            0 => '\n',
            _ => char::from(b'a' + (seed >> 59) as u8 % 26),
        }
    };
    (0..length).map(&mut letter).collect()
}
