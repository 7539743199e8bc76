//! A real `bcrdt witness`, and the HTTP that a log would speak with it.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// For what happens at once; only a failure waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder that is gone after the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn bcrdt(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bcrdt"))
        .args(arguments)
        .output()
        .unwrap()
}

/// A witness that runs; killed when it is dropped.
pub struct Witness {
    child: Child,
    pub address: SocketAddr,
    said: Arc<Mutex<String>>,
    listener: Option<JoinHandle<()>>,
}

impl Witness {
    /// Starts it with the key `key` and the state `state` of the folder, and waits until it
    /// listens.
    pub fn start(folder: &Folder, logs: &[String]) -> Self {
        let (key, state) = (folder.file("key"), folder.file("state"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_bcrdt"));
        command.args([
            "witness",
            "--listen",
            "127.0.0.1:0",
            "--key",
            &key,
            "--state",
            &state,
        ]);
        for log in logs {
            command.args(["--log", log]);
        }
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = String::new();
        let address = loop {
            let line = lines
                .next()
                .unwrap_or_else(|| panic!("it ended: {said}"))
                .unwrap();
            if let Some(address) = line.strip_prefix("listening on ") {
                break address.parse().unwrap();
            }
            said += &(line + "\n");
        };
        let said = Arc::new(Mutex::new(said));
        let hears = Arc::clone(&said);
        let listener = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                *hears.lock().unwrap() += &(line + "\n");
            }
        });
        Self {
            child,
            address,
            said,
            listener: Some(listener),
        }
    }

    pub fn post(&self, body: &str) -> Answer {
        post(self.address, body).unwrap()
    }

    /// All over one connection.
    pub fn post_all(&self, bodies: &[String]) -> Vec<Answer> {
        let mut socket = BufReader::new(TcpStream::connect(self.address).unwrap());
        socket.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
        bodies
            .iter()
            .map(|body| {
                let text = post_text(body, "keep-alive");
                socket.get_ref().write_all(text.as_bytes()).unwrap();
                read_answer(&mut socket).unwrap()
            })
            .collect()
    }

    pub fn get(&self, path: &str) -> Answer {
        exchange(
            self.address,
            &format!("GET {path} HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n"),
        )
        .unwrap()
    }

    /// As a power cut would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; gives how it ended, and all that it said.
    pub fn end(mut self) -> (ExitStatus, String) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        self.listener.take().unwrap().join().unwrap();
        (status, self.said.lock().unwrap().clone())
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub body: String,
}

pub fn post(address: SocketAddr, body: &str) -> std::io::Result<Answer> {
    exchange(address, &post_text(body, "close"))
}

fn post_text(body: &str, connection: &str) -> String {
    let length = body.len();
    format!(
        "POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nConnection: {connection}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

/// Sends bytes, reads to the end.
fn exchange(address: SocketAddr, request: &str) -> std::io::Result<Answer> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    // A refusal may come before all was sent.
    let _ = socket.write_all(request.as_bytes());
    read_answer(&mut BufReader::new(socket))
}

fn read_answer(from: &mut impl BufRead) -> std::io::Result<Answer> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 {
            return Err(std::io::Error::other("no answer"));
        }
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let header = |name: &str| {
        head.iter()
            .filter_map(|line| line.split_once(": "))
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
    };
    let length: usize = header("content-length").unwrap().parse().unwrap();
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok(Answer {
        status: head[0].split(' ').nth(1).unwrap().parse().unwrap(),
        content_type: header("content-type").unwrap_or_default(),
        body: String::from_utf8(body).unwrap(),
    })
}
