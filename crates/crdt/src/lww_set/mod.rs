//! lww_set: a set of texts, each of which may carry a JSON value; of each element the last write
//! wins, be it an addition or a removal (LWW-Element-Set, Shapiro et al., 2011,
//! specification 12). The state is a [`LwwTable`]; an element without a value carries null.

use std::collections::BTreeMap;

use crate::lww_table::{KeyEdit, LwwTable, TableKind, object, parse_object};
use crate::{CrdtError, Edit, TextError, array_text, text_form};

/// Names the tables that are sets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SetKind;

/// A set of texts, each with a JSON value.
pub type LwwSet = LwwTable<SetKind>;

impl LwwSet {
    /// The operator `+`: the element without a value, that is with JSON's null, in place of what
    /// it carries.
    pub fn add(&self, element: &str) -> Result<Self, CrdtError> {
        self.edited(&KeyEdit::add(element))
    }
}

impl TableKind for SetKind {
    const NAME: &'static str = "lww_set";

    /// An array names the elements and no values: those that are there keep theirs.
    fn is_kept_under(value: &str) -> bool {
        value == "null"
    }

    /// `{a,"b c"}` as of a text array; a JSON object `{"a": 1, "b": null}` if any carries a value.
    fn print(values: &BTreeMap<&str, &str>) -> String {
        match values.values().all(|value| *value == "null") {
            true => array_text::print(values.keys().copied()),
            false => object(values.iter().map(|(key, value)| (*key, *value))),
        }
    }

    /// No array is an object as well: after a quoted element comes no colon.
    fn parse(text: &str) -> Result<BTreeMap<String, String>, TextError> {
        let null = |element| (element, "null".to_owned());
        array_text::parse(text)
            .map(|elements| elements.into_iter().map(null).collect())
            .or_else(|why| parse_object(text).map_err(|_| why))
            .map_err(|why| TextError::Syntax {
                type_name: Self::NAME,
                text: text_form::shorten(text),
                why,
            })
    }
}
