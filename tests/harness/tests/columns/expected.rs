//! How each edit must be called.

use std::collections::BTreeMap;

use Expected::{Found, Meaningless};

/// What becomes of an edit.
#[derive(Clone, Copy)]
pub enum Expected {
    /// It is found under the first of these names; the others may be there too.
    Found(&'static [&'static str]),
    /// It changes nothing of what an auditor gets, for this reason.
    Meaningless(&'static str),
    /// It is in no list.
    Nowhere,
}

/// Every edit by its name.
pub fn expected() -> BTreeMap<String, Expected> {
    let mut all = BTreeMap::new();
    for (table, columns) in TABLES {
        for (columns, expected) in *columns {
            for column in columns.split(", ") {
                let name = match column {
                    "row gone" | "row twice" => format!("{table} ({column})"),
                    column => format!("{table}.{column}"),
                };
                assert!(
                    all.insert(name, *expected).is_none(),
                    "{table}.{column} stands here twice"
                );
            }
        }
    }
    all
}

type Columns = &'static [(&'static str, Expected)];

const UNSIGNED: Expected = Meaningless(
    "What waits there is not signed yet. Who can write there can write to the table itself, under any name.",
);
const REFUSED: Expected =
    Meaningless("What was refused is in no history; this is kept for the administrator.");
const INVITATION: Expected =
    Meaningless("An invitation is no part of the history. That somebody joined is an op.");
const WITNESS: Expected = Meaningless(
    "Whom this node asks for cosignatures is its own affair; an auditor has the witnesses' keys from elsewhere.",
);
const LOCAL: Expected = Meaningless(
    "What this node called itself before it belonged to a chain; its name now is an op.",
);
const SAME_AGAIN: Expected = Meaningless("It says the same twice, and is read once.");

