//! Calling ordinary web servers: plain HTTP, or TLS with the certificate authorities that the system
//! trusts. Witnesses are such servers; what they say is checked by signatures, not by TLS.

use std::{sync::Arc, time::Duration};

use reqwest::{Client, Url, header::CONTENT_TYPE, redirect};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::sync::OnceCell;

use crate::{
    budget::{Bytes, Room},
    config::Limits,
    error::TransportError,
    event::WebAnswer,
};

/// The most bytes of a body that is sent to or taken from an ordinary web server.
pub const MAX_WEB_BODY: usize = 64 << 10;
/// Requests to web servers at a time.
const MAX_REQUESTS: usize = 16;
/// The most bytes of a URL.
const MAX_URL: usize = 1_024;

/// One request to come.
pub(crate) struct WebRequest {
    url: Url,
    body: Vec<u8>,
}

impl WebRequest {
    pub(crate) fn new(url: &str, body: Vec<u8>) -> Result<Self, TransportError> {
        let url = parse(url).map_err(TransportError::BadUrl)?;
        Ok(Self { url, body })
    }
}

/// Whether [`Handle::post_web`](crate::Handle::post_web) can call `url`.
pub fn is_web_url(url: &str) -> bool {
    parse(url).is_ok()
}

/// An http:// or https:// URL with a host, without name, password, query or fragment.
fn parse(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && text.len() <= MAX_URL;
    match plain {
        true => Ok(url),
        false => Err("must be http://host[:port][/path] or https://host[:port][/path]".into()),
    }
}

/// The client of all such servers.
pub(crate) struct Web {
    client: OnceCell<Result<Client, TransportError>>,
    connect_timeout: Duration,
    timeout: Duration,
    pub(crate) room: Room,
}

impl Web {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            client: OnceCell::new(),
            connect_timeout: limits.connect_timeout,
            timeout: limits.request_timeout,
            room: Room::new(MAX_REQUESTS, MAX_REQUESTS * 2 * MAX_WEB_BODY),
        }
    }

    /// One POST; the answer's bytes are counted in `bytes` as they arrive.
    pub(crate) async fn post(
        &self,
        request: WebRequest,
        bytes: &mut Bytes,
    ) -> Result<WebAnswer, TransportError> {
        tokio::time::timeout(self.timeout, self.exchange(request, bytes))
            .await
            .unwrap_or(Err(TransportError::Timeout))
    }

    async fn exchange(
        &self,
        request: WebRequest,
        bytes: &mut Bytes,
    ) -> Result<WebAnswer, TransportError> {
        let broken = |error: reqwest::Error| TransportError::of(&error);
        let client = self.client().await?;
        let request = client.post(request.url).body(request.body);
        let mut response = request.send().await.map_err(broken)?;
        let content_type = response.headers().get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > MAX_WEB_BODY {
                let (what, limit) = ("answer", MAX_WEB_BODY);
                return Err(TransportError::TooLarge { what, limit });
            }
            if !bytes.grow(chunk.len()) {
                return Err(TransportError::Busy);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(WebAnswer {
            status: response.status().as_u16(),
            content_type,
            body,
        })
    }

    /// The client, made at its first use: most nodes need none, and the system's certificates are
    /// many.
    async fn client(&self) -> Result<&Client, TransportError> {
        let connect_timeout = self.connect_timeout;
        let make = async move || {
            let made = tokio::task::spawn_blocking(move || client(connect_timeout)).await;
            made.unwrap_or(Err(TransportError::Stopped))
        };
        self.client
            .get_or_init(make)
            .await
            .as_ref()
            .map_err(Clone::clone)
    }
}

/// A client that trusts whom the system trusts; reads files.
fn client(connect_timeout: Duration) -> Result<Client, TransportError> {
    let mut roots = RootCertStore::empty();
    // Certificates that cannot be read vouch for nobody; without any, https:// URLs fail and say so.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let broken = |error: &dyn std::error::Error| TransportError::Broken(error.to_string());
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| broken(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(connect_timeout)
        .pool_max_idle_per_host(1)
        .redirect(redirect::Policy::none())
        .referer(false)
        // As for peers: the environment of a database server must not reroute its calls.
        .no_proxy()
        .build()
        .map_err(|error| broken(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A URL with a password would put it into every log on the way; one without a host calls nobody.
    #[test]
    fn only_plain_web_urls_are_called() {
        for good in [
            "http://127.0.0.1:8080",
            "https://witness.example/w1/",
            "http://[::1]:80/x",
        ] {
            assert!(is_web_url(good), "{good}");
        }
        let long = format!("https://witness.example/{}", "a".repeat(MAX_URL));
        for bad in [
            "",
            "witness.example",
            "ftp://witness.example",
            "file:///etc/passwd",
            "https://name:password@witness.example",
            "https://witness.example/?a=b",
            "https://witness.example/#a",
            &long,
        ] {
            assert!(!is_web_url(bad), "{bad}");
        }
    }
}
