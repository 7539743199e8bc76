//! JSON as jsonb holds it: checked, and brought to one canonical text.
//!
//! Canonical: no white space between tokens, object keys ascending by bytes and each once (the
//! last one wins, as in jsonb), shortest escapes. Numbers keep their digits: nothing is rounded.
//! Refused beyond RFC 8259: `\u0000`, lone surrogates, numbers beyond PostgreSQL's numeric and
//! nesting over [`MAX_DEPTH`], so that whatever is stored can be cast to jsonb.

use crate::JsonError;

mod order;
mod parts;
pub use order::{compare, hash_key, unquote};
pub(crate) use parts::{elements, members, strings};

/// The deepest nesting of arrays and objects.
pub const MAX_DEPTH: usize = 512;

/// Digits before and after the point that numeric can hold.
const MAX_INTEGER_DIGITS: usize = 131_072;
const MAX_FRACTION_DIGITS: usize = 16_383;

/// The canonical text of `text`.
pub fn canonical(text: &str) -> Result<String, JsonError> {
    Parser::new(text, false).document()
}

/// Whether `text` is canonical already; never sorts, so a hostile text costs one pass.
pub fn check_canonical(text: &str) -> Result<(), JsonError> {
    if Parser::new(text, true).document()? == text {
        Ok(())
    } else {
        Err(JsonError {
            at: 0,
            why: "not the canonical text",
        })
    }
}

/// A string as JSON.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    put_string(&mut out, text);
    out
}

fn put_string(out: &mut String, text: &str) {
    out.push('"');
    text.chars().for_each(|c| put_char(out, c));
    out.push('"');
}

fn put_char(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
        c => out.push(c),
    }
}

/// Recursive descent; writes the canonical text as it reads.
struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    strict: bool,
    out: String,
}

