//! Counted room: places and bytes that are taken at once or not at all, and given back on drop.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// A fixed amount of room. Taking never waits.
#[derive(Debug)]
pub(crate) struct Budget {
    free: AtomicUsize,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            free: AtomicUsize::new(limit),
        })
    }

    /// Takes `amount`, or nothing if there is less left.
    pub(crate) fn take(self: &Arc<Self>, amount: usize) -> Option<Held> {
        self.subtract(amount).then(|| Held {
            budget: Arc::clone(self),
            amount,
        })
    }

    fn subtract(&self, amount: usize) -> bool {
        self.free
            .try_update(Ordering::AcqRel, Ordering::Acquire, |free| {
                free.checked_sub(amount)
            })
            .is_ok()
    }
}

/// Room taken from a [`Budget`].
#[derive(Debug)]
pub(crate) struct Held {
    budget: Arc<Budget>,
    amount: usize,
}

impl Held {
    /// Takes `more` on top; false, and no change, if there is less left.
    pub(crate) fn grow(&mut self, more: usize) -> bool {
        let taken = self.budget.subtract(more);
        if taken {
            self.amount += more;
        }
        taken
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.free.fetch_add(self.amount, Ordering::AcqRel);
    }
}

/// Room for requests under way and for the bytes of their bodies: one peer's, or everybody's.
#[derive(Debug)]
pub(crate) struct Room {
    requests: Arc<Budget>,
    bytes: Arc<Budget>,
}

impl Room {
    pub(crate) fn new(requests: usize, bytes: usize) -> Self {
        Self {
            requests: Budget::new(requests),
            bytes: Budget::new(bytes),
        }
    }

    /// A place for one request of a peer with `self` as its room, within `total`.
    pub(crate) fn enter(&self, total: &Self) -> Option<(Place, Bytes)> {
        let place = Place {
            _own: self.requests.take(1)?,
            _total: total.requests.take(1)?,
        };
        let bytes = Bytes {
            own: self.bytes.take(0)?,
            total: total.bytes.take(0)?,
        };
        Some((place, bytes))
    }
}

/// The place of one request under way.
#[derive(Debug)]
pub(crate) struct Place {
    _own: Held,
    _total: Held,
}

/// The bytes that one request holds.
#[derive(Debug)]
pub(crate) struct Bytes {
    own: Held,
    total: Held,
}

impl Bytes {
    /// Takes `more` bytes; on false the request is to be given up, which returns all it held.
    pub(crate) fn grow(&mut self, more: usize) -> bool {
        self.own.grow(more) && self.total.grow(more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If room leaked, a node would refuse everybody after a while.
    #[test]
    fn room_is_given_back_in_full() {
        let (own, total) = (Room::new(2, 100), Room::new(3, 150));
        for _ in 0..10 {
            let (_first, mut bytes) = own.enter(&total).expect("first");
            let _second = own.enter(&total).expect("second");
            assert!(own.enter(&total).is_none());
            assert!(bytes.grow(60) && bytes.grow(40) && !bytes.grow(1));
        }
        assert_eq!(own.requests.free.load(Ordering::Acquire), 2);
        assert_eq!(own.bytes.free.load(Ordering::Acquire), 100);
        assert_eq!(total.requests.free.load(Ordering::Acquire), 3);
        assert_eq!(total.bytes.free.load(Ordering::Acquire), 150);
    }

    /// One greedy peer must leave room for the others, and all together must keep to the total.
    #[test]
    fn both_the_peer_and_the_total_bound() {
        let total = Room::new(3, 150);
        let (greedy, modest) = (Room::new(2, 100), Room::new(2, 100));
        let (_a, mut held) = greedy.enter(&total).expect("greedy");
        let _b = greedy.enter(&total).expect("greedy");
        assert!(held.grow(100));
        let (_c, mut left) = modest.enter(&total).expect("modest");
        assert!(left.grow(50) && !left.grow(1));
        assert!(modest.enter(&total).is_none());
    }
}
