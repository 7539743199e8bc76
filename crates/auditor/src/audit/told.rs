//! Tells the outcome of an audit to people, or as JSON to programs.

use std::fmt::Write;

use ledger::audit::AuditFault;
use serde_json::json;

use super::Outcome;
use crate::report::printable;
use crate::status::Answer;

/// The log is what its checkpoint says.
pub fn sound(outcome: &Outcome, as_json: bool) -> Answer {
    let state = outcome.checkpoint.checkpoint();
    let text = match as_json {
        true => {
            let witnesses = outcome.witnesses.iter();
            let witnesses = witnesses.map(|(name, time)| json!({ "name": name, "time": time }));
            let value = json!({
                "verified": true,
                "chain_id": outcome.chain.to_string(),
                "tree_size": state.size,
                "log_root": hex::encode(state.root),
                "new_leaves": state.size.saturating_sub(outcome.known),
                "blocks": outcome.blocks,
                "nodes": outcome.nodes,
                "witnesses": witnesses.collect::<Vec<_>>(),
            });
            format!("{value:#}\n")
        }
        false => {
            let mut text = format!("VERIFIED: the whole log of {} leaves\n", state.size);
            let mut line = |name: &str, value: &str| {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "  {name:<12}{value}");
            };
            line("chain", &outcome.chain.to_string());
            line("log root", &hex::encode(state.root));
            line(
                "read",
                &format!("{} leaves now", state.size.saturating_sub(outcome.known)),
            );
            line(
                "holds",
                &format!("{} headers, ops of {} nodes", outcome.blocks, outcome.nodes),
            );
            for (name, time) in &outcome.witnesses {
                let told = format!("{}, {time} s since 1970", printable(name));
                line("cosigned by", &told);
            }
            text
        }
    };
    Answer { text, holds: true }
}

/// Something is wrong with the log.
pub fn fault(origin: &str, fault: &AuditFault, as_json: bool) -> Answer {
    let text = match as_json {
        true => {
            let value = json!({
                "verified": false,
                "log": origin,
                "kind": fault.kind.as_str(),
                "leaf_index": fault.leaf_index,
                "expected": fault.expected,
                "found": fault.found,
                "detail": fault.detail,
            });
            format!("{value:#}\n")
        }
        false => format!("NOT VERIFIED: {}\n", printable(&fault.to_string())),
    };
    Answer { text, holds: false }
}
