//! State, merge, difference, settling, reset.

use super::Register;
use crate::types::lattice::lattice_functions;

lattice_functions! {
    Register, "lww_register";
    lww_register_state, lww_register_merge, lww_register_delta, lww_register_settle, lww_register_reset;
    "lww_register_lattice" r#"
CREATE OPERATOR ! (FUNCTION = crdt_reset, RIGHTARG = lww_register);
CREATE AGGREGATE crdt_merge(lww_register) (
    SFUNC = crdt.merge_step, STYPE = internal, COMBINEFUNC = crdt.merge_combine,
    SERIALFUNC = crdt.merge_serialize, DESERIALFUNC = crdt.merge_deserialize,
    FINALFUNC = crdt.merge_final, FINALFUNC_EXTRA, PARALLEL = SAFE
);
"#
}
