//! SHA-256 with a label in front of every message, so that no message of one kind can be
//! taken for a message of another.

use sha2::digest::generic_array::GenericArray;
use sha2::{Digest, Sha256, compress256};

/// A SHA-256 digest, 32 bytes.
pub type Hash = [u8; 32];

/// The digest that stands where there is nothing before: the head before the first op, the
/// header before the genesis, the value of a vote for nil.
pub const ZERO_HASH: Hash = [0; 32];

/// The label of a node id.
pub const LABEL_NODE: &[u8] = b"bcrdt/node/v1\0";
/// The label of a replica id.
pub const LABEL_REPLICA: &[u8] = b"bcrdt/replica/v1\0";
/// The label of one part of an op.
pub const LABEL_PART: &[u8] = b"bcrdt/part/v1\0";
/// The label of an op.
pub const LABEL_OP: &[u8] = b"bcrdt/op/v1\0";
/// The label of a segment's dependencies.
pub const LABEL_DEPS: &[u8] = b"bcrdt/deps/v1\0";
/// The label of a version vector.
pub const LABEL_VECTOR: &[u8] = b"bcrdt/vector/v1\0";
/// The label of the signed statement of a segment.
pub const LABEL_SEGMENT: &[u8] = b"bcrdt/segment/v1\0";
/// The label of a leaf.
pub const LABEL_LEAF: &[u8] = b"bcrdt/leaf/v1\0";
/// The label of a cut.
pub const LABEL_CUT: &[u8] = b"bcrdt/cut/v1\0";
/// The label of a block header.
pub const LABEL_BLOCK: &[u8] = b"bcrdt/block/v1\0";
/// The label of a vote.
pub const LABEL_VOTE: &[u8] = b"bcrdt/vote/v1\0";
/// The label of a validator set.
pub const LABEL_VALIDATORS: &[u8] = b"bcrdt/validators/v1\0";
/// The label of a genesis.
pub const LABEL_GENESIS: &[u8] = b"bcrdt/genesis/v1\0";
/// The label of what a verification in pieces starts from.
pub const LABEL_GROUND: &[u8] = b"bcrdt/ground/v1\0";

/// SHA-256 over the concatenation of `pieces`; the first is the label.
pub fn sha256(pieces: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for piece in pieces {
        hasher.update(piece);
    }
    hasher.finalize().into()
}

/// What SHA-256 starts from (FIPS 180-4, 5.3.3).
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// SHA-256(first ‖ left ‖ right), which is what a Merkle tree hashes most. The message always has
/// 65 bytes, so its two blocks are laid out here: a hasher that takes any length takes a fifth
/// longer.
pub(crate) fn sha256_of_65(first: u8, left: &Hash, right: &Hash) -> Hash {
    let mut blocks = [[0; 64]; 2];
    blocks[0][0] = first;
    blocks[0][1..33].copy_from_slice(left);
    blocks[0][33..].copy_from_slice(&right[..31]);
    blocks[1][0] = right[31];
    // Padding: a 1 bit, zeros, the length in bits.
    blocks[1][1] = 0x80;
    blocks[1][56..].copy_from_slice(&(65 * 8u64).to_be_bytes());
    let mut state = INITIAL;
    compress256(&mut state, &blocks.map(GenericArray::from));
    let mut digest = [0; 32];
    for (bytes, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    digest
}

/// The first eight bytes as hex: enough for a person to tell two digests apart.
pub fn short(bytes: &[u8]) -> String {
    match bytes.get(..8) {
        Some(head) if bytes.len() > 8 => format!("{}…", hex::encode(head)),
        _ if bytes.is_empty() => "(empty)".to_owned(),
        _ => hex::encode(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_hash_like_their_concatenation() {
        assert_eq!(sha256(&[b"ab", b"c"]), sha256(&[b"abc"]));
        assert_eq!(
            hex::encode(sha256(&[b"abc"])),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    /// Proofs would verify here and nowhere else.
    #[test]
    fn sixty_five_bytes_hash_like_any_others() {
        for seed in 0..=255u8 {
            let (left, right) = (sha256(&[&[seed]]), sha256(&[&[seed, 1]]));
            let expected = sha256(&[&[seed], &left, &right]);
            assert_eq!(sha256_of_65(seed, &left, &right), expected);
        }
    }

    #[test]
    fn short_never_panics_on_odd_lengths() {
        assert_eq!(short(&[]), "(empty)");
        assert_eq!(short(&[1, 2]), "0102");
        assert_eq!(short(&[0xab; 32]), "abababababababab…");
    }
}
