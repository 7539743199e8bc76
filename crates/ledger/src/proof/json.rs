//! Reading and writing the JSON text of a proof.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::ProofFault;

/// Reads a text of this format, of at most `limit` bytes.
///
/// # Errors
/// [`ProofFault::Unreadable`] or [`ProofFault::Format`].
pub(super) fn read<T: DeserializeOwned>(
    text: &str,
    format: u32,
    limit: usize,
) -> Result<T, ProofFault> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let unreadable = |error: serde_json::Error| ProofFault::Unreadable(error.to_string());
    if text.len() > limit {
        let detail = format!("it is longer than {limit} bytes");
        return Err(ProofFault::Unreadable(detail));
    }
    // A later format is named as such, not as a list of fields that are not known.
    match serde_json::from_str(text).map_err(unreadable)? {
        Format { format: found } if found != format => Err(ProofFault::Format(found)),
        Format { .. } => serde_json::from_str(text).map_err(unreadable),
    }
}

/// Reads an object as such: serde would take a list of its values as well.
///
/// # Errors
/// Those of the text, and for anything but an object.
pub(super) fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<T, D::Error> {
    struct Members<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(members))
        }
    }
    from.deserialize_map(Members(PhantomData))
}

/// Reads a list of objects.
///
/// # Errors
/// As [`object`].
pub(super) fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(transparent, bound = "T: Deserialize<'de>")]
    struct Object<T>(#[serde(deserialize_with = "object")] T);
    Ok(Vec::<Object<T>>::deserialize(from)?
        .into_iter()
        .map(|Object(it)| it)
        .collect())
}

/// The text, for people to read.
///
/// # Errors
/// [`ProofFault::Unreadable`]; cannot happen with fields that were read or put together here.
pub(super) fn write<T: Serialize>(proof: &T) -> Result<String, ProofFault> {
    serde_json::to_string_pretty(proof).map_err(|e| ProofFault::Unreadable(e.to_string()))
}
