//! Strangers that break the rules of HTTP or of good manners, byte by byte.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};

use super::{Get, Keep, Page, Public, PublicConfig, PublicLimits};
use crate::{
    Start, StartError,
    hostile_tests::{PATIENCE, caller, impatient, node, within_patience},
};

fn brisk() -> PublicLimits {
    PublicLimits {
        head_timeout: Duration::from_millis(400),
        request_timeout: Duration::from_millis(400),
        ..PublicLimits::default()
    }
}

fn open(node: &Start, limits: PublicLimits) -> Public {
    let config = PublicConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        limits,
    };
    node.handle.serve_public(config, || ()).expect("listens")
}

fn page(keep: Keep, body: &[u8]) -> Page {
    Page {
        status: 200,
        content_type: "text/plain",
        keep,
        body: body.to_vec(),
    }
}

/// Sends `bytes` and reads all that comes until the end of the connection.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(address).await.expect("connects");
    socket.write_all(bytes).await.expect("is sent");
    let mut answer = Vec::new();
    // A reset after the answer is an end too.
    let _ = socket.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn get(address: SocketAddr, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: log\r\nConnection: close\r\n\r\n");
    exchange(address, request.as_bytes()).await
}

/// The next request, which must come.
async fn next(public: &Public) -> Get {
    let begin = Instant::now();
    loop {
        if let Some(get) = public.try_recv() {
            return get;
        }
        assert!(begin.elapsed() < PATIENCE, "no request came");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Asks, and answers what is asked with `page`.
async fn ask(public: &Public, path: &'static str, page: Page) -> String {
    let asking: JoinHandle<String> = tokio::spawn(get(public.address(), path));
    next(public).await.reply(page);
    asking.await.expect("an answer")
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or(answer)
}

/// Nothing but plain reading may reach the host, whatever strangers send.
#[test]
fn only_plain_reading_reaches_the_host() {
    within_patience(async {
        let node = node(impatient());
        let public = open(&node, brisk());
        let long = format!("GET /{} HTTP/1.1\r\nHost: log\r\n\r\n", "a".repeat(128));
        let huge = format!(
            "GET / HTTP/1.1\r\nHost: log\r\nX: {}\r\n\r\n",
            "a".repeat(9000)
        );
        for (request, wanted) in [
            (
                "POST /checkpoint HTTP/1.1\r\nHost: log\r\nContent-Length: 2\r\n\r\nhi",
                "405",
            ),
            ("DELETE /checkpoint HTTP/1.1\r\nHost: log\r\n\r\n", "405"),
            ("CONNECT log:80 HTTP/1.1\r\nHost: log\r\n\r\n", "405"),
            (
                "GET / HTTP/1.1\r\nHost: log\r\nContent-Length: 2\r\n\r\nhi",
                "413",
            ),
            (
                "GET / HTTP/1.1\r\nHost: log\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
                "413",
            ),
            ("GET /checkpoint?a=b HTTP/1.1\r\nHost: log\r\n\r\n", "404"),
            (&long, "414"),
            (&huge, "431"),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""),
            ("\x16\x03\x01\x02\x00", "400"),
            (
                "GET / HTTP/1.1\r\nHost: log\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                "413",
            ),
        ] {
            let answer = exchange(public.address(), request.as_bytes()).await;
            assert_eq!(status(&answer), wanted, "{request:?}: {answer:?}");
            assert!(public.try_recv().is_none(), "{request:?}");
        }
    });
}

/// A reader gets what the host answers, with headers that let a proxy keep what never changes.
#[test]
fn answers_say_how_long_they_stay_right() {
    within_patience(async {
        let node = node(impatient());
        let public = open(&node, brisk());
        for (keep, wanted) in [
            (Keep::Seconds, "cache-control: public, max-age=2\r\n"),
            (Keep::Hour, "cache-control: public, max-age=3600\r\n"),
            (Keep::Never, "cache-control: no-store\r\n"),
        ] {
            let answer = ask(&public, "/changing", page(keep, b"text")).await;
            assert!(answer.contains(wanted), "{answer}");
            assert!(answer.contains("content-type: text/plain\r\n"), "{answer}");
            assert!(answer.ends_with("\r\n\r\ntext"), "{answer}");
        }
        let first = ask(&public, "/fixed", page(Keep::Forever, b"tile")).await;
        let again = get(public.address(), "/fixed").await;
        for answer in [first, again] {
            assert!(
                answer.contains("max-age=31536000, immutable\r\n"),
                "{answer}"
            );
            assert!(answer.ends_with("\r\n\r\ntile"), "{answer}");
        }
        assert!(public.try_recv().is_none());
        let head = "HEAD /fixed HTTP/1.1\r\nHost: log\r\nConnection: close\r\n\r\n";
        let head = exchange(public.address(), head.as_bytes()).await;
        assert!(head.contains("content-length: 4\r\n"), "{head}");
        assert!(head.ends_with("\r\n\r\n"), "{head}");
    });
}

/// A host that is busy or refuses must cost a stranger a quick answer, and nobody any memory.
#[test]
fn a_host_that_does_not_answer_is_told_so() {
    within_patience(async {
        let node = node(impatient());
        let limits = PublicLimits {
            max_inflight: 2,
            ..brisk()
        };
        let public = open(&node, limits);
        let waiting = [
            tokio::spawn(get(public.address(), "/a")),
            tokio::spawn(get(public.address(), "/b")),
        ];
        let held = [next(&public).await, next(&public).await];
        let busy = get(public.address(), "/c").await;
        assert_eq!(status(&busy), "503", "{busy}");
        assert!(busy.contains("retry-after: 1\r\n"), "{busy}");
        for asking in waiting {
            assert_eq!(status(&asking.await.expect("an answer")), "504");
        }
        assert!(held.iter().all(Get::is_given_up));
        drop(held);
        let asking = tokio::spawn(get(public.address(), "/d"));
        drop(next(&public).await);
        assert_eq!(status(&asking.await.expect("an answer")), "503");
        let odd = ask(
            &public,
            "/e",
            Page {
                status: 101,
                ..page(Keep::Never, b"x")
            },
        )
        .await;
        assert_eq!(status(&odd), "500");
    });
}

/// One greedy reader must not take the host's time from the others.
#[test]
fn an_address_over_its_rate_is_turned_away() {
    within_patience(async {
        let node = node(impatient());
        let limits = PublicLimits {
            requests_per_second: 1,
            burst: 3,
            ..brisk()
        };
        let public = open(&node, limits);
        for path in ["/a", "/b", "/c"] {
            let answer = ask(&public, path, page(Keep::Never, b"")).await;
            assert_eq!(status(&answer), "200");
        }
        let answer = get(public.address(), "/d").await;
        assert_eq!(status(&answer), "429", "{answer}");
        assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
    });
}

async fn is_closed(socket: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    let end = tokio::time::timeout(PATIENCE / 2, socket.read_to_end(&mut rest)).await;
    end.is_ok()
}

/// Strangers that hold all their connections open, silent or byte by byte, must not keep peers out,
/// nor other strangers for long.
#[test]
fn slow_strangers_lose_their_places_and_never_those_of_peers() {
    within_patience(async {
        let node = node(impatient());
        let limits = PublicLimits {
            max_connections: 2,
            max_address_connections: 2,
            ..brisk()
        };
        let public = open(&node, limits);
        let connect = async || {
            TcpStream::connect(public.address())
                .await
                .expect("connects")
        };
        let begin = Instant::now();
        let mut silent = connect().await;
        let dripping = connect().await;
        let mut third = connect().await;
        assert!(is_closed(&mut third).await);
        assert!(begin.elapsed() < limits.head_timeout);
        // Peers have places of their own.
        caller(&node).await;
        let (mut read, mut write) = dripping.into_split();
        let drip = tokio::spawn(async move {
            for byte in b"GET / HTTP/1.1\r\nHost: log\r\nX: "
                .iter()
                .chain(&[b'a'; 1_000])
            {
                if write.write_all(&[*byte]).await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        assert!(is_closed(&mut silent).await);
        let mut rest = Vec::new();
        let _ = read.read_to_end(&mut rest).await;
        assert!(begin.elapsed() < Duration::from_secs(4));
        drip.abort();
        assert!(public.try_recv().is_none());
        let answer = ask(&public, "/a", page(Keep::Never, b"ok")).await;
        assert_eq!(status(&answer), "200");
    });
}

/// Without this, a reader that never reads makes the node keep its answer for ever.
#[test]
fn an_answer_that_is_not_read_ends_the_connection() {
    within_patience(async {
        let node = node(impatient());
        let limits = PublicLimits {
            max_inflight: 1,
            ..brisk()
        };
        let public = open(&node, limits);
        let mut deaf = TcpStream::connect(public.address())
            .await
            .expect("connects");
        let request = b"GET /large HTTP/1.1\r\nHost: log\r\n\r\n";
        deaf.write_all(request).await.expect("is sent");
        next(&public)
            .await
            .reply(page(Keep::Forever, &vec![0; 32 << 20]));
        let begin = Instant::now();
        // Its place is free again when its connection has ended.
        loop {
            let answer = get(public.address(), "/a");
            let reply = async { next(&public).await.reply(page(Keep::Never, b"ok")) };
            let reply = tokio::time::timeout(Duration::from_millis(100), reply);
            let (answer, _) = tokio::join!(answer, reply);
            if status(&answer) == "200" {
                break;
            }
            assert!(begin.elapsed() < Duration::from_secs(4), "{answer}");
        }
        assert!(begin.elapsed() >= limits.request_timeout);
    });
}

/// A setting that is taken back must close the door at once, and one that cannot work must say so.
#[test]
fn closing_frees_the_address() {
    within_patience(async {
        let node = node(impatient());
        let public = open(&node, brisk());
        let listen = public.address();
        let config = PublicConfig {
            listen,
            limits: brisk(),
        };
        let taken = node.handle.serve_public(config, || ());
        assert!(matches!(taken, Err(StartError::Bind { .. })), "{taken:?}");
        drop(public);
        let begin = Instant::now();
        let again = loop {
            match node.handle.serve_public(config, || ()) {
                Ok(public) => break public,
                Err(error) => assert!(begin.elapsed() < PATIENCE / 2, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        assert_eq!(
            status(&ask(&again, "/a", page(Keep::Never, b"ok")).await),
            "200"
        );
        let limits = PublicLimits {
            max_inflight: 0,
            ..brisk()
        };
        let unfit = node
            .handle
            .serve_public(PublicConfig { listen, limits }, || ());
        assert!(matches!(
            unfit,
            Err(StartError::Limit {
                name: "max_inflight"
            })
        ));
    });
}
