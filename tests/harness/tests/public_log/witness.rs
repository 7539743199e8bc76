//! A witness: the real program, in a process of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use harness::{Failure, LONG, Outcome, Program};

use crate::node::bcrdt;

pub struct Witness {
    child: Child,
    /// Where it takes checkpoints.
    pub url: String,
    /// Its key.
    pub vkey: String,
}

impl Witness {
    /// Starts a witness of the log with this key; its files are in `folder`.
    pub fn start(folder: &Path, name: &str, log: &str) -> Outcome<Witness> {
        std::fs::create_dir_all(folder)?;
        let (key, state) = (folder.join("key"), folder.join("state"));
        let mut make = bcrdt()?;
        make.args(["witness-key", name]).arg(&key);
        let vkey = String::from_utf8_lossy(&Program::new(make, LONG).run()?)
            .trim_end()
            .to_owned();
        let mut run = bcrdt()?;
        run.args(["witness", "--listen", "127.0.0.1:0", "--log", log])
            .arg("--key")
            .arg(&key)
            .arg("--state")
            .arg(&state)
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = run.spawn()?;
        let url = child.stderr.take().and_then(listens_on);
        let Some(url) = url else {
            child.kill()?;
            child.wait()?;
            return Err(Failure::new("the witness does not say where it listens"));
        };
        Ok(Witness { child, url, vkey })
    }
}

/// Reads on until the witness says where it listens; what it says later is read away.
fn listens_on(stderr: impl std::io::Read + Send + 'static) -> Option<String> {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let address = line.split_whitespace().find_map(|word| {
                let word = word.trim_matches(|c: char| !c.is_ascii_digit());
                word.starts_with("127.0.0.1:")
                    .then(|| format!("http://{word}"))
            });
            if let Some(address) = address {
                // The test may be over.
                let _ = sender.send(address);
            }
        }
    });
    receiver.recv_timeout(Duration::from_secs(30)).ok()
}

impl Drop for Witness {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
