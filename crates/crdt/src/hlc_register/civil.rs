//! A tick as people read it: `2026-11-21T12:00:00.123Z/5`, a time in UTC as in RFC 3339 with
//! milliseconds, then the logical count unless it is 0. The last year, 10889, has five digits.
//!
//! The calendar is worked out here (after Hinnant, "chrono-compatible low-level date
//! algorithms", 2013) and not by a crate: it is all of a date library that is needed, about
//! twenty lines, and such a library brings time zones and a clock, which this crate must not
//! have.

use std::fmt;

use crate::Hlc;

const DAY_MS: u64 = 86_400_000;

/// Days of 400 years.
const ERA_DAYS: u64 = 146_097;

/// From 0000-03-01 to 1970-01-01.
const EPOCH_DAYS: u64 = 719_468;

/// Year, month from 1, day from 1, of the days since 1970.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + EPOCH_DAYS;
    let (era, day) = (days / ERA_DAYS, days % ERA_DAYS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Months of a year that starts in March, so that the leap day comes last.
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let is_next_year = month >= 10;
    let month = if is_next_year { month - 9 } else { month + 3 };
    (
        era * 400 + year + u64::from(is_next_year),
        month,
        day_of_month,
    )
}

/// The inverse of [`civil`]; None before 1970 and for a day that no month has.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1970..=99_999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let shifted = if month > 2 { year } else { year - 1 };
    let month_from_march = (month + 9) % 12;
    let (era, year_of_era) = (shifted / 400, shifted % 400);
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = (era * ERA_DAYS + day_of_era).checked_sub(EPOCH_DAYS)?;
    (civil(days) == (year, month, day)).then_some(days)
}

impl fmt::Display for Hlc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.millis() / DAY_MS);
        let ms = self.millis() % DAY_MS;
        let (hour, minute) = (ms / 3_600_000, ms / 60_000 % 60);
        let (second, ms) = (ms / 1_000 % 60, ms % 1_000);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z"
        )?;
        match self.logical() {
            0 => Ok(()),
            logical => write!(f, "/{logical}"),
        }
    }
}

/// Reads what `Display` writes, also without its milliseconds, with `/0`, and with a blank and
/// `+00` as PostgreSQL prints a time in UTC; None for anything else.
pub(super) fn parse(text: &str) -> Option<Hlc> {
    let (time, logical) = match text.split_once('/') {
        Some((time, logical)) => (time, u16::try_from(number(logical, 1..=5)?).ok()?),
        None => (text, 0),
    };
    let utc = ["Z", "+00", "+00:00"];
    let time = utc.iter().find_map(|zone| time.strip_suffix(zone))?;
    let (date, clock) = time.split_once(['T', ' '])?;
    let [year, month, day] = parts(date, '-')?;
    let days = days(
        number(year, 4..=5)?,
        number(month, 2..=2)?,
        number(day, 2..=2)?,
    )?;
    let [hour, minute, second] = parts(clock, ':')?;
    let (second, ms) = second.split_once('.').unwrap_or((second, "000"));
    let mut of_day = 0;
    for (field, width, unit, count) in [
        (hour, 2, 3_600_000, 24),
        (minute, 2, 60_000, 60),
        (second, 2, 1_000, 60),
    ] {
        let field = number(field, width..=width)?;
        if field >= count {
            return None;
        }
        of_day += field * unit;
    }
    // Digits of the fraction beyond the third would be lost.
    of_day += number(&format!("{ms:0<3}"), 3..=3)?;
    let millis = days * DAY_MS + of_day;
    let tick = Hlc::from_parts(millis, logical);
    (tick.millis() == millis).then_some(tick)
}

fn parts(text: &str, by: char) -> Option<[&str; 3]> {
    let mut parts = text.splitn(3, by);
    Some([parts.next()?, parts.next()?, parts.next()?])
}

/// So many digits and nothing else.
fn number(digits: &str, width: std::ops::RangeInclusive<usize>) -> Option<u64> {
    let is_number = width.contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if is_number { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A dump whose times read back as others would reorder history.
    #[test]
    fn known_times() {
        for (text, millis, logical) in [
            ("1970-01-01T00:00:00.000Z", 0, 0),
            ("2000-02-29T23:59:59.999Z/1", 951_868_799_999, 1),
            ("2026-11-21T12:00:00.123Z/5", 1_795_262_400_123, 5),
            ("2100-03-01T00:00:00.000Z", 4_107_542_400_000, 0),
            ("10889-08-02T05:31:50.655Z/65535", (1 << 48) - 1, u16::MAX),
        ] {
            let tick = Hlc::from_parts(millis, logical);
            assert_eq!(tick.to_string(), text);
            assert_eq!(parse(text), Some(tick));
        }
        let zero = parse("2026-11-21T12:00:00.123Z/0");
        assert_eq!(zero, Some(Hlc::from_parts(1_795_262_400_123, 0)));
        for text in [
            "2026-11-21T12:00:00Z",
            "2026-11-21 12:00:00+00",
            "2026-11-21T12:00:00.0+00:00",
        ] {
            assert_eq!(
                parse(text),
                Some(Hlc::from_parts(1_795_262_400_000, 0)),
                "{text}"
            );
        }
        let tenths = parse("2026-11-21 12:00:00.1+00");
        assert_eq!(tenths, Some(Hlc::from_parts(1_795_262_400_100, 0)));
    }

    /// A day that no calendar has must not silently become another.
    #[test]
    fn impossible_times_are_refused() {
        for text in [
            "2100-02-29T00:00:00.000Z",
            "2026-04-31T00:00:00.000Z",
            "2026-13-01T00:00:00.000Z",
            "2026-00-01T00:00:00.000Z",
            "2026-01-01T24:00:00.000Z",
            "2026-01-01T00:60:00.000Z",
            "2026-01-01T00:00:60.000Z",
            "2026-01-01T00:00:00.",
            "2026-01-01T00:00:00.1234Z",
            "2026-01-01T00:00:00+01",
            "2026-01-01T00:00:00.000",
            "2026-01-01T00:00:00.000Z/",
            "2026-01-01T00:00:00.000Z/65536",
            "1969-12-31T23:59:59.999Z",
            "10889-08-02T05:31:50.656Z",
            "+026-01-01T00:00:00.000Z",
            "5",
            "",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_tick_reads_back(tick: u64) {
            prop_assert_eq!(parse(&Hlc(tick).to_string()), Some(Hlc(tick)));
        }

        #[test]
        fn texts_rise_with_the_days(day in 0u64..3_000_000) {
            prop_assert!(civil(day) < civil(day + 1));
            let (year, month, date) = civil(day);
            prop_assert_eq!(days(year, month, date), Some(day));
        }
    }
}
