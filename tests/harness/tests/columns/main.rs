//! A superuser edits every column of every table: those of the ledger, and those of tracked
//! tables with every kind of column. Each edit is found and named, or it is in a list of those
//! without meaning, with the reason, and then the test shows that nothing changes of what an
//! auditor gets. Columns are enumerated from the catalog: a new one has to be put somewhere.

mod edits;
mod expected;
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

/// What is found, by its kind; `error` stands for a scan that could not go on.
fn findings(session: &mut Session) -> Outcome<BTreeSet<String>> {
    let mut kinds = BTreeSet::new();
    let mut queries = vec!["SELECT DISTINCT kind FROM scan_chain()".to_owned()];
    if session.is("SELECT to_regproc('verify_table') IS NOT NULL")? {
        queries.extend(
            TRACKED.map(|table| format!("SELECT DISTINCT kind FROM verify_table('{table}')")),
        );
    }
    for query in queries {
        match attempt(session, |session| session.rows(&query))? {
            Ok(rows) => kinds.extend(rows.into_iter().flatten().flatten()),
            Err(error) => {
                kinds.insert(format!("error: {error}"));
            }
        }
    }
    Ok(kinds)
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
    view.insert("findings", format!("{:?}", findings(session)?));
    Ok(view)
}

/// The same of a chain that nobody has altered.
fn sound_view(session: &mut Session, world: &World) -> Outcome<View> {
    let view = view(session, world)?;
    let sound = view.values().all(|told| !told.contains("ERROR")) && view["findings"] == "{}";
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
    edit.prepare(session)?;
    let before = match expected {
        Expected::Meaningless(_) => Some(sound_view(session, world)?),
        _ => None,
    };
    edit.make(session)?;
    let wrong = match expected {
        Expected::Found(kinds) => {
            let found = findings(session)?;
            let named = found.contains(kinds[0]);
            let only = found.iter().all(|kind| kinds.contains(&kind.as_str()));
            (!named || !only).then(|| format!("expected {kinds:?}, found {found:?}"))
        }
        Expected::Meaningless(why) => {
            let after = view(session, world)?;
            let differs: Vec<_> = before
                .iter()
                .flatten()
                .filter(|(name, told)| after.get(*name) != Some(told))
                .map(|(name, told)| format!("{name}: {told} became {:?}", after.get(name)))
                .collect();
            (!differs.is_empty()).then(|| {
                format!("it has a meaning, though it should have none ({why}): {differs:?}")
            })
        }
        Expected::NotYet(what) => {
            let found = findings(session)?;
            (!found.is_empty()).then(|| format!("{what} is found now: {found:?}"))
        }
        Expected::Nowhere => Some(format!("it is in no list; found {:?}", findings(session)?)),
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
