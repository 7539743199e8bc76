//! The bytes of a set; numbers are LEB128:
//!
//! ```text
//! u8 version = 1 ‖ u8 change (0 none, 1 add, 2 assign)
//! context, as CausalContext::put writes it
//! elements: count, then all lengths, then all texts in UTF-8, ascending by bytes
//! dots: for each element one or more (2 · replica + more ‖ distance), ascending
//! change: add (not empty) and assign: count, then (length ‖ UTF-8), ascending
//! ```
//!
//! A replica is its place in the context, a counter its distance from the first tick that the
//! context has of it; `more` is 1 if another dot of the element follows. The context covers
//! every dot.

use super::AwSet;
use crate::codec::{MAX_STATE_BYTES, Reader, at_most, check_text, put_varint};
use crate::context::Span;
use crate::elements::{Live, MAX_REPLICAS, change_bytes, put_change, read_change};
use crate::{CausalContext, DecodeError};

pub(super) fn encode(set: &AwSet) -> Vec<u8> {
    let live = &set.live;
    let mut out = Vec::with_capacity(
        16 + set.context.len() * 30
            + live.texts.len()
            + live.len()
            + live.counters.len() * 9
            + change_bytes(&set.change),
    );
    out.extend([1, set.change.code()]);
    set.context.put(&mut out);
    put_varint(&mut out, live.len() as u64);
    let mut start = 0;
    for end in &live.ends {
        put_varint(&mut out, u64::from(end - start));
        start = *end;
    }
    out.extend_from_slice(&live.texts);
    let firsts: Vec<u64> = set.context.iter().map(|(_, spans)| first(spans)).collect();
    for element in 0..live.len() {
        let dots = live.dots(element..element + 1);
        for at in dots.clone() {
            let (author, counter) = live.dot(at);
            let first = firsts.get(usize::from(author)).copied().unwrap_or_default();
            let more = u64::from(at + 1 < dots.end);
            put_varint(&mut out, u64::from(author) << 1 | more);
            // The context covers every dot: the distance is never negative.
            put_varint(&mut out, counter.saturating_sub(first));
        }
    }
    put_change(&mut out, &set.change);
    out
}

/// The first tick of a replica's spans.
fn first(spans: &[Span]) -> u64 {
    spans.first().map_or(0, |span| span.after + 1)
}

pub(super) fn decode(bytes: &[u8]) -> Result<AwSet, DecodeError> {
    at_most("bytes of a set", bytes.len(), MAX_STATE_BYTES)?;
    let mut reader = Reader::new(bytes);
    reader.version()?;
    let code = reader.u8()?;
    let context = CausalContext::read(&mut reader)?;
    at_most("replicas of a set", context.len(), MAX_REPLICAS)?;
    let mut live = read_elements(&mut reader)?;
    read_dots(&mut reader, &mut live, &context)?;
    let change = read_change(&mut reader, code)?;
    reader.finish()?;
    Ok(AwSet {
        live,
        context,
        change,
    })
}

fn read_elements(reader: &mut Reader<'_>) -> Result<Live, DecodeError> {
    // Length and one dot.
    let count = reader.count(3)?;
    let mut ends: Vec<u32> = Vec::with_capacity(count);
    let mut end = 0u64;
    for _ in 0..count {
        let length = reader.varint()?;
        end = end.checked_add(length).ok_or(DecodeError::Truncated)?;
        ends.push(u32::try_from(end).map_err(|_| DecodeError::Truncated)?);
    }
    let texts = reader.take(usize::try_from(end).map_err(|_| DecodeError::Truncated)?)?;
    let text = check_text(texts)?;
    if ends.iter().any(|end| !text.is_char_boundary(*end as usize)) {
        return Err(DecodeError::InvalidText("not UTF-8"));
    }
    let live = Live {
        texts: texts.to_vec(),
        ends,
        ..Live::default()
    };
    if (1..count).any(|index| live.bytes(index - 1) >= live.bytes(index)) {
        return Err(DecodeError::NotCanonical("elements must ascend"));
    }
    Ok(live)
}

fn read_dots(
    reader: &mut Reader<'_>,
    live: &mut Live,
    context: &CausalContext,
) -> Result<(), DecodeError> {
    let count = live.len();
    live.counters = Vec::with_capacity(count);
    live.authors = Vec::with_capacity(count);
    for element in 0..count {
        let mut last: Option<(u16, u64)> = None;
        loop {
            let head = reader.varint()?;
            let author = u16::try_from(head >> 1);
            let author = author.map_err(|_| DecodeError::NotCanonical("no such replica"))?;
            let (_, spans) = context
                .at(usize::from(author))
                .ok_or(DecodeError::NotCanonical("no such replica"))?;
            let counter = first(spans).checked_add(reader.varint()?);
            let counter = counter.ok_or(DecodeError::NotCanonical("counter over 64 bits"))?;
            let at = spans.partition_point(|span| span.upto < counter);
            if spans.get(at).is_none_or(|span| span.after >= counter) {
                return Err(DecodeError::NotCanonical("a dot beyond the context"));
            }
            if last.is_some_and(|last| last >= (author, counter)) {
                return Err(DecodeError::NotCanonical("dots must ascend"));
            }
            let is_first = last.replace((author, counter)).is_none();
            if !is_first && live.dot_ends.is_empty() {
                live.dot_ends.extend(1..=element as u32);
            }
            live.authors.push(author);
            live.counters.push(counter);
            if head & 1 == 0 {
                if live.counters.len() > element + 1 {
                    live.dot_ends.push(live.counters.len() as u32);
                }
                break;
            }
        }
    }
    Ok(())
}
