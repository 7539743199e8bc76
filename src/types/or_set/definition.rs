//! The type: input, output, receive, send.

use super::{Set, input};
use crate::types::text_binary::type_functions;

type_functions! {
    Set, "or_set", input;
    or_set_in, or_set_out, or_set_recv, or_set_send;
    r#"
CREATE TYPE or_set (
    INPUT = or_set_in,
    OUTPUT = or_set_out,
    RECEIVE = or_set_recv,
    SEND = or_set_send,
    ALIGNMENT = int4,
    STORAGE = extended
);
"#
}
