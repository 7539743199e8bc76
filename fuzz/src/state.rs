//! The claims on every CRDT type, in bytes and in text.

use std::cmp::Ordering;

use crdt::{Author, Crdt, Hlc, ReplicaId};

use super::Target;

/// Ticks beyond this are left out: a clock that is at its end cannot author any more.
const LAST_TICK: u64 = u64::MAX - (1 << 32);

/// An author that is past all that a value shows.
struct Clock {
    replica: ReplicaId,
    last: Hlc,
    is_exclusive: bool,
}

impl Clock {
    fn past<T: Crdt>(seen: &[&T], name: u8, is_exclusive: bool) -> Option<Self> {
        let shown = seen.iter().flat_map(|value| {
            let dots: Vec<u64> = value.version().iter().map(|dot| dot.counter).collect();
            dots.into_iter().chain([value.latest().0])
        });
        let last = shown.max().unwrap_or_default();
        (last < LAST_TICK).then_some(Self {
            replica: ReplicaId([name; 16]),
            last: Hlc(last),
            is_exclusive,
        })
    }
}

impl Author for Clock {
    fn replica(&self) -> ReplicaId {
        self.replica
    }

    fn tick(&mut self) -> Hlc {
        self.last = Hlc::next(self.last, 0);
        self.last
    }

    fn is_exclusive(&self) -> bool {
        self.is_exclusive
    }
}

/// The decoder of a type, named as the type, and that of its text form. The seeds follow from
/// plain literals: each alone, and written one over the other by two replicas.
pub fn targets<T: Crdt>(literals: &[&str]) -> [Target; 2] {
    let asked: Vec<T> = literals
        .iter()
        .filter_map(|literal| T::from_text(literal).ok())
        .collect();
    assert!(
        asked.len() == literals.len(),
        "{}: a seed is no literal",
        T::NAME
    );
    let mut values = vec![T::default()];
    let mut row: Option<T> = None;
    for (name, value) in (1..).zip(&asked) {
        values.push(value.clone());
        let seen: Vec<&T> = row.iter().collect();
        let Some(mut clock) = Clock::past(&seen, name % 2 + 1, true) else {
            continue;
        };
        if let Ok(written) = T::settle(row.as_ref(), value, &mut clock) {
            values.extend(T::delta(row.as_ref(), &written));
            values.extend(written.join(value));
            values.push(written.clone());
            row = Some(written);
        }
    }
    let texts = values.iter().map(T::to_text).map(String::into_bytes);
    [
        Target::new(T::NAME, bytes::<T>, values.iter().map(T::encode).collect()),
        Target::new(&format!("text_of_{}", T::NAME), text::<T>, texts.collect()),
    ]
}

fn bytes<T: Crdt>(bytes: &[u8]) {
    if let Ok(value) = T::decode(bytes) {
        assert!(value.encode() == bytes, "decoded what encodes otherwise");
        is_whole(&value);
        is_written(&value);
    }
}

fn text<T: Crdt>(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(value) = T::from_text(text) {
        let again = T::decode(&value.encode());
        assert!(
            again.is_ok_and(|again| again == value),
            "text gave what does not encode"
        );
        is_whole(&value);
    }
}

/// It can be shown, compared, joined with itself, and comes back from its text.
fn is_whole<T: Crdt>(value: &T) {
    let again = T::from_text(&value.to_text());
    assert!(
        again.is_ok_and(|again| again == *value),
        "the text form lost something"
    );
    let (_, _) = (value.value(), value.plain_text());
    let _ = value.to_json();
    let _ = value.reset();
    assert!(value.cmp_by_value(value) == Ordering::Equal);
    assert!(value.cmp_by_value(&T::default()) == T::default().cmp_by_value(value).reverse());
    for other in [value, &T::default()] {
        let joined = value.join(other);
        assert!(
            joined.is_ok_and(|joined| joined == *value),
            "it is not its own join"
        );
    }
    if let Ok(compact) = value.compact(&value.version()) {
        assert!(
            T::decode(&compact.encode()).is_ok(),
            "compacted to no state"
        );
    }
}

/// A row may be written with it, and what that gives can be stored, sent and joined.
fn is_written<T: Crdt>(value: &T) {
    for is_exclusive in [true, false] {
        let Some(mut clock) = Clock::past(&[value], 7, is_exclusive) else {
            return;
        };
        let Ok(row) = T::settle(None, value, &mut clock) else {
            return;
        };
        is_stored(&row);
        // The value is written over itself: it keeps what is settled.
        if let Ok(row) = T::settle(Some(value), value, &mut clock) {
            is_stored(&row);
        }
        if value.is_settled() {
            assert!(T::delta(Some(value), value).is_none(), "nothing changed");
            let whole = T::delta(None, value);
            assert!(
                whole.is_some_and(|whole| whole == *value),
                "a first delta is all of it"
            );
        }
    }
    for row in [None, Some(value), Some(&T::default())] {
        let _ = T::check_delta(value, ReplicaId([1; 16]), row);
    }
}

fn is_stored<T: Crdt>(row: &T) {
    assert!(row.is_settled(), "written without an author");
    let again = T::decode(&row.encode());
    assert!(
        again.is_ok_and(|again| again == *row),
        "wrote what cannot be read"
    );
}