const TABLES: &[(&str, Columns)] = &[
    (
        "crdt.chain",
        &[
            ("row gone", Found(&["genesis_altered"])),
            ("row twice", SAME_AGAIN),
            (
                "singleton",
                Meaningless("It only keeps the table at one row."),
            ),
            (
                "chain_id",
                Found(&[
                    "genesis_altered",
                    "cut_altered",
                    "header_altered",
                    "vector_altered",
                ]),
            ),
            ("genesis", Found(&["genesis_altered"])),
        ],
    ),
    (
        "crdt.node",
        &[
            (
                "row gone",
                Found(&[
                    "membership_altered",
                    "op_missing",
                    "range_altered",
                    "segment_missing",
                    "vector_altered",
                ]),
            ),
            (
                "row twice, record",
                Found(&["membership_altered", "node_altered"]),
            ),
            (
                "id",
                Found(&[
                    "op_missing",
                    "range_altered",
                    "segment_missing",
                    "vector_altered",
                ]),
            ),
            (
                "node_id",
                Found(&[
                    "node_altered",
                    "op_missing",
                    "segment_missing",
                    "vector_altered",
                ]),
            ),
            ("name, url, role, left_after", Found(&["node_altered"])),
        ],
    ),
    (
        "crdt.schema",
        &[
            (
                "row gone, id",
                Found(&[
                    "op_altered",
                    "tracked_altered",
                    "index_altered",
                    "error 55000",
                ]),
            ),
            ("row twice", Found(&["schema_altered", "tracked_altered"])),
            ("hash", Found(&["payload_altered", "schema_altered"])),
            (
                "schema_name, table_name, definition",
                Found(&["schema_altered"]),
            ),
        ],
    ),
    (
        "crdt.op",
        &[
            ("row gone", Found(&["op_missing"])),
            ("row twice", Found(&["op_extra"])),
            ("seq", Found(&["op_missing", "op_extra", "payload_altered"])),
            ("origin", Found(&["op_missing", "op_extra"])),
            ("hlc, salt, payload", Found(&["payload_altered"])),
            ("schema_id, kind, hash", Found(&["op_altered"])),
            ("row_id", Found(&["index_altered"])),
        ],
    ),
    (
        "crdt.segment",
        &[
            ("row gone", Found(&["segment_missing"])),
            ("row twice", Found(&["segment_extra"])),
            (
                "origin",
                Found(&["segment_missing", "segment_signature_wrong"]),
            ),
            (
                "first_seq, last_seq, sealed_ms, prev, head, deps, signature",
                Found(&["segment_signature_wrong"]),
            ),
        ],
    ),
    (
        "crdt.\"position\"",
        &[(
            "row gone, row twice, origin, seq, head",
            Found(&["vector_altered", "node_altered"]),
        )],
    ),
    (
        "crdt.block",
        &[
            ("row gone", Found(&["block_missing"])),
            ("row twice", Found(&["block_extra"])),
            ("height", Found(&["block_missing", "block_extra"])),
            ("header", Found(&["header_altered"])),
            ("cut", Found(&["cut_altered"])),
            ("certificate", Found(&["certificate_wrong"])),
        ],
    ),
    (
        "crdt.block_range",
        &[
            (
                "row gone, origin, last_seq, first_seq, height, first_leaf",
                Found(&["range_altered"]),
            ),
            ("row twice", SAME_AGAIN),
        ],
    ),
    (
        "crdt.tile",
        &[(
            "row gone, row twice, level, index, hashes",
            Found(&["tile_altered"]),
        )],
    ),
    (
        "crdt.tracked",
        &[(
            "row gone, row twice, relation, schema_id",
            Found(&["tracked_altered"]),
        )],
    ),
    (
        "crdt.tombstone",
        &[
            ("row gone", Found(&["tombstone_missing"])),
            ("row twice", SAME_AGAIN),
            ("id", Found(&["tombstone_missing"])),
            ("causal_length", Found(&["tombstone_altered"])),
        ],
    ),
    (
        "crdt.archive",
        &[(
            "row gone, row twice, chain_id, piece, bytes",
            Found(&["archive_altered"]),
        )],
    ),
    (
        "crdt.evidence",
        &[
            ("node, kind, detail, proof", Found(&["evidence_altered"])),
            (
                "row gone",
                Meaningless(
                    "Evidence is no part of the history: what was signed twice proves it to whoever sees both, and other members keep it.",
                ),
            ),
            ("row twice", SAME_AGAIN),
            (
                "id, at",
                Meaningless(
                    "When this node came to know it is its own note; the proof is what counts.",
                ),
            ),
        ],
    ),
    (
        "crdt.verified",
        &[
            (
                "row gone, node",
                Meaningless("verify_chain() then verifies everything, as it does with full."),
            ),
            ("row twice", SAME_AGAIN),
            ("at", Meaningless("It is for people; nothing rests on it.")),
            (
                "singleton",
                Meaningless("It only keeps the table at one row."),
            ),
            (
                "height, header_hash, tree_size, root, ops, horizon, segments, blocks, ranges, tiles, schemas, archived, long_values, tables, signature",
                Found(&["verified_altered"]),
            ),
        ],
    ),
    (
        "crdt.witness",
        &[(
            "row gone, row twice, vkey, name, url, error, error_at",
            WITNESS,
        )],
    ),
    (
        "crdt.cosignature",
        &[
            (
                "tree_size, witness, root, line, at",
                Found(&["cosignature_altered"]),
            ),
            (
                "row gone",
                Meaningless(
                    "Who relies on a witness asks for its line; another state is not cosigned by this one.",
                ),
            ),
            ("row twice", SAME_AGAIN),
        ],
    ),
    (
        "crdt.quarantine",
        &[(
            "row gone, row twice, id, at, origin, seq, reason, bytes",
            REFUSED,
        )],
    ),
    (
        "crdt.invite",
        &[(
            "row gone, row twice, guest_key, expires, used_by",
            INVITATION,
        )],
    ),
    (
        "crdt.local",
        &[("row gone, row twice, singleton, name, url", LOCAL)],
    ),
    (
        "crdt.outbox_0",
        &[
            (
                "row gone, row twice, transaction, hlc, kind, row_id, payload",
                UNSIGNED,
            ),
            ("schema_id", Found(&["op_unreadable"])),
        ],
    ),
    (
        "crdt.outbox_1",
        &[
            (
                "row gone, row twice, transaction, hlc, kind, row_id, payload",
                UNSIGNED,
            ),
            ("schema_id", Found(&["op_unreadable"])),
        ],
    ),
    (
        "every",
        &[
            ("row gone, id", Found(&["row_missing"])),
            ("row twice", Found(&["row_extra"])),
            (
                "g, pn, b, lww, mv, os, aw, ls, lm, om, cart, list, body, vector, \"time\"",
                Found(&["row_altered"]),
            ),
            ("crdt_meta", Found(&["meta_altered"])),
        ],
    ),
    (
        "page",
        &[
            ("row gone, id, part", Found(&["row_missing"])),
            ("row twice", Found(&["row_extra"])),
            (
                "views, note, amount, at, done, data, key, raw",
                Found(&["row_altered"]),
            ),
            ("crdt_meta", Found(&["meta_altered"])),
        ],
    ),
];
