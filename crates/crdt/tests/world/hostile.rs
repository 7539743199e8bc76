//! Bytes of those who mean harm, for any type.

use crdt::Crdt;
use proptest::prelude::*;

use super::{Clock, Driven, Event, World};

/// Whatever decodes is canonical: two nodes that hold one state hold the same bytes.
pub fn decodes_canonically_or_not_at_all<T: Crdt>(bytes: &[u8]) {
    if let Ok(value) = T::decode(bytes) {
        assert_eq!(value.encode(), bytes);
        let _ = value.value();
        let _ = value.to_json();
        let _ = value.cmp_by_value(&T::default());
        assert!(T::from_text(&value.to_text()).is_ok());
        let settled = T::settle(None, &value, &mut Clock::new(1));
        if let Ok(settled) = settled {
            assert!(settled.is_settled());
            let over = T::settle(Some(&value), &settled, &mut Clock::new(2));
            assert!(over.is_err() || over.is_ok_and(|over| over.is_settled()));
        }
        let joined = value.join(&value).unwrap();
        assert_eq!(joined.encode(), bytes);
    }
}

/// Good bytes with a few of them changed, cut or repeated.
pub fn altered(bytes: &[u8], edits: &[(prop::sample::Index, u8, u8)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (index, kind, byte) in edits {
        if bytes.is_empty() {
            break;
        }
        let at = index.index(bytes.len());
        match kind % 5 {
            0 => bytes[at] = *byte,
            1 => bytes[at] = bytes[at].wrapping_add(1),
            2 => bytes.insert(at, *byte % 3),
            3 => drop(bytes.remove(at)),
            _ => bytes.truncate(at),
        }
    }
    bytes
}

pub fn edits() -> impl Strategy<Value = Vec<(prop::sample::Index, u8, u8)>> {
    prop::collection::vec(any::<(prop::sample::Index, u8, u8)>(), 1..4)
}

/// An encoding that a small world reached, altered; `folded`: compacted before that.
pub fn altered_state<T: Driven>(
    events: &[Event],
    pick: &prop::sample::Index,
    edits: &[(prop::sample::Index, u8, u8)],
    folded: bool,
) -> Vec<u8> {
    let mut world = World::<T>::new(5);
    world.run(events);
    let mut value = pick.get(&world.values()).clone();
    if folded {
        value = value.compact(&value.version()).unwrap();
    }
    altered(&value.encode(), edits)
}

/// Random bytes, and such that get past the version and the flags.
pub fn random_bytes_never_panic<T: Crdt>(mut bytes: Vec<u8>) {
    decodes_canonically_or_not_at_all::<T>(&bytes);
    if let Some(version) = bytes.first_mut() {
        *version = 1;
    }
    if let Some(flags) = bytes.get_mut(1) {
        *flags %= 8;
    }
    decodes_canonically_or_not_at_all::<T>(&bytes);
}

/// A module of property tests on bytes: `hostile! { or_set_bytes: OrSet; }`.
macro_rules! hostile {
    ($($name:ident: $type:ty;)*) => {$(
        mod $name {
            use super::*;
            // The file may import it as well.
            #[allow(unused_imports)]
            use ::proptest::prelude::*;
            use $crate::world::{events, hostile::*};

            proptest! {
                #![proptest_config(ProptestConfig::with_cases(1_000))]

                /// A peer could stop a node with a few bytes.
                #[test]
                fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
                    random_bytes_never_panic::<$type>(bytes);
                }

                /// One state under two encodings would have two hashes.
                #[test]
                fn altered_bytes_are_refused_or_canonical(
                    events in events(), pick: prop::sample::Index, edits in edits(), folded: bool,
                ) {
                    let bytes = altered_state::<$type>(&events, &pick, &edits, folded);
                    decodes_canonically_or_not_at_all::<$type>(&bytes);
                }

                /// Whatever text reads as a value has bytes that read back.
                #[test]
                fn random_text_never_panics(text in "\\PC{0,40}( @v1:[A-Za-z0-9_-]{0,60})?") {
                    if let Ok(value) = <$type>::from_text(&text) {
                        prop_assert_eq!(<$type>::decode(&value.encode()), Ok(value));
                    }
                }
            }
        }
    )*};
}
pub(crate) use hostile;
