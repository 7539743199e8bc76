//! The body of an answer on its way out.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

use crate::pace::Open;

/// Bytes of an answer handed to HTTP at a time, so that an unread answer is not copied there.
const CHUNK: usize = 64 << 10;

/// The body of an answer. The request counts as open, and keeps its place, until it is sent.
pub(crate) struct Sending<P> {
    left: Bytes,
    _open: Open,
    _place: Option<P>,
}

impl<P> Sending<P> {
    pub(crate) fn new(body: Bytes, open: Open, place: Option<P>) -> Self {
        Self {
            left: body,
            _open: open,
            _place: place,
        }
    }
}

impl<P: Unpin> HttpBody for Sending<P> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let size = self.left.len().min(CHUNK);
        Poll::Ready(Some(Ok(Frame::data(self.left.split_to(size)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}
