//! What each library does with a set of texts.

use std::collections::BTreeSet;

use crdt::Crdt;
use crdts::{CmRDT, CvRDT, Orswot, orswot};

use crate::Clock;

/// A set that several replicas change; an addition wins over a concurrent removal.
pub trait ElementSet: Clone {
    /// The column of the table.
    const LIBRARY: &'static str;

    /// What a peer must apply to have some additions too.
    type Delta;

    /// An empty set.
    fn new() -> Self;

    /// With further elements (none of them there yet), added by a replica; and the delta. Each
    /// replica does so once at most.
    fn with(&self, replica: u8, elements: &[String]) -> (Self, Self::Delta);

    /// Takes in all that another has.
    fn merge(&mut self, other: Self);

    /// Takes in a peer's delta.
    fn apply(&mut self, delta: Self::Delta);

    /// As it would be stored.
    fn stored(&self) -> Vec<u8>;

    /// How many elements.
    fn count(&self) -> usize;
}

/// A set of ours.
#[derive(Clone)]
pub struct Ours<T>(T);

impl<T: Crdt<Plain = BTreeSet<String>>> ElementSet for Ours<T> {
    const LIBRARY: &'static str = T::NAME;

    type Delta = T;

    fn new() -> Self {
        Self(T::default())
    }

    fn with(&self, replica: u8, elements: &[String]) -> (Self, T) {
        let mut value = self.0.value().expect("a value");
        value.extend(elements.iter().cloned());
        let written = T::settle(Some(&self.0), &T::assign(value), &mut Clock::new(replica));
        let written = written.expect("within the limits");
        let delta = T::delta(Some(&self.0), &written).expect("an addition");
        (Self(written), delta)
    }

    fn merge(&mut self, other: Self) {
        self.0.join_assign(&other.0).expect("within the limits");
    }

    fn apply(&mut self, delta: T) {
        self.0.join_assign(&delta).expect("within the limits");
    }

    fn stored(&self) -> Vec<u8> {
        self.0.encode()
    }

    fn count(&self) -> usize {
        self.0.value().map_or(0, |value| value.len())
    }
}

/// The set of crdts; replicas are of 16 bytes there as well.
#[derive(Clone)]
pub struct CrdtsSet(Orswot<String, u128>);

impl ElementSet for CrdtsSet {
    const LIBRARY: &'static str = "crdts";

    // A set of additions alone would remove all that it does not name when it is merged.
    type Delta = Vec<orswot::Op<String, u128>>;

    fn new() -> Self {
        Self(Orswot::new())
    }

    fn with(&self, replica: u8, elements: &[String]) -> (Self, Self::Delta) {
        let mut set = self.0.clone();
        let replica = u128::from_be_bytes([replica; 16]);
        let mut ops = Vec::with_capacity(elements.len());
        for element in elements {
            let op = set.add(element.clone(), set.read_ctx().derive_add_ctx(replica));
            set.apply(op.clone());
            ops.push(op);
        }
        (Self(set), ops)
    }

    fn merge(&mut self, other: Self) {
        self.0.merge(other.0);
    }

    fn apply(&mut self, delta: Self::Delta) {
        for op in delta {
            self.0.apply(op);
        }
    }

    fn stored(&self) -> Vec<u8> {
        let stored = bincode::serde::encode_to_vec(&self.0, bincode::config::standard());
        stored.expect("written to memory")
    }

    fn count(&self) -> usize {
        self.0.read().val.len()
    }
}
