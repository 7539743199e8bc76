//! `s + 'x'`, `s - 'x'`, `s ? 'x'`, `s ?| '{x,y}'`, `s ?& '{x,y}'`,
//! `s @> '{x,y}'`, `crdt_elements`,
//! `crdt_cardinality`, `crdt_value`.

use super::Set;
use super::casts::texts;
use crate::types::refusal;
use crate::types::stored::Stored;
use pgrx::datum::Array;
use pgrx::prelude::*;

#[pg_operator(immutable, parallel_safe)]
#[opname(+)]
fn or_set_add(set: Set, element: &str) -> Set {
    match set.decode().add(element) {
        Ok(set) => Stored::new(&set),
        Err(error) => refusal::change(&error),
    }
}

#[pg_operator(immutable, parallel_safe)]
#[opname(-)]
fn or_set_remove(set: Set, element: &str) -> Set {
    match set.decode().remove(element) {
        Ok(set) => Stored::new(&set),
        Err(error) => refusal::change(&error),
    }
}

#[pg_operator(immutable, parallel_safe)]
#[opname(?)]
#[restrict(contsel)]
#[join(contjoinsel)]
fn or_set_has(set: Set, element: &str) -> bool {
    set.decode().contains(element)
}

#[pg_operator(immutable, parallel_safe)]
#[opname(?|)]
#[restrict(contsel)]
#[join(contjoinsel)]
fn or_set_has_any(set: Set, elements: Array<'_, &str>) -> bool {
    let set = set.decode();
    elements.iter().flatten().any(|it| set.contains(it))
}

#[pg_operator(immutable, parallel_safe)]
#[opname(?&)]
#[restrict(contsel)]
#[join(contjoinsel)]
fn or_set_has_all(set: Set, elements: Array<'_, &str>) -> bool {
    or_set_contains_array(set, elements)
}

#[pg_operator(immutable, parallel_safe)]
#[opname(@>)]
#[commutator(<@)]
#[restrict(contsel)]
#[join(contjoinsel)]
fn or_set_contains(set: Set, other: Set) -> bool {
    set.decode().contains_all(other.decode().elements())
}

#[pg_operator(immutable, parallel_safe)]
#[opname(<@)]
#[commutator(@>)]
#[restrict(contsel)]
#[join(contjoinsel)]
fn or_set_contained(set: Set, other: Set) -> bool {
    or_set_contains(other, set)
}

/// As with arrays, NULL is in no set.
#[pg_operator(immutable, parallel_safe)]
#[opname(@>)]
#[commutator(<@)]
#[restrict(contsel)]
#[join(contjoinsel)]
fn or_set_contains_array(set: Set, elements: Array<'_, &str>) -> bool {
    texts(&elements).is_some_and(|elements| {
        set.decode()
            .contains_all(elements.iter().map(String::as_str))
    })
}

#[pg_operator(immutable, parallel_safe)]
#[opname(<@)]
#[commutator(@>)]
#[restrict(contsel)]
#[join(contjoinsel)]
fn array_contained_in_or_set(elements: Array<'_, &str>, set: Set) -> bool {
    or_set_contains_array(set, elements)
}

#[pg_operator(immutable, parallel_safe)]
#[opname(<@)]
#[commutator(@>)]
#[restrict(contsel)]
#[join(contjoinsel)]
fn or_set_contained_in_array(set: Set, elements: Array<'_, &str>) -> bool {
    let texts: std::collections::BTreeSet<&str> = elements.iter().flatten().collect();
    set.decode()
        .elements()
        .all(|element| texts.contains(element))
}

#[pg_operator(immutable, parallel_safe)]
#[opname(@>)]
#[commutator(<@)]
#[restrict(contsel)]
#[join(contjoinsel)]
fn array_contains_or_set(elements: Array<'_, &str>, set: Set) -> bool {
    or_set_contained_in_array(set, elements)
}

#[pg_extern(immutable, parallel_safe, name = "crdt_value")]
fn or_set_value(set: Set) -> Vec<String> {
    set.decode().elements().map(str::to_owned).collect()
}

#[pg_extern(immutable, parallel_safe)]
fn crdt_elements(set: Set) -> SetOfIterator<'static, String> {
    SetOfIterator::new(or_set_value(set))
}

#[pg_extern(immutable, parallel_safe)]
fn crdt_cardinality(set: Set) -> i64 {
    i64::try_from(set.decode().cardinality()).unwrap_or(i64::MAX)
}
