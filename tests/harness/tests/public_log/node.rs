//! A node that serves its log, and who reads it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use harness::{
    Failure, Folder, LONG, Options, Outcome, Place, Port, Program, Server, auditor, wait_until,
};

static AUDITOR: OnceLock<Result<PathBuf, String>> = OnceLock::new();

/// `bcrdt`, brought up to date once.
pub fn bcrdt() -> Outcome<Command> {
    let built = AUDITOR.get_or_init(|| auditor().map_err(|failure| failure.to_string()));
    let path = built
        .as_ref()
        .map_err(|reason| Failure::new(reason.clone()))?;
    let mut command = Command::new(path);
    command.env_remove("RUST_BACKTRACE").stdin(Stdio::null());
    Ok(command)
}

pub struct Node {
    pub server: Server,
    pub port: Port,
    pub folder: Folder,
}

/// What a web server answered.
pub struct Page {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Node {
    /// One node with a tracked table and three blocks of some 700 leaves.
    pub fn start(label: &str) -> Outcome<Node> {
        let place = Place::find()?;
        let folder = Folder::fresh(&place, label)?;
        let port = Port::claim(place.state())?;
        let options = Options::with_extension()
            .set(
                "blockchain_crdt.log_listen",
                &format!("127.0.0.1:{}", port.number()),
            )
            .set("blockchain_crdt.witness_interval", "100");
        let server = Server::start(&place, folder.path(), "one", &options)?;
        server.run(
            "CREATE EXTENSION blockchain_crdt;
             CREATE TABLE page (id bigint PRIMARY KEY, views pn_counter);
             SELECT crdt_track('page')",
        )?;
        let node = Node {
            server,
            port,
            folder,
        };
        for block in 0..3 {
            node.grow(block * 1000, 230)?;
        }
        Ok(node)
    }

    /// A block with so many inserts.
    pub fn grow(&self, first: i64, count: i64) -> Outcome {
        self.server.run(&format!(
            "INSERT INTO page SELECT i, 1 FROM generate_series({first}, {first} + {count} - 1) i"
        ))?;
        self.server.run("SELECT crdt_commit_block()")
    }

    pub fn size(&self) -> Outcome<i64> {
        self.server.number("SELECT max(tree_size) FROM crdt_blocks")
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.number())
    }

    /// The key that an auditor has from elsewhere.
    pub fn key(&self) -> Outcome<String> {
        self.server.text("SELECT crdt_node() ->> 'checkpoint_vkey'")
    }

    pub fn get(&self, path: &str) -> Outcome<Page> {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port.number()))?;
        socket.set_read_timeout(Some(LONG))?;
        write!(
            socket,
            "GET {path} HTTP/1.1\r\nHost: log\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer)?;
        let end = answer
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .ok_or_else(|| Failure::new(format!("{path}: no whole answer")))?;
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = head.get(9..12).and_then(|status| status.parse().ok());
        Ok(Page {
            status: status.ok_or_else(|| Failure::new(format!("{path}: {head}")))?,
            head,
            body: answer.split_off(end + 4),
        })
    }

    /// Waits until the log shows all blocks: it looks for new ones a few times a second.
    pub fn wait_for_checkpoint(&self) -> Outcome<String> {
        let size = self.size()?.to_string();
        self.wait_for_checkpoint_with(&size)
    }

    /// Waits until the checkpoint that is shown holds this text.
    pub fn wait_for_checkpoint_with(&self, text: &str) -> Outcome<String> {
        let shown = wait_until(LONG, &format!("a checkpoint with {text}"), || {
            let note = match self.get("/checkpoint") {
                Ok(page) => String::from_utf8_lossy(&page.body).into_owned(),
                Err(failure) => failure.to_string(),
            };
            Ok(match note.contains(text) {
                true => Ok(note),
                false => Err(note),
            })
        });
        shown.map_err(|failure| failure.during(&self.server.log_tail(20)))
    }

    /// Runs `bcrdt audit`; gives its exit status and what it printed.
    pub fn audit(&self, keep: Option<&Path>, more: &[&str]) -> Outcome<(i32, String)> {
        let mut command = bcrdt()?;
        let (url, key) = (self.url(), self.key()?);
        command
            .args(["audit", &url, "--key", &key, "--json"])
            .args(more);
        if let Some(keep) = keep {
            command.arg("--keep").arg(keep);
        }
        let ended = Program::new(command, LONG).end()?;
        let printed = String::from_utf8_lossy(&ended.output).into_owned() + &ended.complaints;
        Ok((ended.status.code().unwrap_or(-1), printed))
    }

    /// Does what only a superuser can: changes the ledger with its triggers switched off.
    pub fn tamper(&self, sql: &str) -> Outcome {
        self.server
            .run(&format!("SET session_replication_role = replica; {sql}"))
    }

    /// Has the node begin anew from its tables.
    pub fn restart_worker(&self) -> Outcome {
        self.server.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE backend_type = 'blockchain_crdt node'",
        )
    }
}
