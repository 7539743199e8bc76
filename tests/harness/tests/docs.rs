//! What the documents show works: each ```sql block of README.md and of the guide
//! runs, file by file, in a database of its own, and prints what the document says.
//!
//! A ```text block under the line `<!-- result -->` is what psql prints for the sql
//! block before it; under the line `<!-- error -->` it is the error that the block
//! ends with, and the document goes on behind it. psql reads each document with all
//! but its SQL blanked out, so that the line of an error is the line in the document.

use std::fs;
use std::path::{Path, PathBuf};

use harness::{Failure, Folder, LONG, Options, Outcome, Place, Program, Server};

/// Printed by psql after each block, with the line that ends the block.
const END: &str = "=== end of the block that ends at line ";

/// A block of SQL in a document, by the lines that psql sees.
struct Block {
    /// Lines between the fences, from 0.
    lines: std::ops::Range<usize>,
    /// Line where the text begins, and what the block prints.
    result: Option<(usize, String)>,
    /// Line where the text begins, and the error that the block ends with.
    error: Option<(usize, String)>,
}

/// What a text block is to the SQL before it.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    Nothing,
    Result,
    Error,
}

/// The SQL blocks of a document.
fn blocks(document: &str) -> Vec<Block> {
    let lines: Vec<&str> = document.lines().collect();
    let mut blocks: Vec<Block> = Vec::new();
    let mut role = Role::Nothing;
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        let Some(language) = line.strip_prefix("```") else {
            role = match *line {
                "<!-- result -->" => Role::Result,
                "<!-- error -->" => Role::Error,
                "" => role,
                _ => Role::Nothing,
            };
            continue;
        };
        let begin = at;
        while lines.get(at).is_some_and(|line| *line != "```") {
            at += 1;
        }
        match (language, blocks.last_mut()) {
            ("sql", _) => blocks.push(Block {
                lines: begin..at,
                result: None,
                error: None,
            }),
            ("text", Some(block)) if role != Role::Nothing => {
                let told = match role {
                    Role::Error => &mut block.error,
                    _ => &mut block.result,
                };
                *told = Some((begin, lines[begin..at].join("\n")));
            }
            _ => {}
        }
        role = Role::Nothing;
        at += 1;
    }
    blocks
}

/// The document as psql reads it: SQL at the lines where it stands, and a mark
/// printed at each end of a block. Only a block that shows an error may fail.
fn script(document: &str, blocks: &[Block]) -> String {
    let lines: Vec<&str> = document.lines().collect();
    let mut script = vec![String::new(); lines.len() + 1];
    for block in blocks {
        for line in block.lines.clone() {
            script[line] = lines[line].to_owned();
        }
        let end = block.lines.end;
        script[end] = format!("\\echo '{END}{end}'");
        if block.error.is_some() {
            script[block.lines.start - 1] = "\\set ON_ERROR_STOP 0".to_owned();
            script[end] += " \\set ON_ERROR_STOP 1";
        }
    }
    script.join("\n") + "\n"
}

