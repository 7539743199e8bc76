//! One connection of a caller: handshake, service, and the reasons to end it.

use std::{pin::pin, sync::Arc, time::Instant};

use axum::{Extension, Router};
use hyper::server::conn::http2;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{
    budget::{Budget, Held},
    config::Limits,
    directory::Caller,
    pace::{Pace, Requests},
    request,
    shared::Shared,
    tls,
};

/// Bytes of all headers of one request; ours need a few hundred.
const MAX_HEADER_BYTES: u32 = 8 << 10;

/// Room that a connection takes: first among strangers, then among known callers.
pub(crate) struct Slots {
    pub(crate) handshake: Held,
    pub(crate) connections: Arc<Budget>,
}

/// Serves one connection to its end.
pub(crate) async fn run(
    shared: Arc<Shared>,
    acceptor: TlsAcceptor,
    socket: TcpStream,
    slots: Slots,
) {
    // Failing only costs latency.
    let _ = socket.set_nodelay(true);
    let handshake = acceptor.accept(socket);
    let Ok(Ok(stream)) = tokio::time::timeout(shared.limits.handshake_timeout, handshake).await
    else {
        return;
    };
    let Some(caller) = tls::client_key(stream.get_ref().1)
        .and_then(|key| shared.directory.caller(&key, Instant::now()))
    else {
        return;
    };
    let (Some(_own), Some(_total)) = (caller.connections.take(1), slots.connections.take(1)) else {
        return;
    };
    drop(slots.handshake);
    let session = Session {
        caller,
        requests: Requests::new(),
    };
    converse(shared, stream, Arc::new(session)).await;
}

/// Speaks HTTP/2 until the caller leaves, is removed, stalls or idles, or the thread ends.
async fn converse(shared: Arc<Shared>, stream: TlsStream<TcpStream>, session: Arc<Session>) {
    let limits = shared.limits;
    let router = Router::new()
        .fallback(request::answer)
        .layer(Extension(Arc::clone(&session)))
        .with_state(Arc::clone(&shared));
    let serving =
        builder(&limits).serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut serving = pin!(serving);
    let mut expired = pin!(session.caller.expired());
    let mut check = tokio::time::interval(limits.request_timeout.min(limits.idle_timeout) / 2);
    let mut leaving = false;
    loop {
        tokio::select! {
            _ = serving.as_mut() => return,
            () = session.caller.revoked.raised() => return,
            () = expired.as_mut() => return,
            () = shared.stop.raised(), if !leaving => {
                leaving = true;
                serving.as_mut().graceful_shutdown();
            }
            _ = check.tick() => match session.requests.pace(
                Instant::now(),
                limits.request_timeout,
                limits.idle_timeout,
            ) {
                Pace::Live => {}
                // A request that crosses the farewell is not lost: its caller sends it anew.
                Pace::Idle if !leaving => {
                    leaving = true;
                    serving.as_mut().graceful_shutdown();
                }
                Pace::Idle | Pace::Stuck => return,
            }
        }
    }
}

fn builder(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    // Twice what is answered, so that a caller over its limit hears 503 rather than nothing.
    let streams = limits.max_peer_inflight.saturating_mul(2);
    builder
        .timer(TokioTimer::new())
        .adaptive_window(true)
        .max_concurrent_streams(u32::try_from(streams).unwrap_or(u32::MAX))
        .max_header_list_size(MAX_HEADER_BYTES)
        .keep_alive_interval(limits.keep_alive)
        .keep_alive_timeout(limits.keep_alive);
    builder
}

/// What is known of one connection while it is served.
pub(crate) struct Session {
    pub(crate) caller: Arc<Caller>,
    pub(crate) requests: Arc<Requests>,
}