/// Where a member's key and whole text stand in the output.
struct Member {
    start: usize,
    key_end: usize,
    end: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, strict: bool) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
            strict,
            out: String::with_capacity(text.len()),
        }
    }

    fn document(mut self) -> Result<String, JsonError> {
        self.value()?;
        self.skip_space();
        if self.at < self.text.len() {
            self.fail("the end is expected")
        } else {
            Ok(self.out)
        }
    }

    fn fail<T>(&self, why: &'static str) -> Result<T, JsonError> {
        Err(JsonError { at: self.at, why })
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next_is(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Result<(), JsonError> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                for word in ["true", "false", "null"] {
                    if self.rest().starts_with(word) {
                        self.at += word.len();
                        self.out.push_str(word);
                        return Ok(());
                    }
                }
                self.fail("a value is expected")
            }
        }
    }

    fn nested(&mut self, inside: fn(&mut Self) -> Result<(), JsonError>) -> Result<(), JsonError> {
        if self.depth >= MAX_DEPTH {
            return self.fail("nested too deeply");
        }
        self.depth += 1;
        self.at += 1;
        inside(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn array(&mut self) -> Result<(), JsonError> {
        self.out.push('[');
        self.skip_space();
        if !self.next_is(b']') {
            loop {
                self.value()?;
                self.skip_space();
                if self.next_is(b']') {
                    break;
                }
                if !self.next_is(b',') {
                    return self.fail("\",\" or \"]\" is expected");
                }
                self.out.push(',');
            }
        }
        self.out.push(']');
        Ok(())
    }

    fn object(&mut self) -> Result<(), JsonError> {
        self.out.push('{');
        self.skip_space();
        let mut members: Vec<Member> = Vec::new();
        let mut ascending = true;
        if !self.next_is(b'}') {
            loop {
                let member = self.member()?;
                if let Some(last) = members.last() {
                    ascending &= self.key(last) < self.key(&member);
                }
                if self.strict && !ascending {
                    return self.fail("keys must ascend and differ");
                }
                members.push(member);
                self.skip_space();
                if self.next_is(b'}') {
                    break;
                }
                if !self.next_is(b',') {
                    return self.fail("\",\" or \"}\" is expected");
                }
                self.out.push(',');
            }
        }
        if !ascending {
            self.sort(members);
        }
        self.out.push('}');
        Ok(())
    }

    fn member(&mut self) -> Result<Member, JsonError> {
        self.skip_space();
        let start = self.out.len();
        if self.peek() != Some(b'"') {
            return self.fail("a key in quotes is expected");
        }
        self.string()?;
        let key_end = self.out.len();
        self.skip_space();
        if !self.next_is(b':') {
            return self.fail("\":\" is expected");
        }
        self.out.push(':');
        self.value()?;
        Ok(Member {
            start,
            key_end,
            end: self.out.len(),
        })
    }

    /// A key as it was written, without its quotes.
    fn key(&self, member: &Member) -> &str {
        self.out
            .get(member.start + 1..member.key_end - 1)
            .unwrap_or_default()
    }

    /// Rewrites an object's members in order; of equal keys the last one stays.
    fn sort(&mut self, mut members: Vec<Member>) {
        let Some(start) = members.first().map(|member| member.start) else {
            return;
        };
        members.sort_by(|a, b| self.key(a).cmp(self.key(b)));
        let mut sorted = String::with_capacity(self.out.len() - start);
        let mut rest = members.iter().peekable();
        while let Some(member) = rest.next() {
            if rest
                .peek()
                .is_some_and(|next| self.key(next) == self.key(member))
            {
                continue;
            }
            if !sorted.is_empty() {
                sorted.push(',');
            }
            sorted.push_str(self.out.get(member.start..member.end).unwrap_or_default());
        }
        self.out.truncate(start);
        self.out.push_str(&sorted);
    }

    fn string(&mut self) -> Result<(), JsonError> {
        self.at += 1;
        self.out.push('"');
        loop {
            let rest = self.rest();
            let run = rest
                .bytes()
                .position(|byte| byte == b'"' || byte == b'\\' || byte < b' ')
                .unwrap_or(rest.len());
            self.out.push_str(rest.get(..run).unwrap_or_default());
            self.at += run;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    self.out.push('"');
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(_) => return self.fail("a control character must be escaped"),
                None => return self.fail("a string does not end"),
            }
        }
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        self.at += 1;
        let c = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                let c = self.code_point()?;
                put_char(&mut self.out, c);
                return Ok(());
            }
            _ => return self.fail("an unknown escape"),
        };
        self.at += 1;
        put_char(&mut self.out, c);
        Ok(())
    }

    fn code_point(&mut self) -> Result<char, JsonError> {
        let first = self.hex4()?;
        let code = match first {
            0 => return self.fail("\\u0000 cannot be stored"),
            0xd800..=0xdbff => {
                if !(self.next_is(b'\\') && self.next_is(b'u')) {
                    return self.fail("a lone surrogate");
                }
                let second = self.hex4()?;
                if !(0xdc00..=0xdfff).contains(&second) {
                    return self.fail("a lone surrogate");
                }
                0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            other => other,
        };
        char::from_u32(code).map_or_else(|| self.fail("a lone surrogate"), Ok)
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let mut code = 0;
        for _ in 0..4 {
            match self.peek().and_then(|byte| char::from(byte).to_digit(16)) {
                Some(digit) => code = code << 4 | digit,
                None => return self.fail("four hexadecimal digits are expected"),
            }
            self.at += 1;
        }
        Ok(code)
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        self.next_is(b'-');
        let mut integer = 1;
        if !self.next_is(b'0') {
            integer = self.digits();
            if integer == 0 {
                return self.fail("a digit is expected");
            }
        }
        let mut fraction = 0;
        if self.next_is(b'.') {
            fraction = self.digits();
            if fraction == 0 {
                return self.fail("a digit is expected");
            }
        }
        let mut raised = 0;
        let mut lowered = 0;
        if self.next_is(b'e') || self.next_is(b'E') {
            let negative = !self.next_is(b'+') && self.next_is(b'-');
            let from = self.at;
            if self.digits() == 0 {
                return self.fail("a digit is expected");
            }
            let size = self.text.get(from..self.at).unwrap_or_default();
            // Too long for a number is beyond every limit as well.
            let size = size.parse().unwrap_or(usize::MAX);
            if negative {
                lowered = size
            } else {
                raised = size
            }
        }
        if integer.saturating_add(raised) > MAX_INTEGER_DIGITS
            || fraction.saturating_add(lowered) > MAX_FRACTION_DIGITS
        {
            return self.fail("a number beyond the range of numeric");
        }
        self.out
            .push_str(self.text.get(start..self.at).unwrap_or_default());
        Ok(())
    }
}
