//! Calling one server: its URL, its pinned key and one warm HTTP/2 connection.

use std::time::Duration;

use reqwest::{Client, Url, redirect};

use crate::{
    budget::{Bytes, Room},
    config::Limits,
    error::TransportError,
    event::Answer,
    key::{Key, Seed},
    signal::Signal,
    tls,
};

/// Grown to at once for an answer of announced length; more only as bytes arrive.
const FIRST_ALLOCATION: usize = 1 << 20;

/// One server that can be called.
#[derive(Debug)]
pub(crate) struct Callee {
    base: Url,
    client: Client,
    max_body: usize,
    timeout: Duration,
    pub(crate) room: Room,
    /// Raised when the peer is removed or its URL changes.
    pub(crate) revoked: Signal,
}

impl Callee {
    /// Prepares calls to `url` with the key of `seed`; nothing is sent yet.
    pub(crate) fn new(
        url: &str,
        server: Key,
        seed: &Seed,
        limits: &Limits,
    ) -> Result<Self, TransportError> {
        let bad_url = |reason: String| TransportError::BadUrl(reason);
        let base = Url::parse(url).map_err(|error| bad_url(error.to_string()))?;
        if !is_plain(&base) {
            return Err(bad_url("must be https://host[:port]".into()));
        }
        let tls = tls::client_config(seed, server).map_err(|error| bad_url(error.to_string()))?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .http2_prior_knowledge()
            .http2_adaptive_window(true)
            .http2_keep_alive_interval(limits.keep_alive)
            .http2_keep_alive_timeout(limits.keep_alive)
            .http2_keep_alive_while_idle(true)
            .pool_idle_timeout(None)
            .tcp_nodelay(true)
            .connect_timeout(limits.connect_timeout)
            .redirect(redirect::Policy::none())
            .referer(false)
            // The environment of a database server must not reroute its peers.
            .no_proxy()
            .build()
            .map_err(|error| bad_url(error.to_string()))?;
        Ok(Self {
            base,
            client,
            max_body: limits.max_body,
            timeout: limits.request_timeout,
            room: Room::new(limits.max_peer_inflight, limits.max_peer_bytes),
            revoked: Signal::new(),
        })
    }

    /// One POST of `body` to `path`; the answer's bytes are counted in `bytes` as they arrive.
    pub(crate) async fn post(
        &self,
        path: &str,
        body: Vec<u8>,
        bytes: &mut Bytes,
    ) -> Result<Answer, TransportError> {
        let exchange = async {
            tokio::select! {
                biased;
                answer = self.exchange(path, body, bytes) => answer,
                () = self.revoked.raised() => Err(TransportError::Removed),
            }
        };
        tokio::time::timeout(self.timeout, exchange)
            .await
            .unwrap_or(Err(TransportError::Timeout))
    }

    async fn exchange(
        &self,
        path: &str,
        body: Vec<u8>,
        bytes: &mut Bytes,
    ) -> Result<Answer, TransportError> {
        let mut url = self.base.clone();
        url.set_path(path);
        let request = self.client.post(url).body(body);
        let mut response = request.send().await.map_err(broken)?;
        let too_large = TransportError::TooLarge {
            what: "answer",
            limit: self.max_body,
        };
        let announced = response.content_length().unwrap_or(0);
        let announced = usize::try_from(announced).unwrap_or(usize::MAX);
        if announced > self.max_body {
            return Err(too_large);
        }
        let mut answer = Vec::with_capacity(announced.min(FIRST_ALLOCATION));
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if answer.len() + chunk.len() > self.max_body {
                return Err(too_large);
            }
            if !bytes.grow(chunk.len()) {
                return Err(TransportError::Busy);
            }
            answer.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status: response.status().as_u16(),
            body: answer,
        })
    }
}

/// Whether `url` is a scheme, a host and maybe a port, and carries no name, password or query that
/// would travel with each request.
fn is_plain(url: &Url) -> bool {
    url.scheme() == "https"
        && url.has_host()
        && url.path() == "/"
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

fn broken(error: reqwest::Error) -> TransportError {
    TransportError::of(&error)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A URL from another's membership record must not send anything but the request to anywhere
    /// but a TLS port.
    #[test]
    fn only_plain_https_urls_are_called() {
        let of = |url: &str| Callee::new(url, [1; 32], &[2; 32], &Limits::default());
        for good in [
            "https://db.example",
            "https://db.example:7000/",
            "https://[::1]:7000",
            "https://10.0.0.1:7000",
        ] {
            assert!(of(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "db.example:7000",
            "http://db.example",
            "https://",
            "https://user@db.example",
            "https://db.example/path",
            "https://db.example?query",
            "https://db.example#fragment",
            "https://db.example:70000",
        ] {
            assert!(matches!(of(bad), Err(TransportError::BadUrl(_))), "{bad}");
        }
    }
}
