//! Tells a result to people, or as JSON to programs; `checkpoint` those for checkpoints.

pub mod checkpoint;

use std::fmt::Write;

use ledger::{Finding, Report, Trust, Verified};
use serde_json::{Value, json};

pub use checkpoint::{checkpoint, consistency};

use crate::status::Answer;
use crate::verify::checkpoint::{AgainstResult, ThroughResult};
use crate::verify::{BundleResult, ProofResult};

/// The result for one op, and for the checkpoint in whose log it must be.
pub fn proof(result: &ProofResult, against: Option<&AgainstResult>, as_json: bool) -> Answer {
    let fault = match (result, against) {
        (Err(fault), _) => Some(fault.to_string()),
        (Ok(_), against) => against.and_then(checkpoint::against_fault),
    };
    let text = match (&fault, result, as_json) {
        (None, Ok(verified), true) => pretty(&proof_json(verified, against)),
        (None, Ok(verified), false) => proof_text(verified, against),
        (fault, _, true) => pretty(&json!({ "verified": false, "error": fault })),
        (fault, _, false) => {
            let fault = fault.as_deref().unwrap_or_default();
            format!("NOT VERIFIED: {}\n", printable(fault))
        }
    };
    let holds = fault.is_none();
    Answer { text, holds }
}

/// The result for a whole chain, and for the checkpoint that it must have come through.
pub fn bundle(result: &BundleResult, through: Option<&ThroughResult>, as_json: bool) -> Answer {
    // What is wrong with the chain itself is told first.
    let fault = through
        .filter(|_| result.report.is_verified())
        .and_then(checkpoint::through_fault);
    let holds = result.report.is_verified() && fault.is_none();
    let text = match as_json {
        true => {
            let mut value = bundle_json(result);
            value["verified"] = holds.into();
            if let Some(through) = through {
                value["checkpoint"] = checkpoint::checkpoint_json(&through.checkpoint).into();
                value["error"] = fault.into();
            }
            pretty(&value)
        }
        false => bundle_text(result, through, fault),
    };
    Answer { text, holds }
}

/// Text from a file that is not trusted, without what could steer a terminal.
pub fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| match c.is_control() {
            true => c.escape_unicode().collect::<Vec<_>>(),
            false => vec![c],
        })
        .collect()
}

fn proof_json(verified: &Verified, against: Option<&AgainstResult>) -> Value {
    json!({
        "verified": true,
        "trust": verified.trust.as_str(),
        "chain_id": verified.chain_id.to_string(),
        "origin": verified.origin.to_string(),
        "seq": verified.seq,
        "hlc": verified.hlc,
        "kind": verified.kind.as_str(),
        "op_hash": hex::encode(verified.op_hash),
        "closed_parts": verified.closed_parts,
        "leaf_index": verified.leaf_index,
        "tree_size": verified.tree_size,
        "height": verified.height,
        "header_hash": hex::encode(verified.header_hash),
        "time_ms": verified.time_ms,
        "checkpoint": against.map(|held| checkpoint::checkpoint_json(&held.checkpoint)),
    })
}

fn proof_text(verified: &Verified, against: Option<&AgainstResult>) -> String {
    let closed = match verified.closed_parts {
        0 => String::new(),
        count => format!(" ({count} parts kept back)"),
    };
    let mut text = format!(
        "VERIFIED: {} {} of node {}{closed}\n",
        verified.kind.as_str(),
        verified.seq,
        verified.origin
    );
    let lines = [
        ("chain", verified.chain_id.to_string()),
        ("op hash", hex::encode(verified.op_hash)),
        (
            "leaf",
            format!("{} of {}", verified.leaf_index, verified.tree_size),
        ),
        (
            "block",
            format!(
                "{} with header {}",
                verified.height,
                hex::encode(verified.header_hash)
            ),
        ),
        ("block time", format!("{} ms since 1970", verified.time_ms)),
    ];
    append(&mut text, &lines);
    let rests_on = match against {
        None => rests_on(verified.trust),
        Some(held) => {
            append(
                &mut text,
                &checkpoint::checkpoint_lines(&held.checkpoint, ""),
            );
            "the keys of log and witnesses given"
        }
    };
    append(&mut text, &[("rests on", rests_on.to_owned())]);
    text
}

