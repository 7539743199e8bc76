//! The bytes of a table:
//!
//! ```text
//! u8 version = 1 ‖ u8 change (0 none, 1 edits, 2 assignment) ‖ floor
//! count ‖ replicas, ascending, each in use: replica16 ‖ its smallest tick
//! count ‖ births, ascending: stamp
//! count ‖ entries, ascending by key: length ‖ key ‖ stamp ‖ value
//! change: count ‖ edits, ascending by key: length ‖ key ‖ value
//!
//! stamp: index of the replica ‖ distance from its smallest tick
//! value: 0 removed; 1 JSON's null; else its length + 1 ‖ canonical JSON text
//! ```
//!
//! All numbers in LEB128. Ticks are over 0.

use std::collections::BTreeMap;

use super::merge::is_needed;
use super::{Edits, Entry, LwwTable, TableKind, Wanted};
use crate::codec::{MAX_STATE_BYTES, Reader, at_most, check_text, put_bytes, put_varint};
use crate::keyed::Keyed;
use crate::{Change, DecodeError, Hlc, ReplicaId, Stamp, json};

const REMOVED: u64 = 0;
const NULL: u64 = 1;

pub(super) fn encode<K: TableKind>(table: &LwwTable<K>) -> Vec<u8> {
    let mut out = vec![1, table.change.code()];
    put_varint(&mut out, table.floor);
    let mut replicas: BTreeMap<ReplicaId, (u64, u64)> = BTreeMap::new();
    let stamps = table.entries.values().map(|entry| &entry.stamp);
    for stamp in stamps.chain(&table.births) {
        let (_, base) = replicas.entry(stamp.replica).or_insert((0, u64::MAX));
        *base = stamp.hlc.0.min(*base);
    }
    put_varint(&mut out, replicas.len() as u64);
    for (index, (replica, (at, base))) in replicas.iter_mut().enumerate() {
        *at = index as u64;
        out.extend_from_slice(&replica.0);
        put_varint(&mut out, *base);
    }
    let put_stamp = |out: &mut Vec<u8>, stamp: &Stamp| {
        if let Some((index, base)) = replicas.get(&stamp.replica) {
            put_varint(out, *index);
            put_varint(out, stamp.hlc.0 - base);
        }
    };
    put_varint(&mut out, table.births.len() as u64);
    table
        .births
        .iter()
        .for_each(|birth| put_stamp(&mut out, birth));
    put_varint(&mut out, table.entries.len() as u64);
    for (key, entry) in table.entries.iter() {
        put_bytes(&mut out, key.as_bytes());
        put_stamp(&mut out, &entry.stamp);
        put_value(&mut out, entry.value.as_deref());
    }
    match &table.change {
        Change::None => (),
        Change::Add(edits) => put_edits(&mut out, edits, |edit| edit.as_deref()),
        Change::Assign(values) => put_edits(&mut out, values, |value| Some(value)),
    }
    out
}

fn put_edits<V>(out: &mut Vec<u8>, edits: &Keyed<V>, value: impl Fn(&V) -> Option<&str>) {
    put_varint(out, edits.len() as u64);
    for (key, edit) in edits.iter() {
        put_bytes(out, key.as_bytes());
        put_value(out, value(edit));
    }
}

fn put_value(out: &mut Vec<u8>, value: Option<&str>) {
    match value {
        None => put_varint(out, REMOVED),
        Some("null") => put_varint(out, NULL),
        Some(value) => {
            put_varint(out, value.len() as u64 + 1);
            out.extend_from_slice(value.as_bytes());
        }
    }
}

pub(super) fn decode<K: TableKind>(bytes: &[u8]) -> Result<LwwTable<K>, DecodeError> {
    at_most("bytes of a table", bytes.len(), MAX_STATE_BYTES)?;
    let mut reader = Reader::new(bytes);
    reader.version()?;
    let code = reader.u8()?;
    let floor = reader.varint()?;
    let mut replicas = Replicas::read(&mut reader)?;
    let count = reader.count(2)?;
    let mut births: Vec<Stamp> = Vec::with_capacity(count);
    for _ in 0..count {
        let birth = replicas.stamp(&mut reader)?;
        if births.last().is_some_and(|last| *last >= birth) {
            return Err(DecodeError::NotCanonical("births must ascend"));
        }
        births.push(birth);
    }
    let entries = read_keyed(&mut reader, |reader| {
        let stamp = replicas.stamp(reader)?;
        let value = read_value(reader)?;
        let entry = Entry { stamp, value };
        match is_needed(&entry, floor) {
            true => Ok(entry),
            false => Err(DecodeError::NotCanonical("a removal below the floor")),
        }
    })?;
    replicas.finish()?;
    let change = read_change(&mut reader, code)?;
    reader.finish()?;
    Ok(LwwTable::of(entries, births, floor, change))
}

