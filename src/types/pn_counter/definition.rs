//! The type: input, output, receive, send.

use super::{Counter, input};
use crate::types::text_binary::type_functions;

// Storage main: a counter is read and rewritten whole at each write, so it
// should stay in its row; moved out, an increment would rewrite a TOAST value.
// One of very many nodes may still move out when the row cannot hold it.
type_functions! {
    Counter, "pn_counter", input;
    pn_counter_in, pn_counter_out, pn_counter_recv, pn_counter_send;
    r#"
CREATE TYPE pn_counter (
    INPUT = pn_counter_in,
    OUTPUT = pn_counter_out,
    RECEIVE = pn_counter_recv,
    SEND = pn_counter_send,
    ALIGNMENT = int4,
    STORAGE = main
);
"#
}
