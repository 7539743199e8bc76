//! One request of a caller, from its headers to the last byte of its answer.

use std::{pin::Pin, sync::Arc, time::Instant};

use axum::{
    Extension,
    body::{Body, BodyDataStream, Bytes, HttpBody},
    extract::{Request, State},
    http::{Method, StatusCode, header::CONTENT_LENGTH},
    response::Response,
};
use tokio::time::timeout_at;

use crate::{
    JOIN_PATH,
    budget::{self, Place},
    connection::Session,
    event::{Answer, Event},
    sending::Sending,
    shared::Shared,
};

/// Grown to at once for a body of announced length; more only as bytes arrive.
const FIRST_ALLOCATION: usize = 1 << 20;

/// Answers one request. Whatever stands in its way is answered at once with a bare status.
pub(crate) async fn answer(
    State(shared): State<Arc<Shared>>,
    Extension(session): Extension<Arc<Session>>,
    request: Request,
) -> Response {
    let now = Instant::now();
    let open = session.requests.open(now);
    let (status, body, place) = match ask_host(&shared, &session, request, now).await {
        Ok((answer, place)) => match final_status(answer.status) {
            Some(status) => (status, answer.body, Some(place)),
            None => (StatusCode::INTERNAL_SERVER_ERROR, Vec::new(), Some(place)),
        },
        Err(status) => (status, Vec::new(), None),
    };
    let mut response = Response::new(Body::new(Sending::new(body.into(), open, place)));
    *response.status_mut() = status;
    response
}

/// The host's status, if it can end an exchange.
pub(crate) fn final_status(status: u16) -> Option<StatusCode> {
    let status = StatusCode::from_u16(status).ok();
    status.filter(|status| (200..600).contains(&status.as_u16()))
}

async fn ask_host(
    shared: &Arc<Shared>,
    session: &Session,
    request: Request,
    now: Instant,
) -> Result<(Answer, Place), StatusCode> {
    let caller = &session.caller;
    let guest = caller.is_guest();
    if !caller.rate.admit(now) {
        return Err(StatusCode::TOO_MANY_REQUESTS);
    }
    if !caller.is_live(now) || (guest && request.uri().path() != JOIN_PATH) {
        return Err(StatusCode::FORBIDDEN);
    }
    if request.method() != Method::POST {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    let (place, mut bytes) = caller
        .room
        .enter(&shared.incoming)
        .ok_or(StatusCode::SERVICE_UNAVAILABLE)?;
    let deadline = (now + shared.limits.request_timeout).into();
    let (parts, body) = request.into_parts();
    let announced = parts.headers.get(CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse().ok());
    let reading = read_body(
        body,
        announced.unwrap_or(0),
        shared.limits.max_body,
        &mut bytes,
    );
    let body = timeout_at(deadline, reading)
        .await
        .unwrap_or(Err(StatusCode::REQUEST_TIMEOUT))?;
    let mut expected = shared.expect_answer();
    let event = Event::Request {
        token: expected.token,
        from: caller.key,
        guest,
        path: parts.uri.path().to_owned(),
        body,
    };
    if !shared.queue.request(event, bytes) {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    match timeout_at(deadline, expected.wait()).await {
        Ok(Some(answer)) => Ok((answer, place)),
        Ok(None) => Err(StatusCode::SERVICE_UNAVAILABLE),
        Err(_) => Err(StatusCode::GATEWAY_TIMEOUT),
    }
}

/// Reads a body of at most `max_body` bytes, each counted in `bytes` as it arrives.
async fn read_body(
    body: Body,
    announced: usize,
    max_body: usize,
    bytes: &mut budget::Bytes,
) -> Result<Vec<u8>, StatusCode> {
    if announced > max_body {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let mut whole = Vec::with_capacity(announced.min(FIRST_ALLOCATION));
    let mut stream = body.into_data_stream();
    while let Some(chunk) = next_chunk(&mut stream).await {
        let chunk = chunk.map_err(|_| StatusCode::BAD_REQUEST)?;
        if whole.len() + chunk.len() > max_body {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        if !bytes.grow(chunk.len()) {
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole)
}

async fn next_chunk(stream: &mut BodyDataStream) -> Option<Result<Bytes, axum::Error>> {
    loop {
        let frame = std::future::poll_fn(|context| Pin::new(&mut *stream).poll_frame(context));
        match frame.await? {
            Ok(frame) => {
                // Trailers say nothing to us.
                if let Ok(data) = frame.into_data() {
                    return Some(Ok(data));
                }
            }
            Err(error) => return Some(Err(error)),
        }
    }
}
