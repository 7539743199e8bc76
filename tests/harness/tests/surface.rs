//! The public SQL objects: those that extension blockchain_crdt owns outside of
//! schema crdt.
//!
//! Each stands in tests/surface/objects.txt, a line for each, sorted by bytes: what
//! `pg_identify_object` says, without the names of the schemas public and pg_catalog.
//! Whoever adds or removes an object changes the list with it.
//!
//! A function is *support* if `pg_type`, `pg_operator`, `pg_cast`, `pg_amproc` or
//! `pg_aggregate` refers to it and its name does not begin with `crdt_`: people use
//! the type, operator, cast, index or aggregate. All other functions and all
//! aggregates, operators, types and views have a comment, and are documented:
//!
//! - a type by a page docs/guide/types/TYPE.md;
//! - a function or aggregate by its name before a `(` in code, an operator by its
//!   symbol as a whole run of operator characters in code, a view by its name in code;
//! - on the pages of those that take a CRDT type (or, if none is taken, return one):
//!   docs/guide/types/TYPE.md of each such type, or docs/guide/types.md, which speaks
//!   of all; for the rest anywhere in docs/guide.
//!
//! Code is a ```sql block, text between backticks, and text in `<code>` tags, where
//! `&#124;`, `&lt;`, `&gt;` and `&amp;` stand for their characters. Symbols inside of
//! quoted strings do not count.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use harness::{Failure, Folder, Options, Outcome, Place, Server, Session};

/// All public objects; the functions that support them are marked.
const OBJECTS: &str = "
    CREATE TEMPORARY TABLE surface AS
    SELECT d.classid, d.objid, i.type AS kind,
           regexp_replace(i.type || ' ' || i.identity, '\\m(public|pg_catalog)\\.', '', 'g') AS line,
           d.classid = 'pg_proc'::regclass AND EXISTS (
               SELECT FROM pg_proc p WHERE p.oid = d.objid AND p.proname !~ '^crdt_' AND p.oid IN (
                   SELECT unnest(ARRAY[typinput, typoutput, typreceive, typsend]) FROM pg_type
                   UNION SELECT oprcode FROM pg_operator
                   UNION SELECT castfunc FROM pg_cast
                   UNION SELECT amproc FROM pg_amproc
                   UNION SELECT unnest(ARRAY[aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn])
                           FROM pg_aggregate)) AS is_support
      FROM pg_extension e
      JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
     CROSS JOIN pg_identify_object(d.classid, d.objid, d.objsubid) AS i
     WHERE e.extname = 'blockchain_crdt' AND i.type <> 'schema' AND i.schema IS DISTINCT FROM 'crdt'";

/// What has to be documented: kind, the word to look for, the CRDT types on whose
/// pages it has to stand, and the line that lists it.
const SUBJECTS: &str = "
    WITH crdt_type AS (SELECT objid AS oid FROM surface WHERE kind = 'type'),
    part (objid, classid, taken, given) AS (
        SELECT p.oid, 'pg_proc'::regclass, p.proargtypes::oid[], p.prorettype FROM pg_proc p
        UNION ALL
        SELECT o.oid, 'pg_operator'::regclass, ARRAY[o.oprleft, o.oprright], o.oprresult FROM pg_operator o
    )
    SELECT s.kind,
           coalesce(p.proname, o.oprname, c.relname, t.typname) AS word,
           CASE WHEN s.kind = 'type' THEN t.typname::text
                ELSE coalesce(
                    (SELECT string_agg(DISTINCT y.typname, ' ') FROM crdt_type x JOIN pg_type y USING (oid)
                      WHERE x.oid = ANY (part.taken)),
                    (SELECT y.typname FROM crdt_type x JOIN pg_type y USING (oid) WHERE x.oid = part.given))
           END AS types,
           s.line
      FROM surface s
      LEFT JOIN part USING (classid, objid)
      LEFT JOIN pg_proc p ON s.classid = 'pg_proc'::regclass AND p.oid = s.objid
      LEFT JOIN pg_operator o ON s.classid = 'pg_operator'::regclass AND o.oid = s.objid
      LEFT JOIN pg_class c ON s.classid = 'pg_class'::regclass AND c.oid = s.objid
      LEFT JOIN pg_type t ON s.classid = 'pg_type'::regclass AND t.oid = s.objid
     WHERE NOT s.is_support AND s.kind IN ('function', 'aggregate', 'operator', 'type', 'view')
     ORDER BY s.line";

