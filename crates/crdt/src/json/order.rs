//! An order of JSON values for indexes: null < strings < numbers < booleans < arrays < objects,
//! as jsonb ranks them; strings by characters, numbers by size, the rest by canonical text.

use std::cmp::Ordering;
use std::fmt;

/// Compares two canonical JSON texts. Equal numbers may differ in digits: `1` and `1.0`.
pub fn compare(a: &str, b: &str) -> Ordering {
    rank(a).cmp(&rank(b)).then_with(|| match rank(a) {
        1 => unescaped(a).cmp(unescaped(b)),
        2 => numbers(a, b),
        _ => a.cmp(b),
    })
}

/// A text that is the same for canonical JSON texts that [`compare`] finds equal.
pub fn hash_key(text: &str) -> String {
    match rank(text) {
        2 => Decimal::of(text).to_string(),
        _ => text.to_owned(),
    }
}

fn rank(text: &str) -> u8 {
    match text.as_bytes().first() {
        Some(b'n') | None => 0,
        Some(b'"') => 1,
        Some(b'-' | b'0'..=b'9') => 2,
        Some(b't' | b'f') => 3,
        Some(b'[') => 4,
        Some(_) => 5,
    }
}

/// The text that a canonical JSON string means.
pub fn unquote(text: &str) -> String {
    unescaped(text).collect()
}

/// The characters of a canonical JSON string.
pub(super) fn unescaped(text: &str) -> impl Iterator<Item = char> + '_ {
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text);
    let mut chars = inner.chars();
    std::iter::from_fn(move || {
        let c = chars.next()?;
        if c != '\\' {
            return Some(c);
        }
        Some(match chars.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let code = chars.by_ref().take(4).fold(0, |code, digit| {
                    code << 4 | digit.to_digit(16).unwrap_or_default()
                });
                char::from_u32(code)?
            }
            other => other,
        })
    })
}

/// A number as its sign, the place of its first digit and its digits.
struct Decimal<'a> {
    negative: bool,
    /// The power of ten of the first digit that is not 0.
    place: i64,
    integer: &'a str,
    fraction: &'a str,
}

impl<'a> Decimal<'a> {
    fn of(text: &'a str) -> Self {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent: i64 = exponent.parse().unwrap_or_default();
        let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let leading = integer
            .chars()
            .chain(fraction.chars())
            .take_while(|c| *c == '0')
            .count();
        let place = integer.len() as i64 - leading as i64 + exponent;
        Self {
            negative,
            place,
            integer,
            fraction,
        }
    }

    /// The digits from the first that is not 0, without zeros at the end.
    fn digits(&self) -> impl Iterator<Item = char> + '_ {
        let fraction = self.fraction.trim_end_matches('0');
        let integer = match fraction {
            "" => self.integer.trim_end_matches('0'),
            _ => self.integer,
        };
        integer
            .chars()
            .chain(fraction.chars())
            .skip_while(|c| *c == '0')
    }

    fn is_zero(&self) -> bool {
        self.digits().next().is_none()
    }

    fn sign(&self) -> i8 {
        if self.is_zero() {
            0
        } else if self.negative {
            -1
        } else {
            1
        }
    }
}

/// In one notation for all that are equal: `0`, else sign, digits and the place of the first.
impl fmt::Display for Decimal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("0");
        }
        let sign = if self.negative { "-" } else { "" };
        let digits: String = self.digits().collect();
        write!(f, "{sign}0.{digits}e{}", self.place)
    }
}

fn numbers(a: &str, b: &str) -> Ordering {
    let (a, b) = (Decimal::of(a), Decimal::of(b));
    a.sign().cmp(&b.sign()).then_with(|| {
        if a.is_zero() {
            return Ordering::Equal;
        }
        let size = a
            .place
            .cmp(&b.place)
            .then_with(|| a.digits().cmp(b.digits()));
        if a.negative { size.reverse() } else { size }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ORDER BY on a register of numbers must not sort 10 before 9.
    #[test]
    fn numbers_sort_by_size() {
        let sorted = [
            "-1e3", "-10", "-9.5", "-0.01", "0", "1E-5", "0.5", "9", "10", "1e2", "101",
        ];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                assert_eq!(compare(a, b), i.cmp(&j), "{a} {b}");
                assert_eq!(hash_key(a) == hash_key(b), i == j, "{a} {b}");
            }
        }
        for (a, b) in [
            ("1", "1.0"),
            ("1e2", "100"),
            ("-0", "0.00"),
            ("0.10", "1e-1"),
        ] {
            assert_eq!(compare(a, b), Ordering::Equal, "{a} {b}");
            assert_eq!(hash_key(a), hash_key(b), "{a} {b}");
        }
    }

    /// Types sort apart, strings by their characters and not by their escapes.
    #[test]
    fn types_and_strings_sort() {
        let sorted = [
            "null",
            r#""""#,
            r#""\n""#,
            r#""a""#,
            r#""a\"b""#,
            r#""é""#,
            "3",
            "false",
            "true",
            "[]",
            "{}",
        ];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                assert_eq!(compare(a, b), i.cmp(&j), "{a} {b}");
            }
        }
    }
}
