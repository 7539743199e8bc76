//! The bytes of a map; numbers are LEB128, signed ones in zigzag:
//!
//! ```text
//! u8 version = 1 ‖ u8 change (0 none, 1 add, 2 assign)
//! context ‖ floor (as CausalContext::put)
//! map: count, then (key ‖ u8 kinds (1 map, 2 set, 4 counter, 8 register; not 0)
//!        ‖ map: map ‖ set: count, then (element ‖ dots) ‖ counter: dots, each with its share
//!        ‖ register: dots, each with its JSON)
//! add: count, then (key ‖ u8 kinds ‖ add ‖ count, then elements ‖ number ‖ JSON)
//! assign: count, then (key ‖ u8 kind ‖ assign | count, then elements | number | JSON)
//! ```
//!
//! Texts stand behind their length; keys and elements ascend by bytes; an inner map, a set or
//! dots are never none. Dots: count, then (index of the replica in the context ‖ distance),
//! ascending; the distance less one is from the dot before of the same replica, else from
//! where the context of the replica begins: so a tick costs a few bytes and not 24.

use super::draft::{WantParts, Wants};
use super::kinds::{Kinds, Part};
use super::nested::{Nested, Plain};
use super::shares::{MAX_SHARE, MAX_SUM};
use super::tree::{EntryParts, Tree};
use super::{MAX_DEPTH, OrMap};
use crate::codec::{MAX_STATE_BYTES, Reader, at_most, put_bytes, put_varint};
use crate::dot_fun::DotFun;
use crate::keyed::Keyed;
use crate::{CausalContext, Change, DecodeError, Dot, ReplicaId, json};

const MAP: u8 = 1;
const SET: u8 = 2;
const COUNTER: u8 = 4;
const REGISTER: u8 = 8;

pub(super) fn encode(map: &OrMap) -> Vec<u8> {
    let mut out = vec![1, map.change.code()];
    map.context.put(&mut out);
    map.floor.put(&mut out);
    let begins = begins(&map.context);
    put_tree(&mut out, &map.tree, &begins);
    match &map.change {
        Change::None => (),
        Change::Add(wants) => put_wants(&mut out, wants),
        Change::Assign(value) => put_plain(&mut out, value),
    }
    out
}

/// The replicas of a context and where each begins.
fn begins(context: &CausalContext) -> Vec<(ReplicaId, u64)> {
    context
        .iter()
        .map(|(replica, spans)| (replica, spans.first().map_or(0, |span| span.after)))
        .collect()
}

fn put_tree(out: &mut Vec<u8>, tree: &Tree, begins: &[(ReplicaId, u64)]) {
    put_varint(out, tree.len() as u64);
    for (key, entry) in tree.iter() {
        put_bytes(out, key.as_bytes());
        out.push(kinds(entry));
        if let Some(map) = entry.map() {
            put_tree(out, map, begins);
        }
        if let Some(set) = entry.set() {
            put_varint(out, set.len() as u64);
            for (element, dots) in set.iter() {
                put_bytes(out, element.as_bytes());
                put_dots(out, dots, begins, |_, ()| ());
            }
        }
        if let Some(counter) = entry.counter() {
            put_dots(out, counter, begins, |out, share| put_signed(out, *share));
        }
        if let Some(register) = entry.register() {
            put_dots(out, register, begins, |out, json: &String| {
                put_bytes(out, json.as_bytes());
            });
        }
    }
}

/// Which kinds are there.
fn kinds<S: Part, C: Part, R: Part>(held: &Kinds<S, C, R>) -> u8 {
    let kind = |code: u8, is_there: bool| if is_there { code } else { 0 };
    kind(MAP, held.map().is_some())
        | kind(SET, held.set().is_some())
        | kind(COUNTER, held.counter().is_some())
        | kind(REGISTER, held.register().is_some())
}

fn put_dots<V: Clone + Ord>(
    out: &mut Vec<u8>,
    dots: &DotFun<V>,
    begins: &[(ReplicaId, u64)],
    put: impl Fn(&mut Vec<u8>, &V),
) {
    put_varint(out, dots.len() as u64);
    let mut last: Option<Dot> = None;
    for (dot, value) in dots.iter() {
        // Every live dot is in the context.
        let index = begins.partition_point(|(replica, _)| *replica < dot.replica);
        let from = match last {
            Some(last) if last.replica == dot.replica => last.counter,
            _ => begins.get(index).map_or(0, |(_, after)| *after),
        };
        put_varint(out, index as u64);
        put_varint(out, dot.counter - from - 1);
        put(out, value);
        last = Some(dot);
    }
}

