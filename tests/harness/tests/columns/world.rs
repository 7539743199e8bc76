//! A node with something in every table: two members, blocks and ops in none yet, deleted rows, an
//! older chain in the archive, a quarantined op, evidence, an open invitation.

use std::cell::Cell;
use std::fs;

use crate::insider::Insider;
use harness::{
    Cluster, EVERY_TYPE, Failure, Folder, Options, Outcome, Place, Session, write_every_type,
};
use ledger::note::{KeyKind, NoteError, SignerKey};
use ledger::{Checkpoint, Header, SigningKey, cosignature};

const HONESTLY_EMPTY: &[(&str, &str)] = &[
    (
        "crdt.quarantine",
        "INSERT INTO crdt.quarantine (origin, seq, reason, bytes) VALUES ('\\x01', 1, 'a test', '\\x02')",
    ),
    (
        "crdt.local",
        "INSERT INTO crdt.local (name, url) VALUES ('a', '') ON CONFLICT DO NOTHING",
    ),
    (
        "crdt.outbox_0",
        "INSERT INTO crdt.outbox_0 VALUES (1, 1, 1, 1, 1, '\\x01')",
    ),
    (
        "crdt.outbox_1",
        "INSERT INTO crdt.outbox_1 VALUES (1, 1, 1, 1, 1, '\\x01')",
    ),
];

/// The cluster; node a is the one that is looked at.
pub struct World {
    cluster: Cluster,
    files: Cell<u32>,
    // Dropped last.
    _folder: Folder,
}

impl World {
    pub fn new() -> Outcome<World> {
        let place = Place::find()?;
        let folder = Folder::fresh(&place, "columns")?;
        // Blocks only when they are asked for, so that there is always something in no block yet.
        let options = Options::with_extension().set("blockchain_crdt.block_interval", "1h");
        let mut cluster = Cluster::in_folder(&place, folder.path(), &options);
        cluster.add_alone("a")?;
        cluster.node("a")?.run(EVERY_TYPE)?;
        cluster.node("a")?.run("SELECT crdt_commit_block()")?;
        succeed(&mut cluster)?;
        cluster.add_alone("b")?;
        cluster.join("b")?;
        cluster.wait_for_members()?;
        let world = World {
            cluster,
            files: Cell::new(0),
            _folder: folder,
        };
        world.fill()?;
        Ok(world)
    }

    pub fn session(&self) -> Outcome<Session> {
        self.cluster[0].session()
    }

    /// A file that is not there yet, where the server can write.
    pub fn fresh_file(&self) -> String {
        self.files.set(self.files.get() + 1);
        let name = format!("view{}.bundle", self.files.get());
        self.cluster[0]
            .folder()
            .join("data")
            .join(name)
            .display()
            .to_string()
    }

    /// Puts a row into a table that has none as long as all are honest and nothing is under way,
    /// and writes the others anew as they are: rows may be handed out in the order in which they
    /// lie.
    pub fn prepare(&self, session: &mut Session, table: &str) -> Outcome {
        match HONESTLY_EMPTY.iter().find(|(empty, _)| *empty == table) {
            Some((_, row)) => session.run(row)?,
            None if table == "crdt.evidence" => {
                let from = "FROM crdt.segment WHERE origin = (SELECT min(id) FROM crdt.node) AND first_seq = 1";
                let row = Insider::of(&self.cluster[0])?.evidence(session, from)?;
                session.run(&row)?;
            }
            None if table == "crdt.witness" || table == "crdt.cosignature" => {
                let rows = cosigned(session)?;
                session.run(&rows)?;
            }
            None => {}
        }
        session.run(&format!(
            "CREATE TEMP TABLE anew AS TABLE {table}; DELETE FROM {table};
             INSERT INTO {table} OVERRIDING SYSTEM VALUE TABLE anew"
        ))
    }

