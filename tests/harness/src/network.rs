//! The network between nodes, which can fail: every node advertises the address of
//! a small TCP proxy here, and the proxy decides which connections live.
//!
//! A node that is cut off reaches nobody and is reached by nobody. The proxy learns
//! who opened a connection from the operating system, since the connections
//! themselves are encrypted.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::{Outcome, Port, process, socket};

const BUFFER: usize = 64 * 1024;
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

struct Node {
    name: String,
    /// Holds postmaster.pid, which names the process that runs now.
    data: PathBuf,
}

/// A connection through a proxy: the node that opened it, the node it goes to.
struct Pipe {
    id: u64,
    from: Option<String>,
    to: String,
    ends: [TcpStream; 2],
}

#[derive(Default)]
struct State {
    nodes: Vec<Node>,
    /// Nodes that reach nobody.
    cut: BTreeSet<String>,
    /// Pairs that do not reach each other, both ways round.
    broken: BTreeSet<(String, String)>,
    pipes: Vec<Pipe>,
    next_id: u64,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    over: AtomicBool,
}

impl State {
    fn blocks(&self, from: Option<&str>, to: &str) -> bool {
        match from {
            Some(from) => {
                let pair = (from.to_owned(), to.to_owned());
                self.cut.contains(from) || self.cut.contains(to) || self.broken.contains(&pair)
            }
            // Not a node's, or opened by a process that is gone: it may be the cut
            // node's, and the others open theirs anew.
            None => !self.cut.is_empty() || !self.broken.is_empty(),
        }
    }

    fn break_blocked(&self) {
        for pipe in &self.pipes {
            if self.blocks(pipe.from.as_deref(), &pipe.to) {
                close(&pipe.ends);
            }
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The network of one cluster. Dropping it closes every connection.
#[derive(Default)]
pub struct Network {
    shared: Arc<Shared>,
    doors: Vec<(Port, JoinHandle<()>)>,
}

impl Network {
    /// Puts a proxy before the node whose server keeps its data in `data` and which
    /// listens on `port`; gives the port of the proxy, to be advertised to peers.
    pub fn add(&mut self, state: &Path, name: &str, data: &Path, port: u16) -> Outcome<u16> {
        let claim = Port::claim(state)?;
        let door = claim.number();
        let listener = TcpListener::bind(("127.0.0.1", door))?;
        self.shared.state().nodes.push(Node {
            name: name.to_owned(),
            data: data.to_owned(),
        });
        let (shared, name) = (Arc::clone(&self.shared), name.to_owned());
        let thread = thread::spawn(move || {
            for incoming in listener.incoming() {
                if shared.over.load(Ordering::Relaxed) {
                    return;
                }
                if let Ok(incoming) = incoming {
                    let (shared, name) = (Arc::clone(&shared), name.clone());
                    thread::spawn(move || carry(&shared, incoming, &name, port));
                }
            }
        });
        self.doors.push((claim, thread));
        Ok(door)
    }

    /// Cuts a node off from all others: its connections break and new ones fail.
    pub fn cut(&self, name: &str) {
        let mut state = self.shared.state();
        state.cut.insert(name.to_owned());
        state.break_blocked();
    }

    /// Brings a node back.
    pub fn join(&self, name: &str) {
        self.shared.state().cut.remove(name);
    }

    /// Keeps two nodes from each other; both still reach the others.
    pub fn cut_link(&self, one: &str, other: &str) {
        let mut state = self.shared.state();
        state.broken.insert((one.to_owned(), other.to_owned()));
        state.broken.insert((other.to_owned(), one.to_owned()));
        state.break_blocked();
    }

    /// Lets two nodes reach each other again.
    pub fn join_link(&self, one: &str, other: &str) {
        let mut state = self.shared.state();
        state.broken.remove(&(one.to_owned(), other.to_owned()));
        state.broken.remove(&(other.to_owned(), one.to_owned()));
    }

    /// How many connections there are now.
    pub fn connections(&self) -> usize {
        self.shared.state().pipes.len()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        for (port, _) in &self.doors {
            // Wakes the thread that waits in accept, which then sees that it is over.
            let _ = TcpStream::connect(("127.0.0.1", port.number()));
        }
        for (_, thread) in self.doors.drain(..) {
            let _ = thread.join();
        }
        for pipe in &self.shared.state().pipes {
            close(&pipe.ends);
        }
    }
}

fn close(ends: &[TcpStream; 2]) {
    for end in ends {
        // Closed already is as good.
        let _ = end.shutdown(Shutdown::Both);
    }
}

/// The node whose process opened the connection that arrived as `incoming`.
fn opener(shared: &Shared, incoming: &TcpStream) -> Option<String> {
    let inode = socket::inode(incoming.peer_addr().ok()?, incoming.local_addr().ok()?)?;
    let servers: Vec<(String, i32)> = shared
        .state()
        .nodes
        .iter()
        .filter_map(|node| {
            let text = std::fs::read_to_string(node.data.join("postmaster.pid")).ok()?;
            Some((node.name.clone(), text.lines().next()?.parse().ok()?))
        })
        .collect();
    servers
        .into_iter()
        .find(|(_, root)| {
            process::tree(*root)
                .into_iter()
                .any(|pid| socket::holds(pid, inode))
        })
        .map(|(name, _)| name)
}

/// Carries one connection to the node `to`, which listens on `port`.
fn carry(shared: &Shared, incoming: TcpStream, to: &str, port: u16) {
    let from = opener(shared, &incoming);
    let target = SocketAddr::from(([127, 0, 0, 1], port));
    let Ok(outgoing) = TcpStream::connect_timeout(&target, CONNECT_LIMIT) else {
        return;
    };
    // Small messages must not wait for the acknowledgement of the ones before.
    let _ = (incoming.set_nodelay(true), outgoing.set_nodelay(true));
    let (Ok(near), Ok(far)) = (incoming.try_clone(), outgoing.try_clone()) else {
        return;
    };
    let (Ok(back_from), Ok(back_to)) = (outgoing.try_clone(), incoming.try_clone()) else {
        return;
    };
    let id = {
        let mut state = shared.state();
        if state.blocks(from.as_deref(), to) {
            return;
        }
        let id = state.next_id;
        state.next_id += 1;
        state.pipes.push(Pipe {
            id,
            from,
            to: to.to_owned(),
            ends: [near, far],
        });
        id
    };
    let back = thread::spawn(move || pump(back_from, back_to));
    pump(incoming, outgoing);
    let _ = back.join();
    shared.state().pipes.retain(|pipe| pipe.id != id);
}

/// Copies until the connection ends, then passes the end on.
fn pump(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = vec![0; BUFFER];
    loop {
        match from.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(count) => {
                if to.write_all(&buffer[..count]).is_err() {
                    break;
                }
            }
        }
    }
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}
