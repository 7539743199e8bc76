//! The extension's own tables: opening them, running SQL on them with kept
//! plans, and the few look-ups that several rooms share.

mod appender;
mod block;
mod cursor;
mod node;
mod page;
mod relation;
mod schema;
mod snapshot;
mod sql;
mod stream;

pub use appender::Appender;
pub use block::{cut, header, header_and_cut, header_upto, last_header, last_height};
pub use cursor::Cursor;
pub use node::{
    Chain, chain, clear_ledger, found, local_member, local_name, local_node, members, membership,
    require_member, store_chain, store_member,
};
pub use page::Page;
pub use relation::{Relation, relation_oid};
pub use schema::{
    schema_by_hash, store_schema, store_unknown_schema, tracked_relations, tracked_schema,
};
pub use snapshot::Snapshot;
pub use sql::{Row, at_this_moment, lend, one, query, run, under_one_snapshot};
pub use stream::stream;
