//! Fuzz targets: one for each decoder of the crates, with seeds to start from.
//!
//! What each target claims: hostile bytes give a value or an error, never a panic; what decodes
//! encodes to the same bytes again; its text form comes back as it was.
//!
//! `state` holds the claims on CRDT types (a new type is one line in [`targets`]), `rows` what
//! travels around them, `chain_files` the ledger, `notes` what log tools read, `digests` the digests
//! of tables, `messages` what nodes say to each other.

// The small chain that the ledger's own tests are made with.
#[path = "../../crates/ledger/tests/chain/mod.rs"]
mod chain;
mod chain_files;
mod digests;
mod messages;
mod notes;
mod rows;
mod state;

use crdt::{
    AwSet, BCounter, GCounter, HlcRegister, LwwMap, LwwRegister, LwwSet, MvRegister, OrCart, OrMap,
    OrSet, PnCounter, Rga, RgaText, VectorClock,
};

/// One decoder under test.
pub struct Target {
    /// As `devtools/fuzz` shows it; also the name of its corpus.
    pub name: String,
    /// Panics if the bytes break a claim.
    pub check: fn(&[u8]),
    /// Inputs that decode, or nearly.
    pub seeds: Vec<Vec<u8>>,
}

impl Target {
    fn new(name: &str, check: fn(&[u8]), seeds: Vec<Vec<u8>>) -> Self {
        Self {
            name: name.to_owned(),
            check,
            seeds,
        }
    }
}

/// All targets.
pub fn targets() -> Vec<Target> {
    let states = [
        state::targets::<PnCounter>(&["0", "12", "-3", "9223372036854775807"]),
        state::targets::<OrSet>(&["{}", "{a,b}", "{b,\"c d\",é}"]),
        state::targets::<LwwRegister>(&["null", "{\"a\": [1, 2.50]}", "\"text\""]),
        state::targets::<GCounter>(&["0", "5"]),
        state::targets::<BCounter>(&["12", "12 floor 5"]),
        state::targets::<MvRegister>(&["1", "\"text\""]),
        state::targets::<LwwSet>(&["{}", "{a,\"b c\"}", "{\"a\": 1, \"b\": null}"]),
        state::targets::<AwSet>(&["{}", "{a,b}", "{b,\"c d\",é}"]),
        state::targets::<LwwMap>(&["{}", "{\"a\": 1, \"b\": [true]}"]),
        state::targets::<OrMap>(&["{}", "{\"a\": 1, \"b\": {\"c\": \"x\"}}"]),
        state::targets::<OrCart>(&["{}", "{\"apple\": 2, \"pear\": -1}"]),
        state::targets::<Rga>(&["[]", "[1, \"a\", {\"b\": null}]"]),
        state::targets::<RgaText>(&["", "hello wörld"]),
        state::targets::<VectorClock>(&["{}", "{\"01010101010101010101010101010101\": 5}"]),
        state::targets::<HlcRegister>(&["2026-11-21T12:00:00.123Z/5"]),
    ];
    let around = [
        rows::targets(),
        chain_files::targets(),
        notes::targets(),
        digests::targets(),
        messages::targets(),
    ];
    states
        .into_iter()
        .flatten()
        .chain(around.into_iter().flatten())
        .collect()
}

/// What decodes encodes to the same bytes.
fn is_canonical<T, E>(
    bytes: &[u8],
    decode: impl Fn(&[u8]) -> Result<T, E>,
    encode: impl Fn(&T) -> Vec<u8>,
) {
    if let Ok(value) = decode(bytes) {
        assert!(encode(&value) == bytes, "decoded what encodes otherwise");
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}
