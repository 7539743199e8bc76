//! One connection of a stranger: HTTP/1.1, one request at a time.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Instant};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use crate::{
    budget::Held,
    pace::{Pace, Requests},
};

use super::{Desk, addresses::Address, request};

/// Bytes of the head of one request; a tool's has a few hundred.
const MAX_HEAD: usize = 8 << 10;
/// Headers of one request.
const MAX_HEADERS: usize = 64;

/// Who holds a connection, and the places it takes.
pub(super) struct Caller {
    pub(super) address: Arc<Address>,
    pub(super) _places: [Held; 2],
}

/// Converses until the caller leaves, stalls or idles, or the listener is closed.
pub(super) async fn run(desk: Arc<Desk>, socket: TcpStream, caller: Caller) {
    // Failing only costs latency.
    let _ = socket.set_nodelay(true);
    let requests = Requests::new();
    let service = service_fn(|asked| {
        let (desk, address) = (Arc::clone(&desk), Arc::clone(&caller.address));
        let open = requests.open(Instant::now());
        async move { Ok::<_, Infallible>(request::answer(desk, address, open, asked).await) }
    });
    let limits = desk.limits;
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_header_size(MAX_HEAD)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(socket), service);
    let mut serving = pin!(serving);
    let mut check = tokio::time::interval(limits.request_timeout.min(limits.head_timeout) / 2);
    let mut leaving = false;
    loop {
        tokio::select! {
            _ = serving.as_mut() => return,
            () = desk.closed.raised(), if !leaving => {
                leaving = true;
                serving.as_mut().graceful_shutdown();
            }
            // A connection that idles may be within the head of a request, byte by byte: twice its
            // time is too long for that too.
            _ = check.tick() => match requests.pace(
                Instant::now(),
                limits.request_timeout,
                limits.head_timeout * 2,
            ) {
                Pace::Live => {}
                Pace::Idle | Pace::Stuck => return,
            }
        }
    }
}
