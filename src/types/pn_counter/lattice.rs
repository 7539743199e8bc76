//! State, merge, difference, settling, reset.

use super::Counter;
use crate::types::lattice::lattice_functions;

lattice_functions! {
    Counter, "pn_counter";
    pn_counter_state, pn_counter_merge, pn_counter_delta, pn_counter_settle, pn_counter_reset;
    "pn_counter_lattice" r#"
CREATE OPERATOR ! (FUNCTION = crdt_reset, RIGHTARG = pn_counter);
CREATE AGGREGATE crdt_merge(pn_counter) (
    SFUNC = crdt.merge_step, STYPE = internal, COMBINEFUNC = crdt.merge_combine,
    SERIALFUNC = crdt.merge_serialize, DESERIALFUNC = crdt.merge_deserialize,
    FINALFUNC = crdt.merge_final, FINALFUNC_EXTRA, PARALLEL = SAFE
);
"#
}
