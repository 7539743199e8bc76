//! The type: input, output, receive, send.

use super::{Register, input};
use crate::types::text_binary;
use pgrx::datum::Internal;
use pgrx::prelude::*;
use std::ffi::{CStr, CString};

#[pg_extern(immutable, parallel_safe, requires = ["shell_types"])]
fn lww_register_in(text: &CStr) -> Register {
    input(text)
}

#[pg_extern(immutable, parallel_safe, requires = ["shell_types"])]
fn lww_register_out(register: Register) -> CString {
    text_binary::output(&register)
}

#[pg_extern(immutable, strict, parallel_safe, requires = ["shell_types"])]
fn lww_register_recv(message: Internal) -> Register {
    text_binary::receive(message)
}

#[pg_extern(immutable, parallel_safe, requires = ["shell_types"])]
fn lww_register_send(register: Register) -> Vec<u8> {
    text_binary::send(&register)
}

// Of the category of strings, so that a literal in `crdt_set(title, 'x')` is
// read as one of this type, as it is in `SET title = 'x'`.
extension_sql!(
    r#"
CREATE TYPE lww_register (
    INPUT = lww_register_in,
    OUTPUT = lww_register_out,
    RECEIVE = lww_register_recv,
    SEND = lww_register_send,
    CATEGORY = 'S',
    ALIGNMENT = int4,
    STORAGE = extended
);
"#,
    name = "lww_register",
    creates = [Type(Register)],
    requires = [
        "shell_types",
        lww_register_in,
        lww_register_out,
        lww_register_recv,
        lww_register_send
    ]
);
