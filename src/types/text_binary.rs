//! Text and binary forms: input, output, receive, send, of any type.

use super::json::Jsonb;
use super::kind;
use super::refusal;
use super::value::{Encoded, Value};
use crate::error::{OrCorrupt, raise};
use crdt::{AnyState, ColumnKind, LwwRegister, MvRegister, TextError};
use pgrx::prelude::*;
use std::ffi::{CStr, CString};

/// A plain literal of a type, for hints.
fn example(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::GCounter | ColumnKind::PnCounter => "'12'",
        ColumnKind::BCounter => "'12' or '12 floor 5'",
        ColumnKind::OrSet | ColumnKind::AwSet | ColumnKind::LwwSet => "'{a,\"b c\"}'",
        ColumnKind::LwwRegister | ColumnKind::MvRegister => "'\"a\"'",
        ColumnKind::LwwMap | ColumnKind::OrMap => "'{\"a\": 1}'",
        ColumnKind::OrCart => "'{\"apple\": 3}'",
        ColumnKind::Rga => "'[\"a\", 1]'",
        ColumnKind::RgaText | ColumnKind::Plain => "'some text'",
        ColumnKind::VectorClock => "'{}'",
        ColumnKind::HlcRegister => "'2026-11-21T12:00:00Z'",
    }
}

/// Reads a text form, a state or a plain literal.
#[pg_extern(sql = false)]
fn crdt_in(text: &CStr, fcinfo: pg_sys::FunctionCallInfo) -> Encoded {
    // SAFETY: the call is running.
    let kind = unsafe { kind::of_call(fcinfo) };
    let parsed = match text.to_str() {
        Ok(text) => AnyState::from_text(kind, text),
        Err(_) => Err(TextError::Syntax {
            type_name: AnyState::type_of_kind(kind),
            text: text.to_string_lossy().into_owned(),
            why: "not valid UTF-8",
        }),
    };
    let state = parsed.unwrap_or_else(|error| refusal::text(&error, example(kind)));
    // JSON passes through jsonb: equal numbers become equal bytes.
    match &state {
        AnyState::LwwRegister(register) if register.written().is_none() => {
            normalised(register.wanted(), |json| LwwRegister::default().set(json))
        }
        AnyState::MvRegister(register) if register.context().is_empty() => {
            match register.wanted().unwrap_or_default() {
                [one] => normalised(Some(one), |json| MvRegister::default().set(json)),
                _ => None,
            }
        }
        _ => None,
    }
    .unwrap_or_else(|| Encoded::new(state.encode()))
}

fn normalised<T: crdt::Crdt>(
    json: Option<&str>,
    assign: impl FnOnce(&str) -> Result<T, crdt::CrdtError>,
) -> Option<Encoded> {
    let json = Jsonb(json?.to_owned()).canonical();
    Some(Encoded::of_change(assign(&json)))
}

/// The lossless text form.
#[pg_extern(sql = false)]
fn crdt_out(value: Value) -> CString {
    CString::new(value.decode().to_text()).or_corrupt("a text form")
}

/// Reads the canonical bytes from a message; any others are refused.
#[pg_extern(sql = false)]
fn crdt_recv(mut message: pgrx::datum::Internal, fcinfo: pg_sys::FunctionCallInfo) -> Encoded {
    // SAFETY: the call is running; PostgreSQL passes the StringInfo of the message.
    let (kind, buffer) = unsafe {
        let buffer = message.get_mut::<pg_sys::StringInfoData>();
        (kind::of_call(fcinfo), buffer)
    };
    let Some(buffer) = buffer else {
        raise(
            PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED,
            "a receive function needs a message",
            "PostgreSQL itself calls it.",
        )
    };
    // SAFETY: data holds len bytes, of which cursor have been read.
    let bytes = unsafe {
        let data = std::slice::from_raw_parts(
            buffer.data.cast::<u8>(),
            usize::try_from(buffer.len).unwrap_or_default(),
        );
        data.get(usize::try_from(buffer.cursor).unwrap_or_default()..)
            .unwrap_or_default()
    };
    buffer.cursor = buffer.len;
    match AnyState::decode(kind, bytes) {
        Ok(_) => Encoded::new(bytes.to_vec()),
        Err(error) => refusal::binary(&error, AnyState::type_of_kind(kind)),
    }
}

/// The canonical bytes.
#[pg_extern(sql = false)]
fn crdt_send(value: Value) -> Vec<u8> {
    value.bytes().to_vec()
}