/// Characters that operators are made of.
const SYMBOLS: &str = "+-*/<>=~!@#%^&|`?";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A database with the extension, and in it the table `surface`.
fn surface(label: &str) -> Outcome<(Folder, Server, Session)> {
    let place = Place::find()?;
    let folder = Folder::fresh(&place, label)?;
    let server = Server::start(&place, folder.path(), label, &Options::with_extension())?;
    let mut session = server.session_on("postgres")?;
    session.run("CREATE EXTENSION IF NOT EXISTS blockchain_crdt")?;
    session.run("SET search_path = pg_catalog, public")?;
    session.run(OBJECTS)?;
    Ok((folder, server, session))
}

/// The first column of all rows.
fn column(session: &mut Session, sql: &str) -> Outcome<Vec<String>> {
    let rows = session.rows(sql)?;
    Ok(rows
        .into_iter()
        .filter_map(|row| row.into_iter().next().flatten())
        .collect())
}

/// What is code in a page, piece by piece.
fn code(page: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut block: Option<(bool, Vec<&str>)> = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), &mut block) {
            (Some(_), Some(_)) => {
                if let Some((true, lines)) = block.take() {
                    pieces.push(lines.join("\n"));
                }
            }
            (Some(language), None) => block = Some((language == "sql", Vec::new())),
            (None, Some((_, lines))) => lines.push(line),
            (None, None) => {
                pieces.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
                for rest in line.split("<code>").skip(1) {
                    let text = rest.split("</code>").next().unwrap_or_default();
                    let text = text
                        .replace("&#124;", "|")
                        .replace("&lt;", "<")
                        .replace("&gt;", ">")
                        .replace("&amp;", "&");
                    pieces.push(text);
                }
            }
        }
    }
    pieces
}

/// Whether `name` stands there as a word, and before a `(` if it is `called`.
fn has_word(code: &[String], name: &str, called: bool) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.iter().any(|piece| {
        piece.match_indices(name).any(|(at, _)| {
            let before = piece[..at].chars().next_back();
            let after = piece[at + name.len()..].chars().next();
            !before.is_some_and(is_part)
                && match called {
                    true => after == Some('('),
                    false => !after.is_some_and(is_part),
                }
        })
    })
}

/// Whether `symbol` stands there as a whole, outside of strings.
fn has_symbol(code: &[String], symbol: &str) -> bool {
    code.iter().any(|piece| {
        piece.split('\'').step_by(2).any(|outside| {
            outside
                .split(|c: char| !SYMBOLS.contains(c))
                .any(|run| run == symbol)
        })
    })
}

/// All pages of the guide, as code.
fn guide() -> Outcome<Vec<String>> {
    let mut folders = vec![root().join("docs/guide")];
    let mut pieces = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension() == Some("md".as_ref()) {
                pieces.extend(code(&fs::read_to_string(path)?));
            }
        }
    }
    Ok(pieces)
}

/// Fails with the lines, if there are any.
fn none(what: &str, lines: &[String]) -> Outcome {
    match lines {
        [] => Ok(()),
        lines => Err(Failure::new(format!("{what}:\n{}", lines.join("\n")))),
    }
}