fn read_change(reader: &mut Reader<'_>, code: u8) -> Result<Change<Edits, Wanted>, DecodeError> {
    match code {
        0 => Ok(Change::None),
        1 => match read_keyed(reader, read_value)? {
            edits if edits.is_empty() => Err(DecodeError::NotCanonical("edits of nothing")),
            edits => Ok(Change::Add(edits)),
        },
        2 => {
            const REMOVAL: DecodeError = DecodeError::NotCanonical("a removal in an assignment");
            let present = |reader: &mut Reader<'_>| read_value(reader)?.ok_or(REMOVAL);
            Ok(Change::Assign(read_keyed(reader, present)?))
        }
        code => Err(DecodeError::UnknownCode {
            what: "change",
            code,
        }),
    }
}

/// The replicas of the stamps with their smallest ticks.
struct Replicas(Vec<Replica>);

struct Replica {
    id: ReplicaId,
    base: u64,
    /// Whether any stamp is of it, and one has its smallest tick.
    has_base: bool,
}

impl Replicas {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = reader.count(17)?;
        let mut replicas: Vec<Replica> = Vec::with_capacity(count);
        for _ in 0..count {
            let (id, base) = (reader.replica()?, reader.varint()?);
            if replicas.last().is_some_and(|last| last.id >= id) {
                return Err(DecodeError::NotCanonical("replicas must ascend"));
            }
            if base == 0 {
                return Err(DecodeError::NotCanonical("tick 0"));
            }
            let has_base = false;
            replicas.push(Replica { id, base, has_base });
        }
        Ok(Self(replicas))
    }

    fn stamp(&mut self, reader: &mut Reader<'_>) -> Result<Stamp, DecodeError> {
        let index = usize::try_from(reader.varint()?).ok();
        let distance = reader.varint()?;
        let replica = index
            .and_then(|index| self.0.get_mut(index))
            .ok_or(DecodeError::NotCanonical("no such replica"))?;
        let tick = replica.base.checked_add(distance);
        replica.has_base |= distance == 0;
        Ok(Stamp {
            hlc: Hlc(tick.ok_or(DecodeError::NotCanonical("tick over 64 bits"))?),
            replica: replica.id,
        })
    }

    fn finish(&self) -> Result<(), DecodeError> {
        match self.0.iter().all(|replica| replica.has_base) {
            true => Ok(()),
            false => Err(DecodeError::NotCanonical(
                "a smallest tick that no stamp has",
            )),
        }
    }
}

fn read_keyed<T>(
    reader: &mut Reader<'_>,
    mut read: impl FnMut(&mut Reader<'_>) -> Result<T, DecodeError>,
) -> Result<Keyed<T>, DecodeError> {
    let mut keyed = Keyed::default();
    let count = reader.count(2)?;
    for index in 0..count {
        let key = reader.text()?;
        if keyed.last_key().is_some_and(|last| last >= key) {
            return Err(DecodeError::NotCanonical("keys must ascend"));
        }
        let value = read(reader)?;
        keyed.push(key, value, count - index);
    }
    Ok(keyed)
}

fn read_value(reader: &mut Reader<'_>) -> Result<Option<String>, DecodeError> {
    match reader.varint()? {
        REMOVED => Ok(None),
        NULL => Ok(Some("null".to_owned())),
        length => {
            let length = usize::try_from(length - 1).map_err(|_| DecodeError::Truncated)?;
            let text = check_text(reader.take(length)?)?;
            json::check_canonical(text)?;
            match text {
                "null" => Err(DecodeError::NotCanonical("null in a long form")),
                text => Ok(Some(text.to_owned())),
            }
        }
    }
}
