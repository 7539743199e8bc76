//! Golden bytes: a release that reads yesterday's rows, ops and hashes differently loses them.

mod world;

use std::collections::BTreeSet;

use crdt::{
    Alteration, AnyState, Column, ColumnKind, Crdt, Dot, Hlc, LwwRegister, OrSet, PlainRow,
    PnCounter, ReplicaId, RowAction, RowChange, RowMeta, SchemaAction, SchemaChange, Stamp,
    TableSchema,
};
use world::Clock;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Encodes to exactly these bytes, and back.
fn golden<T: Crdt + std::fmt::Debug>(value: &T, expected: &[&str], text: &str) {
    let bytes = value.encode();
    assert_eq!(hex(&bytes), expected.concat());
    assert_eq!(T::decode(&bytes).as_ref(), Ok(value));
    assert_eq!(value.to_text(), text);
    assert_eq!(T::from_text(text).as_ref(), Ok(value));
}

const ONES: &str = "01010101010101010101010101010101";
const TWOS: &str = "02020202020202020202020202020202";

fn clock(name: u8, millis: u64) -> Clock {
    Clock {
        last: Hlc::from_parts(millis, 0),
        ..Clock::new(name)
    }
}

#[test]
fn replica_ids() {
    let id = ReplicaId::derive(&[7; 32], &[9; 16]);
    assert_eq!(id.to_string(), "69f708eca35a40466b39c8d7a55f7ff5");
}

#[test]
fn pn_counters() {
    golden(&PnCounter::default(), &["01000000"], "0 @v1:AQAAAJn4uHk");
    golden(
        &PnCounter::assign(-2),
        &["01020000", "fffffffffffffffe"],
        "-2",
    );
    let one = PnCounter::settle(None, &PnCounter::assign(12), &mut clock(1, 1)).unwrap();
    let slot1 = [
        ONES,
        "0000000000010001",
        "000000000000000c",
        "0000000000000000",
    ]
    .concat();
    golden(
        &one,
        &["01000001", &slot1],
        "12 @v1:AQAAAQEBAQEBAQEBAQEBAQEBAQEAAAAAAAEAAQAAAAAAAAAMAAAAAAAAAADetQDJ",
    );
    let two = PnCounter::settle(Some(&one), &one.sub(3).unwrap(), &mut clock(2, 2)).unwrap();
    let slot2 = [
        TWOS,
        "0000000000020001",
        "0000000000000000",
        "0000000000000003",
    ]
    .concat();
    golden(
        &two,
        &["01000002", &slot1, &slot2],
        "9 @v1:AQAAAgEBAQEBAQEBAQEBAQEBAQEAAAAAAAEAAQAAAAAAAAAMAAAAAAAAAAACAgICAgICAgICAgICAgICAAAAAAACAAEAAAAAAAAAAAAAAAAAAAADnDqXBA",
    );
    let asked = one.add(5).unwrap().sub(2).unwrap();
    let change = ["0000000000000005", "0000000000000002"].concat();
    golden(
        &asked,
        &["01010001", &slot1, &change],
        "15 @v1:AQEAAQEBAQEBAQEBAQEBAQEBAQEAAAAAAAEAAQAAAAAAAAAMAAAAAAAAAAAAAAAAAAAABQAAAAAAAAACcZak-g",
    );
}

