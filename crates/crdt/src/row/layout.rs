//! The bytes of a row change; numbers are LEB128 unless a width is given:
//!
//! ```text
//! u8 version = 1 ‖ u8 action (1 upsert, 2 delete) ‖ causal length
//! key: count ≥ 1, then (length ‖ bytes), in the key's order
//! deltas: count, then (column ‖ length ‖ bytes), columns ascending
//! u8 plain (0, 1); plain: u64 time ‖ replica16 ‖ values
//!   values: count, then (column ‖ u8 present (0, 1) ‖ present: length ‖ bytes), ascending
//! actor, application: length ‖ UTF-8; transaction
//! ```

use super::{
    MAX_CHANGE_BYTES, MAX_COLUMNS, MAX_KEY_COLUMNS, MAX_NAME_BYTES, PlainRow, RowAction, RowChange,
    fits, name_fits,
};
use crate::codec::{Reader, at_most, put_bytes, put_stamp, put_varint};
use crate::schema::read_flag;
use crate::{DecodeError, EncodeError};

type Values = [(u16, Option<Vec<u8>>)];

pub(super) fn encode(change: &RowChange) -> Result<Vec<u8>, EncodeError> {
    check(change)?;
    let mut out = Vec::with_capacity(size(change));
    out.extend([1, change.action as u8]);
    put_varint(&mut out, u64::from(change.causal_length));
    put_varint(&mut out, change.key.len() as u64);
    change.key.iter().for_each(|part| put_bytes(&mut out, part));
    put_varint(&mut out, change.deltas.len() as u64);
    for (column, delta) in &change.deltas {
        put_varint(&mut out, u64::from(*column));
        put_bytes(&mut out, delta);
    }
    out.push(u8::from(change.plain.is_some()));
    if let Some(plain) = &change.plain {
        put_stamp(&mut out, &plain.stamp);
        put_values(&mut out, &plain.values);
    }
    put_bytes(&mut out, change.actor.as_bytes());
    put_bytes(&mut out, change.application.as_bytes());
    put_varint(&mut out, change.transaction);
    Ok(out)
}

pub(super) fn put_values(out: &mut Vec<u8>, values: &Values) {
    put_varint(out, values.len() as u64);
    for (column, value) in values {
        put_varint(out, u64::from(*column));
        out.push(u8::from(value.is_some()));
        if let Some(value) = value {
            put_bytes(out, value);
        }
    }
}

/// At least the size of the encoding, in bytes.
fn size(change: &RowChange) -> usize {
    let plain = change.plain.iter().flat_map(|plain| &plain.values);
    let fixed = 64 + change.actor.len() + change.application.len();
    let key = change.key.iter().map(|part| part.len() + 5);
    let deltas = change.deltas.iter().map(|(_, delta)| delta.len() + 8);
    let values = plain.map(|(_, value)| value.as_ref().map_or(0, Vec::len) + 9);
    key.chain(deltas)
        .chain(values)
        .fold(fixed, usize::saturating_add)
}

fn check(change: &RowChange) -> Result<(), EncodeError> {
    let values = change.plain.as_ref().map_or(&[][..], |plain| &plain.values);
    fits("key columns", change.key.len(), MAX_KEY_COLUMNS)?;
    fits(
        "columns",
        change.deltas.len().max(values.len()),
        MAX_COLUMNS,
    )?;
    fits("bytes of a row change", size(change), MAX_CHANGE_BYTES)?;
    name_fits(&change.actor)?;
    name_fits(&change.application)?;
    if change.key.is_empty() {
        return Err(EncodeError::Malformed("a row change without a key"));
    }
    let deltas_ascend = change.deltas.is_sorted_by(|(a, _), (b, _)| a < b);
    if !deltas_ascend || !values.is_sorted_by(|(a, _), (b, _)| a < b) {
        return Err(EncodeError::Malformed(
            "the columns of a row change must ascend",
        ));
    }
    match fault(change) {
        Some(why) => Err(EncodeError::Malformed(why)),
        None => Ok(()),
    }
}

