//! One request of a stranger, from its head to the last byte of the answer.

use std::{sync::Arc, time::Instant};

use axum::body::Bytes;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Body as _, Incoming},
    header::{self, HeaderValue},
};
use tokio::time::timeout;

use crate::{budget::Held, pace::Open, request::final_status, sending::Sending};

use super::{Desk, Keep, MAX_PATH, Page, addresses::Address};

/// Seconds after which a caller that was turned away may try again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// An answer before its headers are made.
struct Reply {
    status: StatusCode,
    content_type: &'static str,
    keep: Keep,
    body: Bytes,
    place: Option<Held>,
}

/// Answers one request. Whatever stands in its way is answered at once with a bare status.
pub(super) async fn answer(
    desk: Arc<Desk>,
    address: Arc<Address>,
    open: Open,
    request: Request<Incoming>,
) -> Response<Sending<Held>> {
    let reply = reply(&desk, &address, &request)
        .await
        .unwrap_or_else(|status| Reply {
            status,
            content_type: "",
            keep: Keep::Never,
            body: Bytes::new(),
            place: None,
        });
    let length = reply.body.len();
    let mut response = Response::new(Sending::new(reply.body, open, reply.place));
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(header::CACHE_CONTROL, cache_control(reply.keep));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if !reply.content_type.is_empty()
        && let Ok(content_type) = HeaderValue::from_str(reply.content_type)
    {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    match reply.status {
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        _ => {}
    }
    response
}

async fn reply(
    desk: &Desk,
    address: &Address,
    request: &Request<Incoming>,
) -> Result<Reply, StatusCode> {
    if !address.rate.admit(Instant::now()) {
        return Err(StatusCode::TOO_MANY_REQUESTS);
    }
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    if !request.body().is_end_stream() {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let path = request.uri().path();
    if path.len() > MAX_PATH {
        return Err(StatusCode::URI_TOO_LONG);
    }
    // What is served has no variants, and a query would defeat every cache on the way.
    if request.uri().query().is_some() {
        return Err(StatusCode::NOT_FOUND);
    }
    if let Some((content_type, body)) = desk.cache.get(path) {
        return Ok(Reply {
            status: StatusCode::OK,
            content_type,
            keep: Keep::Forever,
            body,
            place: None,
        });
    }
    let (answer, place) = desk.ask(path).ok_or(StatusCode::SERVICE_UNAVAILABLE)?;
    let page = timeout(desk.limits.request_timeout, answer)
        .await
        .map_err(|_| StatusCode::GATEWAY_TIMEOUT)?
        .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let Page {
        status,
        content_type,
        keep,
        body,
    } = page;
    let status = final_status(status).ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
    let body = Bytes::from(body);
    if status == StatusCode::OK && keep == Keep::Forever {
        desk.cache.put(path, content_type, &body);
    }
    Ok(Reply {
        status,
        content_type,
        keep,
        body,
        place: Some(place),
    })
}

fn cache_control(keep: Keep) -> HeaderValue {
    HeaderValue::from_static(match keep {
        Keep::Forever => "public, max-age=31536000, immutable",
        Keep::Hour => "public, max-age=3600",
        Keep::Seconds => "public, max-age=2",
        Keep::Never => "no-store",
    })
}
