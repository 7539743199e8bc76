//! Bytes of maps and carts by those who mean harm.

mod world;

use crdt::or_map::{MapEdit, Nested};
use crdt::{Crdt, Edit, OrCart, OrMap};
use proptest::prelude::*;
use world::Clock;

/// Whatever decodes is canonical and can be used: no panic, no second encoding.
fn decodes_canonically_or_not_at_all<T: Crdt + std::fmt::Debug>(bytes: &[u8]) {
    if let Ok(value) = T::decode(bytes) {
        assert_eq!(value.encode(), bytes);
        let _ = value.value();
        let _ = value.to_json();
        assert!(T::from_text(&value.to_text()).is_ok());
        assert_eq!(value.join(&value).unwrap(), value);
        let _ = value.compact(&value.version());
        let _ = T::check_delta(&value, Clock::new(1).replica, Some(&value));
        if let Ok(settled) = T::settle(None, &value, &mut Clock::new(1)) {
            assert!(settled.is_settled());
            let over = T::settle(Some(&value), &settled, &mut Clock::new(2));
            assert!(over.is_err() || over.is_ok_and(|over| over.is_settled()));
        }
    }
}

fn decodes_or_fails(bytes: &[u8]) {
    decodes_canonically_or_not_at_all::<OrMap>(bytes);
    decodes_canonically_or_not_at_all::<OrCart>(bytes);
}

/// A map with every kind, settled and with a change on top.
fn samples() -> Vec<Vec<u8>> {
    let path = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    let mut clock = Clock::new(1);
    let text = r#"{"a":[1,"x"],"m":{"n":{"t":true}}}"#;
    let mut map = OrMap::settle(None, &OrMap::from_text(text).unwrap(), &mut clock).unwrap();
    let edits = [
        MapEdit::Add {
            path: path(&["c"]),
            amount: -7,
        },
        MapEdit::SetAdd {
            path: path(&["m", "s"]),
            element: "e".to_owned(),
        },
        MapEdit::Add {
            path: path(&["c"]),
            amount: 700,
        },
        MapEdit::Put {
            path: path(&["a"]),
            value: Nested::Counter(i64::MIN),
        },
    ];
    let mut samples = Vec::new();
    for edit in edits {
        let edited = map.edited(&edit).unwrap();
        samples.push(edited.encode());
        let settled = OrMap::settle(Some(&map), &edited, &mut clock).unwrap();
        samples.push(OrMap::delta(Some(&map), &settled).unwrap().encode());
        map = settled;
    }
    samples.push(map.encode());
    samples.push(map.compact(&map.version()).unwrap().encode());
    samples.push(OrMap::from_text(text).unwrap().encode());
    let cart = OrCart::from_text(r#"{"a":1,"b":-300}"#).unwrap();
    samples.push(OrCart::settle(None, &cart, &mut clock).unwrap().encode());
    samples.push(cart.encode());
    samples
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// A peer's bytes must not bring the server down.
    #[test]
    fn random_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        decodes_or_fails(&bytes);
        for (byte, good) in bytes.iter_mut().zip([1, 2, 0, 0, 0]) {
            *byte = good;
        }
        decodes_or_fails(&bytes);
    }

    /// Nor must good bytes with a few of them changed, cut or repeated.
    #[test]
    fn altered_bytes_never_panic(
        pick: prop::sample::Index,
        edits in prop::collection::vec(any::<(prop::sample::Index, u8, u8)>(), 1..4),
    ) {
        let samples = samples();
        let mut bytes = pick.get(&samples).clone();
        for (index, kind, byte) in edits {
            if bytes.is_empty() {
                break;
            }
            let at = index.index(bytes.len());
            match kind % 5 {
                0 => bytes[at] = byte,
                1 => bytes[at] = bytes[at].wrapping_add(1),
                2 => bytes.insert(at, byte % 9),
                3 => drop(bytes.remove(at)),
                _ => bytes.truncate(at),
            }
        }
        decodes_or_fails(&bytes);
    }
}

/// Maps in maps without end must be refused before the stack is used up.
#[test]
fn depth_is_bounded() {
    for levels in [31, 32, 100_000] {
        // An assignment: each level one key "k" with a map in it, at last a register 1.
        let mut bytes = vec![1, 2, 0, 0, 0];
        bytes.extend([1, 1, b'k', 1].repeat(levels));
        bytes.extend([1, 1, b'k', 8, 1, b'1']);
        assert_eq!(OrMap::decode(&bytes).is_ok(), levels < 32, "{levels}");
    }
}
