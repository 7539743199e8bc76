//! What SQL sees of the CRDT types. `sql/types` declares it; here is what the
//! declarations call, one function for all types that it serves.
//!
//! A value is settled state plus an unsettled change. Operators, casts and
//! literals only write the change, so they are pure and IMMUTABLE; the guard of
//! a tracked table settles it under the row lock. Comparison is by value: two
//! states with one value are equal, as `WHERE title = 'x'` asks for.
//!
//! `value` is the datum, `kind` tells its type. `text_binary`, `lattice`,
//! `comparison`, `aggregate` and `plain` serve every type, `gin` those with
//! keys; `counters`, `registers`, `sets`, `maps`, `sequences` and `clocks` a
//! family each. `json` passes JSON through without loss, `text_array` is what sets
//! are compared with, `refusal` words the errors.

mod aggregate;
mod clocks;
mod comparison;
mod counters;
mod gin;
pub mod json;
mod kind;
mod lattice;
mod maps;
mod plain;
pub mod refusal;
mod registers;
mod sequences;
mod sets;
mod text_array;
mod text_binary;
mod value;

pub use json::Jsonb;
pub use plain::json_of_state;

use pgrx::extension_sql_file;

extension_sql_file!(
    "../../sql/types/every_type.sql",
    name = "every_type",
    requires = ["catalog"]
);
extension_sql_file!(
    "../../sql/types/counters.sql",
    name = "counters",
    requires = ["every_type"]
);
extension_sql_file!(
    "../../sql/types/registers.sql",
    name = "registers",
    requires = ["every_type"]
);
extension_sql_file!(
    "../../sql/types/sets.sql",
    name = "sets",
    requires = ["every_type"]
);
extension_sql_file!(
    "../../sql/types/maps.sql",
    name = "maps",
    requires = ["every_type"]
);
extension_sql_file!(
    "../../sql/types/sequences.sql",
    name = "sequences",
    requires = ["every_type"]
);
extension_sql_file!(
    "../../sql/types/json.sql",
    name = "json",
    requires = ["every_type"]
);
extension_sql_file!(
    "../../sql/types/inverted_index.sql",
    name = "inverted_index",
    requires = ["sets", "maps"]
);
extension_sql_file!(
    "../../sql/types/clocks.sql",
    name = "clocks",
    requires = ["every_type"]
);
