//! The hybrid logical clock (Kulkarni et al., "Logical Physical Clocks", 2014).

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

    /// A clock beyond 48 bits must not wrap round to the past.
    #[test]
    fn parts_saturate() {
        assert_eq!(Hlc::from_parts(u64::MAX, 3).millis(), MAX_MILLIS);
        assert_eq!(Hlc::next(Hlc(u64::MAX), 0), Hlc(u64::MAX));
    }
}
