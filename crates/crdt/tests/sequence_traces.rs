//! Recorded editing sessions, from the folder that `BCRDT_TRACES` names; skipped without it.

mod world;

use std::time::Instant;

use crdt::rga_text::{TextEdit, text_of_bytes};
use crdt::{Crdt, Edit, RgaText};
use world::Clock;
use world::trace::Trace;

/// Long sessions end in the text that they ended in, whether settled once or often, and stay
/// small.
#[test]
fn sequential_sessions_end_as_recorded() {
    for name in ["sveltecomponent", "seph-blog1"] {
        let Some(trace) = Trace::named(name) else {
            return;
        };
        let end = trace.end.as_str();
        let mut clock = Clock::new(1);
        let start = RgaText::assign(trace.start.clone());
        let row = RgaText::settle(None, &start, &mut clock).unwrap();

        // Side by side in memory, so that the edits are measured and not the way to them.
        let edits: Vec<TextEdit> = trace
            .txns
            .iter()
            .flat_map(|txn| txn.edits.clone())
            .collect();
        let count = edits.len();
        let (mut draft, begun) = (row.clone(), Instant::now());
        for edit in &edits {
            draft.edit(edit).unwrap();
        }
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
        for txns in trace.txns.chunks(100) {
            let mut draft = often.clone();
            txns.iter()
                .flat_map(|txn| &txn.edits)
                .for_each(|edit| draft.edit(edit).unwrap());
            often = RgaText::settle(Some(&often), &draft, &mut clock).unwrap();
        }
        let bytes = often.encode();
        eprintln!("{name}: settled every 100 edits: {} bytes", bytes.len());
        assert_eq!(often.value().as_deref(), Ok(end));
        assert_eq!(RgaText::decode(&bytes), Ok(often));
    }
}

/// Two people who typed into one text for hours see the text that they saw then, whoever hears
/// of whom first.
#[test]
fn a_session_of_two_ends_as_recorded() {
    let Some(trace) = Trace::named("friendsforever") else {
        return;
    };
    let mut clocks = [Clock::new(1), Clock::new(2)];
    let deltas = trace.deltas(&mut clocks, Clock::observe);
    let mut one_by_one = RgaText::default();
    for delta in &deltas {
        one_by_one.join_assign(delta).unwrap();
    }
    assert_eq!(one_by_one.value().as_ref(), Ok(&trace.end));
    let end = one_by_one.encode();
    assert_eq!(RgaText::decode(&end), Ok(one_by_one));

    let mut favoured = RgaText::default();
    for index in trace.favouring_one() {
        favoured.join_assign(&deltas[index]).unwrap();
    }
    assert_eq!(favoured.encode(), end);

    // Several as one, as the worker does with those of one segment.
    let mut blocks = RgaText::default();
    for block in deltas.chunks(50) {
        let (first, rest) = block.split_first().unwrap();
        let mut joined = first.clone();
        for delta in rest {
            joined.join_assign(delta).unwrap();
        }
        blocks.join_assign(&joined).unwrap();
    }
    assert_eq!(blocks.encode(), end);
}
