//! The type: input, output, receive, send.

use super::{EXAMPLE, Set};
use crate::types::stored::Stored;
use crate::types::text_binary;
use pgrx::datum::Internal;
use pgrx::prelude::*;
use std::ffi::{CStr, CString};

#[pg_extern(immutable, parallel_safe, requires = ["shell_types"])]
fn or_set_in(text: &CStr) -> Set {
    Stored::new(&text_binary::input(text, EXAMPLE))
}

#[pg_extern(immutable, parallel_safe, requires = ["shell_types"])]
fn or_set_out(set: Set) -> CString {
    text_binary::output(&set)
}

#[pg_extern(immutable, strict, parallel_safe, requires = ["shell_types"])]
fn or_set_recv(message: Internal) -> Set {
    text_binary::receive(message)
}

#[pg_extern(immutable, parallel_safe, requires = ["shell_types"])]
fn or_set_send(set: Set) -> Vec<u8> {
    text_binary::send(&set)
}

extension_sql!(
    r#"
CREATE TYPE or_set (
    INPUT = or_set_in,
    OUTPUT = or_set_out,
    RECEIVE = or_set_recv,
    SEND = or_set_send,
    ALIGNMENT = int4,
    STORAGE = extended
);
"#,
    name = "or_set",
    creates = [Type(Set)],
    requires = [
        "shell_types",
        or_set_in,
        or_set_out,
        or_set_recv,
        or_set_send
    ]
);
