//! Text and binary forms, alike for all types: input, output, receive, send.

use super::refusal;
use super::stored::Stored;
use crate::error::{OrCorrupt, raise};
use crdt::{Crdt, TextError};
use pgrx::PgSqlErrorCode;
use pgrx::datum::Internal;
use pgrx::pg_sys;
use std::ffi::{CStr, CString};

/// Reads a text form, a state or a plain literal; `example` is one.
pub fn input<T: Crdt>(text: &CStr, example: &str) -> T {
    let parsed = text.to_str().map(T::from_text).unwrap_or_else(|_| {
        Err(TextError::Syntax {
            type_name: T::NAME,
            text: text.to_string_lossy().into_owned(),
            why: "not valid UTF-8",
        })
    });
    parsed.unwrap_or_else(|error| refusal::text(&error, example))
}

/// The lossless text form.
pub fn output<T: Crdt>(value: &Stored<T>) -> CString {
    CString::new(value.decode().to_text()).or_corrupt(T::NAME)
}

/// Reads the canonical bytes from a message; any others are refused.
pub fn receive<T: Crdt>(mut message: Internal) -> Stored<T> {
    // SAFETY: PostgreSQL passes the StringInfo of the message.
    let buffer = unsafe { message.get_mut::<pg_sys::StringInfoData>() };
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
    match T::decode(bytes) {
        Ok(_) => Stored::from_bytes(bytes),
        Err(error) => refusal::binary(&error, T::NAME),
    }
}

/// The canonical bytes.
pub fn send<T: Crdt>(value: &Stored<T>) -> Vec<u8> {
    value.bytes().to_vec()
}

/// Declares a type: its input, output, receive and send functions, and the
/// statement that makes them a type.
macro_rules! type_functions {
    (
        $type:ident, $name:literal, $input_by:path;
        $input:ident, $output:ident, $receive:ident, $send:ident;
        $create:literal
    ) => {
        #[::pgrx::pg_extern(immutable, parallel_safe, requires = ["shell_types"])]
        fn $input(text: &::std::ffi::CStr) -> $type {
            $input_by(text)
        }

        #[::pgrx::pg_extern(immutable, parallel_safe, requires = ["shell_types"])]
        fn $output(value: $type) -> ::std::ffi::CString {
            $crate::types::text_binary::output(&value)
        }

        #[::pgrx::pg_extern(immutable, strict, parallel_safe, requires = ["shell_types"])]
        fn $receive(message: ::pgrx::datum::Internal) -> $type {
            $crate::types::text_binary::receive(message)
        }

        #[::pgrx::pg_extern(immutable, parallel_safe, requires = ["shell_types"])]
        fn $send(value: $type) -> Vec<u8> {
            $crate::types::text_binary::send(&value)
        }

        ::pgrx::extension_sql!(
            $create,
            name = $name,
            creates = [Type($type)],
            requires = ["shell_types", $input, $output, $receive, $send]
        );
    };
}
pub(super) use type_functions;
