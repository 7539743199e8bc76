//! Which process is at the other end of a loopback connection, by /proc.

use std::fs;
use std::net::SocketAddr;

/// The inode of the socket whose own address is `own` and whose peer is `peer`.
pub fn inode(own: SocketAddr, peer: SocketAddr) -> Option<u64> {
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    find(&table, &address(own)?, &address(peer)?)
}

fn find(table: &str, own: &str, peer: &str) -> Option<u64> {
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let (at, to, inode) = (fields.get(1)?, fields.get(2)?, fields.get(9)?);
        if *at == own && *to == peer {
            inode.parse().ok()
        } else {
            None
        }
    })
}

/// As /proc/net/tcp writes it: the address as a number in the machine's order, hex.
fn address(of: SocketAddr) -> Option<String> {
    match of {
        SocketAddr::V4(v4) => Some(format!(
            "{:08X}:{:04X}",
            u32::from_ne_bytes(v4.ip().octets()),
            v4.port()
        )),
        SocketAddr::V6(_) => None,
    }
}

/// Whether the process has the socket with this inode open.
pub fn holds(pid: i32, inode: u64) -> bool {
    let wanted = format!("socket:[{inode}]");
    fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| {
            fs::read_link(entry.path()).is_ok_and(|link| link.as_os_str() == wanted.as_str())
        })
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    /// A cut node would go on sending if the proxy could not tell whose connection it is.
    #[test]
    fn own_socket_is_found() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
        let out = TcpStream::connect(listener.local_addr().expect("address")).expect("connect");
        let inode = inode(
            out.local_addr().expect("own"),
            out.peer_addr().expect("peer"),
        )
        .expect("inode");
        let me = i32::try_from(std::process::id()).expect("pid");
        assert!(holds(me, inode));
        assert!(!holds(1, inode));
    }
}
