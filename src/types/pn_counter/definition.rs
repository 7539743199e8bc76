//! The type: input, output, receive, send.

use super::{Counter, EXAMPLE};
use crate::types::stored::Stored;
use crate::types::text_binary;
use pgrx::datum::Internal;
use pgrx::prelude::*;
use std::ffi::{CStr, CString};

#[pg_extern(immutable, parallel_safe, requires = ["shell_types"])]
fn pn_counter_in(text: &CStr) -> Counter {
    Stored::new(&text_binary::input(text, EXAMPLE))
}

#[pg_extern(immutable, parallel_safe, requires = ["shell_types"])]
fn pn_counter_out(counter: Counter) -> CString {
    text_binary::output(&counter)
}

#[pg_extern(immutable, strict, parallel_safe, requires = ["shell_types"])]
fn pn_counter_recv(message: Internal) -> Counter {
    text_binary::receive(message)
}

#[pg_extern(immutable, parallel_safe, requires = ["shell_types"])]
fn pn_counter_send(counter: Counter) -> Vec<u8> {
    text_binary::send(&counter)
}

// Storage main: a counter is read and rewritten whole at each write, so it
// should stay in its row; moved out, an increment would rewrite a TOAST value.
// One of very many nodes may still move out when the row cannot hold it.
extension_sql!(
    r#"
CREATE TYPE pn_counter (
    INPUT = pn_counter_in,
    OUTPUT = pn_counter_out,
    RECEIVE = pn_counter_recv,
    SEND = pn_counter_send,
    ALIGNMENT = int4,
    STORAGE = main
);
"#,
    name = "pn_counter",
    creates = [Type(Counter)],
    requires = [
        "shell_types",
        pn_counter_in,
        pn_counter_out,
        pn_counter_recv,
        pn_counter_send
    ]
);
