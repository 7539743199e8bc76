//! The algebra that convergence rests on, on states that a small world can reach.

use proptest::prelude::*;

use super::{Clock, Driven, Event, World};

/// Members that admitted the same deltas hold equal bytes, in whatever order they came.
pub fn converges<T: Driven>(first: u8, events: &[Event]) {
    let mut world = World::<T>::new(first);
    world.run(events);
    world.settle_down();
    let bytes = world.row(0).encode();
    assert_eq!(bytes, world.row(1).encode());
    assert_eq!(bytes, world.row(2).encode());
    let all = world.versions.iter().flatten();
    let joined = all.fold(T::default(), |joined, state| joined.join(state).unwrap());
    assert_eq!(
        bytes,
        joined.encode(),
        "the join of all versions is the last one"
    );
}

pub fn joins_are_lattice_joins<T: Driven>(events: &[Event], picks: &[prop::sample::Index]) {
    let mut world = World::<T>::new(7);
    world.run(events);
    let values = world.values();
    let picked: Vec<&T> = picks.iter().map(|pick| pick.get(&values)).collect();
    let [a, b, c] = picked[..] else {
        panic!("three picks")
    };
    let join = |a: &T, b: &T| a.join(b).unwrap();
    assert_eq!(join(a, b).encode(), join(b, a).encode(), "commutative");
    assert_eq!(join(&join(a, b), c), join(a, &join(b, c)), "associative");
    assert_eq!(join(a, a), *a, "idempotent");
    assert_eq!(join(a, &T::default()), *a, "bottom is neutral");
    let delta = T::delta(Some(a), &join(a, b));
    assert_eq!(T::delta(Some(a), a), None);
    if let (Some(delta), true) = (delta, a.is_settled() && b.is_settled()) {
        assert_eq!(
            join(a, &delta),
            join(a, b),
            "a delta carries the whole difference"
        );
    }
}

pub fn encodings_are_canonical<T: Driven>(events: &[Event]) {
    let mut world = World::<T>::new(1);
    world.run(events);
    for value in world.values() {
        let bytes = value.encode();
        let back = T::decode(&bytes).unwrap();
        assert_eq!(back, value);
        assert_eq!(back.encode(), bytes);
        let text = value.to_text();
        assert_eq!(T::from_text(&text).as_ref(), Ok(&value), "{text}");
    }
}

pub fn writing_what_is_there_changes_nothing<T: Driven>(events: &[Event]) {
    let mut world = World::<T>::new(1);
    world.run(events);
    for row in world.versions.iter().flatten() {
        let mut author = Clock::new(2);
        let same = T::settle(Some(row), row, &mut author).unwrap();
        assert_eq!(same.encode(), row.encode());
        let literal = T::assign(row.value().unwrap());
        let assigned = T::settle(Some(row), &literal, &mut author).unwrap();
        assert_eq!(assigned.encode(), row.encode());
        assert_eq!(author.ticks, 0);
    }
}

pub fn order_is_total<T: Driven>(events: &[Event], picks: &[prop::sample::Index]) {
    let mut world = World::<T>::new(1);
    world.run(events);
    let values = world.values();
    let picked: Vec<&T> = picks.iter().map(|pick| pick.get(&values)).collect();
    let [a, b, c] = picked[..] else {
        panic!("three picks")
    };
    assert_eq!(a.cmp_by_value(b), b.cmp_by_value(a).reverse());
    if a.cmp_by_value(b).is_eq() {
        assert_eq!(a.hash_key(), b.hash_key());
    }
    if a == b {
        assert!(a.cmp_by_value(b).is_eq());
    }
    if a.cmp_by_value(b).is_le() && b.cmp_by_value(c).is_le() {
        assert!(a.cmp_by_value(c).is_le());
    }
}

pub fn picks() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    prop::collection::vec(any::<prop::sample::Index>(), 3)
}

/// A module of property tests for each type: `laws! { or_set: OrSet; }`.
macro_rules! laws {
    ($($name:ident: $type:ty;)*) => {$(
        mod $name {
            use super::*;
            // The file may import it as well.
            #[allow(unused_imports)]
            use ::proptest::prelude::*;
            use $crate::world::{events, laws::*};

            proptest! {
                #[test]
                fn replicas_converge(first: u8, events in events()) {
                    converges::<$type>(first, &events);
                }

                #[test]
                fn join_is_a_lattice_join(events in events(), picks in picks()) {
                    joins_are_lattice_joins::<$type>(&events, &picks);
                }

                #[test]
                fn equal_values_have_equal_bytes_and_text(events in events()) {
                    encodings_are_canonical::<$type>(&events);
                }

                #[test]
                fn a_write_of_nothing_is_nothing(events in events()) {
                    writing_what_is_there_changes_nothing::<$type>(&events);
                }

                #[test]
                fn indexes_have_a_total_order(events in events(), picks in picks()) {
                    order_is_total::<$type>(&events, &picks);
                }
            }
        }
    )*};
}
pub(crate) use laws;
