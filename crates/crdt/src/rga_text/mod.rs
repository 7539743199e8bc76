//! rga_text: text that many may type in at once. [`crate::sequence`] says how.

use crate::CrdtError;
use crate::sequence::{Sequence, SequenceEdit, content_of_bytes};

/// A text; positions count Unicode characters.
pub type RgaText = Sequence<String>;

/// One use of an operator of a text.
pub type TextEdit = SequenceEdit<String>;

/// The text of an encoded value that this node wrote: reads the text and checks nothing else.
pub fn text_of_bytes(bytes: &[u8]) -> Result<String, CrdtError> {
    content_of_bytes(bytes)
}
