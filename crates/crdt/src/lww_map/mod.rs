//! lww_map: key → JSON value; of each key the last write wins, be it a value or a removal
//! (Shapiro et al., "A comprehensive study of Convergent and Commutative Replicated Data
//! Types", 2011, specification 12, with values). The state is a [`LwwTable`].

use std::collections::BTreeMap;

use crate::lww_table::{LwwTable, TableKind, object, parse_object};
use crate::{TextError, text_form};

/// Names the tables that are maps.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MapKind;

/// A map from texts to JSON values.
pub type LwwMap = LwwTable<MapKind>;

impl TableKind for MapKind {
    const NAME: &'static str = "lww_map";

    /// A JSON object, its keys ascending by bytes.
    fn print(values: &BTreeMap<&str, &str>) -> String {
        object(values.iter().map(|(key, value)| (*key, *value)))
    }

    fn parse(text: &str) -> Result<BTreeMap<String, String>, TextError> {
        parse_object(text).map_err(|why| TextError::Syntax {
            type_name: Self::NAME,
            text: text_form::shorten(text),
            why,
        })
    }
}
