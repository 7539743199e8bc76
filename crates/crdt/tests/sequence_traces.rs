//! Recorded editing sessions, from the folder that `BCRDT_TRACES` names; skipped without it.

mod world;

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::time::Instant;

use crdt::rga_text::{TextEdit, text_of_bytes};
use crdt::{Crdt, Edit, RgaText};
use flate2::read::GzDecoder;
use serde_json::Value;
use world::Clock;

fn trace(name: &str) -> Option<Value> {
    let Some(folder) = std::env::var_os("BCRDT_TRACES") else {
        eprintln!("BCRDT_TRACES is not set: {name} is skipped");
        return None;
    };
    let file = File::open(PathBuf::from(folder).join(format!("{name}.json.gz"))).unwrap();
    Some(serde_json::from_reader(GzDecoder::new(file)).unwrap())
}

fn edits(txn: &Value) -> Vec<TextEdit> {
    let mut edits = Vec::new();
    for patch in txn["patches"].as_array().unwrap() {
        let at = patch[0].as_u64().unwrap() as usize;
        let count = patch[1].as_u64().unwrap() as usize;
        let content = patch[2].as_str().unwrap().to_owned();
        if count > 0 {
            edits.push(TextEdit::Delete { at, count });
        }
        if !content.is_empty() {
            edits.push(TextEdit::Insert { at, content });
        }
    }
    edits
}

/// Long sessions end in the text that they ended in, whether settled once or often, and stay
/// small.
#[test]
fn sequential_sessions_end_as_recorded() {
    for name in ["sveltecomponent", "seph-blog1"] {
        let Some(trace) = trace(name) else {
            return;
        };
        let end = trace["endContent"].as_str().unwrap();
        let txns: Vec<Vec<TextEdit>> = trace["txns"]
            .as_array()
            .unwrap()
            .iter()
            .map(edits)
            .collect();
        let mut clock = Clock::new(1);
        let start = RgaText::assign(trace["startContent"].as_str().unwrap().to_owned());
        let row = RgaText::settle(None, &start, &mut clock).unwrap();

        let (mut draft, begun) = (row.clone(), Instant::now());
        for edit in txns.iter().flatten() {
            draft.edit(edit).unwrap();
        }
        let count: usize = txns.iter().map(Vec::len).sum();
        let each = begun.elapsed() / count as u32;
        let once = RgaText::settle(Some(&row), &draft, &mut clock).unwrap();
        let bytes = once.encode();
        eprintln!(
            "{name}: {count} edits, {each:?} each; {} bytes, {} of text",
            bytes.len(),
            end.len()
        );
        assert_eq!(once.value().as_deref(), Ok(end));
        assert_eq!(text_of_bytes(&bytes).as_deref(), Ok(end));

        let mut often = row.clone();
        for txns in txns.chunks(100) {
            let mut draft = often.clone();
            txns.iter()
                .flatten()
                .for_each(|edit| draft.edit(edit).unwrap());
            often = RgaText::settle(Some(&often), &draft, &mut clock).unwrap();
        }
        let bytes = often.encode();
        eprintln!("{name}: settled every 100 edits: {} bytes", bytes.len());
        assert_eq!(often.value().as_deref(), Ok(end));
        assert_eq!(RgaText::decode(&bytes), Ok(often));
    }
}

/// Two people who typed into one text for hours see the same text, whoever hears of whom first.
#[test]
fn a_session_of_two_converges() {
    let Some(trace) = trace("friendsforever") else {
        return;
    };
    let txns = trace["txns"].as_array().unwrap();
    let txns = &txns[..txns.len().min(3_000)];
    let mut clocks = [Clock::new(1), Clock::new(2)];
    let mut rows: HashMap<usize, (RgaText, u64)> = HashMap::new();
    let mut deltas = Vec::new();
    for (index, txn) in txns.iter().enumerate() {
        let parents: Vec<usize> = txn["parents"]
            .as_array()
            .unwrap()
            .iter()
            .map(|parent| parent.as_u64().unwrap() as usize)
            .collect();
        let mut base = RgaText::default();
        for parent in parents {
            let (row, left) = rows.get_mut(&parent).unwrap();
            base = base.join(row).unwrap();
            *left -= 1;
            if *left == 0 {
                rows.remove(&parent);
            }
        }
        let clock = &mut clocks[txn["agent"].as_u64().unwrap() as usize];
        clock.observe(base.latest());
        let mut draft = base.clone();
        edits(txn).iter().for_each(|edit| draft.edit(edit).unwrap());
        let row = RgaText::settle(Some(&base), &draft, clock).unwrap();
        deltas.extend(RgaText::delta(Some(&base), &row));
        rows.insert(index, (row, txn["numChildren"].as_u64().unwrap().max(1)));
    }
    let join = |a: RgaText, b: &RgaText| a.join(b).unwrap();
    let forwards = rows
        .values()
        .map(|(row, _)| row)
        .fold(RgaText::default(), join);
    let one_by_one = deltas.iter().fold(RgaText::default(), join);
    assert_eq!(forwards.encode(), one_by_one.encode());
    // In blocks, each of them joined with itself first.
    let mut blocks = RgaText::default();
    for block in deltas.chunks(50) {
        let joined = block
            .iter()
            .skip(1)
            .fold(block[0].clone(), |joined, delta| {
                joined.join(delta).unwrap_or_else(|_| {
                    blocks = blocks.join(&joined).unwrap();
                    delta.clone()
                })
            });
        blocks = blocks.join(&joined).unwrap();
    }
    assert_eq!(blocks.encode(), forwards.encode());
}