    fn fill(&self) -> Outcome {
        let (a, b) = (&self.cluster[0], &self.cluster[1]);
        a.run(
            "CREATE TABLE page (id int, part text, views pn_counter, note text, amount numeric, at timestamptz,
                                done boolean, data jsonb, key uuid, raw bytea, PRIMARY KEY (id, part));
             SELECT crdt_track('page')",
        )?;
        self.cluster.wait_for_table("page")?;
        let rows = "INSERT INTO page SELECT i, 'p' || i, i, 'note ' || i, i + 0.5, timestamptz '2026-01-01' + i * interval '1 day',
                           i % 2 = 0, to_jsonb(i), ('00000000-0000-0000-0000-' || lpad(i::text, 12, '0'))::uuid, decode(lpad(i::text, 4, '0'), 'hex')
                      FROM generate_series";
        a.run(&format!("{rows}(1, 9) i"))?;
        for row in 1..=5 {
            a.run(&write_every_type(
                &row.to_string(),
                &format!("'word{row}'::text"),
                &row.to_string(),
            ))?;
        }
        a.run("SELECT crdt_commit_block()")?;
        self.cluster.wait_equal("page")?;
        b.run(&format!(
            "{rows}(11, 19) i; DELETE FROM page WHERE id IN (3, 13)"
        ))?;
        self.cluster.wait_equal("page")?;
        a.run("UPDATE page SET views = views + 1, note = 'changed' WHERE id > 5; DELETE FROM page WHERE id = 4")?;
        a.run("SELECT crdt_commit_block()")?;
        b.run("UPDATE page SET note = 'of b' WHERE id = 7")?;
        self.cluster.wait_equal("page")?;
        // In no block yet.
        a.run("UPDATE page SET note = 'late' WHERE id = 8")?;
        self.cluster.wait_equal("page")?;
        a.run("SELECT crdt_create_invite()")?;
        // So that something is remembered.
        match a.text("SELECT verify_chain()")?.as_str() {
            "t" => Ok(()),
            _ => Err(Failure::new("the ledger is not sound to begin with")),
        }
    }
}

/// SQL that puts down a witness, and its cosignature of an older state of the log.
fn cosigned(session: &mut Session) -> Outcome<String> {
    let oldest = "SELECT encode(header, 'hex') FROM crdt.block ORDER BY height LIMIT 1";
    let header = hex(&session.text(oldest)?)?;
    let header = Header::from_bytes(&header).map_err(|e| Failure::new(e.to_string()))?;
    let state = Checkpoint::of_chain(&header.chain_id, header.tree_size, header.log_root);
    let unfit = |e: NoteError| Failure::new(e.to_string());
    let key = SigningKey::from_bytes(&[42; 32]);
    let witness = SignerKey::new("witness.example", KeyKind::Cosignature, key).map_err(unfit)?;
    let line = cosignature::cosign(&witness, &state.text(), 1_700_000_000).map_err(unfit)?;
    let (vkey, root) = (witness.verifier(), encode(&header.log_root));
    Ok(format!(
        "INSERT INTO crdt.witness (vkey, name, url) VALUES ('{vkey}', 'witness.example', 'http://127.0.0.1:1');
         INSERT INTO crdt.cosignature VALUES ({}, '{vkey}', '\\x{root}', '{line}', to_timestamp(1700000000))",
        header.tree_size
    ))
}

fn hex(digits: &str) -> Outcome<Vec<u8>> {
    (0..digits.len() / 2)
        .map(|at| Ok(u8::from_str_radix(&digits[2 * at..2 * at + 2], 16)?))
        .collect()
}

fn encode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Node a becomes another node, as a copied server does, and founds the successor of its chain.
fn succeed(cluster: &mut Cluster) -> Outcome {
    let node = cluster.node_mut("a")?;
    let database = node.text("SELECT oid FROM pg_database WHERE datname = 'app'")?;
    node.stop()?;
    fs::remove_file(
        node.folder()
            .join(format!("data/blockchain_crdt/{database}.key")),
    )?;
    node.launch()?;
    cluster.introduce("a")?;
    let node = cluster.node("a")?;
    node.run("SELECT crdt_found_successor()")?;
    match node.number("SELECT count(*) FROM crdt.archive")? {
        0 => Err(Failure::new("no chain was archived")),
        _ => Ok(()),
    }
}
