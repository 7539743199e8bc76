//! Tells the results for checkpoints.

use ledger::VerifierKey;
use ledger::witness::LogState;
use serde_json::{Map, Value, json};

use super::{append, pretty, printable};
use crate::status::Answer;
use crate::verify::checkpoint::{
    AgainstResult, CheckpointResult, ConsistencyResult, Passage, Relation, ThroughResult,
};

/// The result for one checkpoint.
pub fn checkpoint(result: &CheckpointResult, as_json: bool) -> Answer {
    let state = result.checkpoint.checkpoint();
    let fault = result.fault().map(ToString::to_string);
    let headline = format!("checkpoint of {} leaves", state.size);
    let mut value = checkpoint_json(result);
    insert_outcome(&mut value, fault.as_deref());
    tell(
        &headline,
        fault,
        checkpoint_lines(result, ""),
        Value::Object(value),
        as_json,
    )
}

/// The result for two checkpoints.
pub fn consistency(result: &ConsistencyResult, as_json: bool) -> Answer {
    let (old, new) = (&result.old, &result.new);
    let fault = distrust(old, "the old checkpoint")
        .or_else(|| distrust(new, "the new checkpoint"))
        .or_else(|| {
            let said = relation_fault(result.relation)?;
            let proof = result.relation == Relation::Forked && new.vouched.is_some();
            Some(match proof {
                true => format!("{said}; the two files prove it to anybody"),
                false => said.to_owned(),
            })
        });
    let headline = format!(
        "the log of {} leaves continues that of {}",
        LogState::of(&new.checkpoint).size,
        LogState::of(&old.checkpoint).size
    );
    let mut lines = checkpoint_lines(old, "old ");
    lines.extend(checkpoint_lines(new, "new "));
    if new.vouched.is_none() {
        lines.push((
            "rests on".to_owned(),
            "the numbers only: no --key was given".to_owned(),
        ));
    }
    let mut value = Map::new();
    insert_outcome(&mut value, fault.as_deref());
    value.insert("relation".to_owned(), relation_name(result.relation).into());
    value.insert("old".to_owned(), Value::Object(checkpoint_json(old)));
    value.insert("new".to_owned(), Value::Object(checkpoint_json(new)));
    tell(&headline, fault, lines, Value::Object(value), as_json)
}

/// Why an op is not in the log of a checkpoint.
pub fn against_fault(result: &AgainstResult) -> Option<String> {
    distrust(&result.checkpoint, "the checkpoint")
        .or_else(|| relation_fault(result.relation).map(str::to_owned))
        .or_else(|| (!result.includes).then(|| "the op came after the checkpoint".to_owned()))
}

/// Why a chain has not come through a checkpoint.
pub fn through_fault(result: &ThroughResult) -> Option<String> {
    let size = LogState::of(&result.checkpoint.checkpoint).size;
    distrust(&result.checkpoint, "the checkpoint").or_else(|| match result.passage {
        Passage::Through => None,
        Passage::OtherLog => relation_fault(Relation::OtherLog).map(str::to_owned),
        Passage::Forked => Some(format!(
            "at {size} leaves the chain has another root than the checkpoint: the log was forked"
        )),
        Passage::EndsBefore => Some(format!(
            "the chain ends before the {size} leaves of the checkpoint: its newest blocks are gone"
        )),
        Passage::Between => Some(format!("no block of the chain ends with {size} leaves")),
    })
}

/// Name and value of what is told of a checkpoint; `prefix` stands before each name.
pub fn checkpoint_lines(result: &CheckpointResult, prefix: &str) -> Vec<(String, String)> {
    let state = result.checkpoint.checkpoint();
    let mut lines = vec![
        ("log".to_owned(), printable(&state.origin)),
        ("size".to_owned(), format!("{} leaves", state.size)),
        ("root".to_owned(), hex::encode(state.root)),
    ];
    if let Some(Ok(vouched)) = &result.vouched {
        for key in &vouched.keys {
            lines.push(("signed by".to_owned(), name(key)));
        }
        for (witness, time) in &vouched.witnesses {
            lines.push((
                "cosigned by".to_owned(),
                format!("{} at {time} s since 1970", name(witness)),
            ));
        }
    }
    for (label, _) in &mut lines {
        label.insert_str(0, prefix);
    }
    lines
}

/// What is told of a checkpoint as JSON.
pub fn checkpoint_json(result: &CheckpointResult) -> Map<String, Value> {
    let state = result.checkpoint.checkpoint();
    let mut value = Map::new();
    value.insert("log".to_owned(), json!(state.origin));
    value.insert("size".to_owned(), json!(state.size));
    value.insert("root".to_owned(), json!(hex::encode(state.root)));
    if let Some(Ok(vouched)) = &result.vouched {
        let keys: Vec<_> = vouched.keys.iter().map(ToString::to_string).collect();
        let witnesses: Vec<_> = vouched
            .witnesses
            .iter()
            .map(|(key, time)| json!({ "key": key.to_string(), "time": time }))
            .collect();
        value.insert("signed_by".to_owned(), json!(keys));
        value.insert("cosigned_by".to_owned(), json!(witnesses));
    }
    value
}

fn insert_outcome(value: &mut Map<String, Value>, fault: Option<&str>) {
    value.insert("verified".to_owned(), fault.is_none().into());
    if let Some(fault) = fault {
        value.insert("error".to_owned(), fault.into());
    }
}

fn tell(
    headline: &str,
    fault: Option<String>,
    lines: Vec<(String, String)>,
    value: Value,
    as_json: bool,
) -> Answer {
    let holds = fault.is_none();
    let text = if as_json {
        pretty(&value)
    } else {
        let mut text = match fault {
            None => format!("VERIFIED: {headline}\n"),
            Some(fault) => format!("NOT VERIFIED: {}\n", printable(&fault)),
        };
        append(&mut text, &lines);
        text
    };
    Answer { text, holds }
}

fn distrust(result: &CheckpointResult, which: &str) -> Option<String> {
    result.fault().map(|fault| format!("{which}: {fault}"))
}

fn relation_name(relation: Relation) -> &'static str {
    match relation {
        Relation::Continues => "continues",
        Relation::OtherLog => "other_log",
        Relation::Shrunk => "shrunk",
        Relation::Forked => "forked",
        Relation::OtherSizes => "other_sizes",
        Relation::NotProved => "not_proved",
    }
}

fn relation_fault(relation: Relation) -> Option<&'static str> {
    match relation {
        Relation::Continues => None,
        Relation::OtherLog => Some("the checkpoint is of another log"),
        Relation::Shrunk => Some(
            "the new checkpoint has fewer leaves than the old one: the log was rolled back, or the \
             two were mistaken for each other",
        ),
        Relation::Forked => Some("two roots of one size: the log was forked"),
        Relation::OtherSizes => Some("the proof is not between these two sizes"),
        Relation::NotProved => Some("the proof does not show that one log continues the other"),
    }
}

/// A key as people tell it from others.
fn name(key: &VerifierKey) -> String {
    printable(&format!("{}+{}", key.name(), hex::encode(key.id())))
}
