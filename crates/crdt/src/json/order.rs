//! An order of JSON values for indexes: null < strings < numbers < booleans < arrays < objects,
//! as jsonb ranks them; strings by characters, numbers by size, the rest by canonical text with
//! its numbers in one notation.

use std::cmp::Ordering;
use std::fmt;

/// Compares two canonical JSON texts. Equal numbers may differ in digits: `1` and `1.0`.
pub fn compare(a: &str, b: &str) -> Ordering {
    rank(a).cmp(&rank(b)).then_with(|| match rank(a) {
        1 => unescaped(a).cmp(unescaped(b)),
        2 => numbers(a, b),
        _ if a == b => Ordering::Equal,
        _ => hash_key(a).cmp(&hash_key(b)),
    })
}

/// A text that is the same for canonical JSON texts that [`compare`] finds equal.
pub fn hash_key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_end(rest),
            '-' | '0'..='9' => {
                let length = rest.find([',', ']', '}']).unwrap_or(rest.len());
                let (number, after) = rest.split_at(length);
                key.push_str(&Decimal::of(number).to_string());
                rest = after;
                continue;
            }
            _ => first.len_utf8(),
        };
        let (part, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        key.push_str(part);
        rest = after;
    }
    key
}

/// Where the string at the start of `text` ends.
fn string_end(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => (),
        }
    }
    text.len()
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
            (r#"{"a":[1.0,-2e1]}"#, r#"{"a":[1,-20]}"#),
        ] {
            assert_eq!(compare(a, b), Ordering::Equal, "{a} {b}");
            assert_eq!(hash_key(a), hash_key(b), "{a} {b}");
        }
    }

    /// A digit in a string is no number.
    #[test]
    fn strings_in_objects_are_left_alone() {
        let (a, b) = (r#"{"1.0":"\"2.0"}"#, r#"{"1":"\"2"}"#);
        assert_ne!(compare(a, b), Ordering::Equal);
        assert_eq!(hash_key(a), a);
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
