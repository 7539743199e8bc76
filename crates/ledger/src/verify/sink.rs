//! Who takes a chain's stored rows in order: the verifier, or a bundle that is verified later.
//! Whoever reads the rows writes one loop for both.

use std::convert::Infallible;

use super::ChainVerifier;
use super::stored::{BlockPlan, StoredBlock, StoredOp, StoredSegment};

/// Takes a chain's stored rows, in the order that [`ChainVerifier`] states.
pub trait ChainSink {
    /// Why a row could not be taken.
    type Error;

    /// Takes a block row and says what to feed next.
    ///
    /// # Errors
    /// The sink's own.
    fn block(&mut self, row: &StoredBlock<'_>) -> Result<BlockPlan, Self::Error>;

    /// Takes a stored tile.
    ///
    /// # Errors
    /// The sink's own.
    fn tile(&mut self, level: u8, index: u64, hashes: &[u8]) -> Result<(), Self::Error>;

    /// Takes a segment row.
    ///
    /// # Errors
    /// The sink's own.
    fn segment(&mut self, row: &StoredSegment<'_>) -> Result<(), Self::Error>;

    /// Takes an op row.
    ///
    /// # Errors
    /// The sink's own.
    fn op(&mut self, row: &StoredOp<'_>) -> Result<(), Self::Error>;

    /// Says that what follows is in no block yet.
    ///
    /// # Errors
    /// The sink's own.
    fn tail(&mut self) -> Result<(), Self::Error>;

    /// Takes a row of the stored version vector.
    ///
    /// # Errors
    /// The sink's own.
    fn vector(&mut self, origin: &[u8], seq: u64, head: &[u8]) -> Result<(), Self::Error>;
}

impl ChainSink for ChainVerifier {
    type Error = Infallible;

    fn block(&mut self, row: &StoredBlock<'_>) -> Result<BlockPlan, Infallible> {
        Ok(Self::block(self, row))
    }

    fn tile(&mut self, level: u8, index: u64, hashes: &[u8]) -> Result<(), Infallible> {
        Self::tile(self, level, index, hashes);
        Ok(())
    }

    fn segment(&mut self, row: &StoredSegment<'_>) -> Result<(), Infallible> {
        Self::segment(self, row);
        Ok(())
    }

    fn op(&mut self, row: &StoredOp<'_>) -> Result<(), Infallible> {
        Self::op(self, row);
        Ok(())
    }

    fn tail(&mut self) -> Result<(), Infallible> {
        Self::tail(self);
        Ok(())
    }

    fn vector(&mut self, origin: &[u8], seq: u64, head: &[u8]) -> Result<(), Infallible> {
        Self::vector(self, origin, seq, head);
        Ok(())
    }
}
