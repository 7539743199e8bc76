//! Taking canonical JSON apart, one level at a time.

use super::order::unescaped;

/// The members of a canonical object: keys unescaped, values as they stand. None for any
/// other value.
pub(crate) fn members(text: &str) -> Option<Vec<(String, &str)>> {
    let mut rest = text.strip_prefix('{')?.strip_suffix('}')?;
    let mut members = Vec::new();
    while !rest.is_empty() {
        let (key, after) = rest.split_at_checked(end_of_value(rest))?;
        let after = after.strip_prefix(':')?;
        let (value, after) = after.split_at_checked(end_of_value(after))?;
        members.push((unescaped(key).collect(), value));
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    Some(members)
}

/// The elements of a canonical array, as they stand. None for any other value.
pub(crate) fn elements(text: &str) -> Option<Vec<&str>> {
    let mut rest = text.strip_prefix('[')?.strip_suffix(']')?;
    let mut elements = Vec::new();
    while !rest.is_empty() {
        let (element, after) = rest.split_at_checked(end_of_value(rest))?;
        elements.push(element);
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    Some(elements)
}

/// The elements of a canonical array that holds nothing but strings, unescaped.
pub(crate) fn strings(text: &str) -> Option<Vec<String>> {
    let unescaped = |element: &str| {
        element
            .starts_with('"')
            .then(|| unescaped(element).collect())
    };
    elements(text)?.into_iter().map(unescaped).collect()
}

/// Where the value at the start of `text` ends: before the next `,` or `:` of its own level.
fn end_of_value(text: &str) -> usize {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => (),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' | b':' if depth == 0 => return at,
            _ => (),
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key with quotes or commas in it must not be cut apart.
    #[test]
    fn objects_come_apart_at_their_own_level() {
        let text = r#"{"":null,"a,\"}:":{"x":[1,"]"]},"b":["c"]}"#;
        let members = members(text).unwrap();
        let shown: Vec<(&str, &str)> = members.iter().map(|(k, v)| (k.as_str(), *v)).collect();
        assert_eq!(
            shown,
            [
                ("", "null"),
                ("a,\"}:", r#"{"x":[1,"]"]}"#),
                ("b", r#"["c"]"#)
            ]
        );
        assert_eq!(super::members("[]"), None);
        assert_eq!(super::members("{}"), Some(vec![]));
    }

    /// Only an array of strings can stand for a set.
    #[test]
    fn arrays_of_strings_come_apart() {
        assert_eq!(
            strings(r#"["a","b\n,","[]"]"#),
            Some(vec!["a".to_owned(), "b\n,".to_owned(), "[]".to_owned()])
        );
        assert_eq!(strings("[]"), Some(vec![]));
        for text in ["[1]", r#"["a",null]"#, r#""a""#, r#"[["a"]]"#] {
            assert_eq!(strings(text), None, "{text}");
        }
    }
}
