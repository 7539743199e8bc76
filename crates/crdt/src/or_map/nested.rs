//! Plain values: what a key shows.

use super::MAX_DEPTH;
use crate::keyed::Keyed;
use crate::range::in_range;
use crate::{CrdtError, json};

/// What a key of a map shows. `N` is the number of a counter: bigint, or wide enough for what
/// concurrent additions may have made of it.
///
/// An empty set or map inside another is the register `[]` or `{}`: a set or a map is there by
/// what is in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Nested<N = i64> {
    /// A number that concurrent additions add up to.
    Counter(N),
    /// JSON; the last write wins.
    Register(String),
    /// Texts; an addition wins over a concurrent removal.
    Set(Keyed<()>),
    /// A map inside.
    Map(Keyed<Nested<N>>),
}

/// Keys with what they show.
pub type Plain<N = i64> = Keyed<Nested<N>>;

impl Nested<i128> {
    pub(super) fn narrowed(self) -> Result<Nested, CrdtError> {
        Ok(match self {
            Self::Counter(sum) => Nested::Counter(in_range(sum)?),
            Self::Register(json) => Nested::Register(json),
            Self::Set(elements) => Nested::Set(elements),
            Self::Map(map) => Nested::Map(narrowed(map)?),
        })
    }
}

pub(super) fn narrowed(map: Plain<i128>) -> Result<Plain, CrdtError> {
    map.into_iter()
        .map(|(key, value)| Ok((key, value.narrowed()?)))
        .collect()
}

impl Nested {
    /// With empty sets and maps as registers and registers as canonical JSON; a register that
    /// is no JSON becomes a JSON string.
    pub(super) fn normal(self) -> Self {
        match self {
            Self::Counter(_) => self,
            Self::Register(text) => {
                Self::Register(json::canonical(&text).unwrap_or_else(|_| json::quote(&text)))
            }
            Self::Set(elements) if elements.is_empty() => Self::Register("[]".to_owned()),
            Self::Set(_) => self,
            Self::Map(map) if map.is_empty() => Self::Register("{}".to_owned()),
            Self::Map(map) => Self::Map(normal(map)),
        }
    }

    /// Refuses what no state can hold at a key of the given depth, the outermost being 1.
    pub(super) fn check(&self, depth: usize) -> Result<(), CrdtError> {
        match self {
            Self::Counter(_) => Ok(()),
            Self::Register(text) => Ok(json::check_canonical(text)?),
            Self::Set(elements) => elements.keys().try_for_each(check_element),
            Self::Map(map) => check(map, depth + 1),
        }
    }

    pub(super) fn widened(&self) -> Nested<i128> {
        match self {
            Self::Counter(value) => Nested::Counter(i128::from(*value)),
            Self::Register(json) => Nested::Register(json.clone()),
            Self::Set(elements) => Nested::Set(elements.clone()),
            Self::Map(map) => Nested::Map(widened(map)),
        }
    }

    /// Whether a plain literal says this and not something else.
    fn is_literal(&self) -> bool {
        match self {
            Self::Counter(_) | Self::Set(_) => false,
            Self::Register(text) => !text.starts_with('{') || text == "{}",
            Self::Map(map) => is_literal(map),
        }
    }

    /// A canonical JSON text at a key of the given depth, as a literal says it.
    pub(super) fn literal(text: &str, depth: usize) -> Result<Self, CrdtError> {
        let value = Self::of_json(text, depth).map_err(|_| too_deep())?;
        value.check(depth)?;
        Ok(value)
    }

    /// A JSON value as a literal says it: an object is a map, all else a register.
    fn of_json(text: &str, depth: usize) -> Result<Self, &'static str> {
        match text {
            "{}" => Ok(Self::Register(text.to_owned())),
            _ if text.starts_with('{') => Ok(Self::Map(of_json(text, depth + 1)?)),
            _ => Ok(Self::Register(text.to_owned())),
        }
    }
}

pub(super) fn normal(map: Plain) -> Plain {
    map.into_iter()
        .map(|(key, value)| (key, value.normal()))
        .collect()
}

pub(super) fn widened(map: &Plain) -> Plain<i128> {
    map.iter()
        .map(|(key, value)| (key.to_owned(), value.widened()))
        .collect()
}

pub(super) fn is_literal(map: &Plain) -> bool {
    map.values().all(Nested::is_literal)
}

pub(super) fn check(map: &Plain, depth: usize) -> Result<(), CrdtError> {
    check_depth(depth)?;
    map.iter().try_for_each(|(key, value)| {
        check_key(key)?;
        value.check(depth)
    })
}

pub(super) fn check_depth(depth: usize) -> Result<(), CrdtError> {
    match depth > MAX_DEPTH {
        true => Err(too_deep()),
        false => Ok(()),
    }
}

fn too_deep() -> CrdtError {
    CrdtError::TooLarge {
        what: "the depth of a map",
        limit: MAX_DEPTH,
    }
}

pub(super) fn check_key(key: &str) -> Result<(), CrdtError> {
    match key.contains('\0') {
        true => Err(CrdtError::InvalidKey),
        false => Ok(()),
    }
}

pub(super) fn check_element(element: &str) -> Result<(), CrdtError> {
    match element.contains('\0') {
        true => Err(CrdtError::InvalidElement),
        false => Ok(()),
    }
}

/// The members of a canonical JSON object of the given depth, as a literal says them.
pub(super) fn of_json(text: &str, depth: usize) -> Result<Plain, &'static str> {
    if depth > MAX_DEPTH {
        return Err("objects must not be nested over 32 levels");
    }
    json::members(text)
        .ok_or("a JSON object is expected")?
        .into_iter()
        .map(|(key, value)| Ok((key, Nested::of_json(value, depth)?)))
        .collect()
}

/// As a JSON object; sets as arrays, counters as numbers.
pub(super) fn to_json<N: std::fmt::Display>(map: &Plain<N>) -> String {
    let mut out = String::new();
    put_map(&mut out, map);
    out
}

fn put_map<N: std::fmt::Display>(out: &mut String, map: &Plain<N>) {
    out.push('{');
    for (index, (key, value)) in map.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(&json::quote(key));
        out.push(':');
        put_value(out, value);
    }
    out.push('}');
}

/// What a key shows, as JSON.
pub(super) fn json_of(value: &Nested<i128>) -> String {
    let mut out = String::new();
    put_value(&mut out, value);
    out
}

fn put_value<N: std::fmt::Display>(out: &mut String, value: &Nested<N>) {
    match value {
        Nested::Counter(value) => out.push_str(&value.to_string()),
        Nested::Register(json) => out.push_str(json),
        Nested::Map(map) => put_map(out, map),
        Nested::Set(elements) => {
            out.push('[');
            for (index, element) in elements.keys().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&json::quote(element));
            }
            out.push(']');
        }
    }
}
