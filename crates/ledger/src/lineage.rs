//! Lineage: that data was derived from data. The payload of an op of kind `Lineage`, an edge of
//! a graph whose nodes are entities: tables, rows, files, reports, whatever has a name.

use crate::codec::{DecodeError, Reader, Write, bound};

/// The most bytes of an entity's name: what an index can hold.
pub const MAX_ENTITY_BYTES: usize = 1_024;
/// The most bytes of the name of a transformation.
pub const MAX_TRANSFORM_BYTES: usize = 4_096;
/// The most bytes of the detail.
pub const MAX_DETAIL_BYTES: usize = 1 << 16;
/// The most bytes of a role's or an application's name.
const MAX_NAME_BYTES: usize = 1_024;

/// That `target` was made from `source`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lineage {
    /// What it was made from, 1 to [`MAX_ENTITY_BYTES`] bytes.
    pub source: String,
    /// What was made, 1 to [`MAX_ENTITY_BYTES`] bytes.
    pub target: String,
    /// By what: a job, a query, a program with its version.
    pub transform: String,
    /// More about it, a JSON text as its writer gave it.
    pub detail: String,
    /// Who recorded it: the database role.
    pub actor: String,
    /// From which application: application_name.
    pub application: String,
}

impl Lineage {
    /// Version byte 1, then source, target, transform, detail, actor and application, each behind
    /// its u32 length in bytes.
    ///
    /// # Errors
    /// [`DecodeError`] that names the field which could not be read back.
    pub fn to_bytes(&self) -> Result<Vec<u8>, DecodeError> {
        let mut bytes = vec![1];
        for (text, field) in self.texts().into_iter().zip(&FIELDS) {
            field.check(text)?;
            bytes.put_long(text.as_bytes());
        }
        Ok(bytes)
    }

    /// Reads [`Self::to_bytes`].
    ///
    /// # Errors
    /// [`DecodeError`] that names the field.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version(1, "lineage")?;
        let mut texts = FIELDS.iter().map(|field| field.read(&mut reader));
        // In the order in which they are written here.
        let mut next = || texts.next().unwrap_or(Ok(String::new()));
        let lineage = Self {
            source: next()?,
            target: next()?,
            transform: next()?,
            detail: next()?,
            actor: next()?,
            application: next()?,
        };
        reader.finish("lineage")?;
        Ok(lineage)
    }

    fn texts(&self) -> [&str; 6] {
        [
            &self.source,
            &self.target,
            &self.transform,
            &self.detail,
            &self.actor,
            &self.application,
        ]
    }
}

/// A text of the record and its bounds.
struct Field {
    what: &'static str,
    least: usize,
    most: usize,
}

const fn field(what: &'static str, least: usize, most: usize) -> Field {
    Field { what, least, most }
}

const FIELDS: [Field; 6] = [
    field("source", 1, MAX_ENTITY_BYTES),
    field("target", 1, MAX_ENTITY_BYTES),
    field("transform", 0, MAX_TRANSFORM_BYTES),
    field("detail", 0, MAX_DETAIL_BYTES),
    field("actor", 0, MAX_NAME_BYTES),
    field("application", 0, MAX_NAME_BYTES),
];

impl Field {
    fn check(&self, text: &str) -> Result<(), DecodeError> {
        bound(text.len(), self.most, self.what)?;
        // PostgreSQL's texts have no NUL.
        if text.len() < self.least || text.contains('\0') {
            return Err(DecodeError::Value { what: self.what });
        }
        Ok(())
    }

    fn read(&self, reader: &mut Reader<'_>) -> Result<String, DecodeError> {
        let bytes = reader.long(self.most, self.what)?;
        let text =
            std::str::from_utf8(bytes).map_err(|_| DecodeError::Value { what: self.what })?;
        self.check(text)?;
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lineage() -> Lineage {
        Lineage {
            source: "raw".to_owned(),
            target: "daily".to_owned(),
            transform: "sum".to_owned(),
            detail: "{}".to_owned(),
            actor: "etl".to_owned(),
            application: String::new(),
        }
    }

    /// If these bytes change, what was recorded cannot be read any more.
    #[test]
    fn golden_bytes() {
        let bytes = lineage().to_bytes().expect("within the limits");
        let expected = concat!(
            "01",
            "00000003726177",
            "000000056461696c79",
            "0000000373756d",
            "000000027b7d",
            "0000000365746c",
            "00000000"
        );
        assert_eq!(hex::encode(&bytes), expected);
        assert_eq!(Lineage::from_bytes(&bytes), Ok(lineage()));
    }

    /// A record that one node takes and another refuses would part their graphs.
    #[test]
    fn what_could_not_be_read_back_is_not_written() {
        let refused = |change: &dyn Fn(&mut Lineage), named: &str| {
            let mut other = lineage();
            change(&mut other);
            let error = other.to_bytes().expect_err("refused").to_string();
            assert!(error.contains(named), "{error}");
        };
        refused(&|l| l.source.clear(), "source");
        refused(&|l| l.target = "x".repeat(MAX_ENTITY_BYTES + 1), "target");
        refused(&|l| l.transform = "a\0b".to_owned(), "transform");
        refused(&|l| l.detail = " ".repeat(MAX_DETAIL_BYTES + 1), "detail");
        let bytes = lineage().to_bytes().expect("within the limits");
        assert!(Lineage::from_bytes(&[bytes.as_slice(), &[0]].concat()).is_err());
        assert!(Lineage::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    }
}