fn bundle_json(result: &BundleResult) -> Value {
    let report = &result.report;
    json!({
        "verified": report.is_verified(),
        "trust": result.trust.as_str(),
        "chain_id": result.chain_id.to_string(),
        "height": report.height,
        "header_hash": report.header_hash.map(hex::encode),
        "tree_size": report.tree_size,
        "ops": report.ops,
        "tail_ops": report.tail_ops,
        "segments": report.segments,
        "closed_ops": report.closed_ops,
        "payloads_withheld": report.withheld,
        "findings": report.findings.iter().map(finding_json).collect::<Vec<_>>(),
        "untold": report.untold,
    })
}

fn finding_json(finding: &Finding) -> Value {
    json!({
        "height": finding.height,
        "leaf_index": finding.leaf_index,
        "origin": finding.origin.map(|node| node.to_string()),
        "seq": finding.seq,
        "kind": finding.kind.as_str(),
        "expected": finding.expected,
        "found": finding.found,
        "detail": finding.detail,
    })
}

fn bundle_text(
    result: &BundleResult,
    through: Option<&ThroughResult>,
    fault: Option<String>,
) -> String {
    let report = &result.report;
    let mut text = match report.is_verified() {
        true if fault.is_some() => {
            let fault = fault.unwrap_or_default();
            format!("NOT VERIFIED: {}\n", printable(&fault))
        }
        true => match result.heights {
            None => format!("VERIFIED: the whole chain up to block {}\n", report.height),
            Some((from, to)) => format!(
                "VERIFIED: blocks {from} to {}\n",
                to.unwrap_or(report.height).min(report.height)
            ),
        },
        false => format!(
            "NOT VERIFIED: {} findings\n",
            (report.findings.len() as u64).saturating_add(report.untold)
        ),
    };
    for finding in &report.findings {
        let _ = writeln!(text, "  {}", finding_line(finding));
    }
    if report.untold > 0 {
        let _ = writeln!(text, "  and {} more", report.untold);
    }
    let lines = [
        ("chain", result.chain_id.to_string()),
        (
            "last header",
            report.header_hash.map_or("unknown".to_owned(), hex::encode),
        ),
        (
            "seen",
            format!(
                "{} ops ({} in no block yet), {} segments, {} leaves",
                report.ops, report.tail_ops, report.segments, report.tree_size
            ),
        ),
        ("payloads", payloads(report)),
        ("rests on", rests_on(result.trust).to_owned()),
    ];
    append(&mut text, &lines);
    if let Some(through) = through {
        text.push_str("  checkpoint that it must have come through:\n");
        append(
            &mut text,
            &checkpoint::checkpoint_lines(&through.checkpoint, ""),
        );
    }
    text
}

/// Whether the payloads were there to be verified.
fn payloads(report: &Report) -> String {
    match (report.closed_ops, report.withheld) {
        (0, _) => "all are here".to_owned(),
        (closed, true) => format!("kept back of {closed} ops by who exported them"),
        (closed, false) => format!("gone of {closed} ops"),
    }
}

fn finding_line(finding: &Finding) -> String {
    let mut line = finding.kind.as_str().to_owned();
    if let Some(height) = finding.height {
        let _ = write!(line, ", block {height}");
    }
    if let Some(leaf) = finding.leaf_index {
        let _ = write!(line, ", leaf {leaf}");
    }
    if let Some(seq) = finding.seq {
        let _ = write!(line, ", op {seq}");
    }
    if let Some(origin) = finding.origin {
        let _ = write!(line, ", node {origin}");
    }
    let _ = write!(line, ": {}", printable(&finding.detail));
    line
}

fn rests_on(trust: Trust) -> &'static str {
    match trust {
        Trust::PinnedValidators => "the validator keys given",
        Trust::PinnedChain => "the chain id given",
        Trust::Itself => "itself only: compare the chain id with one that you know",
    }
}

/// Appends names and values, one pair in a line.
pub fn append(text: &mut String, lines: &[(impl AsRef<str>, String)]) {
    let longest = lines.iter().map(|(name, _)| name.as_ref().len() + 1).max();
    let width = longest.unwrap_or_default().max(12);
    for (name, value) in lines {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {:<width$}{value}", name.as_ref());
    }
}

/// JSON for people, too.
pub fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
