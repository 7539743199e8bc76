//! The inverted index: `CREATE INDEX ON page USING gin (tags)` serves `tags ?
//! 'x'`, `tags ?| '{x,y}'`, `tags ?& '{x,y}'`, `tags @> '{x,y}'`.

use crate::types::gin::gin_functions;
use pgrx::prelude::*;

gin_functions!(OrSet: or_set_gin_value, pg_finfo_or_set_gin_value, or_set_gin_query, pg_finfo_or_set_gin_query);

extension_sql!(
    r#"
CREATE FUNCTION or_set_gin_value(or_set, internal, internal) RETURNS internal
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'or_set_gin_value';
CREATE FUNCTION or_set_gin_query(or_set, internal, smallint, internal, internal, internal, internal) RETURNS internal
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'or_set_gin_query';
CREATE FUNCTION or_set_gin_consistent(internal, smallint, or_set, integer, internal, internal, internal, internal) RETURNS boolean
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_gin_consistent';
CREATE OPERATOR CLASS or_set_gin_ops DEFAULT FOR TYPE or_set USING gin AS
    OPERATOR 1 @> (or_set, or_set), OPERATOR 2 @> (or_set, text[]), OPERATOR 3 ? (or_set, text),
    OPERATOR 4 ?| (or_set, text[]), OPERATOR 5 ?& (or_set, text[]),
    FUNCTION 1 bttextcmp (text, text),
    FUNCTION 2 or_set_gin_value (or_set, internal, internal),
    FUNCTION 3 or_set_gin_query (or_set, internal, smallint, internal, internal, internal, internal),
    FUNCTION 4 or_set_gin_consistent (internal, smallint, or_set, integer, internal, internal, internal, internal),
    STORAGE text;
"#,
    name = "or_set_gin_class",
    requires = [
        "or_set",
        or_set_has,
        or_set_has_any,
        or_set_has_all,
        or_set_contains,
        or_set_contains_array
    ]
);
