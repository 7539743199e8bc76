//! How each edit must be called.

use std::collections::BTreeMap;

/// What becomes of an edit.
pub enum Expected {
    /// It is found under the first of these names; the others may be there too.
    Found(&'static [&'static str]),
    /// It changes nothing of what an auditor gets, for this reason.
    Meaningless(&'static str),
    /// It should be found and is not: what is missing.
    NotYet(&'static str),
    /// It is in no list.
    Nowhere,
}

/// Every edit by its name.
pub fn expected() -> BTreeMap<&'static str, Expected> {
    BTreeMap::new()
}