/// What psql printed for each block, in order.
fn printed(output: &str) -> Vec<String> {
    let mut parts = vec![Vec::new()];
    for line in output.lines() {
        if line.starts_with(END) {
            parts.push(Vec::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(line.trim_end());
        }
    }
    let trimmed = |lines: &Vec<&str>| lines.join("\n").trim_matches('\n').to_owned();
    parts.iter().map(trimmed).collect()
}

/// What psql complained of in a block, without the places in front.
fn complaints(told: &str, block: &Block) -> String {
    let mut is_here = false;
    let mut lines = Vec::new();
    for line in told.lines() {
        let placed = line
            .strip_prefix("psql:<stdin>:")
            .and_then(|rest| rest.split_once(": "))
            .and_then(|(number, text)| Some((number.parse::<usize>().ok()?, text)));
        let text = match placed {
            // psql counts from 1.
            Some((number, text)) => {
                is_here = number > block.lines.start && number <= block.lines.end;
                text
            }
            None => line,
        };
        if is_here {
            lines.push(text.trim_end());
        }
    }
    lines.join("\n").trim_matches('\n').to_owned()
}

fn without_trailing_blanks(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

/// README.md and the chapters of the guide, with their names for people.
fn documents() -> Outcome<Vec<(String, PathBuf)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = vec![("README.md".to_owned(), root.join("README.md"))];
    let mut folders = vec!["docs/guide".to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let name = format!("{folder}/{name}");
            if path.is_dir() {
                folders.push(name);
            } else if name.ends_with(".md") {
                found.push((name, path));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Runs the blocks of one document; says what differs, with file and line.
fn run(server: &Server, database: &str, name: &str, document: &str) -> Outcome<Vec<String>> {
    let blocks = blocks(document);
    if blocks.is_empty() {
        return Ok(Vec::new());
    }
    server
        .session_on("postgres")?
        .run(&format!("CREATE DATABASE {database}"))?;
    let mut psql = server.command("psql");
    // Errors in all their detail, none of the reader's own settings, no pager.
    psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-P", "pager=off"])
        .args(["-d", database, "-f", "-"])
        .env("PGOPTIONS", "-c statement_timeout=60s");
    let ended = Program::new(psql, LONG)
        .input(script(document, &blocks))
        .end()?;
    // Each database has a worker, and a server has room for only so many.
    server
        .session_on("postgres")?
        .run(&format!("DROP DATABASE {database}"))?;
    if !ended.status.success() {
        let told = ended
            .complaints
            .replace("psql:<stdin>:", &format!("{name}:"));
        return Ok(vec![told.trim_end().to_owned()]);
    }
    let output = String::from_utf8_lossy(&ended.output);
    let differs = |told: &Option<(usize, String)>, printed: String| {
        let (line, shown) = told.as_ref()?;
        let shown = without_trailing_blanks(shown);
        (shown != printed).then(|| {
            format!("{name}:{line}: the document shows\n{shown}\nbut psql prints\n{printed}")
        })
    };
    Ok(blocks
        .iter()
        .zip(printed(&output))
        .flat_map(|(block, printed)| {
            [
                differs(&block.result, printed),
                differs(&block.error, complaints(&ended.complaints, block)),
            ]
        })
        .flatten()
        .collect())
}

/// An example that does not run, or that prints something else, would cost its
/// reader more than no example.
#[test]
fn every_example_runs_and_prints_what_it_shows() -> Outcome {
    let place = Place::find()?;
    let folder = Folder::fresh(&place, "docs")?;
    let server = Server::start(&place, folder.path(), "docs", &Options::with_extension())?;
    let mut wrong = Vec::new();
    for (number, (name, path)) in documents()?.iter().enumerate() {
        let document = fs::read_to_string(path)?;
        let database = format!("docs_{number}");
        let found =
            run(&server, &database, name, &document).map_err(|failure| failure.during(name))?;
        wrong.extend(found);
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(wrong.join("\n\n")))
    }
}

/// How a heading is linked to: its words in lower case, joined by hyphens.
fn anchor(heading: &str) -> String {
    heading
        .trim_start_matches('#')
        .trim()
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// A link to a file or heading that was moved leads a reader nowhere.
#[test]
fn every_link_leads_somewhere() -> Outcome {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut all = documents()?;
    for name in ["docs/architecture.md", "docs/dependencies.md"] {
        all.push((name.to_owned(), root.join(name)));
    }
    let mut dead = Vec::new();
    for (name, path) in &all {
        let document = fs::read_to_string(path)?;
        for (number, line) in document.lines().enumerate() {
            for rest in line.split("](").skip(1) {
                let target = rest.split(')').next().unwrap_or_default();
                if target.contains("://") {
                    continue;
                }
                let (file, heading) = target.split_once('#').unwrap_or((target, ""));
                let file = match file {
                    "" => path.clone(),
                    _ => path.with_file_name(file),
                };
                let is_there = match heading {
                    "" => file.exists(),
                    _ => fs::read_to_string(&file).is_ok_and(|text| {
                        text.lines()
                            .any(|line| line.starts_with('#') && anchor(line) == heading)
                    }),
                };
                if !is_there {
                    dead.push(format!("{name}:{}: {target}", number + 1));
                }
            }
        }
    }
    if dead.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(dead.join("\n")))
    }
}

/// A chapter that the table of contents leaves out is not in the book.
#[test]
fn every_chapter_is_in_the_table_of_contents() -> Outcome {
    let summary = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/SUMMARY.md");
    let summary = fs::read_to_string(summary)?;
    let chapters = documents()?;
    for (name, _) in chapters
        .iter()
        .filter(|(name, _)| name.starts_with("docs/guide/"))
    {
        let file = name.trim_start_matches("docs/guide/");
        if file != "SUMMARY.md" && !summary.contains(&format!("]({file})")) {
            return Err(Failure::new(format!("SUMMARY.md does not list {file}")));
        }
    }
    Ok(())
}

/// If the reader of documents missed a block, its examples would rot unseen.
#[test]
fn blocks_keep_their_lines() {
    let document = "# Title\n\n```sql\nSELECT 1;\n```\n\n<!-- result -->\n```text\n 1\n```\n\
                    ```text\nnot a result\n```\n```sql\nSELECT 2;\n```\n";
    let found = blocks(document);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].lines, 3..4);
    assert_eq!(found[0].result, Some((8, " 1".to_owned())));
    assert_eq!(
        (found[1].lines.clone(), found[1].result.is_none()),
        (14..15, true)
    );
    let script = script(document, &found);
    let lines: Vec<&str> = script.lines().collect();
    assert_eq!((lines[3], lines[14]), ("SELECT 1;", "SELECT 2;"));
    assert_eq!(lines[4], format!("\\echo '{END}4'"));
    assert_eq!(lines.iter().filter(|line| !line.is_empty()).count(), 4);
    let output = format!(" 1\n{END}4\n 2\n{END}15\n");
    assert_eq!(printed(&output)[..2], [" 1", " 2"]);
}

/// If an error were looked for in the wrong block, a document could show one that
/// no longer comes.
#[test]
fn errors_belong_to_their_blocks() {
    let document = "```sql\nSELECT 1;\n```\n```sql\nSELECT x;\n```\n\n\
                    <!-- error -->\n```text\nERROR:  no x\n```\n";
    let found = blocks(document);
    assert!(found[0].error.is_none() && found[1].result.is_none());
    assert_eq!(found[1].error, Some((9, "ERROR:  no x".to_owned())));
    let script = script(document, &found);
    let lines: Vec<&str> = script.lines().collect();
    assert_eq!(lines[3], "\\set ON_ERROR_STOP 0");
    assert!(lines[5].ends_with("\\set ON_ERROR_STOP 1"));
    assert!(!lines[2].contains("ON_ERROR_STOP"));
    let told = "psql:<stdin>:2: NOTICE:  y\npsql:<stdin>:5: ERROR:  no x\nHINT:  z\n";
    assert_eq!(complaints(told, &found[0]), "NOTICE:  y");
    assert_eq!(complaints(told, &found[1]), "ERROR:  no x\nHINT:  z");
}
