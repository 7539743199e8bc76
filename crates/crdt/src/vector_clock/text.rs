//! The text form of a vector clock: a JSON object such as `{"01…01": 5, "02…02": 7}` of replica
//! ids in 32 hex digits, or `{…} @v1:…` with its state.

use super::{MAX_ENTRIES, VectorClock};
use crate::{Crdt, Dot, MAX_STATE_BYTES, ReplicaId, TextError, VersionVector, json, text_form};

pub(super) fn print(clock: &VectorClock) -> String {
    let is_plain = clock.state.is_empty() && !clock.ticks;
    text_form::print(clock, readable(clock), is_plain)
}

pub(super) fn parse(text: &str) -> Result<VectorClock, TextError> {
    text_form::parse(text, readable, plain)
}

pub(super) fn readable(clock: &VectorClock) -> String {
    object(&clock.vector())
}

fn object(vector: &VersionVector) -> String {
    let entry = |entry: Dot| format!(r#""{}": {}"#, entry.replica, entry.counter);
    let entries: Vec<String> = vector.iter().map(entry).collect();
    format!("{{{}}}", entries.join(", "))
}

fn plain(text: &str) -> Result<VectorClock, TextError> {
    let syntax = |why| TextError::Syntax {
        type_name: VectorClock::NAME,
        text: text_form::shorten(text),
        why,
    };
    // The canonical form leaves no white space; a comma or colon inside a key cannot pass for an id.
    let canonical = json::canonical(text).map_err(|fault| syntax(fault.why))?;
    let entries = canonical
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .ok_or_else(|| syntax("a JSON object is expected"))?;
    let mut vector = VersionVector::default();
    for entry in entries.split(',').filter(|entry| !entry.is_empty()) {
        let (key, tick) = entry
            .split_once(':')
            .ok_or_else(|| syntax("a number is expected for each replica"))?;
        let replica = key
            .strip_prefix('"')
            .and_then(|key| key.strip_suffix('"'))
            .and_then(replica)
            .ok_or_else(|| syntax("a replica id has 32 hex digits"))?;
        if tick.is_empty() || !tick.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(syntax("an entry is a whole number from 0 on"));
        }
        let counter = tick.parse().map_err(|_| TextError::OutOfRange {
            type_name: VectorClock::NAME,
            text: text_form::shorten(tick),
        })?;
        vector.observe(Dot { replica, counter });
    }
    if vector.len() > MAX_ENTRIES {
        return Err(TextError::TooLarge {
            type_name: VectorClock::NAME,
            limit: MAX_STATE_BYTES,
        });
    }
    Ok(VectorClock::assign(vector))
}

fn replica(hex: &str) -> Option<ReplicaId> {
    if hex.len() != 32 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let id = u128::from_str_radix(hex, 16).ok()?;
    Some(ReplicaId(id.to_be_bytes()))
}

pub(super) fn json(clock: &VectorClock) -> String {
    let change = match (clock.ticks, clock.wanted.is_empty()) {
        (false, true) => "null".to_owned(),
        (ticks, _) => format!(r#"{{"tick":{ticks},"assign":{}}}"#, object(&clock.wanted)),
    };
    format!(
        r#"{{"type":"vector_clock","value":{},"entries":{},"change":{change}}}"#,
        readable(clock),
        object(&clock.state)
    )
}
