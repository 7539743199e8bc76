//! Writes a bundle row by row.

use std::io::{Error, ErrorKind, Write};

use super::BUNDLE_LABEL;
use super::frame::{
    MAX_FRAME_BYTES, Tag, block_body, chain_body, op_body, segment_body, tile_body, vector_body,
};
use crate::block::Header;
use crate::hash::Hash;
use crate::ids::ChainId;
use crate::member::Member;
use crate::merkle::TILE_WIDTH;
use crate::op::Kind;
use crate::vector::Cut;
use crate::verify::{
    BlockPlan, ChainSink, FeedRange, StoredBlock, StoredOp, StoredPart, StoredSegment,
};

/// Writes a bundle: start it, feed it like a verifier, finish it.
#[derive(Debug)]
pub struct BundleWriter<W> {
    to: W,
    frames: u64,
    cut: Cut,
    next_tile: u64,
    withheld: bool,
}

impl<W: Write> BundleWriter<W> {
    /// Starts a bundle with the chain's name, its genesis and its members as they are stored.
    ///
    /// # Errors
    /// Those of writing.
    pub fn begin<'a>(
        to: W,
        chain: ChainId,
        genesis: &[u8],
        members: impl IntoIterator<Item = &'a Member>,
    ) -> Result<Self, Error> {
        Self::start(to, chain, genesis, members, false)
    }

    /// Starts a bundle for the public: the payloads of row changes are left out, and so are the
    /// tiles, which the log serves by themselves.
    ///
    /// # Errors
    /// Those of writing.
    pub fn begin_withheld<'a>(
        to: W,
        chain: ChainId,
        genesis: &[u8],
        members: impl IntoIterator<Item = &'a Member>,
    ) -> Result<Self, Error> {
        Self::start(to, chain, genesis, members, true)
    }

    fn start<'a>(
        mut to: W,
        chain: ChainId,
        genesis: &[u8],
        members: impl IntoIterator<Item = &'a Member>,
        withheld: bool,
    ) -> Result<Self, Error> {
        to.write_all(BUNDLE_LABEL)?;
        let mut writer = Self {
            to,
            frames: 0,
            cut: Cut::default(),
            next_tile: 0,
            withheld,
        };
        writer.frame(Tag::Chain, &chain_body(&chain, genesis))?;
        if withheld {
            writer.frame(Tag::Withheld, &[])?;
        }
        for member in members {
            writer.frame(Tag::Member, &member.to_bytes())?;
        }
        Ok(writer)
    }

    /// Leaves out the blocks up to the one with this cut, after which the log has `tree_size`
    /// leaves: whoever puts the bundle together has them already.
    pub fn skip_to(&mut self, cut: Cut, tree_size: u64) {
        self.cut = cut;
        self.next_tile = tree_size.div_ceil(TILE_WIDTH);
    }

    /// Says that the bundle ends with the last block: in place of [`ChainSink::tail`].
    ///
    /// # Errors
    /// Those of writing.
    pub fn stop(&mut self) -> Result<(), Error> {
        self.frame(Tag::Stop, &[])
    }

    /// What is written to: to take away what has come so far.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.to
    }

    /// Ends the bundle and gives the writer back.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(mut self) -> Result<W, Error> {
        let frames = self.frames.to_be_bytes();
        self.frame(Tag::End, &frames)?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn frame(&mut self, tag: Tag, body: &[u8]) -> Result<(), Error> {
        if body.len() > MAX_FRAME_BYTES {
            let detail = format!("a row of {} bytes does not fit a bundle", body.len());
            return Err(Error::new(ErrorKind::InvalidInput, detail));
        }
        write_frame(&mut self.to, tag, body)?;
        self.frames += 1;
        Ok(())
    }
}

impl<W: Write> ChainSink for BundleWriter<W> {
    type Error = Error;

    fn block(&mut self, row: &StoredBlock<'_>) -> Result<BlockPlan, Error> {
        self.frame(Tag::Block, &block_body(row))?;
        // A cut that cannot be read moves nothing: its ops come with the next block, and the
        // verifier expects just that.
        let cut = Cut::from_bytes(row.cut).unwrap_or_else(|_| self.cut.clone());
        let mut ranges = Vec::new();
        for (origin, at) in cut.iter() {
            let before = self.cut.get(origin).seq;
            if at.seq > before {
                ranges.push(FeedRange {
                    origin: *origin,
                    first_seq: before + 1,
                    last_seq: at.seq,
                });
                self.cut.0.insert(*origin, *at);
            }
        }
        let size = match self.withheld {
            true => 0,
            false => Header::from_bytes(row.header).map_or(0, |header| header.tree_size),
        };
        let tiles = self.next_tile..size.div_ceil(TILE_WIDTH).max(self.next_tile);
        Ok(BlockPlan { ranges, tiles })
    }

    fn tile(&mut self, level: u8, index: u64, hashes: &[u8]) -> Result<(), Error> {
        if level == 0 {
            self.next_tile = self.next_tile.max(index.saturating_add(1));
        }
        self.frame(Tag::Tile, &tile_body(level, index, hashes))
    }

    fn segment(&mut self, row: &StoredSegment<'_>) -> Result<(), Error> {
        self.frame(Tag::Segment, &segment_body(row))
    }

    fn op(&mut self, row: &StoredOp<'_>) -> Result<(), Error> {
        if !self.withheld || row.kind != Kind::Delta as u8 {
            return self.frame(Tag::Op, &op_body(row));
        }
        // A part of no sound form has no commitment; zeros are found like any wrong one.
        let commitment = |part: &StoredPart<'_>| part.commitment().unwrap_or_default();
        let commitments: Vec<Hash> = row.parts.iter().map(commitment).collect();
        let closed = |payload| StoredPart { salt: &[], payload };
        let parts: Vec<StoredPart<'_>> = commitments.iter().map(|c| closed(c)).collect();
        self.frame(
            Tag::Op,
            &op_body(&StoredOp {
                parts: &parts,
                ..*row
            }),
        )
    }

    fn tail(&mut self) -> Result<(), Error> {
        self.frame(Tag::Tail, &[])
    }

    fn vector(&mut self, origin: &[u8], seq: u64, head: &[u8]) -> Result<(), Error> {
        self.frame(Tag::Vector, &vector_body(origin, seq, head))
    }
}

/// Writes one frame as a bundle has it.
///
/// # Errors
/// Those of writing.
pub fn write_frame(to: &mut impl Write, tag: Tag, body: &[u8]) -> Result<(), Error> {
    to.write_all(&[tag as u8])?;
    to.write_all(&(body.len() as u32).to_be_bytes())?;
    to.write_all(body)
}
