//! The op log and the blocks in words, for the views `crdt_ops` and
//! `crdt_blocks`.

use super::rows::Shape;
use crate::catalog;
use crate::worker::subtransaction::attempt;
use crdt::{Alteration, Column, RowChange, SchemaAction, SchemaChange};
use ledger::{Certificate, Cut, Header, Kind, Lineage, MembershipChange, NodeId, Prune};
use pgrx::JsonB;
use pgrx::prelude::*;
use serde_json::{Value, json};

/// A member's name, or its id in hex.
pub fn node_name(node: &NodeId) -> String {
    let id = node.0.as_slice();
    catalog::one(
        "SELECT name FROM crdt.node WHERE node_id = $1",
        &[id.into()],
        |row| row.need(1),
    )
    .unwrap_or_else(|| hex::encode(id))
}

/// The time of a tick.
#[pg_extern(immutable, strict, parallel_safe)]
pub fn crdt_op_time(hlc: i64) -> Option<TimestampWithTimeZone> {
    // From 1970, where ticks begin, to 2000, where PostgreSQL's times do.
    const EPOCH: i64 = 946_684_800_000_000;
    let micros = (hlc as u64 >> 16) as i64 * 1_000 - EPOCH;
    TimestampWithTimeZone::try_from(micros).ok()
}

/// The name of a kind of op.
#[pg_extern(immutable, strict, parallel_safe)]
fn crdt_op_kind(kind: i16) -> String {
    match u8::try_from(kind).ok().and_then(Kind::from_u8) {
        // Members come and go by it, validators or not.
        Some(Kind::ValidatorSet) => "membership".to_owned(),
        Some(kind) => kind.as_str().to_owned(),
        None => kind.to_string(),
    }
}

/// The role that made an op; NULL where the payload does not say.
#[pg_extern(immutable, strict, parallel_safe)]
fn crdt_op_actor(kind: i16, payload: &[u8]) -> Option<String> {
    match u8::try_from(kind).ok().and_then(Kind::from_u8)? {
        Kind::Delta => RowChange::decode(payload).ok().map(|it| it.actor),
        Kind::Schema => SchemaChange::decode(payload).ok().map(|it| it.actor),
        Kind::Lineage => Lineage::from_bytes(payload).ok().map(|it| it.actor),
        Kind::Prune => Prune::from_bytes(payload).ok().map(|it| it.actor),
        _ => None,
    }
}

/// What an op's payload says: who, from which application, which table and
/// row, and the change in words. Nulls where the payload cannot be read.
#[pg_extern(stable, strict, parallel_unsafe)]
fn crdt_op_content(kind: i16, schema_id: i32, payload: &[u8]) -> JsonB {
    let kind = u8::try_from(kind).ok().and_then(Kind::from_u8);
    let content = match kind {
        Some(Kind::Delta) => row_content(schema_id, payload),
        Some(Kind::Schema) => schema_content(payload),
        Some(Kind::ValidatorSet) => membership_content(payload),
        Some(Kind::Lineage) => lineage_content(payload),
        Some(Kind::Prune) => prune_content(payload),
        _ => None,
    };
    JsonB(content.unwrap_or_else(|| json!({ "change": "cannot be read" })))
}

fn row_content(schema_id: i32, payload: &[u8]) -> Option<Value> {
    let change = RowChange::decode(payload).ok()?;
    let shape = Shape::by_number(schema_id)?;
    Some(json!({
        "actor": change.actor,
        "application": change.application,
        "transaction": change.transaction,
        "table": shape.table_name(),
        "row": shape.key_text(&change.key),
        "change": shape.change(&change),
    }))
}

