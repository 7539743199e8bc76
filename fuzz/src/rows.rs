//! What travels and is stored around the CRDT types.

use crdt::codec::Reader;
use crdt::{
    Alteration, CausalContext, Column, ColumnKind, DecodeError, Dot, Hlc, PlainRow, ReplicaId,
    RowAction, RowChange, RowMeta, SchemaAction, SchemaChange, Stamp, TableSchema, json,
};

use super::{Target, is_canonical};

const REPLICA: ReplicaId = ReplicaId([1; 16]);

pub fn targets() -> Vec<Target> {
    vec![
        Target::new("row_change", row_change, row_changes()),
        Target::new("row_meta", row_meta, row_metas()),
        Target::new("table_schema", table_schema, vec![table().encode()]),
        Target::new("schema_change", schema_change, schema_changes()),
        Target::new("causal_context", causal_context, causal_contexts()),
        Target::new("json", json_text, jsons()),
    ]
}

fn row_change(bytes: &[u8]) {
    is_canonical(bytes, RowChange::decode, |change| {
        change.encode().expect("decoded beyond the limits")
    });
}

fn row_meta(bytes: &[u8]) {
    is_canonical(bytes, RowMeta::decode, RowMeta::encode);
}

fn table_schema(bytes: &[u8]) {
    is_canonical(bytes, TableSchema::decode, TableSchema::encode);
}

fn schema_change(bytes: &[u8]) {
    is_canonical(bytes, SchemaChange::decode, |change| {
        change.encode().expect("decoded beyond the limits")
    });
}

fn causal_context(bytes: &[u8]) {
    is_canonical(bytes, read_context, put_context);
    if let Ok(context) = read_context(bytes) {
        assert!(context.includes(&context));
        assert!(context.join(&context) == context);
        assert!(context.beyond(&context).is_empty());
        assert!(context.filled(&context.version()).includes(&context));
        assert!(context.version().iter().all(|dot| context.contains(&dot)));
    }
}

fn json_text(bytes: &[u8]) {
    let Some(canonical) = std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| json::canonical(text).ok())
    else {
        return;
    };
    assert_eq!(json::check_canonical(&canonical), Ok(()));
    assert_eq!(json::canonical(&canonical).as_ref(), Ok(&canonical));
}

fn read_context(bytes: &[u8]) -> Result<CausalContext, DecodeError> {
    let mut reader = Reader::new(bytes);
    let context = CausalContext::read(&mut reader)?;
    reader.finish()?;
    Ok(context)
}

fn put_context(context: &CausalContext) -> Vec<u8> {
    let mut bytes = Vec::new();
    context.put(&mut bytes);
    bytes
}

fn stamp() -> Stamp {
    Stamp {
        hlc: Hlc::from_parts(1, 2),
        replica: REPLICA,
    }
}

fn row_changes() -> Vec<Vec<u8>> {
    let insert = RowChange {
        action: RowAction::Upsert,
        causal_length: 1,
        key: vec![vec![7; 16], vec![]],
        deltas: vec![(1, vec![1, 0, 0, 0]), (3, vec![1, 0, 0])],
        plain: Some(PlainRow {
            stamp: stamp(),
            values: vec![(2, None), (4, Some(b"note".to_vec()))],
        }),
        actor: "alice".to_owned(),
        application: "psql".to_owned(),
        transaction: 700,
    };
    let delete = RowChange {
        action: RowAction::Delete,
        causal_length: 2,
        deltas: Vec::new(),
        plain: None,
        ..insert.clone()
    };
    [insert, delete]
        .iter()
        .map(|change| change.encode().expect("a seed within the limits"))
        .collect()
}

fn row_metas() -> Vec<Vec<u8>> {
    let meta = |stamp| RowMeta {
        causal_length: 3,
        stamp,
    };
    vec![meta(None).encode(), meta(Some(stamp())).encode()]
}

fn table() -> TableSchema {
    let column = |name: &str, type_name: &str, kind, not_null| Column {
        name: name.to_owned(),
        type_name: type_name.to_owned(),
        kind,
        not_null,
    };
    TableSchema {
        schema: "public".to_owned(),
        table: "page".to_owned(),
        columns: vec![
            column("id", "uuid", ColumnKind::Plain, true),
            column("views", "public.pn_counter", ColumnKind::PnCounter, false),
            column("tags", "public.or_set", ColumnKind::OrSet, false),
        ],
        key: vec![0],
    }
}

fn schema_changes() -> Vec<Vec<u8>> {
    let untrack = SchemaAction::Untrack {
        schema: "public".to_owned(),
        table: "page".to_owned(),
    };
    let alter = SchemaAction::Alter(Alteration {
        schema: "public".to_owned(),
        table: "page".to_owned(),
        command: "ALTER TABLE".to_owned(),
        object: "public.page".to_owned(),
        columns: table().columns,
    });
    [SchemaAction::Track(table()), untrack, alter]
        .into_iter()
        .map(|action| {
            let change = SchemaChange {
                action,
                actor: "alice".to_owned(),
                application: String::new(),
            };
            change.encode().expect("a seed within the limits")
        })
        .collect()
}

fn causal_contexts() -> Vec<Vec<u8>> {
    let mut context = CausalContext::default();
    let empty = put_context(&context);
    for (replica, counter) in [(1, 5), (1, 6), (1, 900), (2, 1 << 40)] {
        context.insert(Dot {
            replica: ReplicaId([replica; 16]),
            counter,
        });
    }
    vec![empty, put_context(&context)]
}

fn jsons() -> Vec<Vec<u8>> {
    [
        "null",
        "[1.50, -0, 1e400]",
        "{\"b\": {\"a\": \"\\u00e9\\n\"}, \"a\": true}",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect()
}
