//! Delta-state CRDTs: pure values, no Postgres, no I/O, no clock, no randomness.
//!
//! A value of a CRDT type is a *settled state* (an element of a join-semilattice; every part
//! of it names its author) plus an *unsettled change* (what operators and plain literals ask
//! for; no author yet). Operators only add to the change, so they are pure. [`Crdt::settle`]
//! turns the change into authored state, in one place: under the lock of the row.
//!
//! One type each: the counters `pn_counter`, `g_counter` and `b_counter` (on `slots`,
//! `slot_layout` and `range`), the registers `lww_register` and `mv_register`, the sets `or_set` and `aw_set`
//! (on `elements`), `lww_table` with its set and its map, `or_map` with its cart, `rga` and
//! `rga_text` (on `sequence`), `vector_clock` and `hlc_register`. [`AnyState`] treats a column by
//! its [`ColumnKind`], and `delta_text` says in words what a change did.
//!
//! `context` and `version_vector` say what was seen; `cascade` joins many; `lead` writes whole
//! values over what was read; `row` and `schema` hold what travels between nodes; `keyed` and
//! `dot_fun` are what maps by key and by dot are in memory; `codec`, `json`, `array_text` and
//! `text_form` the encodings that all share.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod any_state;
mod array_text;
pub mod aw_set;
pub mod b_counter;
mod cascade;
mod change;
pub mod codec;
pub mod context;
mod crdt;
mod delta_text;
mod dot_fun;
mod elements;
mod error;
pub mod g_counter;
mod hlc;
pub mod hlc_register;
mod ids;
pub mod json;
mod keyed;
mod lead;
pub mod lww_map;
pub mod lww_register;
pub mod lww_set;
pub mod lww_table;
pub mod mv_register;
pub mod or_cart;
pub mod or_map;
pub mod or_set;
pub mod pn_counter;
mod range;
pub mod rga;
pub mod rga_text;
pub mod row;
pub mod schema;
pub mod sequence;
mod slot_layout;
mod slots;
mod text_form;
pub mod vector_clock;
mod version_vector;

pub use any_state::AnyState;
pub use aw_set::AwSet;
pub use b_counter::BCounter;
pub use cascade::Cascade;
pub use change::Change;
pub use codec::MAX_STATE_BYTES;
pub use context::CausalContext;
pub use crdt::{Author, Crdt, Edit};
pub use error::{
    ClockDrift, CrdtError, DecodeError, DeltaFault, EncodeError, JsonError, RowFault, TextError,
};
pub use g_counter::GCounter;
pub use hlc::Hlc;
pub use hlc_register::HlcRegister;
pub use ids::{Dot, ReplicaId, Stamp};
pub use lead::Lead;
pub use lww_map::LwwMap;
pub use lww_register::LwwRegister;
pub use lww_set::LwwSet;
pub use lww_table::LwwTable;
pub use mv_register::MvRegister;
pub use or_cart::OrCart;
pub use or_map::OrMap;
pub use or_set::OrSet;
pub use pn_counter::PnCounter;
pub use rga::Rga;
pub use rga_text::RgaText;
pub use row::{Joined, PlainRow, RowAction, RowChange, RowMeta, RowState};
pub use schema::{Alteration, Column, ColumnKind, SchemaAction, SchemaChange, TableSchema};
pub use vector_clock::VectorClock;
pub use version_vector::VersionVector;