fn put_signed(out: &mut Vec<u8>, value: i128) {
    let mut rest = (value << 1 ^ value >> 127) as u128;
    while rest >= 0x80 {
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn put_wants(out: &mut Vec<u8>, wants: &Wants) {
    put_varint(out, wants.len() as u64);
    for (key, want) in wants.iter() {
        put_bytes(out, key.as_bytes());
        out.push(kinds(want));
        if let Some(map) = want.map() {
            put_wants(out, map);
        }
        if let Some(set) = want.set() {
            put_texts(out, set);
        }
        if let Some(step) = want.counter().copied().flatten() {
            put_signed(out, step.into());
        }
        if let Some(json) = want.register().and_then(Option::as_ref) {
            put_bytes(out, json.as_bytes());
        }
    }
}

fn put_texts(out: &mut Vec<u8>, texts: &Keyed<()>) {
    put_varint(out, texts.len() as u64);
    texts
        .keys()
        .for_each(|text| put_bytes(out, text.as_bytes()));
}

fn put_plain(out: &mut Vec<u8>, map: &Plain) {
    put_varint(out, map.len() as u64);
    for (key, value) in map.iter() {
        put_bytes(out, key.as_bytes());
        match value {
            Nested::Map(map) => {
                out.push(MAP);
                put_plain(out, map);
            }
            Nested::Set(elements) => {
                out.push(SET);
                put_texts(out, elements);
            }
            Nested::Counter(value) => {
                out.push(COUNTER);
                put_signed(out, i128::from(*value));
            }
            Nested::Register(json) => {
                out.push(REGISTER);
                put_bytes(out, json.as_bytes());
            }
        }
    }
}

pub(super) fn decode(bytes: &[u8]) -> Result<OrMap, DecodeError> {
    at_most("a map", bytes.len(), MAX_STATE_BYTES)?;
    let mut reader = Reader::new(bytes);
    reader.version()?;
    let code = reader.u8()?;
    let context = CausalContext::read(&mut reader)?;
    let floor = CausalContext::read(&mut reader)?;
    if floor.iter().any(|(_, spans)| spans.len() != 1) {
        return Err(DecodeError::NotCanonical("a floor has one span a replica"));
    }
    let begins = begins(&context);
    let scope = Scope {
        context: &context,
        begins: &begins,
    };
    let tree = scope.tree(&mut reader, 1)?;
    let change = match code {
        0 => Change::None,
        1 => Change::Add(read_wants(&mut reader, 1)?),
        2 => Change::Assign(read_plain(&mut reader, 1)?),
        code => {
            return Err(DecodeError::UnknownCode {
                what: "change",
                code,
            });
        }
    };
    reader.finish()?;
    if matches!(&change, Change::Add(wants) if wants.is_empty()) {
        return Err(DecodeError::NotCanonical("an addition of nothing"));
    }
    Ok(OrMap {
        tree,
        context,
        floor,
        change,
    })
}

/// What the dots of a state are told by.
struct Scope<'a> {
    context: &'a CausalContext,
    begins: &'a [(ReplicaId, u64)],
}

impl Scope<'_> {
    fn tree(&self, reader: &mut Reader<'_>, depth: usize) -> Result<Tree, DecodeError> {
        read_keys(reader, depth, |reader| {
            let kinds = read_kinds(reader)?;
            let mut entry = EntryParts::default();
            if kinds & MAP != 0 {
                entry.map = some(self.tree(reader, depth + 1)?)?;
            }
            if kinds & SET != 0 {
                let elements = |reader: &mut Reader<'_>| self.dots(reader, 0, |_| Ok(()));
                entry.set = some(read_ascending(reader, elements)?)?;
            }
            if kinds & COUNTER != 0 {
                entry.counter = self.dots(reader, 1, |reader| read_signed(reader, MAX_SUM))?;
            }
            if kinds & REGISTER != 0 {
                entry.register = self.dots(reader, 2, read_json)?;
            }
            Ok(entry.into())
        })
    }

    /// Dots, each with a value of at least `value_bytes`.
    fn dots<V: Clone + Ord>(
        &self,
        reader: &mut Reader<'_>,
        value_bytes: usize,
        mut read: impl FnMut(&mut Reader<'_>) -> Result<V, DecodeError>,
    ) -> Result<DotFun<V>, DecodeError> {
        let count = reader.count(2 + value_bytes)?;
        if count == 0 {
            return Err(EMPTY);
        }
        let mut dots = DotFun::with_capacity(count);
        let mut last: Option<(usize, u64)> = None;
        for _ in 0..count {
            let index = usize::try_from(reader.varint()?).map_err(|_| DecodeError::Truncated)?;
            let (replica, begin) = *self
                .begins
                .get(index)
                .ok_or(DecodeError::NotCanonical("a replica outside the context"))?;
            let from = match last {
                Some((before, _)) if before > index => {
                    return Err(DecodeError::NotCanonical("dots must ascend"));
                }
                Some((before, counter)) if before == index => counter,
                _ => begin,
            };
            let counter = reader
                .varint()?
                .checked_add(1)
                .and_then(|distance| from.checked_add(distance))
                .ok_or(DecodeError::NotCanonical("counter over 64 bits"))?;
            let dot = Dot { replica, counter };
            if !self.context.contains(&dot) {
                return Err(DecodeError::NotCanonical("a dot outside the context"));
            }
            dots.insert(dot, read(reader)?);
            last = Some((index, counter));
        }
        Ok(dots)
    }
}

const EMPTY: DecodeError = DecodeError::NotCanonical("a key or element that holds nothing");

/// Refuses a map or a set in which there is nothing.
fn some<V>(held: Keyed<V>) -> Result<Keyed<V>, DecodeError> {
    match held.is_empty() {
        true => Err(EMPTY),
        false => Ok(held),
    }
}

fn read_kinds(reader: &mut Reader<'_>) -> Result<u8, DecodeError> {
    match reader.u8()? {
        0 => Err(EMPTY),
        kinds if kinds <= MAP | SET | COUNTER | REGISTER => Ok(kinds),
        code => Err(DecodeError::UnknownCode {
            what: "kinds",
            code,
        }),
    }
}

/// Keys of a map of the given depth with what `read` makes of the rest.
fn read_keys<V>(
    reader: &mut Reader<'_>,
    depth: usize,
    read: impl FnMut(&mut Reader<'_>) -> Result<V, DecodeError>,
) -> Result<Keyed<V>, DecodeError> {
    at_most("the depth of a map", depth, MAX_DEPTH)?;
    read_ascending(reader, read)
}

fn read_ascending<V>(
    reader: &mut Reader<'_>,
    mut read: impl FnMut(&mut Reader<'_>) -> Result<V, DecodeError>,
) -> Result<Keyed<V>, DecodeError> {
    let count = reader.count(1)?;
    let mut held = Keyed::default();
    for index in 0..count {
        let key = reader.text()?;
        if held.last_key().is_some_and(|last| last >= key) {
            return Err(DecodeError::NotCanonical("keys must ascend"));
        }
        let value = read(reader)?;
        held.push(key, value, count - index);
    }
    Ok(held)
}

fn read_texts(reader: &mut Reader<'_>) -> Result<Keyed<()>, DecodeError> {
    some(read_ascending(reader, |_| Ok(()))?)
}

fn read_json(reader: &mut Reader<'_>) -> Result<String, DecodeError> {
    let text = reader.text()?;
    json::check_canonical(text)?;
    Ok(text.to_owned())
}

fn read_signed(reader: &mut Reader<'_>, limit: u128) -> Result<i128, DecodeError> {
    const OVER: DecodeError = DecodeError::NotCanonical("a number beyond all counters");
    let mut bits = 0u128;
    for shift in (0..98).step_by(7) {
        let byte = reader.u8()?;
        bits |= u128::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            let value = (bits >> 1) as i128 ^ -((bits & 1) as i128);
            return match byte {
                0 if shift > 0 => Err(DecodeError::NotCanonical("number in a long form")),
                _ if value.unsigned_abs() > limit => Err(OVER),
                _ => Ok(value),
            };
        }
    }
    Err(OVER)
}

fn read_wants(reader: &mut Reader<'_>, depth: usize) -> Result<Wants, DecodeError> {
    read_keys(reader, depth, |reader| {
        let kinds = read_kinds(reader)?;
        let mut want = WantParts::default();
        if kinds & MAP != 0 {
            want.map = some(read_wants(reader, depth + 1)?)?;
        }
        if kinds & SET != 0 {
            want.set = read_texts(reader)?;
        }
        if kinds & COUNTER != 0 {
            want.counter = Some(read_signed(reader, MAX_SHARE)?.into());
        }
        if kinds & REGISTER != 0 {
            want.register = Some(read_json(reader)?);
        }
        Ok(want.into())
    })
}

fn read_plain(reader: &mut Reader<'_>, depth: usize) -> Result<Plain, DecodeError> {
    read_keys(reader, depth, |reader| match reader.u8()? {
        MAP => some(read_plain(reader, depth + 1)?).map(Nested::Map),
        SET => read_texts(reader).map(Nested::Set),
        COUNTER => {
            let value = read_signed(reader, MAX_SHARE)?;
            i64::try_from(value)
                .map(Nested::Counter)
                .map_err(|_| DecodeError::NotCanonical("a number beyond bigint"))
        }
        REGISTER => read_json(reader).map(Nested::Register),
        code => Err(DecodeError::UnknownCode { what: "kind", code }),
    })
}

/// No less than the bytes that the change takes, for the bound of a state.
pub(super) fn change_bytes(change: &Change<Wants, Plain>) -> usize {
    let mut out = Vec::new();
    match change {
        Change::None => (),
        Change::Add(wants) => put_wants(&mut out, wants),
        Change::Assign(value) => put_plain(&mut out, value),
    }
    out.len()
}
