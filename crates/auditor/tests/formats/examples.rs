//! The examples of the chapter: each field as its hex digits with its name, and what the whole
//! hashes to. Every layout is written out here by hand and held against the code's own bytes.

mod chain_bytes;
mod log_bytes;
mod row_bytes;

pub use log_bytes::{note, note_key};

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::sample::Sample;

/// How many bytes stand in a line.
const WIDTH: usize = 32;

/// A layout that is written out field by field.
#[derive(Default)]
pub struct Layout {
    text: String,
    bytes: Vec<u8>,
}

impl Layout {
    /// Starts with a label and its zero byte.
    pub fn labelled(label: &str) -> Self {
        let bytes = [label.as_bytes(), &[0]].concat();
        Self::default().field(&format!("label \"{label}\", 00"), &bytes)
    }

    pub fn field(mut self, name: &str, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        let mut lines: Vec<String> = bytes.chunks(WIDTH).map(hex::encode).collect();
        if lines.is_empty() {
            lines.push("(empty)".to_owned());
        }
        for (number, line) in lines.iter().enumerate() {
            let name = if number == 0 { name } else { "" };
            let padded = format!("{line:<64}  {name}");
            writeln!(self.text, "{}", padded.trim_end()).unwrap();
        }
        self
    }

    pub fn u64(self, name: &str, number: u64) -> Self {
        self.field(&format!("{name} = {number}"), &number.to_be_bytes())
    }

    /// All of it must be these bytes.
    pub fn is(self, bytes: &[u8]) -> Self {
        assert_eq!(hex::encode(&self.bytes), hex::encode(bytes));
        self
    }

    /// All of it must hash to this.
    pub fn hashes_to(self, name: &str, digest: &[u8]) -> Self {
        let found = ledger::hash::sha256(&[&self.bytes]);
        assert_eq!(hex::encode(&found[..digest.len()]), hex::encode(digest));
        self.told(name, digest)
    }

    /// Something that follows from the bytes.
    pub fn told(mut self, name: &str, bytes: &[u8]) -> Self {
        writeln!(self.text, "→ {name}").unwrap();
        for line in bytes.chunks(WIDTH) {
            writeln!(self.text, "  {}", hex::encode(line)).unwrap();
        }
        self
    }

    pub fn text(self) -> String {
        self.text
    }
}

/// Every example by its name.
pub fn all(sample: &Sample) -> BTreeMap<&'static str, String> {
    let mut examples = BTreeMap::new();
    for (name, layout) in chain_bytes::examples(sample)
        .into_iter()
        .chain(log_bytes::examples(sample))
        .chain(row_bytes::examples(sample))
    {
        assert!(examples.insert(name, layout.text()).is_none(), "{name}");
    }
    examples.insert("checkpoint", log_bytes::checkpoint(sample));
    examples
}
