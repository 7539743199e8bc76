//! The payload of an op of kind `Prune`: a member says that it archived the blocks up to a height
//! and took the payloads of the row changes in them out of its database.
//!
//! Layout, version 1: u8 version ‖ u64 height ‖ u64 tree size ‖ SHA-256 of the archive ‖ u64
//! archive bytes ‖ file name ‖ actor ‖ application, the texts behind their u16 length.

use crate::codec::{DecodeError, Reader, Write};
use crate::hash::Hash;

/// The most bytes of each text in the payload.
pub const MAX_PRUNE_TEXT: usize = 1024;

/// A signed statement that history was pruned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prune {
    /// The last block whose row changes were pruned; all before it were too.
    pub height: u64,
    /// How many leaves the log has at that block.
    pub tree_size: u64,
    /// SHA-256 of the archive file as it was written.
    pub archive_sha256: Hash,
    /// How many bytes the archive file has.
    pub archive_bytes: u64,
    /// The archive's file name, without its folder.
    pub file_name: String,
    /// The role that pruned.
    pub actor: String,
    /// The application that it used.
    pub application: String,
}

impl Prune {
    /// The canonical bytes. A text beyond [`MAX_PRUNE_TEXT`] bytes is cut at a character.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![1];
        bytes.put_u64(self.height);
        bytes.put_u64(self.tree_size);
        bytes.put(&self.archive_sha256);
        bytes.put_u64(self.archive_bytes);
        for text in [&self.file_name, &self.actor, &self.application] {
            bytes.put_text(cut(text));
        }
        bytes
    }

    /// Reads [`Self::to_bytes`].
    ///
    /// # Errors
    /// [`DecodeError`] that names the field.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version(1, "prune")?;
        let prune = Self {
            height: reader.u64("pruned height")?,
            tree_size: reader.u64("pruned tree size")?,
            archive_sha256: reader.array("archive digest")?,
            archive_bytes: reader.u64("archive bytes")?,
            file_name: reader.text(MAX_PRUNE_TEXT, "archive name")?.to_owned(),
            actor: reader.text(MAX_PRUNE_TEXT, "pruning role")?.to_owned(),
            application: reader
                .text(MAX_PRUNE_TEXT, "pruning application")?
                .to_owned(),
        };
        reader.finish("prune")?;
        Ok(prune)
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_PRUNE_TEXT)]
}