/// What contradicts itself in a row change.
fn fault(change: &RowChange) -> Option<&'static str> {
    let exists = change.causal_length % 2 == 1;
    match change.action {
        RowAction::Upsert if !exists => Some("an upsert with an even causal length"),
        RowAction::Delete if exists => Some("a delete with an odd causal length"),
        RowAction::Delete if change.causal_length == 0 => Some("a delete of no row"),
        RowAction::Delete if change.plain.is_some() || !change.deltas.is_empty() => {
            Some("a delete with values")
        }
        _ => None,
    }
}

pub(super) fn decode(bytes: &[u8]) -> Result<RowChange, DecodeError> {
    at_most("bytes of a row change", bytes.len(), MAX_CHANGE_BYTES)?;
    let mut reader = Reader::new(bytes);
    reader.version()?;
    let action = match reader.u8()? {
        1 => RowAction::Upsert,
        2 => RowAction::Delete,
        code => {
            return Err(DecodeError::UnknownCode {
                what: "action",
                code,
            });
        }
    };
    let causal_length = u32::try_from(reader.varint()?)
        .map_err(|_| DecodeError::NotCanonical("causal length over 32 bits"))?;
    let change = RowChange {
        action,
        causal_length,
        key: read_key(&mut reader)?,
        deltas: read_deltas(&mut reader)?,
        plain: read_plain(&mut reader)?,
        actor: read_name(&mut reader)?,
        application: read_name(&mut reader)?,
        transaction: reader.varint()?,
    };
    reader.finish()?;
    match fault(&change) {
        Some(why) => Err(DecodeError::NotCanonical(why)),
        None => Ok(change),
    }
}

fn read_key(reader: &mut Reader<'_>) -> Result<Vec<Vec<u8>>, DecodeError> {
    let count = reader.count(1)?;
    at_most("key columns", count, MAX_KEY_COLUMNS)?;
    if count == 0 {
        return Err(DecodeError::NotCanonical("a row change without a key"));
    }
    (0..count)
        .map(|_| reader.bytes().map(<[u8]>::to_vec))
        .collect()
}

fn read_deltas(reader: &mut Reader<'_>) -> Result<Vec<(u16, Vec<u8>)>, DecodeError> {
    let count = reader.count(2)?;
    at_most("deltas", count, MAX_COLUMNS)?;
    let mut last = None;
    (0..count)
        .map(|_| {
            let column = read_column(reader, &mut last)?;
            Ok((column, reader.bytes()?.to_vec()))
        })
        .collect()
}

fn read_plain(reader: &mut Reader<'_>) -> Result<Option<PlainRow>, DecodeError> {
    if !read_flag(reader)? {
        return Ok(None);
    }
    let stamp = reader.stamp()?;
    let count = reader.count(2)?;
    at_most("plain columns", count, MAX_COLUMNS)?;
    let mut last = None;
    let values = (0..count).map(|_| {
        let column = read_column(reader, &mut last)?;
        let value = if read_flag(reader)? {
            Some(reader.bytes()?.to_vec())
        } else {
            None
        };
        Ok((column, value))
    });
    let values = values.collect::<Result<_, DecodeError>>()?;
    Ok(Some(PlainRow { stamp, values }))
}

fn read_column(reader: &mut Reader<'_>, last: &mut Option<u16>) -> Result<u16, DecodeError> {
    let column = u16::try_from(reader.varint()?)
        .map_err(|_| DecodeError::NotCanonical("column over 16 bits"))?;
    if last.replace(column).is_some_and(|last| last >= column) {
        return Err(DecodeError::NotCanonical("columns must ascend"));
    }
    Ok(column)
}

fn read_name(reader: &mut Reader<'_>) -> Result<String, DecodeError> {
    let name = reader.text()?;
    at_most("bytes of a name", name.len(), MAX_NAME_BYTES)?;
    Ok(name.to_owned())
}
