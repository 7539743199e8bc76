//! Accepting strangers, within their bounds.

use std::{sync::Arc, time::Instant};

use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    budget::Budget,
    listener::{ACCEPT_PAUSE, GRACE},
};

use super::{
    Desk,
    connection::{self, Caller},
};

/// Serves until the host closes the listener, then lets open connections finish for a moment.
pub(super) async fn serve(desk: Arc<Desk>, listener: std::net::TcpListener) {
    // Not registered with the poller: nobody can be served.
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    let connections = Budget::new(desk.limits.max_connections);
    let mut open = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = desk.closed.raised() => break,
            Some(_) = open.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((socket, from)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Without a place the socket is dropped, which closes it.
        let caller = connections.take(1).and_then(|place| {
            let address = desk.addresses.get(from.ip(), Instant::now())?;
            let own = address.connections.take(1)?;
            Some(Caller {
                address,
                _places: [own, place],
            })
        });
        if let Some(caller) = caller {
            open.spawn(connection::run(Arc::clone(&desk), socket, caller));
        }
    }
    drop(listener);
    let finished = async { while open.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, finished).await;
}
