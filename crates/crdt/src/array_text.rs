//! PostgreSQL's text form of a one-dimensional text array, as array_out and array_in have it.

use std::collections::BTreeSet;

/// What array_in takes for white space.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

/// `{a,"b c"}`, quoted where array_out quotes.
pub(crate) fn print<'a>(elements: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::from("{");
    for (index, element) in elements.enumerate() {
        if index > 0 {
            text.push(',');
        }
        let plain = !element.is_empty()
            && !element.eq_ignore_ascii_case("null")
            && !element.contains(|c| matches!(c, '"' | '\\' | '{' | '}' | ',') || is_space(c));
        if plain {
            text.push_str(element);
            continue;
        }
        text.push('"');
        for c in element.chars() {
            if matches!(c, '"' | '\\') {
                text.push('\\');
            }
            text.push(c);
        }
        text.push('"');
    }
    text.push('}');
    text
}

/// Reads an array; repeated elements are one. The error says what is wrong.
pub(crate) fn parse(text: &str) -> Result<BTreeSet<String>, &'static str> {
    let inner = text
        .trim_matches(is_space)
        .strip_prefix('{')
        .ok_or("an array must start with \"{\" and have one dimension")?;
    let mut elements = BTreeSet::new();
    let mut rest = inner.trim_start_matches(is_space);
    if let Some(after) = rest.strip_prefix('}') {
        return end(after, elements);
    }
    loop {
        let (element, after) = element(rest)?;
        elements.insert(element);
        let after = after.trim_start_matches(is_space);
        if let Some(after) = after.strip_prefix('}') {
            return end(after, elements);
        }
        rest = after
            .strip_prefix(',')
            .ok_or("\",\" or \"}\" expected after an element")?
            .trim_start_matches(is_space);
    }
}

fn end(after: &str, elements: BTreeSet<String>) -> Result<BTreeSet<String>, &'static str> {
    if after.is_empty() {
        Ok(elements)
    } else {
        Err("junk after the closing \"}\"")
    }
}

/// One element from the start of `text` (not white space) and what follows it.
fn element(text: &str) -> Result<(String, &str), &'static str> {
    match text.strip_prefix('"') {
        Some(quoted) => quoted_element(quoted),
        None => bare_element(text),
    }
}

fn quoted_element(text: &str) -> Result<(String, &str), &'static str> {
    let mut element = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Ok((element, chars.as_str())),
            '\\' => element.push(escaped_char(&mut chars)?),
            '\0' => return Err("a NUL character"),
            c => element.push(c),
        }
    }
    Err("a quoted element does not end")
}

/// The character behind a backslash.
fn escaped_char(chars: &mut std::str::Chars<'_>) -> Result<char, &'static str> {
    match chars.next() {
        Some('\0') => Err("a NUL character"),
        Some(c) => Ok(c),
        None => Err("a backslash at the end"),
    }
}

fn bare_element(text: &str) -> Result<(String, &str), &'static str> {
    let mut element = String::new();
    // White space at the end of a bare element does not count, unless it was escaped.
    let mut kept = 0;
    let mut escaped = false;
    let mut chars = text.chars();
    loop {
        let before = chars.as_str();
        match chars.next().ok_or("the closing \"}\" is missing")? {
            ',' | '}' => {
                element.truncate(kept);
                if element.is_empty() {
                    return Err("an empty element must be written \"\"");
                }
                if !escaped && element.eq_ignore_ascii_case("null") {
                    return Err("NULL cannot be an element");
                }
                return Ok((element, before));
            }
            '{' => return Err("an array must have one dimension"),
            '"' => return Err("a quote inside an element must be escaped"),
            '\0' => return Err("a NUL character"),
            '\\' => {
                element.push(escaped_char(&mut chars)?);
                kept = element.len();
                escaped = true;
            }
            c => {
                element.push(c);
                if !is_space(c) {
                    kept = element.len();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, &'static str> {
        parse(text).map(|set| set.into_iter().collect())
    }

    /// A dump written by array_out must come back as it was.
    #[test]
    fn quoting_follows_array_out() {
        let set = ["", "NULL", "a", "b c", "q\"\\", "{x}", "1,2"];
        let text = print(set.into_iter());
        assert_eq!(text, r#"{"","NULL",a,"b c","q\"\\","{x}","1,2"}"#);
        let mut sorted = set.map(str::to_owned).to_vec();
        sorted.sort();
        assert_eq!(read(&text), Ok(sorted));
    }

    /// What people type by hand: spaces, escapes, repetitions.
    #[test]
    fn hand_written_arrays_are_read() {
        assert_eq!(read(" { b , a\\ , \"c\" ,b } ").unwrap(), ["a ", "b", "c"]);
        assert_eq!(read("{}").unwrap(), Vec::<String>::new());
        assert_eq!(read("{ }").unwrap(), Vec::<String>::new());
        assert_eq!(read(r"{\null}").unwrap(), ["null"]);
    }

    /// A malformed array must be refused, not guessed at.
    #[test]
    fn malformed_arrays_are_refused() {
        for text in [
            "",
            "a",
            "{",
            "{a",
            "{a,}",
            "{,a}",
            "{a}}",
            "{{a}}",
            "{null}",
            "{a\"b}",
            "{\"a\"b}",
            "{\"a",
            "{a\\",
            "[1:1]={a}",
            "{a} x",
            "{\"a\0\"}",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
