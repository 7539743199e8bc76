//! The one program of libFuzzer: BCRDT_FUZZ names the target of `fuzz::targets` that it runs.
//! One program for all, because each would link all crates with the sanitizer once more.
#![no_main]

use std::sync::OnceLock;

use fuzz::{Target, targets};
use libfuzzer_sys::fuzz_target;

static CHOSEN: OnceLock<Target> = OnceLock::new();

fn chosen() -> Target {
    let name = std::env::var("BCRDT_FUZZ").expect("BCRDT_FUZZ names the target");
    targets()
        .into_iter()
        .find(|target| target.name == name)
        .unwrap_or_else(|| panic!("BCRDT_FUZZ names no target: {name}"))
}

fuzz_target!(|bytes: &[u8]| {
    (CHOSEN.get_or_init(chosen).check)(bytes);
});
