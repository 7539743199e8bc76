//! Reads a bundle frame by frame, whatever is then done with them.

use std::io::{BufReader, Error, ErrorKind, Read};

use thiserror::Error;

use super::BUNDLE_LABEL;
use super::frame::{MAX_FRAME_BYTES, Tag};
use super::packed::Unpacker;
use crate::codec::DecodeError;

/// Why a file is no bundle. A bundle whose chain does not hold is no error: see [`crate::Report`].
#[derive(Debug, Error)]
pub enum BundleError {
    /// Reading failed.
    #[error("the bundle cannot be read: {0}")]
    Io(#[from] Error),
    /// It does not start like one.
    #[error("the file is not a bundle of a version that is known here")]
    NotABundle,
    /// It ends before its last frame.
    #[error("the bundle is cut off")]
    CutOff,
    /// It goes on behind its last frame.
    #[error("more follows behind the end of the bundle")]
    Trailing,
    /// A frame cannot be read.
    #[error("frame {frame} of the bundle cannot be read: {error}")]
    Frame {
        /// Its number, from 0.
        frame: u64,
        /// What is wrong.
        error: DecodeError,
    },
    /// A frame stands where it does not belong.
    #[error("frame {frame} of the bundle does not belong there")]
    Order {
        /// Its number, from 0.
        frame: u64,
    },
    /// It does not hold the blocks that were asked for.
    #[error("the bundle ends at block {last}, before block {first} that was asked for")]
    NoSuchBlock {
        /// The first block that was asked for.
        first: u64,
        /// The last one in the bundle.
        last: u64,
    },
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it holds.
    pub tag: Tag,
    /// Its bytes; see [`super`] for each tag's layout.
    pub body: Vec<u8>,
}

/// The frames of a bundle, in order. Memory is that of one frame.
#[derive(Debug)]
pub struct Frames<R: Read> {
    from: Unpacker<BufReader<R>>,
    /// How many frames were read.
    number: u64,
}

impl<R: Read> Frames<R> {
    /// Starts to read a bundle, packed or not.
    ///
    /// # Errors
    /// [`BundleError::NotABundle`] or [`BundleError::Io`].
    pub fn begin(from: R) -> Result<Self, BundleError> {
        let mut from = Unpacker::new(BufReader::with_capacity(1 << 16, from));
        let mut label = [0; BUNDLE_LABEL.len()];
        match from.read_exact(&mut label) {
            Ok(()) if label == BUNDLE_LABEL => Ok(Self { from, number: 0 }),
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => Err(error.into()),
            _ => Err(BundleError::NotABundle),
        }
    }

    /// The next frame. The one with [`Tag::End`] is the last, and names how many were before it.
    ///
    /// # Errors
    /// [`BundleError::CutOff`] where the bytes end, also between two frames.
    pub fn next_frame(&mut self) -> Result<Frame, BundleError> {
        let mut head = [0; 5];
        self.from.read_exact(&mut head).map_err(cut_off)?;
        let [tag, length @ ..] = head;
        let length = u32::from_be_bytes(length) as usize;
        if length > MAX_FRAME_BYTES {
            return Err(self.fault_at(
                self.number,
                DecodeError::TooLarge {
                    what: "frame",
                    found: length as u64,
                    limit: MAX_FRAME_BYTES as u64,
                },
            ));
        }
        let tag = Tag::from_u8(tag)
            .ok_or_else(|| self.fault_at(self.number, DecodeError::Value { what: "frame tag" }))?;
        // Grows with what really comes, not with what the length claims.
        let mut body = Vec::new();
        let read = (&mut self.from)
            .take(length as u64)
            .read_to_end(&mut body)
            .map_err(cut_off)?;
        if read != length {
            return Err(BundleError::CutOff);
        }
        if tag == Tag::End && body != self.number.to_be_bytes() {
            return Err(BundleError::CutOff);
        }
        self.number += 1;
        // Nothing follows the end; reading on also has what a packed bundle ends with checked.
        if tag == Tag::End && self.from.read(&mut [0]).map_err(cut_off)? > 0 {
            return Err(BundleError::Trailing);
        }
        Ok(Frame { tag, body })
    }

    /// That the frame read last cannot be read.
    pub(super) fn fault(&self, error: DecodeError) -> BundleError {
        self.fault_at(self.number.saturating_sub(1), error)
    }

    fn fault_at(&self, frame: u64, error: DecodeError) -> BundleError {
        BundleError::Frame { frame, error }
    }

    /// That the frame read last does not belong there.
    pub(super) fn misplaced(&self) -> BundleError {
        BundleError::Order {
            frame: self.number.saturating_sub(1),
        }
    }
}

fn cut_off(error: Error) -> BundleError {
    match error.kind() {
        ErrorKind::UnexpectedEof => BundleError::CutOff,
        _ => BundleError::Io(error),
    }
}
