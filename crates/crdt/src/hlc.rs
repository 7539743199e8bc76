//! The hybrid logical clock (Kulkarni et al., "Logical Physical Clocks", 2014).

use crate::ClockDrift;

/// 48 bits of milliseconds since 1970 (UTC), then 16 bits that count within one millisecond.
///
/// When more than 65,536 events fall into one millisecond the count carries into the time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Hlc(pub u64);

const MAX_MILLIS: u64 = (1 << 48) - 1;

impl Hlc {
    /// From milliseconds (at most 2^48 - 1; more is taken as that) and the logical count.
    pub fn from_parts(millis: u64, logical: u16) -> Self {
        Self(millis.min(MAX_MILLIS) << 16 | u64::from(logical))
    }

    /// Milliseconds since 1970.
    pub fn millis(self) -> u64 {
        self.0 >> 16
    }

    /// The count within the millisecond.
    pub fn logical(self) -> u16 {
        (self.0 & 0xffff) as u16
    }

    /// The tick that follows `last` when the wall clock shows `now_ms`: max(last + 1, now).
    ///
    /// It never goes back when the wall clock does. At the end of the range (the year 10889)
    /// it stands still; the limit on clock skew keeps foreign ticks from ever bringing it there.
    pub fn next(last: Self, now_ms: u64) -> Self {
        Self(last.0.saturating_add(1)).max(Self::from_parts(now_ms, 0))
    }

    /// The tick for a message that carries `remote`, later than it and than `last`: the
    /// receive event of Kulkarni et al. A count that overflows carries into the time.
    ///
    /// # Errors
    /// `remote` is more than `max_skew_ms` ahead of the wall clock. The clock must then stay as
    /// it is: one node's wrong clock would drag all others along.
    pub fn receive(
        last: Self,
        remote: Self,
        now_ms: u64,
        max_skew_ms: u64,
    ) -> Result<Self, ClockDrift> {
        let drift_ms = remote.millis().saturating_sub(now_ms);
        if drift_ms > max_skew_ms {
            return Err(ClockDrift {
                drift_ms,
                max_skew_ms,
            });
        }
        Ok(Self::next(last.max(remote), now_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wall clock that is set back must not make a replica reuse a tick.
    #[test]
    fn ticks_rise_even_if_the_wall_clock_falls() {
        let first = Hlc::next(Hlc(0), 1_000);
        assert_eq!((first.millis(), first.logical()), (1_000, 0));
        let second = Hlc::next(first, 10);
        assert_eq!((second.millis(), second.logical()), (1_000, 1));
        assert_eq!(
            Hlc::next(Hlc::from_parts(7, u16::MAX), 3),
            Hlc::from_parts(8, 0)
        );
        assert_eq!(Hlc::next(second, 2_000), Hlc::from_parts(2_000, 0));
    }

    /// One node whose clock is wrong must not drag the others' clocks with it.
    #[test]
    fn drift_beyond_the_bound_is_refused() {
        let (last, remote) = (Hlc::from_parts(900, 4), Hlc::from_parts(1_500, 7));
        let fault = Hlc::receive(last, remote, 999, 500).unwrap_err();
        assert_eq!((fault.drift_ms, fault.max_skew_ms), (501, 500));
        assert_eq!(
            fault.to_string(),
            "the tick is 501 ms ahead of this node's clock, the bound is 500 ms"
        );
        let at_the_bound = Hlc::receive(last, remote, 1_000, 500);
        assert_eq!(at_the_bound, Ok(Hlc::from_parts(1_500, 8)));
        let end = Hlc(u64::MAX);
        assert!(Hlc::receive(last, end, 0, 1 << 40).is_err());
    }

    /// A tick that is not later than the message would put an effect before its cause.
    #[test]
    fn a_received_tick_is_followed_by_a_later_one() {
        let at = Hlc::from_parts;
        for (last, remote, now, expected) in [
            (at(5, 3), at(5, 9), 5, at(5, 10)),
            (at(5, 9), at(5, 3), 5, at(5, 10)),
            (at(7, 2), at(5, 3), 6, at(7, 3)),
            (at(5, 3), at(7, 2), 6, at(7, 3)),
            (at(5, 3), at(6, 2), 9, at(9, 0)),
        ] {
            assert_eq!(Hlc::receive(last, remote, now, 1_000), Ok(expected));
        }
    }

    /// The 65,537th event of a millisecond must not start again at 0.
    #[test]
    fn a_full_count_carries_into_the_time() {
        let full = Hlc::from_parts(7, u16::MAX);
        let next = Hlc::from_parts(8, 0);
        assert_eq!(Hlc::receive(Hlc(0), full, 7, 0), Ok(next));
        assert_eq!(Hlc::receive(full, Hlc(0), 7, 0), Ok(next));
    }

    /// A clock beyond 48 bits must not wrap round to the past.
    #[test]
    fn parts_saturate() {
        assert_eq!(Hlc::from_parts(u64::MAX, 3).millis(), MAX_MILLIS);
        assert_eq!(Hlc::next(Hlc(u64::MAX), 0), Hlc(u64::MAX));
    }
}
