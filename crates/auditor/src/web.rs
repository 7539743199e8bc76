//! Reading from a web server: bounded, patient with one that is busy, several answers at a time.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response, Url, redirect};

use crate::trust;

/// Requests at a time.
const AT_ONCE: usize = 8;
/// Times that a request is sent before it counts as failed.
const TRIES: u32 = 8;
/// The first pause after a failure; it doubles with each.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest pause that a server can ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(60);

/// A server, and the URL below which everything is.
pub struct Web {
    runtime: tokio::runtime::Runtime,
    client: Client,
    base: Url,
}

/// An answer.
#[derive(Debug)]
pub struct Got {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Web {
    /// Prepares to read from below `url`; nothing is sent yet.
    pub fn open(url: &str) -> Result<Self, String> {
        let told = |error: &dyn std::fmt::Display| format!("{url}: {error}");
        let mut base = Url::parse(url).map_err(|error| told(&error))?;
        if !matches!(base.scheme(), "http" | "https") || !base.has_host() {
            return Err(told(&"neither http:// nor https://"));
        }
        if !base.path().ends_with('/') {
            let path = format!("{}/", base.path());
            base.set_path(&path);
        }
        Ok(Self {
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| told(&error))?,
            client: client().map_err(|error| told(&error))?,
            base,
        })
    }

    /// What is at `path`, which is relative to the URL; at most `limit` bytes.
    ///
    /// # Errors
    /// Why there is no answer, even after several tries. A status is an answer.
    pub fn get(&self, path: &str, limit: usize) -> Result<Got, String> {
        self.runtime.block_on(self.fetch(path, limit))
    }

    /// The same for several paths, in their order; nothing is sent behind the first failure.
    pub fn get_all(&self, paths: &[String], limit: usize) -> Vec<Result<Got, String>> {
        let fetched = futures_util::stream::iter(paths)
            .map(|path| self.fetch(path, limit))
            .buffered(AT_ONCE);
        self.runtime.block_on(fetched.collect())
    }

    async fn fetch(&self, path: &str, limit: usize) -> Result<Got, String> {
        let url = self
            .base
            .join(path)
            .map_err(|error| format!("{path}: {error}"))?;
        let mut pause = PAUSE;
        for left in (0..TRIES).rev() {
            let failure = match self.client.get(url.clone()).send().await {
                Ok(response) if is_busy(&response) && left > 0 => {
                    pause = pause.max(asked_pause(&response));
                    None
                }
                Ok(response) => match read(response, limit).await {
                    Ok(got) => return Ok(got),
                    Err(failure) => Some(failure),
                },
                Err(error) => Some(cause(&error)),
            };
            if let Some(failure) = failure
                && left < TRIES / 2
            {
                return Err(format!("{url}: {failure}"));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err(format!("{url}: the server is busy"))
    }
}

/// Whether the server asks for patience.
fn is_busy(response: &Response) -> bool {
    matches!(response.status().as_u16(), 429 | 503 | 504)
}

fn asked_pause(response: &Response) -> Duration {
    let asked = response.headers().get(RETRY_AFTER);
    let seconds = asked.and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(0)).min(LONGEST_PAUSE)
}

async fn read(mut response: Response, limit: usize) -> Result<Got, String> {
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| cause(&error))? {
        if body.len() + chunk.len() > limit {
            return Err(format!("the answer is longer than {limit} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Got { status, body })
}

/// The innermost reason, which is the one that says something.
fn cause(error: &reqwest::Error) -> String {
    let mut reason: &dyn std::error::Error = error;
    while let Some(inner) = reason.source() {
        reason = inner;
    }
    reason.to_string()
}

fn client() -> Result<Client, String> {
    Client::builder()
        .tls_backend_preconfigured(trust::tls()?)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .redirect(redirect::Policy::limited(3))
        .build()
        .map_err(|error| cause(&error))
}
