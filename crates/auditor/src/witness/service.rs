//! What a witness answers over HTTP:
//!
//! ```text
//! POST /add-checkpoint             a log asks for a cosignature
//! GET  /<origin hash>/checkpoint   the newest checkpoint that was cosigned, for whoever compares
//! GET  /                           who this is, and what it watches over, for people
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use ledger::SignerKey;
use ledger::witness::{ADD_CHECKPOINT, AddCheckpoint, MAX_REQUEST_BYTES, Refusal};
use tokio::sync::Semaphore;

use super::folder::origin_hash;
use super::log::{Log, Trouble};

/// Requests that are decided on at a time; more are told to come back.
const MAX_IN_FLIGHT: usize = 64;
/// For a request's body to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// A witness at work.
pub struct Service {
    key: SignerKey,
    /// By origin hash.
    logs: BTreeMap<String, Log>,
    in_flight: Semaphore,
}

impl Service {
    /// The witness with this key, for these logs.
    pub fn new(key: SignerKey, logs: Vec<Log>) -> Self {
        let by_hash = |log: Log| (origin_hash(log.origin()), log);
        Self {
            key,
            logs: logs.into_iter().map(by_hash).collect(),
            in_flight: Semaphore::new(MAX_IN_FLIGHT),
        }
    }

    /// Its public key.
    pub fn key(&self) -> &ledger::VerifierKey {
        self.key.verifier()
    }

    fn decide(&self, body: &[u8]) -> Result<String, Trouble> {
        let text = str::from_utf8(body)
            .map_err(|_| Refusal::Malformed(ledger::witness::RequestError::NoCheckpoint))?;
        let request = AddCheckpoint::parse(text).map_err(Refusal::from)?;
        self.logs
            .get(&origin_hash(&request.checkpoint.checkpoint().origin))
            .ok_or(Refusal::UnknownLog)?
            .add(&request, &self.key)
    }
}

/// The paths and their answers.
pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/", get(about))
        .route("/{origin}/checkpoint", get(checkpoint))
        .route(ADD_CHECKPOINT, post(add_checkpoint))
        .with_state(service)
}

async fn add_checkpoint(State(service): State<Arc<Service>>, body: Body) -> Response {
    let body = match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, MAX_REQUEST_BYTES)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            return refused(StatusCode::PAYLOAD_TOO_LARGE, "the request is too long");
        }
        Err(_) => {
            return refused(StatusCode::REQUEST_TIMEOUT, "the request did not arrive");
        }
    };
    // Only now, or those who send slowly would keep the others out.
    let Ok(_place) = service.in_flight.try_acquire() else {
        return refused(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once");
    };
    let decider = Arc::clone(&service);
    // Even if the caller hangs up, what has begun is done to its end.
    let decided = tokio::task::spawn_blocking(move || decider.decide(&body)).await;
    match decided {
        Ok(Ok(answer)) => plain(StatusCode::OK, answer),
        Ok(Err(Trouble::Refused(refusal))) => (
            StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST),
            [(header::CONTENT_TYPE, refusal.content_type())],
            refusal.body(),
        )
            .into_response(),
        Ok(Err(Trouble::Own(error))) => {
            eprintln!("FAILED: {error}");
            failed()
        }
        Err(error) => {
            eprintln!("FAILED: {error}");
            failed()
        }
    }
}

async fn checkpoint(State(service): State<Arc<Service>>, Path(origin): Path<String>) -> Response {
    match service.logs.get(&origin).and_then(Log::latest) {
        Some(note) => plain(StatusCode::OK, note.to_string()),
        None => refused(
            StatusCode::NOT_FOUND,
            "no checkpoint of this log was cosigned",
        ),
    }
}

async fn about(State(service): State<Arc<Service>>) -> Response {
    let mut text = format!("witness {}\n", service.key());
    for (hash, log) in &service.logs {
        text.push_str(&format!("log {}\n    /{hash}/checkpoint\n", log.origin()));
    }
    plain(StatusCode::OK, text)
}

fn failed() -> Response {
    refused(
        StatusCode::INTERNAL_SERVER_ERROR,
        "the witness cannot store what it would cosign",
    )
}

fn refused(status: StatusCode, why: &str) -> Response {
    plain(status, format!("{why}\n"))
}

fn plain(status: StatusCode, text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, text).into_response()
}
