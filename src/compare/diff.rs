//! `crdt_diff`: which rows of a table a peer has otherwise.

use super::conversation::Conversation;
use super::known;
use super::rows::{self, Shown};
use super::run::Run;
use crate::catalog::{self, under_one_snapshot};
use crate::error::{OrCorrupt, raise};
use crate::instance::identity;
use crate::track::table::{self, META, Table};
use crate::types::json::Jsonb;
use crate::worker::subtransaction::attempt;
use ledger::digest_tree::{Comparison, Node, Theirs};
use ledger::{Hash, Member, VersionVector};
use pgrx::PgSqlErrorCode;
use pgrx::prelude::*;
use replica::message::{CompareRequest, CompareResponse, MAX_KEYS, MAX_ROWS, PeerRow};
use std::collections::BTreeMap;

/// Rows that may be asked for.
const MOST_ROWS: i32 = 10_000;

type Row = (
    Option<String>,
    String,
    Option<bool>,
    Option<Vec<String>>,
    Option<Jsonb>,
    Option<Jsonb>,
);

/// The rows of a tracked table that this node and a peer, named as in
/// crdt_nodes, do not hold alike.
#[pg_extern(sql = "
    CREATE FUNCTION crdt_diff(
        relation regclass, peer text, max_rows integer DEFAULT 1000,
        OUT row_key text, OUT kind text, OUT in_flight boolean, OUT columns text[],
        OUT here jsonb, OUT there jsonb
    ) RETURNS SETOF record
    STRICT VOLATILE PARALLEL UNSAFE LANGUAGE c AS 'MODULE_PATHNAME', '@FUNCTION_NAME@';
")]
#[allow(clippy::type_complexity)]
fn crdt_diff(
    relation: pg_sys::Oid,
    peer: &str,
    max_rows: i32,
) -> TableIterator<
    'static,
    (
        name!(row_key, Option<String>),
        name!(kind, String),
        name!(in_flight, Option<bool>),
        name!(columns, Option<Vec<String>>),
        name!(here, Option<Jsonb>),
        name!(there, Option<Jsonb>),
    ),
> {
    crate::require_preload();
    if !(1..=MOST_ROWS).contains(&max_rows) {
        raise(
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            format!("max_rows is {max_rows}"),
            format!("It can be 1 to {MOST_ROWS}."),
        );
    }
    let limit = max_rows.unsigned_abs() as usize;
    TableIterator::new(under_one_snapshot(|| compare(relation, peer, limit)))
}

/// The member of this name, which is not this node.
fn member(name: &str) -> Member {
    let me = identity::identity().node_id();
    let mut members = catalog::members().into_iter();
    let known = members.find(|known| known.member.name == name && known.left_after.is_none());
    let Some(known) = known else {
        raise(
            PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT,
            format!("no member of the cluster is named \"{name}\""),
            "SELECT name FROM crdt_nodes WHERE present lists them.",
        )
    };
    if known.member.node_id == me {
        raise(
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            format!("\"{name}\" is this node itself"),
            "Name another member: SELECT name FROM crdt_nodes WHERE present.",
        );
    }
    known.member
}

fn compare(relation: pg_sys::Oid, peer: &str, limit: usize) -> Vec<Row> {
    let table = table::tracked(relation);
    let chain = catalog::chain().or_corrupt("crdt.chain").id;
    let peer = member(peer);
    catalog::local_node()
        .filter(|known| known.left_after.is_none())
        .unwrap_or_else(|| {
            raise(
                PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                "this database is not a member of the cluster whose ledger it holds",
                "Rejoin with crdt_join(invitation).",
            )
        });
    let mut talk = Conversation::with(&peer, chain);
    let begin = CompareRequest::Begin {
        schema: table.schema.schema.clone(),
        table: table.schema.table.clone(),
        schema_hash: table.schema.hash(),
        vector: known::vector(),
    };
    // Both sides read at once.
    let read = || Run::of_table(relation, || {});
    let (answer, run) = talk.ask_meanwhile(&begin, read);
    let CompareResponse::Ready { root, vector, .. } = answer else {
        talk.violated("another answer than was asked for")
    };
    let mut search = Search {
        relation,
        table: &table,
        run: &run,
        other: vector,
        talk,
        limit,
    };
    search.rows(root)
}

/// A comparison of two tables that have been read.
struct Search<'a> {
    relation: pg_sys::Oid,
    table: &'a Table,
    run: &'a Run,
    /// What the peer had admitted.
    other: VersionVector,
    talk: Conversation,
    limit: usize,
}

