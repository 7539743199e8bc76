//! Carts: maps whose keys all hold counters.

mod world;

use std::collections::BTreeMap;

use crdt::or_cart::CartEdit;
use crdt::or_map::{MapEdit, Nested};
use crdt::{Crdt, DecodeError, Edit, OrCart, OrMap, TextError};
use world::laws::laws;
use world::{Clock, Driven};

impl Driven for OrCart {
    fn literal(seed: u8) -> Self {
        let key = |bit: u8| (seed >> bit & 1 == 1).then(|| (format!("k{bit}"), i64::from(seed)));
        Self::assign((0..3).filter_map(key).collect())
    }

    fn operated(&self, seed: u8) -> Self {
        let key = format!("k{}", seed & 3);
        let amount = i64::from(seed >> 4) - 7;
        let edit = match seed >> 2 & 3 {
            0 | 1 => CartEdit::Add { key, amount },
            2 => CartEdit::Put { key, count: amount },
            _ => CartEdit::Remove { key },
        };
        self.edited(&edit).unwrap()
    }
}

laws! { or_cart: OrCart; }

/// The cart of the Dynamo paper: what was taken out must not come back, and what another
/// added at the same time must not be lost.
#[test]
fn a_removal_takes_what_it_saw() {
    let (mut a, mut b) = (Clock::new(1), Clock::new(2));
    let row = OrCart::settle(None, &OrCart::from_text(r#"{"book":2}"#).unwrap(), &mut a).unwrap();
    b.observe(row.latest());
    let key = || "book".to_owned();
    let removed = row.edited(&CartEdit::Remove { key: key() }).unwrap();
    let removed = OrCart::settle(Some(&row), &removed, &mut a).unwrap();
    let more = row
        .edited(&CartEdit::Add {
            key: key(),
            amount: 3,
        })
        .unwrap();
    let more = OrCart::settle(Some(&row), &more, &mut b).unwrap();
    let joined = removed.join(&more).unwrap();
    assert_eq!(joined.value(), Ok(BTreeMap::from([(key(), 3)])));
}

/// Who writes a price for a count must be told at which key.
#[test]
fn only_whole_numbers_count() {
    let fault = OrCart::from_text(r#"{"a":1,"b":1.5}"#).unwrap_err();
    assert!(matches!(&fault, TextError::NoCount { key, .. } if key == "b"));
    assert!(fault.to_string().contains("\"b\""));
    for text in [
        r#"{"a":"1"}"#,
        r#"{"a":9223372036854775808}"#,
        "[]",
        "1",
        "{",
    ] {
        assert!(OrCart::from_text(text).is_err(), "{text}");
    }
}

/// A map's bytes that hold more than counters are no cart.
#[test]
fn other_kinds_are_no_cart() {
    let path = vec!["a".to_owned()];
    let counter = MapEdit::Put {
        path: path.clone(),
        value: Nested::Counter(1),
    };
    let register = MapEdit::Put {
        path,
        value: Nested::Register("1".to_owned()),
    };
    let mut a = Clock::new(1);
    let map = |edit: &MapEdit| OrMap::default().edited(edit).unwrap();
    let fault = Err(DecodeError::NotCanonical("a cart holds only counters"));
    assert!(OrCart::decode(&map(&counter).encode()).is_ok());
    assert_eq!(OrCart::decode(&map(&register).encode()), fault);
    let settled = OrMap::settle(None, &map(&register), &mut a).unwrap();
    assert_eq!(OrCart::decode(&settled.encode()), fault);
}

/// Bytes of stored carts must read the same in every release.
#[test]
fn golden_bytes() {
    let mut a = Clock::new(1);
    let row = OrCart::assign(BTreeMap::from([
        ("a".to_owned(), 3),
        ("b".to_owned(), -200),
    ]));
    let row = OrCart::settle(None, &row, &mut a).unwrap();
    let hex: String = row
        .encode()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    // Version, no change; one replica with one span (1, 3]; no floor; two keys, each with one
    // dot and its share in zigzag.
    let context = format!("01{}010101", "01".repeat(16));
    assert_eq!(
        hex,
        format!("0100{context}000201610401000006016204010001{}", "8f03")
    );
}
