//! Reads a bundle and verifies it on the way.

use std::io::{Error, ErrorKind, Read};

use thiserror::Error;

use super::BUNDLE_LABEL;
use super::frame::{
    MAX_FRAME_BYTES, Tag, read_block, read_chain, read_op, read_segment, read_tile, read_vector,
};
use crate::codec::{DecodeError, Reader};
use crate::ids::ChainId;
use crate::member::Member;
use crate::pins::{Pins, Trust};
use crate::vector::MAX_MEMBERS;
use crate::verify::{ChainVerifier, Detail, FindingKind, Place, Report};

/// Why a file is no bundle. A bundle whose chain does not hold is no error: see [`Report`].
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
}

/// Verifies a bundle against what is pinned. Gives the chain's name, the report, and on what it
/// rests; a chain or validators that are not the pinned ones are findings.
///
/// # Errors
/// [`BundleError`] if the bytes are no complete bundle.
pub fn verify_bundle(
    from: impl Read,
    pins: &Pins,
) -> Result<(ChainId, Report, Trust), BundleError> {
    let mut frames = Frames { from, number: 0 };
    frames.label()?;
    let (tag, body) = frames.next()?;
    if tag != Tag::Chain {
        return Err(frames.misplaced());
    }
    let (chain, genesis) = read_chain(&body).map_err(|e| frames.fault(e))?;
    let mut members = Vec::new();
    let (mut tag, mut body) = frames.next()?;
    while tag == Tag::Member {
        if members.len() >= MAX_MEMBERS {
            return Err(frames.misplaced());
        }
        members.push(Member::read(&body).map_err(|e| frames.fault(e))?);
        (tag, body) = frames.next()?;
    }
    let mut verifier = ChainVerifier::begin(chain, genesis, members);
    let mut in_tail = false;
    while tag != Tag::End {
        let belongs = match tag {
            Tag::Tail => !in_tail,
            Tag::Vector => in_tail,
            _ => true,
        };
        if !belongs {
            return Err(frames.misplaced());
        }
        in_tail |= tag == Tag::Tail;
        feed(&mut verifier, tag, &body)
            .map_err(|e| frames.fault(e))?
            .ok_or_else(|| frames.misplaced())?;
        (tag, body) = frames.next()?;
    }
    if !in_tail {
        return Err(frames.misplaced());
    }
    if body != (frames.number - 1).to_be_bytes() {
        return Err(BundleError::CutOff);
    }
    frames.finish()?;
    let mut report = verifier.finish();
    hold_against(pins, chain, &mut report);
    Ok((chain, report, pins.trust()))
}

/// Feeds one row; none if it has no place here.
fn feed(verifier: &mut ChainVerifier, tag: Tag, body: &[u8]) -> Result<Option<()>, DecodeError> {
    match tag {
        Tag::Block => {
            verifier.block(&read_block(body)?);
        }
        Tag::Tile => {
            let (level, index, hashes) = read_tile(body)?;
            verifier.tile(level, index, hashes);
        }
        Tag::Segment => verifier.segment(&read_segment(body)?),
        Tag::Op => read_op(body, |op| verifier.op(op))?,
        Tag::Tail => {
            Reader::new(body).finish("tail")?;
            verifier.tail();
        }
        Tag::Vector => {
            let (origin, seq, head) = read_vector(body)?;
            verifier.vector(origin, seq, head);
        }
        Tag::Chain | Tag::Member | Tag::End => return Ok(None),
    }
    Ok(Some(()))
}

fn hold_against(pins: &Pins, chain: ChainId, report: &mut Report) {
    let mut add = |kind, detail: Detail| {
        report.findings.push(Place::default().finding(kind, detail));
    };
    if let Some(pinned) = pins.chain_id
        && pinned != chain
    {
        let detail = Detail::from(format!("the chain is {chain}, pinned is {pinned}"))
            .expected(pinned)
            .found(chain);
        add(FindingKind::GenesisAltered, detail);
    }
    let signed = report
        .decided
        .as_ref()
        .is_some_and(|(set, certificate)| pins.accept(set, certificate));
    if !pins.validator_keys.is_empty() && !signed {
        let detail = "the last block is not signed by a quorum of pinned validators";
        add(FindingKind::CertificateWrong, detail.into());
    }
}

struct Frames<R> {
    from: R,
    /// How many frames were read.
    number: u64,
}

impl<R: Read> Frames<R> {
    fn label(&mut self) -> Result<(), BundleError> {
        let mut label = [0; BUNDLE_LABEL.len()];
        match self.from.read_exact(&mut label) {
            Ok(()) if label == BUNDLE_LABEL => Ok(()),
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => Err(error.into()),
            _ => Err(BundleError::NotABundle),
        }
    }

    fn next(&mut self) -> Result<(Tag, Vec<u8>), BundleError> {
        let mut head = [0; 5];
        self.from.read_exact(&mut head).map_err(cut_off)?;
        let [tag, length @ ..] = head;
        let length = u32::from_be_bytes(length) as usize;
        if length > MAX_FRAME_BYTES {
            return Err(self.fault(DecodeError::TooLarge {
                what: "frame",
                found: length as u64,
                limit: MAX_FRAME_BYTES as u64,
            }));
        }
        let tag = Tag::from_u8(tag)
            .ok_or_else(|| self.fault(DecodeError::Value { what: "frame tag" }))?;
        // Grows with what really comes, not with what the length claims.
        let mut body = Vec::new();
        let read = (&mut self.from)
            .take(length as u64)
            .read_to_end(&mut body)
            .map_err(cut_off)?;
        if read != length {
            return Err(BundleError::CutOff);
        }
        self.number += 1;
        Ok((tag, body))
    }

    /// Nothing may follow.
    fn finish(&mut self) -> Result<(), BundleError> {
        match (&mut self.from).take(1).read_to_end(&mut Vec::new())? {
            0 => Ok(()),
            _ => Err(BundleError::Trailing),
        }
    }

    fn fault(&self, error: DecodeError) -> BundleError {
        BundleError::Frame {
            frame: self.number.saturating_sub(1),
            error,
        }
    }

    fn misplaced(&self) -> BundleError {
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
