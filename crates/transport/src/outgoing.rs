//! One request to another node, from the host's call to the event that tells its outcome.

use std::sync::Arc;

use crate::{
    budget::{Bytes, Place, Room},
    client::Callee,
    error::TransportError,
    event::{Answer, Event, WebAnswer},
    shared::Shared,
    web::WebRequest,
};

/// A request under way. However it ends, even by a panic or the thread's end, there is one response.
pub(crate) struct Outgoing<R> {
    shared: Arc<Shared>,
    tell: Option<Tell<R>>,
    result: Result<R, TransportError>,
    room: Option<(Place, Bytes)>,
}

/// Makes the event of an outcome.
type Tell<R> = Box<dyn FnOnce(Result<R, TransportError>) -> Event + Send>;

impl<R> Outgoing<R> {
    /// Takes the room for a request of `body` bytes, at most `limit`, or says that there is none.
    pub(crate) fn admit(
        shared: &Arc<Shared>,
        room: &Room,
        limit: usize,
        body: usize,
        tell: impl FnOnce(Result<R, TransportError>) -> Event + Send + 'static,
    ) -> Result<Self, TransportError> {
        if body > limit {
            let what = "request";
            return Err(TransportError::TooLarge { what, limit });
        }
        let room = room.enter(&shared.outgoing);
        let (place, mut bytes) = room.ok_or(TransportError::Busy)?;
        if !bytes.grow(body) {
            return Err(TransportError::Busy);
        }
        Ok(Self {
            shared: Arc::clone(shared),
            tell: Some(Box::new(tell)),
            result: Err(TransportError::Stopped),
            room: Some((place, bytes)),
        })
    }
}

impl Outgoing<Answer> {
    /// Carries the request out.
    pub(crate) async fn run(mut self, callee: Arc<Callee>, path: &'static str, body: Vec<u8>) {
        if let Some((_, bytes)) = &mut self.room {
            self.result = callee.post(path, body, bytes).await;
        }
    }
}

impl Outgoing<WebAnswer> {
    /// Carries the request out.
    pub(crate) async fn run_web(mut self, request: WebRequest) {
        if let Some((_, bytes)) = &mut self.room {
            self.result = self.shared.web.post(request, bytes).await;
        }
    }
}

impl<R> Drop for Outgoing<R> {
    fn drop(&mut self) {
        let (Some((place, bytes)), Some(tell)) = (self.room.take(), self.tell.take()) else {
            return;
        };
        let event = tell(std::mem::replace(
            &mut self.result,
            Err(TransportError::Stopped),
        ));
        // The place is its room in the queue: this fails only if the host has dropped its end.
        self.shared.queue.response(event, place, bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Limits, directory::Directory, event::Queue};

    /// A host that counts on one outcome for each request must get it from a bug, too.
    #[test]
    fn a_panic_still_ends_in_a_response() {
        let limits = Limits::default();
        let (queue, events) = Queue::new(&limits, || ());
        let shared = Shared::new(limits, Directory::new(limits, [1; 32]), queue);
        let callee = Callee::new("https://127.0.0.1:1", [2; 32], &[1; 32], &limits);
        let callee = callee.expect("callee");
        let tell = |result: Result<Answer, _>| Event::Response {
            to: [2; 32],
            request_id: 7,
            result,
        };
        let outgoing = Outgoing::admit(&shared, &callee.room, 100, 10, tell).expect("room");
        let panicked = std::thread::spawn(move || {
            let _outgoing = outgoing;
            panic!("a bug in a task");
        });
        assert!(panicked.join().is_err());
        let Some(Event::Response {
            request_id, result, ..
        }) = events.try_recv()
        else {
            panic!("no response");
        };
        assert_eq!((request_id, result), (7, Err(TransportError::Stopped)));
        assert!(events.try_recv().is_none());
    }
}
