//! Lists: a sequence of JSON values.

use std::cmp::Ordering;

use super::content::{Content, Hunk};
use super::diff;
use crate::codec::{MAX_STATE_BYTES, Reader, put_bytes, put_varint, varint_length};
use crate::{CrdtError, DecodeError, JsonError, TextError, json, text_form};

/// JSON values, each a canonical text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Values(Vec<String>);

impl Values {
    /// From JSON texts, which are brought to their canonical form.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, JsonError> {
        let values: Result<Vec<String>, JsonError> =
            texts.into_iter().map(json::canonical).collect();
        values.map(Self)
    }

    /// From the text of a JSON array.
    pub fn of_array(text: &str) -> Result<Self, JsonError> {
        let text = json::canonical(text)?;
        let elements = json::elements(&text).ok_or(JsonError {
            at: 0,
            why: "an array is expected",
        })?;
        Ok(Self(elements.into_iter().map(str::to_owned).collect()))
    }

    /// The values, each a canonical JSON text.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

impl Content for Values {
    const NAME: &'static str = "rga";

    type Slice = [String];

    fn slice(&self) -> &[String] {
        &self.0
    }

    fn count(slice: &[String]) -> usize {
        slice.len()
    }

    fn split(slice: &[String], count: usize) -> (&[String], &[String]) {
        slice.split_at_checked(count).unwrap_or((slice, &[]))
    }

    fn same(a: &[String], b: &[String]) -> bool {
        a == b
    }

    fn push(&mut self, slice: &[String]) {
        self.0.extend_from_slice(slice);
    }

    fn splice(&mut self, at: usize, removed: usize, added: &[String]) {
        let from = at.min(self.0.len());
        let to = at.saturating_add(removed).min(self.0.len());
        self.0.splice(from..to, added.iter().cloned());
    }

    fn split_off(&mut self, at: usize) -> Self {
        Self(self.0.split_off(at.min(self.0.len())))
    }

    fn size(&self) -> usize {
        10 + self.0.iter().map(|value| value.len() + 5).sum::<usize>()
    }

    fn check(&self) -> Result<(), CrdtError> {
        Ok(())
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, self.0.len() as u64);
        Self::put_elements(&self.0, out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = reader.count(2)?;
        let mut values = Vec::new();
        for _ in 0..count {
            let text = reader.text()?;
            json::check_canonical(text)?;
            values.push(text.to_owned());
        }
        Ok(Self(values))
    }

    fn put_elements(slice: &[String], out: &mut Vec<u8>) {
        slice
            .iter()
            .for_each(|value| put_bytes(out, value.as_bytes()));
    }

    fn byte_length(slice: &[String]) -> usize {
        let length = |value: &String| varint_length(value.len() as u64) + value.len();
        slice.iter().map(length).sum()
    }

    fn read_elements(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let mut values = Vec::new();
        while reader.remaining() > 0 {
            let text = reader.text()?;
            json::check_canonical(text)?;
            values.push(text.to_owned());
        }
        Ok(Self(values))
    }

    fn print(&self) -> String {
        format!("[{}]", self.0.join(","))
    }

    fn parse(text: &str) -> Result<Self, TextError> {
        if text.len() > MAX_STATE_BYTES {
            return Err(TextError::TooLarge {
                type_name: Self::NAME,
                limit: MAX_STATE_BYTES,
            });
        }
        Self::of_array(text).map_err(|fault| TextError::Syntax {
            type_name: Self::NAME,
            text: text_form::shorten(text),
            why: fault.why,
        })
    }

    fn json(&self) -> String {
        self.print()
    }

    /// Value by value, then the shorter first.
    fn compare(&self, other: &Self) -> Ordering {
        let pairs = self.0.iter().zip(&other.0);
        let differing = pairs
            .map(|(a, b)| json::compare(a, b))
            .find(|order| order.is_ne());
        differing.unwrap_or_else(|| self.0.len().cmp(&other.0.len()))
    }

    fn hash_key(&self) -> Vec<u8> {
        json::hash_key(&self.print()).into()
    }

    fn hunks(old: &[String], new: &[String]) -> Vec<Hunk> {
        diff::hunks(old, new, |_| false)
    }
}
