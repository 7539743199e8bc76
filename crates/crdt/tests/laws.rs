//! The algebra that convergence rests on, for each type.

mod world;

use crdt::{LwwRegister, OrSet, PnCounter};
use world::laws::laws;

laws! {
    pn_counter: PnCounter;
    or_set: OrSet;
    lww_register: LwwRegister;
}