/// Table and row of a stored op, as `crdt_ops` names them; none where it does
/// not say, or where what it says cannot be read.
pub fn named_row(origin: &NodeId, seq: u64) -> (Option<String>, Option<String>) {
    let mut named = (None, None);
    // What was altered may be what names the table: that must not end the scan.
    let _unreadable = attempt(|| {
        let op = catalog::one(
            "SELECT o.schema_id, o.payload FROM crdt.op o JOIN crdt.node n ON n.id = o.origin
              WHERE n.node_id = $1 AND o.seq = $2 AND o.kind = 1",
            &[origin.0.as_slice().into(), (seq as i64).into()],
            |row| (row.need::<i32>(1), row.need::<Vec<u8>>(2)),
        );
        if let Some((schema_id, payload)) = op
            && let Some(shape) = Shape::by_number(schema_id)
        {
            let change = RowChange::decode(&payload).ok();
            named = (
                Some(shape.table_name()),
                change.map(|change| shape.key_text(&change.key)),
            );
        }
        Ok(())
    });
    named
}

fn schema_content(payload: &[u8]) -> Option<Value> {
    let change = SchemaChange::decode(payload).ok()?;
    let (words, table) = match &change.action {
        SchemaAction::Track(schema) => (
            format!("tracked: {}", columns(&schema.columns)),
            format!("{}.{}", schema.schema, schema.table),
        ),
        SchemaAction::Untrack { schema, table } => (
            "not tracked any more".to_owned(),
            format!("{schema}.{table}"),
        ),
        SchemaAction::Alter(alteration) => (
            alteration_words(alteration),
            format!("{}.{}", alteration.schema, alteration.table),
        ),
    };
    Some(json!({
        "actor": change.actor,
        "application": change.application,
        "table": table,
        "change": words,
    }))
}

fn alteration_words(alteration: &Alteration) -> String {
    let Alteration {
        command,
        object,
        columns: now,
        ..
    } = alteration;
    match now.is_empty() {
        true => format!("{command} {object}"),
        false => format!("{command} {object}, now: {}", columns(now)),
    }
}

fn columns(columns: &[Column]) -> String {
    let columns: Vec<String> = columns
        .iter()
        .map(|c| format!("{} {}", c.name, c.type_name))
        .collect();
    columns.join(", ")
}

fn lineage_content(payload: &[u8]) -> Option<Value> {
    let lineage = Lineage::from_bytes(payload).ok()?;
    let mut words = format!("{} from {}", lineage.target, lineage.source);
    if !lineage.transform.is_empty() {
        words = format!("{words} by {}", lineage.transform);
    }
    Some(json!({
        "actor": lineage.actor,
        "application": lineage.application,
        "change": words,
    }))
}

fn membership_content(payload: &[u8]) -> Option<Value> {
    let words = match MembershipChange::from_bytes(payload).ok()? {
        MembershipChange::Join(member) => format!("member {} at {}", member.name, member.url),
        MembershipChange::Leave(node) => format!("{} leaves", node_name(&node)),
    };
    Some(json!({ "change": words }))
}

fn prune_content(payload: &[u8]) -> Option<Value> {
    let prune = Prune::from_bytes(payload).ok()?;
    let words = format!(
        "blocks up to {} pruned, archive {} of {} bytes, SHA-256 {}",
        prune.height,
        prune.file_name,
        prune.archive_bytes,
        hex::encode(prune.archive_sha256)
    );
    Some(json!({
        "actor": prune.actor,
        "application": prune.application,
        "change": words,
    }))
}

/// A block's header, cut and certificate in words.
#[pg_extern(stable, strict, parallel_unsafe)]
fn crdt_block_content(header: &[u8], cut: &[u8], certificate: &[u8]) -> JsonB {
    let mut content = json!({});
    if let Ok(header) = Header::from_bytes(header) {
        content = json!({
            "hash": hex::encode(header.hash()),
            "previous": hex::encode(header.prev_header),
            "first_leaf": header.first_leaf,
            "tree_size": header.tree_size,
            "log_root": hex::encode(header.log_root),
            "time": header.time_ms as f64 / 1e3,
            "proposer": node_name(&header.proposer),
        });
    }
    if let Ok(cut) = Cut::from_bytes(cut) {
        let positions = cut
            .iter()
            .map(|(origin, at)| (node_name(origin), Value::from(at.seq)))
            .collect();
        content["cut"] = Value::Object(positions);
    }
    if let Ok(certificate) = Certificate::from_bytes(certificate) {
        content["signers"] = certificate
            .signatures
            .iter()
            .map(|vote| node_name(&vote.node))
            .collect();
    }
    JsonB(content)
}
