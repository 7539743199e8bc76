//! The network between the demo's servers, in a process of its own: it goes on when
//! the demo has ended and its servers stay up.
//!
//! It takes one command a line (`add NAME DATA PORT`, `cut NAME`, `join NAME`) and
//! answers each with one line.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use harness::{Failure, Network, Outcome, Server};

/// Names the process in its folder, for `stop`.
const PID_FILE: &str = "links.pid";
/// First argument of that process.
pub const COMMAND: &str = "links";

/// The other process, seen from the demo.
pub struct Links {
    _child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Links {
    pub fn start(folder: &Path) -> Outcome<Links> {
        let log = fs::File::create(folder.join("links.log"))?;
        let mut child = Command::new(std::env::current_exe()?)
            .args([COMMAND.as_ref(), folder.as_os_str()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .process_group(0)
            .spawn()?;
        fs::write(folder.join(PID_FILE), child.id().to_string())?;
        let (Some(commands), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Failure::new("the network process has no pipes"));
        };
        Ok(Links {
            _child: child,
            commands,
            answers: BufReader::new(answers),
        })
    }

    fn ask(&mut self, command: &str) -> Outcome<String> {
        writeln!(self.commands, "{command}")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        match answer.strip_prefix("ok ") {
            Some(rest) => Ok(rest.trim_end().to_owned()),
            None => Err(Failure::new(format!("network: {command}: {answer}"))),
        }
    }

    /// Gives the port at which other nodes reach this one.
    pub fn add(&mut self, server: &Server) -> Outcome<u16> {
        let data = server.folder().join("data");
        let port = self.ask(&format!(
            "add {} {} {}",
            server.name(),
            server.listen_port(),
            data.display()
        ))?;
        Ok(port.parse()?)
    }

    pub fn cut(&mut self, name: &str) -> Outcome {
        self.ask(&format!("cut {name}")).map(drop)
    }

    pub fn join(&mut self, name: &str) -> Outcome {
        self.ask(&format!("join {name}")).map(drop)
    }
}

/// The process itself. Serves on when nobody commands any more, until it is stopped.
pub fn serve(folder: &Path) -> Outcome {
    let state = folder
        .parent()
        .ok_or_else(|| Failure::new("the demo's folder has no parent"))?;
    let mut network = Network::default();
    for line in std::io::stdin().lines() {
        let answer = match obey(&mut network, state, &line?) {
            Ok(answer) => format!("ok {answer}"),
            Err(failure) => format!("error {}", failure.to_string().replace('\n', " ")),
        };
        println!("{answer}");
    }
    loop {
        thread::park();
    }
}

fn obey(network: &mut Network, state: &Path, line: &str) -> Outcome<String> {
    let words: Vec<&str> = line.splitn(4, ' ').collect();
    match words[..] {
        ["add", name, port, data] => Ok(network
            .add(state, name, Path::new(data), port.parse()?)?
            .to_string()),
        ["cut", name] => {
            network.cut(name);
            Ok(String::new())
        }
        ["join", name] => {
            network.join(name);
            Ok(String::new())
        }
        _ => Err(Failure::new(format!("what is {line:?}?"))),
    }
}

/// Ends the process that an earlier demo left. That there is none is no error.
pub fn stop(folder: &Path) -> Outcome {
    let Ok(pid) = fs::read_to_string(folder.join(PID_FILE)) else {
        return Ok(());
    };
    // Another process may have that number by now.
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words: Vec<&[u8]> = command.split(|byte| *byte == 0).collect();
    if words.get(1) == Some(&COMMAND.as_bytes())
        && words.get(2) == Some(&folder.as_os_str().as_encoded_bytes())
    {
        harness::end_process(pid.trim().parse()?)?;
    }
    Ok(())
}
