//! Text: a sequence of Unicode characters.

use super::content::{Content, Hunk};
use super::diff;
use crate::codec::{Reader, check_text, put_bytes};
use crate::{CrdtError, DecodeError, TextError, json, text_form};

/// The byte at which the character `count` starts, or the end.
fn byte_of(text: &str, count: usize) -> usize {
    // No text has more characters than bytes: so many, and all of it is ASCII.
    if count == 0 || count == text.len() {
        return count;
    }
    match text.as_bytes().get(..count) {
        Some(head) if head.is_ascii() => count,
        _ => text
            .char_indices()
            .nth(count)
            .map_or(text.len(), |(byte, _)| byte),
    }
}

/// Bytes that are compared at once.
const BLOCK: usize = 64;

/// How many bytes both begin with.
fn same_head(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.chunks_exact(BLOCK).zip(b.chunks_exact(BLOCK));
    let same = blocks.take_while(|(a, b)| a == b).count() * BLOCK;
    let rest = a.iter().zip(b).skip(same);
    same + rest.take_while(|(a, b)| a == b).count()
}

/// How many bytes both end with.
fn same_tail(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.rchunks_exact(BLOCK).zip(b.rchunks_exact(BLOCK));
    let same = blocks.take_while(|(a, b)| a == b).count() * BLOCK;
    let rest = a.iter().rev().zip(b.iter().rev()).skip(same);
    same + rest.take_while(|(a, b)| a == b).count()
}

impl Content for String {
    const NAME: &'static str = "rga_text";

    type Slice = str;

    fn slice(&self) -> &str {
        self
    }

    fn count(slice: &str) -> usize {
        if slice.is_ascii() {
            slice.len()
        } else {
            slice.chars().count()
        }
    }

    fn split(slice: &str, count: usize) -> (&str, &str) {
        slice
            .split_at_checked(byte_of(slice, count))
            .unwrap_or((slice, ""))
    }

    fn same(a: &str, b: &str) -> bool {
        a == b
    }

    fn push(&mut self, slice: &str) {
        self.push_str(slice);
    }

    fn splice(&mut self, at: usize, removed: usize, added: &str) {
        let from = byte_of(self, at);
        let rest = self.get(from..).unwrap_or_default();
        let to = from + byte_of(rest, removed);
        self.replace_range(from..to, added);
    }

    fn split_off(&mut self, at: usize) -> Self {
        String::split_off(self, byte_of(self, at))
    }

    fn size(&self) -> usize {
        self.len() + 10
    }

    fn check(&self) -> Result<(), CrdtError> {
        if self.contains('\0') {
            Err(CrdtError::InvalidText)
        } else {
            Ok(())
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.as_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(reader.text()?.to_owned())
    }

    fn put_elements(slice: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(slice.as_bytes());
    }

    fn byte_length(slice: &str) -> usize {
        slice.len()
    }

    fn read_elements(bytes: &[u8]) -> Result<Self, DecodeError> {
        Ok(check_text(bytes)?.to_owned())
    }

    fn print(&self) -> String {
        self.clone()
    }

    fn parse(text: &str) -> Result<Self, TextError> {
        if text.contains('\0') {
            return Err(TextError::Syntax {
                type_name: Self::NAME,
                text: text_form::shorten(text),
                why: "a NUL character",
            });
        }
        Ok(text.to_owned())
    }

    fn json(&self) -> String {
        json::quote(self)
    }

    fn hunks(old: &str, new: &str) -> Vec<Hunk> {
        // Most of a large text stays: only what differs is taken apart into characters.
        let start = old.floor_char_boundary(same_head(old.as_bytes(), new.as_bytes()));
        let (head, old) = old.split_at_checked(start).unwrap_or(("", old));
        let (_, new) = new.split_at_checked(start).unwrap_or(("", new));
        let tail = same_tail(old.as_bytes(), new.as_bytes());
        let (old_end, new_end) = (old.len() - tail, new.len() - tail);
        let old = old.get(..old.ceil_char_boundary(old_end)).unwrap_or(old);
        let new = new.get(..new.ceil_char_boundary(new_end)).unwrap_or(new);
        let before = <Self as Content>::count(head);
        let (old, new): (Vec<char>, Vec<char>) = (old.chars().collect(), new.chars().collect());
        let mut hunks = diff::hunks(&old, &new, |c| *c == '\n');
        for hunk in &mut hunks {
            hunk.at += before;
            hunk.from += before;
        }
        hunks
    }
}
