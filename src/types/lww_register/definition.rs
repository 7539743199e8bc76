//! The type: input, output, receive, send.

use super::{Register, input};
use crate::types::text_binary::type_functions;

// Of the category of strings, so that a literal in `crdt_set(title, 'x')` is
// read as one of this type, as it is in `SET title = 'x'`.
type_functions! {
    Register, "lww_register", input;
    lww_register_in, lww_register_out, lww_register_recv, lww_register_send;
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
"#
}
