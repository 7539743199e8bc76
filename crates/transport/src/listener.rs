//! Accepting connections, within the bounds on strangers and on known callers.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, task::JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::{
    budget::Budget,
    connection::{self, Slots},
    shared::Shared,
};

/// After a failed accept, mostly for want of file descriptors: time for some to be closed.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// For open connections to send what they have when the thread ends.
pub(crate) const GRACE: Duration = Duration::from_millis(500);

/// Binds now, so that the host learns of an address in use; `0` picks a port.
pub(crate) fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves until the stop signal, then lets open connections finish within [`GRACE`].
pub(crate) async fn serve(shared: Arc<Shared>, listener: TcpListener, acceptor: TlsAcceptor) {
    let handshakes = Budget::new(shared.limits.max_handshakes);
    let connections = Budget::new(shared.limits.max_connections);
    let mut open = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = shared.stop.raised() => break,
            Some(_) = open.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((socket, _)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Without a place the socket is dropped, which closes it.
        if let Some(handshake) = handshakes.take(1) {
            let slots = Slots {
                handshake,
                connections: Arc::clone(&connections),
            };
            let (shared, acceptor) = (Arc::clone(&shared), acceptor.clone());
            open.spawn(connection::run(shared, acceptor, socket, slots));
        }
    }
    drop(listener);
    shared.give_up_answers();
    let finished = async { while open.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, finished).await;
}
