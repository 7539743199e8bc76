//! The chapter "Proofs and formats" and the files in tests/vectors say what the code does. A
//! stranger writes a verifier from the chapter, and tries it on the files: both are made anew
//! here, byte by byte, and compared. After a change of a format that was meant:
//!
//! `BCRDT_WRITE_VECTORS=1 cargo test -p auditor --test formats` writes them.

#[path = "../../../ledger/tests/chain/mod.rs"]
mod chain;
mod examples;
mod files;
mod sample;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sample::Sample;

const MARK: &str = "<!-- example: ";

fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

fn writing() -> bool {
    std::env::var_os("BCRDT_WRITE_VECTORS").is_some()
}

/// The chapter with each example as it is now. An example is the text block under its mark.
fn filled(chapter: &str, examples: &mut BTreeMap<&'static str, String>) -> String {
    let mut out = String::new();
    let mut lines = chapter.lines();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        let Some(name) = line
            .strip_prefix(MARK)
            .and_then(|rest| rest.strip_suffix(" -->"))
        else {
            continue;
        };
        let text = examples
            .remove(name)
            .unwrap_or_else(|| panic!("the chapter shows an example {name}, which nobody makes"));
        for fence in lines.by_ref() {
            if fence == "```" {
                break;
            }
        }
        out.push_str("\n```text\n");
        out.push_str(&text);
        out.push_str("```\n");
    }
    out
}

/// A reader computes what the chapter shows and gets something else: his verifier refuses what
/// is sound, and he does not know why.
#[test]
fn the_chapter_shows_what_the_code_does() {
    let path = at("docs/guide/formats.md");
    let chapter = std::fs::read_to_string(&path).unwrap();
    let mut examples = examples::all(&Sample::new());
    let expected = filled(&chapter, &mut examples);
    let forgotten: Vec<_> = examples.keys().collect();
    assert!(forgotten.is_empty(), "not in the chapter: {forgotten:?}");
    if writing() {
        std::fs::write(&path, expected).unwrap();
        return;
    }
    for (number, (shown, made)) in chapter.lines().zip(expected.lines()).enumerate() {
        assert_eq!(shown, made, "line {} of the chapter", number + 1);
    }
    assert_eq!(chapter, expected);
}

/// Other verifiers are tried on these files: they must be what is written today, and what was
/// written then must still verify.
#[test]
fn the_files_are_those_of_today() {
    let folder = at("tests/vectors");
    for (name, bytes) in files::all(&Sample::new()) {
        let path = folder.join(name);
        if writing() {
            std::fs::write(&path, &bytes).unwrap();
        }
        let found = std::fs::read(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(found == bytes, "{name} is not what is written today");
    }
}