#[test]
fn or_sets() {
    golden(
        &OrSet::default(),
        &["0100", "00", "00"],
        "{} @v1:AQAAAJn4uHk",
    );
    let plain = OrSet::assign(BTreeSet::from(["b c".to_owned(), "a".to_owned()]));
    golden(
        &plain,
        &["0102", "00", "00", "02", "0161", "03622063"],
        r#"{a,"b c"}"#,
    );
    let one = OrSet::settle(None, &plain, &mut clock(1, 1)).unwrap();
    let replica1 = [ONES, "818004"].concat();
    golden(
        &one,
        &[
            "0100", "01", &replica1, "02", "0161", "01", "0000", "03622063", "01", "0001", "00",
        ],
        r#"{a,"b c"} @v1:AQABAQEBAQEBAQEBAQEBAQEBAYGABAIBYQEAAANiIGMBAAEA4CWrVg"#,
    );
    let changed = one
        .remove("b c")
        .unwrap()
        .add("a")
        .unwrap()
        .add("z")
        .unwrap();
    let two = OrSet::settle(Some(&one), &changed, &mut clock(2, 2)).unwrap();
    let replica2 = [TWOS, "818008"].concat();
    let a = ["0161", "02", "0000", "0100"].concat();
    let z = ["017a", "01", "0101"].concat();
    golden(
        &two,
        &[
            "0100", "02", &replica1, &replica2, "02", &a, &z, "01", "01", "00",
        ],
        "{a,z} @v1:AQACAQEBAQEBAQEBAQEBAQEBAYGABAICAgICAgICAgICAgICAgKBgAgCAWECAAABAAF6AQEBAQEAR3lt3w",
    );
    // Its tombstone is a tick of the floor.
    let folded = two.compact(&two.version()).unwrap();
    let floor = ["01", ONES, "828004"].concat();
    golden(
        &folded,
        &[
            "0104", "02", &replica1, &replica2, "02", &a, &z, "00", "00", &floor,
        ],
        "{a,z} @v1:AQQCAQEBAQEBAQEBAQEBAQEBAYGABAICAgICAgICAgICAgICAgKBgAgCAWECAAABAAF6AQEBAAABAQEBAQEBAQEBAQEBAQEBAYKABIWpu-M",
    );
    // Below the floor a removal leaves nothing; the replica stands in the floor alone.
    let gone = folded.remove("a").unwrap();
    let less = OrSet::settle(Some(&folded), &gone, &mut clock(3, 3)).unwrap();
    golden(
        &less.add("b").unwrap(),
        &[
            "0105", "01", &replica2, "01", "017a", "01", "0001", "01", "00", &floor, "01", "0162",
        ],
        "{b,z} @v1:AQUBAgICAgICAgICAgICAgICAoGACAEBegEAAQEAAQEBAQEBAQEBAQEBAQEBAQGCgAQBAWJt3w0M",
    );
}

