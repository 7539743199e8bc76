//! What an op's payload says: schemas and rows.

use crdt::{SchemaAction, SchemaChange};
use sha2::{Digest, Sha256};

use super::Layout;
use crate::sample::Sample;

pub fn examples(sample: &Sample) -> Vec<(&'static str, Layout)> {
    vec![
        ("schema", schema(sample)),
        ("schema-change", schema_change(sample)),
        ("row-change", row_change(sample)),
        ("row-id", row_id()),
    ]
}

fn text(layout: Layout, name: &str, text: &str) -> Layout {
    let bytes = [&[text.len() as u8], text.as_bytes()].concat();
    layout.field(&format!("{name}: \"{text}\""), &bytes)
}

fn schema(sample: &Sample) -> Layout {
    let schema = &sample.schema;
    let mut layout = Layout::default().field("version", &[1]);
    layout = text(layout, "schema", &schema.schema);
    layout = text(layout, "table", &schema.table);
    layout = layout.field("number of columns", &[schema.columns.len() as u8]);
    for column in &schema.columns {
        layout = text(layout, "column", &column.name);
        layout = text(layout, "type", &column.type_name);
        layout = layout.field(
            "kind, NOT NULL",
            &[column.kind as u8, u8::from(column.not_null)],
        );
    }
    layout = layout
        .field("number of key columns", &[1])
        .field("column 0", &[0])
        .is(&schema.encode());
    let digest = Sha256::digest([b"bcrdt/schema/v1\0".as_slice(), &schema.encode()].concat());
    assert_eq!(digest.as_slice(), schema.hash());
    layout.told(
        "schema hash: SHA-256(\"bcrdt/schema/v1\" 00 ‖ the bytes above)",
        &digest,
    )
}

fn schema_change(sample: &Sample) -> Layout {
    let change = SchemaChange {
        action: SchemaAction::Track(sample.schema.clone()),
        actor: "ada".to_owned(),
        application: "psql".to_owned(),
    };
    let mut layout = Layout::default()
        .field("version", &[1])
        .field("action: track", &[1])
        .field(
            "the schema without its version",
            &sample.schema.encode()[1..],
        );
    layout = text(layout, "actor", &change.actor);
    layout = text(layout, "application", &change.application);
    layout.is(&change.encode().unwrap())
}

fn row_change(sample: &Sample) -> Layout {
    let row = &sample.row;
    let plain = row.plain.as_ref().unwrap();
    let delta = &row.deltas[0].1;
    let mut layout = Layout::default()
        .field("version", &[1])
        .field("action: upsert", &[1])
        .field("causal length = 1", &[1])
        .field("number of key columns", &[1])
        .field("length", &[8])
        .field("id = 7, a bigint in binary form", &7u64.to_be_bytes())
        .field("number of deltas", &[1])
        .field("column 1", &[1])
        .field("length", &[delta.len() as u8])
        .field("delta of the pn_counter", delta)
        .field("there are plain columns", &[1])
        .field("their time", &plain.stamp.hlc.0.to_be_bytes())
        .field("replica id of node2", &plain.stamp.replica.0)
        .field("number of values", &[1])
        .field("column 2", &[2])
        .field("not NULL", &[1]);
    layout = text(layout, "note", "hello");
    layout = text(layout, "actor", &row.actor);
    layout = text(layout, "application", &row.application);
    layout
        .field("transaction = 741", &[0xe5, 0x05])
        .is(&row.encode().unwrap())
}

/// The name of the row; the extension's own test of it stands beside its code.
fn row_id() -> Layout {
    let layout = Layout::labelled("bcrdt/row/v1")
        .field("schema \"public\", 00", b"public\0")
        .field("table \"page\", 00", b"page\0")
        .field("length", &8u32.to_be_bytes())
        .field("id = 7", &7u64.to_be_bytes());
    let digest = Sha256::digest(&layout.bytes);
    layout.hashes_to("row hash", &digest)
}