/// What is known of a row that differs.
#[derive(Default)]
struct Sides {
    here: Option<Shown>,
    there: Option<PeerRow>,
    in_flight: bool,
}

impl Search<'_> {
    fn rows(&mut self, root: Node) -> Vec<Row> {
        if root == self.run.summary.node {
            return Vec::new();
        }
        let found = self.find();
        let mut sides: BTreeMap<Hash, Sides> = BTreeMap::new();
        for number in found.ours() {
            let (entry, place) = self.run.row(*number).or_corrupt("a temporary file");
            sides.entry(entry.key).or_default().here = rows::show(self.relation, place);
        }
        for wanted in found.theirs().chunks(MAX_ROWS) {
            let (theirs, _) = self.ask(wanted.to_vec(), Vec::new());
            for row in theirs.into_iter().flatten() {
                let side = sides.entry(row.key).or_default();
                side.in_flight |= row.in_flight;
                side.there = Some(row);
            }
        }
        // A row that is not there may have been deleted there just now.
        let gone: Vec<Hash> = sides
            .iter()
            .filter(|(_, side)| side.there.is_none())
            .map(|(key, _)| *key)
            .collect();
        for keys in gone.chunks(MAX_KEYS) {
            let (_, moving) = self.ask(Vec::new(), keys.to_vec());
            for (key, moving) in keys.iter().zip(moving) {
                sides.entry(*key).or_default().in_flight |= moving;
            }
        }
        let keys: Vec<Hash> = sides.keys().copied().collect();
        let moving = known::in_flight(&keys, &self.other);
        let cut_short = found.is_cut_short() || sides.len() > self.limit;
        let mut rows: Vec<Row> = sides
            .into_values()
            .zip(moving)
            .take(self.limit)
            .map(|(side, moving)| self.row(side, moving))
            .collect();
        if cut_short {
            rows.push((None, "more".to_owned(), None, None, None, None));
        }
        rows
    }

    /// Goes down the two trees where they differ.
    fn find(&mut self) -> Comparison {
        let mut comparison = Comparison::new(self.limit);
        while let Some(question) = comparison.question() {
            let session = self.talk.session();
            let request = CompareRequest::Nodes { session, question };
            let CompareResponse::Nodes(answer) = self.talk.ask(&request) else {
                self.talk.violated("another answer than was asked for")
            };
            if let Err(fault) = comparison.take(self.run, &self.run.summary, &answer) {
                self.talk.violated(&fault.to_string());
            }
        }
        comparison
    }

    fn ask(&mut self, wanted: Vec<Theirs>, keys: Vec<Hash>) -> (Vec<Option<PeerRow>>, Vec<bool>) {
        let asked = (wanted.len(), keys.len());
        let session = self.talk.session();
        let request = CompareRequest::Rows {
            session,
            wanted,
            keys,
        };
        match self.talk.ask(&request) {
            CompareResponse::Rows { rows, in_flight } if (rows.len(), in_flight.len()) == asked => {
                (rows, in_flight)
            }
            _ => self.talk.violated("another answer than was asked for"),
        }
    }

    fn row(&self, side: Sides, moving: bool) -> Row {
        let kind = match (&side.here, &side.there) {
            (Some(_), Some(_)) => "differs",
            (Some(_), None) => "only_here",
            _ => "only_there",
        };
        let columns = side
            .here
            .as_ref()
            .zip(side.there.as_ref())
            .map(|(here, there)| self.differing(here, there));
        let key = side.here.as_ref().map(|here| here.key_text.clone());
        let key = key.or_else(|| side.there.as_ref().map(|there| there.key_text.clone()));
        (
            key,
            kind.to_owned(),
            Some(side.in_flight || moving),
            columns,
            side.here.and_then(|here| here.values).map(Jsonb),
            side.there.and_then(|there| there.values).and_then(json),
        )
    }

    /// Names of the columns that are not alike.
    fn differing(&self, here: &Shown, there: &PeerRow) -> Vec<String> {
        let names = self.table.columns.iter().map(|column| column.name.as_str());
        let mut ends = here.columns.iter().zip(&there.columns);
        names
            .chain([META])
            .filter(|_| ends.next().is_none_or(|(here, there)| here != there))
            .map(str::to_owned)
            .collect()
    }
}

/// A peer's text as jsonb; `None` if it is none, which must not end the
/// statement.
fn json(text: String) -> Option<Jsonb> {
    let value = Jsonb(text);
    attempt(|| {
        value.datum();
        Ok(())
    })
    .ok()
    .map(|()| value)
}
