//! Connections: HTTP/1.1, as many as there is room for, none for ever.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::service::{self, Service};

/// Open connections, of all callers and of one address.
const MAX_CONNECTIONS: usize = 256;
const MAX_OF_ADDRESS: usize = 64;
/// For the headers of a request to arrive, and for the next one on a connection to begin.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest that a connection is kept; then its last answer has `GRACE` to go out.
const MAX_AGE: Duration = Duration::from_secs(300);
const GRACE: Duration = Duration::from_secs(5);
/// Bytes of a request's headers.
const MAX_HEADER_BYTES: usize = 16 << 10;
/// Requests that wait for the disk at a time.
const DISK_THREADS: usize = 16;
/// After a failed accept, mostly for want of file descriptors: time for some to be closed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until SIGTERM or SIGINT, then lets open requests finish.
pub fn serve(listen: SocketAddr, service: Service) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(DISK_THREADS)
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let stop = stop_signal().map_err(|error| error.to_string())?;
        let listener = TcpListener::bind(listen)
            .await
            .map_err(|error| format!("{listen}: {error}"))?;
        let bound = listener.local_addr().map_err(|error| error.to_string())?;
        eprintln!("witness {}", service.key());
        eprintln!("listening on {bound}");
        accept(listener, service::router(Arc::new(service)), stop).await;
        eprintln!("ended");
        Ok(())
    })
}

fn stop_signal() -> io::Result<watch::Receiver<bool>> {
    let (tell, told) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        // Nobody left to tell is no harm.
        let _ = tell.send(true);
    });
    Ok(told)
}

async fn accept(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let addresses = Arc::new(Addresses::default());
    let mut open = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            Some(_) = open.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((socket, from)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Without a place the socket is dropped, which closes it.
        if open.len() < MAX_CONNECTIONS
            && let Some(place) = addresses.take(from.ip())
        {
            open.spawn(converse(socket, router.clone(), stop.clone(), place));
        }
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}

/// One connection to its end.
async fn converse(
    socket: TcpStream,
    router: Router,
    mut stop: watch::Receiver<bool>,
    _place: Place,
) {
    // Failing only costs latency.
    let _ = socket.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(socket), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stop.wait_for(|stop| *stop) => {}
        () = tokio::time::sleep(MAX_AGE) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(GRACE, connection).await;
}

/// How many connections each address has.
#[derive(Default)]
struct Addresses(Mutex<HashMap<IpAddr, usize>>);

/// A connection of an address, until it is dropped.
struct Place {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Addresses {
    fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= MAX_OF_ADDRESS {
            return None;
        }
        *count += 1;
        Some(Place {
            addresses: Arc::clone(self),
            address,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self
            .addresses
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}
