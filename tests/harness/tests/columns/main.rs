//! A superuser edits every column of every table: those of the ledger, and those of tracked
//! tables with every kind of column. Each edit is found and named, or it is in a list of those
//! without meaning, with the reason, and then the test shows that nothing changes of what an
//! auditor gets. Columns are enumerated from the catalog: a new one has to be put somewhere.

mod edits;
mod expected;
#[path = "../tamper/insider.rs"]
mod insider;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use edits::{Edit, edits};
use expected::{Expected, expected};
use harness::{Failure, Outcome, Session};
use world::World;

/// What an auditor gets, by its name.
type View = BTreeMap<&'static str, String>;

/// The tables that are tracked here.
const TRACKED: [&str; 2] = ["every", "page"];

/// The kinds that are found: in the ledger, and in the tracked tables. The SQLSTATE of a scan that
/// cannot go on stands among them.
#[derive(Debug, Default)]
struct Findings {
    ledger: BTreeSet<String>,
    tables: BTreeSet<String>,
}

impl Findings {
    fn of(session: &mut Session) -> Outcome<Findings> {
        let mut findings = Findings {
            ledger: kinds(session, "scan_chain()")?,
            tables: BTreeSet::new(),
        };
        for table in TRACKED {
            let found = kinds(session, &format!("verify_table('{table}')"))?;
            findings.tables.extend(found);
        }
        Ok(findings)
    }

    fn is_empty(&self) -> bool {
        self.ledger.is_empty() && self.tables.is_empty()
    }

    fn contains(&self, kind: &str) -> bool {
        self.ledger.contains(kind) || self.tables.contains(kind)
    }
}

fn kinds(session: &mut Session, scan: &str) -> Outcome<BTreeSet<String>> {
    let query = format!("SELECT DISTINCT kind FROM {scan}");
    Ok(match attempt(session, |session| session.rows(&query))? {
        Ok(rows) => rows.into_iter().flatten().flatten().collect(),
        Err(error) => {
            let state = error.rsplit_once('[').map_or("", |(_, state)| state);
            [format!("error {}", state.trim_end_matches(']'))].into()
        }
    })
}

/// What an auditor gets: the whole chain, the proof of every op, the checkpoint, and what the
/// scans say.
fn view(session: &mut Session, world: &World) -> Outcome<View> {
    let file = world.fresh_file();
    let queries = [
        (
            "bundle",
            format!("SELECT crdt_export_chain('{file}'); SELECT md5(pg_read_binary_file('{file}'))"),
        ),
        (
            "proofs",
            "SELECT md5(string_agg(crdt_op_proof(origin_id, seq)::text, '' ORDER BY origin_id, seq)), count(*)
               FROM crdt_ops WHERE height IS NOT NULL"
                .to_owned(),
        ),
        ("checkpoint", "SELECT crdt_checkpoint()".to_owned()),
    ];
    let mut view = View::new();
    for (name, query) in queries {
        let told = match attempt(session, |session| session.rows(&query))? {
            Ok(rows) => format!("{:?}", rows.last()),
            Err(error) => error,
        };
        view.insert(name, told);
    }
    let findings = Findings::of(session)?;
    if !findings.is_empty() {
        view.insert("findings", format!("{findings:?}"));
    }
    Ok(view)
}

/// The same of a chain that nobody has altered.
fn sound_view(session: &mut Session, world: &World) -> Outcome<View> {
    let view = view(session, world)?;
    let sound = view.values().all(|told| !told.contains("ERROR")) && !view.contains_key("findings");
    match sound {
        true => Ok(view),
        false => Err(Failure::new(format!("{view:?}"))),
    }
}

/// Runs something that may fail without ending the transaction.
fn attempt<T>(
    session: &mut Session,
    action: impl FnOnce(&mut Session) -> Outcome<T>,
) -> Outcome<Result<T, String>> {
    session.run("SAVEPOINT attempt")?;
    match action(session) {
        Ok(value) => Ok(Ok(value)),
        Err(failure) => {
            session.run("ROLLBACK TO attempt")?;
            let text = failure.to_string();
            Ok(Err(text.lines().next().unwrap_or_default().to_owned()))
        }
    }
}

/// Makes the edit in a transaction that is rolled back, and gives what is wrong with what is
/// found then.
fn try_out(
    session: &mut Session,
    world: &World,
    edit: &Edit,
    expected: &Expected,
) -> Outcome<Option<String>> {
    session.run(
        "BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL session_replication_role = replica",
    )?;
    world.prepare(session, &edit.table)?;
    let before = match expected {
        Expected::Meaningless(_) => Some(sound_view(session, world)?),
        _ => None,
    };
    edit.make(session)?;
    let wrong = match expected {
        Expected::Found(kinds) => {
            let found = Findings::of(session)?;
            let named = found.contains(kinds[0]);
            // What an altered ledger says of a table's rows may be anything.
            let only = found
                .ledger
                .iter()
                .all(|kind| kinds.contains(&kind.as_str()));
            (!named || !only).then(|| format!("expected {kinds:?}, found {found:?}"))
        }
        Expected::Meaningless(why) => {
            let after = view(session, world)?;
            let differs: Vec<_> = after
                .iter()
                .filter(|(name, told)| {
                    before.as_ref().and_then(|view| view.get(*name)) != Some(told)
                })
                .map(|(name, told)| format!("{name} became {told}"))
                .collect();
            (!differs.is_empty()).then(|| {
                format!("it has a meaning, though it should have none ({why}): {differs:?}")
            })
        }
        Expected::Nowhere => Some(format!(
            "it is in no list; found {:?}",
            Findings::of(session)?
        )),
    };
    session.run("ROLLBACK")?;
    Ok(wrong)
}

/// Each column of each table, each row that is gone and each that is there twice.
#[test]
fn each_edit_is_found_or_means_nothing() -> Outcome {
    let world = World::new()?;
    let mut session = world.session()?;
    let mut left = expected();
    let mut wrong = Vec::new();
    for edit in edits(&mut session)? {
        let expected = left.remove(&edit.name).unwrap_or(Expected::Nowhere);
        let found = try_out(&mut session, &world, &edit, &expected)
            .map_err(|failure| failure.during(&edit.name))?;
        wrong.extend(found.map(|fault| format!("{}: {fault}", edit.name)));
    }
    wrong.extend(
        left.keys()
            .map(|name| format!("{name}: there is no such edit")),
    );
    assert!(
        session.is("SELECT verify_chain()")?,
        "all of it was rolled back"
    );
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(wrong.join("\n"))),
    }
}
