//! State, merge, difference, settling, reset.

use super::Set;
use crate::types::lattice::lattice_functions;

lattice_functions! {
    Set, "or_set";
    or_set_state, or_set_merge, or_set_delta, or_set_settle, or_set_reset;
    "or_set_lattice" r#"
CREATE OPERATOR ! (FUNCTION = crdt_reset, RIGHTARG = or_set);
CREATE AGGREGATE crdt_merge(or_set) (
    SFUNC = crdt.merge_step, STYPE = internal, COMBINEFUNC = crdt.merge_combine,
    SERIALFUNC = crdt.merge_serialize, DESERIALFUNC = crdt.merge_deserialize,
    FINALFUNC = crdt.merge_final, FINALFUNC_EXTRA, PARALLEL = SAFE
);
"#
}
