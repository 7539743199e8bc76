//! Merkle logs behind one trait. All make the tree of RFC 6962, so their roots must agree.

mod bare;
mod ct;
mod ours;
mod rs;

pub use bare::Bare;
pub use ct::CtLog;
pub use ours::OurLog;
pub use rs::RsLog;

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// A log in memory that proves its leaves.
pub trait Log {
    /// As the table shows it.
    const NAME: &'static str;
    /// An inclusion proof.
    type Proof;

    /// The log of these leaves.
    fn of(leaves: &[Vec<u8>]) -> Self;
    /// Its root.
    fn root(&self) -> Hash;
    /// That leaf `index` is in it.
    fn prove(&self, index: u64) -> Self::Proof;
    /// Whether the leaf with this content is there in the log of `size` leaves with this root.
    fn verify(proof: &Self::Proof, leaf: &[u8], index: u64, size: u64, root: &Hash) -> bool;
}

/// A log that proves what it began with.
pub trait Growing: Log {
    /// A consistency proof.
    type Grown;

    /// That the log began with its first `old` leaves.
    fn prove_growth(&self, old: u64) -> Self::Grown;
    /// Whether it did.
    fn verify_growth(proof: &Self::Grown, old: (u64, &Hash), new: (u64, &Hash)) -> bool;
}

/// A log that proves many leaves at once.
pub trait Ranges: Log {
    /// A proof of successive leaves.
    type Range;

    /// That the `count` leaves from `first` on are in it.
    fn prove_range(&self, first: u64, count: u64) -> Self::Range;
    /// Whether the leaves with these hashes are in the log of `size` leaves with this root.
    fn verify_range(
        proof: &Self::Range,
        leaves: &[Hash],
        first: u64,
        size: u64,
        root: &Hash,
    ) -> bool;
    /// How many hashes the proof has.
    fn range_hashes(proof: &Self::Range) -> usize;
}
