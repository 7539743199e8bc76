//! Tells the outcome of an audit to people, or as JSON to programs.

use ledger::audit::AuditFault;
use serde_json::json;

use super::Outcome;
use crate::report::checkpoint::{checkpoint_json, checkpoint_lines};
use crate::report::{append, pretty, printable};
use crate::status::Answer;
use crate::verify::checkpoint::CheckpointResult;

/// The log is what its checkpoint says.
pub fn sound(outcome: &Outcome, as_json: bool) -> Answer {
    let size = outcome.checkpoint.checkpoint().size;
    let new = size.saturating_sub(outcome.known);
    let result = CheckpointResult {
        checkpoint: outcome.checkpoint.clone(),
        vouched: Some(Ok(outcome.vouched.clone())),
    };
    let text = if as_json {
        let mut value = checkpoint_json(&result);
        value.insert("verified".to_owned(), true.into());
        value.insert("new_leaves".to_owned(), new.into());
        value.insert("headers".to_owned(), outcome.headers.into());
        value.insert("nodes".to_owned(), outcome.nodes.into());
        pretty(&value.into())
    } else {
        let mut text = format!("VERIFIED: the whole log of {size} leaves\n");
        let mut lines = checkpoint_lines(&result, "");
        let held = format!(
            "{} headers, ops of {} nodes",
            outcome.headers, outcome.nodes
        );
        lines.push(("holds".to_owned(), held));
        lines.push(("read now".to_owned(), format!("{new} leaves")));
        append(&mut text, &lines);
        text
    };
    Answer { text, holds: true }
}

/// Something is wrong with the log.
pub fn fault(fault: &AuditFault, as_json: bool) -> Answer {
    let text = match as_json {
        true => pretty(&json!({
            "verified": false,
            "kind": fault.kind.as_str(),
            "leaf_index": fault.leaf_index,
            "expected": fault.expected,
            "found": fault.found,
            "error": fault.detail,
        })),
        false => format!("NOT VERIFIED: {}\n", printable(&fault.to_string())),
    };
    Answer { text, holds: false }
}