#[test]
fn lww_registers() {
    golden(&LwwRegister::default(), &["0100"], "null @v1:AQBYwiO-");
    let plain = LwwRegister::assign(Some("{\"b\": 1, \"a\": \"\\u00e9\"}".to_owned()));
    let json = "7b2261223a22c3a9222c2262223a317d";
    golden(&plain, &["0102", "10", json], r#"{"a":"é","b":1}"#);
    let one = LwwRegister::settle(None, &plain, &mut clock(1, 1)).unwrap();
    let stamp1 = ["0000000000010001", ONES].concat();
    golden(
        &one,
        &["0101", &stamp1, "10", json],
        r#"{"a":"é","b":1} @v1:AQEAAAAAAAEAAQEBAQEBAQEBAQEBAQEBAQEQeyJhIjoiw6kiLCJiIjoxfYHtYvY"#,
    );
    let two = LwwRegister::settle(Some(&one), &one.set("7").unwrap(), &mut clock(2, 2)).unwrap();
    let stamp2 = ["0000000000020001", TWOS].concat();
    golden(
        &two,
        &["0105", &stamp2, &stamp1, "01", "37"],
        "7 @v1:AQUAAAAAAAIAAQICAgICAgICAgICAgICAgIAAAAAAAEAAQEBAQEBAQEBAQEBAQEBAQEBNz8vQ0M",
    );
}

#[test]
fn row_metas() {
    let bare = RowMeta {
        causal_length: 2,
        stamp: None,
    };
    assert_eq!(hex(&bare.encode()), "010000000002");
    assert_eq!(RowMeta::decode(&bare.encode()), Ok(bare));
    let stamp = Stamp {
        hlc: Hlc::from_parts(1, 1),
        replica: ReplicaId([1; 16]),
    };
    let stamped = RowMeta {
        causal_length: 3,
        stamp: Some(stamp),
    };
    assert_eq!(
        hex(&stamped.encode()),
        ["0101", "00000003", "0000000000010001", ONES].concat()
    );
    assert_eq!(RowMeta::decode(&stamped.encode()), Ok(stamped));
}

#[test]
fn row_changes() {
    let stamp = Stamp {
        hlc: Hlc::from_parts(1, 1),
        replica: ReplicaId([1; 16]),
    };
    let upsert = RowChange {
        action: RowAction::Upsert,
        causal_length: 1,
        key: vec![vec![0, 7]],
        deltas: vec![(2, vec![1, 0, 0, 0])],
        plain: Some(PlainRow {
            stamp,
            values: vec![(1, Some(b"x".to_vec())), (300, None)],
        }),
        actor: "app".to_owned(),
        application: String::new(),
        transaction: 128,
    };
    let expected = [
        "010101",
        "01020007",
        "01020401000000",
        "01",
        "0000000000010001",
        ONES,
        "02010101 78ac0200",
        "03617070",
        "00",
        "8001",
    ];
    let bytes = upsert.encode().unwrap();
    assert_eq!(hex(&bytes), expected.concat().replace(' ', ""));
    assert_eq!(RowChange::decode(&bytes), Ok(upsert.clone()));
    let delete = RowChange {
        action: RowAction::Delete,
        causal_length: 2,
        deltas: Vec::new(),
        plain: None,
        ..upsert
    };
    let bytes = delete.encode().unwrap();
    assert_eq!(hex(&bytes), "01020201020007000003617070008001");
    assert_eq!(RowChange::decode(&bytes), Ok(delete));
}

#[test]
fn schemas() {
    let column = |name: &str, type_name: &str, kind| Column {
        name: name.to_owned(),
        type_name: type_name.to_owned(),
        kind,
        not_null: kind == ColumnKind::Plain,
    };
    let table = TableSchema {
        schema: "s".to_owned(),
        table: "t".to_owned(),
        columns: vec![
            column("id", "i", ColumnKind::Plain),
            column("c", "p", ColumnKind::PnCounter),
            column("o", "o", ColumnKind::OrSet),
            column("r", "l", ColumnKind::LwwRegister),
        ],
        key: vec![0],
    };
    let body = [
        "01730174",
        "04",
        "02696401690001",
        "016301700100",
        "016f016f0200",
        "0172016c0300",
        "0100",
    ];
    let bytes = table.encode();
    assert_eq!(hex(&bytes), ["01", &body.concat()].concat());
    assert_eq!(TableSchema::decode(&bytes).as_ref(), Ok(&table));
    assert_eq!(
        hex(&table.hash()),
        "7e2031f7062b47475a2a14e568e0f5d5df7155702f953e478eff3bc9f7a10b5b"
    );
    let track = SchemaChange {
        action: SchemaAction::Track(table),
        actor: "a".to_owned(),
        application: "psql".to_owned(),
    };
    let bytes = track.encode().unwrap();
    assert_eq!(
        hex(&bytes),
        ["0101", &body.concat(), "0161", "047073716c"].concat()
    );
    assert_eq!(SchemaChange::decode(&bytes), Ok(track));
    let untrack = SchemaChange {
        action: SchemaAction::Untrack {
            schema: "s".to_owned(),
            table: "t".to_owned(),
        },
        actor: String::new(),
        application: String::new(),
    };
    let bytes = untrack.encode().unwrap();
    assert_eq!(hex(&bytes), "0102017301740000");
    assert_eq!(SchemaChange::decode(&bytes), Ok(untrack));
    let alter = SchemaChange {
        action: SchemaAction::Alter(Alteration {
            schema: "s".to_owned(),
            table: "t".to_owned(),
            command: "ALTER TABLE".to_owned(),
            object: "s.t".to_owned(),
            columns: vec![Column {
                name: "n".to_owned(),
                type_name: "text".to_owned(),
                kind: ColumnKind::Plain,
                not_null: true,
            }],
        }),
        actor: "a".to_owned(),
        application: String::new(),
    };
    let bytes = alter.encode().unwrap();
    let body = [
        "01730174",
        "0b414c544552205441424c45",
        "03732e74",
        "01016e04746578740001",
    ];
    assert_eq!(hex(&bytes), ["0103", &body.concat(), "016100"].concat());
    assert_eq!(SchemaChange::decode(&bytes), Ok(alter));
}

/// crdt_state is for people, but scripts will read it.
#[test]
fn states_as_json() {
    let counter = PnCounter::settle(None, &PnCounter::assign(-3), &mut clock(1, 1)).unwrap();
    assert_eq!(
        counter.add(1).unwrap().to_json(),
        [
            r#"{"type":"pn_counter","value":-2,"slots":[{"replica":""#,
            ONES,
            r#"","tick":65537,"up":0,"down":3}],"change":{"add":{"up":1,"down":0}}}"#
        ]
        .concat()
    );
    let set = OrSet::assign(BTreeSet::from(["q\"".to_owned()]));
    let set = OrSet::settle(None, &set, &mut clock(1, 1)).unwrap();
    let dot = Dot {
        replica: ReplicaId([1; 16]),
        counter: 65_537,
    };
    assert_eq!(
        set.add("b").unwrap().to_json(),
        format!(
            r#"{{"type":"or_set","value":["b","q\""],"elements":{{"q\"":["{dot}"]}},"removed":[],"change":{{"add":["b"]}}}}"#
        )
    );
    assert_eq!(
        AnyState::from(LwwRegister::assign(Some("[1, 2]".to_owned()))).to_json(),
        r#"{"type":"lww_register","value":[1,2],"written":null,"change":{"assign":[1,2]}}"#
    );
}