/// A function that vanished or took another argument would break its users' SQL with
/// an upgrade; one that appeared unnoticed would have to be kept for ever.
#[test]
fn every_public_object_is_listed() -> Outcome {
    let (_folder, _server, mut session) = surface("surface-list")?;
    let owned = column(
        &mut session,
        "SELECT line FROM surface ORDER BY line COLLATE \"C\"",
    )?;
    let listed = fs::read_to_string(root().join("tests/surface/objects.txt"))?;
    let listed: Vec<&str> = listed.lines().collect();
    let (is, should) = (
        owned.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        listed.iter().copied().collect::<BTreeSet<_>>(),
    );
    let new = is.difference(&should).map(|line| format!("+{line}"));
    let gone = should.difference(&is).map(|line| format!("-{line}"));
    let differences: Vec<String> = new.chain(gone).collect();
    none(
        "tests/surface/objects.txt differs from what the extension owns (+ is not listed, - is not there)",
        &differences,
    )?;
    if listed != owned {
        return Err(Failure::new(
            "tests/surface/objects.txt is not sorted by bytes, each line once",
        ));
    }
    Ok(())
}

/// `\df+` and `\do` in psql are where people look first.
#[test]
fn every_public_object_has_a_comment() -> Outcome {
    let (_folder, _server, mut session) = surface("surface-comments")?;
    let silent = column(
        &mut session,
        "SELECT line FROM surface
          WHERE NOT is_support AND kind IN ('function', 'aggregate', 'operator', 'type', 'view')
            AND obj_description(objid, classid::regclass::name) IS NULL ORDER BY line",
    )?;
    none("no COMMENT ON", &silent)
}

/// What the guide does not tell does not exist for its reader.
#[test]
fn every_public_object_is_documented() -> Outcome {
    let (_folder, _server, mut session) = surface("surface-guide")?;
    let subjects = session.rows(SUBJECTS)?;
    let types_page = code(&fs::read_to_string(root().join("docs/guide/types.md"))?);
    let whole_guide = guide()?;
    let mut missing = Vec::new();
    for subject in &subjects {
        let [Some(kind), Some(word), types, Some(line)] = subject.as_slice() else {
            return Err(Failure::new(format!("cannot read {subject:?}")));
        };
        let stands_in = |code: &[String]| match kind.as_str() {
            "operator" => has_symbol(code, word),
            "function" | "aggregate" => has_word(code, word, true),
            _ => has_word(code, word, false),
        };
        let Some(types) = types else {
            if !stands_in(&whole_guide) {
                missing.push(format!("docs/guide: {line}"));
            }
            continue;
        };
        for name in types.split(' ') {
            let page = format!("docs/guide/types/{name}.md");
            let is_there = fs::read_to_string(root().join(&page)).is_ok_and(|text| {
                kind == "type" || stands_in(&code(&text)) || stands_in(&types_page)
            });
            if !is_there {
                missing.push(format!("{page}: {line}"));
            }
        }
    }
    assert!(subjects.len() > 400, "the query finds {}", subjects.len());
    none("not documented", &missing)
}

/// If the test took prose, or a part of a longer symbol, for documentation, it would
/// find everything documented.
#[test]
fn only_code_documents() {
    let page = "crdt_a(x) `crdt_b(x)` <code>s ?&#124; t</code> `s <@ '!'`\n\
                ```sql\nSELECT crdt_c(x), -- crdt_dd(x)\n  a->>b;\n```\n\
                ```text\ncrdt_e(x) #> y\n```\n`view_a` `crdt_f`\n";
    let code = code(page);
    let called = |name: &str| has_word(&code, name, true);
    assert!(called("crdt_b") && called("crdt_c") && called("crdt_dd"));
    assert!(!called("crdt_a") && !called("crdt_d") && !called("crdt_e") && !called("crdt_f"));
    assert!(has_word(&code, "view_a", false) && !has_word(&code, "view", false));
    for symbol in ["?|", "<@", "->>"] {
        assert!(has_symbol(&code, symbol), "{symbol}");
    }
    for symbol in ["?", "@", "->", "!", "#>"] {
        assert!(!has_symbol(&code, symbol), "{symbol}");
    }
}
