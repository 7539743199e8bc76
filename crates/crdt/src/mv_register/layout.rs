//! The bytes of a register:
//!
//! ```text
//! u8 version = 1 ‖ u8 flags (1 wanted) ‖ causal context
//! count ‖ values, ascending by dot:
//!     index of the replica in the context ‖ distance of the tick from the replica's last
//!     ‖ length ‖ canonical JSON text
//! wanted: count ‖ values, ascending: length ‖ canonical JSON text
//! ```
//!
//! All counts, indexes, distances and lengths in LEB128.

use super::{MvRegister, in_order};
use crate::codec::{MAX_STATE_BYTES, Reader, at_most, check_text, put_bytes, put_varint};
use crate::context::Span;
use crate::dot_fun::DotFun;
use crate::{CausalContext, DecodeError, Dot, ReplicaId, json};

const WANTED: u8 = 1;

/// The longest number in LEB128, in bytes.
const MAX_VARINT: usize = 10;

/// At least the size of the encoding, in bytes.
pub(super) fn size(register: &MvRegister) -> usize {
    let spans: usize = register.context.iter().map(|(_, spans)| spans.len()).sum();
    let live = register
        .live
        .iter()
        .map(|(_, value)| value.len() + 3 * MAX_VARINT);
    let wanted = register.wanted.iter().flatten();
    let context = spans * (16 + 3 * MAX_VARINT);
    let counts = 2 + 3 * MAX_VARINT;
    counts
        + context
        + live.sum::<usize>()
        + wanted.map(|value| value.len() + MAX_VARINT).sum::<usize>()
}

pub(super) fn encode(register: &MvRegister) -> Vec<u8> {
    let mut out = Vec::new();
    let flags = if register.wanted.is_some() { WANTED } else { 0 };
    out.extend([1, flags]);
    register.context.put(&mut out);
    put_varint(&mut out, register.live.len() as u64);
    let mut replicas = ends(&register.context).enumerate().peekable();
    for (dot, value) in register.live.iter() {
        while replicas
            .next_if(|(_, (replica, _))| *replica < dot.replica)
            .is_some()
        {}
        if let Some((index, (_, last))) = replicas.peek() {
            put_varint(&mut out, *index as u64);
            put_varint(&mut out, last - dot.counter);
        }
        put_bytes(&mut out, value.as_bytes());
    }
    if let Some(wanted) = &register.wanted {
        put_varint(&mut out, wanted.len() as u64);
        for value in wanted {
            put_bytes(&mut out, value.as_bytes());
        }
    }
    out
}

/// Each replica of the context with its last tick.
fn ends(context: &CausalContext) -> impl Iterator<Item = (ReplicaId, u64)> {
    let end = |(replica, spans): (ReplicaId, &[Span])| Some((replica, spans.last()?.upto));
    context.iter().filter_map(end)
}

pub(super) fn decode(bytes: &[u8]) -> Result<MvRegister, DecodeError> {
    at_most("bytes of a register", bytes.len(), MAX_STATE_BYTES)?;
    let mut reader = Reader::new(bytes);
    reader.version()?;
    let flags = reader.u8()?;
    if flags & !WANTED != 0 {
        return Err(DecodeError::UnknownCode {
            what: "flags",
            code: flags,
        });
    }
    let context = CausalContext::read(&mut reader)?;
    let live = read_live(&mut reader, &context)?;
    let wanted = match flags & WANTED != 0 {
        true => Some(read_wanted(&mut reader)?),
        false => None,
    };
    reader.finish()?;
    Ok(MvRegister {
        live,
        context,
        wanted,
    })
}

fn read_live(
    reader: &mut Reader<'_>,
    context: &CausalContext,
) -> Result<DotFun<String>, DecodeError> {
    let ends: Vec<(ReplicaId, u64)> = ends(context).collect();
    let count = reader.count(4)?;
    let mut live = DotFun::with_capacity(count);
    let mut before: Option<Dot> = None;
    for _ in 0..count {
        let (replica, last) = usize::try_from(reader.varint()?)
            .ok()
            .and_then(|index| ends.get(index))
            .ok_or(DecodeError::NotCanonical("no such replica"))?;
        let dot = last
            .checked_sub(reader.varint()?)
            .map(|counter| Dot {
                replica: *replica,
                counter,
            })
            .filter(|dot| context.contains(dot))
            .ok_or(DecodeError::NotCanonical("a value that was not seen"))?;
        if before.replace(dot).is_some_and(|last| last >= dot) {
            return Err(DecodeError::NotCanonical("dots must ascend"));
        }
        live.insert(dot, read_json(reader)?);
    }
    Ok(live)
}

fn read_wanted(reader: &mut Reader<'_>) -> Result<Vec<String>, DecodeError> {
    let count = reader.count(2)?;
    let mut wanted: Vec<String> = Vec::with_capacity(count);
    for _ in 0..count {
        let value = read_json(reader)?;
        if wanted
            .last()
            .is_some_and(|last| in_order(last, &value).is_ge())
        {
            return Err(DecodeError::NotCanonical("values must ascend"));
        }
        wanted.push(value);
    }
    Ok(wanted)
}

fn read_json(reader: &mut Reader<'_>) -> Result<String, DecodeError> {
    let text = check_text(reader.bytes()?)?;
    json::check_canonical(text)?;
    Ok(text.to_owned())
}
