//! Two queues in dynamic shared memory, between the node worker and a process
//! that compares a table for it. Either end notices when the other is gone.

use pgrx::pg_sys;
use replica::message::MAX_COMPARE_REQUEST_BYTES;

/// Where the queues begin; before them stands the [`Order`].
const QUEUES: usize = 64;
/// The node worker never waits for room, so a whole request fits.
const REQUESTS: usize = MAX_COMPARE_REQUEST_BYTES + (64 << 10);
/// The process waits for room where it must.
const ANSWERS: usize = 256 << 10;

/// What the process is started for.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Order {
    /// OID of the database.
    pub database: u32,
    /// Name of the session, for the peer.
    pub session: u64,
}

/// The other end is gone.
#[derive(Debug)]
pub struct Gone;

/// One end.
pub struct Channel {
    segment: *mut pg_sys::dsm_segment,
    send: *mut pg_sys::shm_mq_handle,
    receive: *mut pg_sys::shm_mq_handle,
}

/// Runs `work` in the context that lasts as long as the process: a queue's
/// handle and its buffers must outlive a transaction.
fn lasting<R>(work: impl FnOnce() -> R) -> R {
    // SAFETY: switches there and back; an error on the way ends the
    // transaction, which sets the context anew.
    unsafe {
        let before = pg_sys::MemoryContextSwitchTo(pg_sys::TopMemoryContext);
        let result = work();
        pg_sys::MemoryContextSwitchTo(before);
        result
    }
}

impl Channel {
    /// The node worker's end, and the handle by which the process finds the
    /// other. Call within a transaction, which the channel outlives.
    pub fn create(order: Order) -> (Channel, u32) {
        // SAFETY: the segment has room for the order and both queues, which
        // begin at multiples of 64 bytes; nobody else knows it yet.
        lasting(|| unsafe {
            let segment = pg_sys::dsm_create(QUEUES + REQUESTS + ANSWERS, 0);
            pg_sys::dsm_pin_mapping(segment);
            let start = pg_sys::dsm_segment_address(segment).cast::<u8>();
            start.cast::<Order>().write(order);
            let requests = pg_sys::shm_mq_create(start.add(QUEUES).cast(), REQUESTS);
            let answers = pg_sys::shm_mq_create(start.add(QUEUES + REQUESTS).cast(), ANSWERS);
            pg_sys::shm_mq_set_sender(requests, pg_sys::MyProc);
            pg_sys::shm_mq_set_receiver(answers, pg_sys::MyProc);
            let channel = Channel {
                segment,
                send: pg_sys::shm_mq_attach(requests, segment, std::ptr::null_mut()),
                receive: pg_sys::shm_mq_attach(answers, segment, std::ptr::null_mut()),
            };
            (channel, pg_sys::dsm_segment_handle(segment))
        })
    }

    /// The process's end; `None` if the node worker is gone already.
    pub fn attach(handle: u32) -> Option<(Channel, Order)> {
        // SAFETY: the segment was laid out by `create`.
        lasting(|| unsafe {
            let segment = pg_sys::dsm_attach(handle);
            if segment.is_null() {
                return None;
            }
            let start = pg_sys::dsm_segment_address(segment).cast::<u8>();
            let order = start.cast::<Order>().read();
            let requests = start.add(QUEUES).cast::<pg_sys::shm_mq>();
            let answers = start.add(QUEUES + REQUESTS).cast::<pg_sys::shm_mq>();
            pg_sys::shm_mq_set_receiver(requests, pg_sys::MyProc);
            pg_sys::shm_mq_set_sender(answers, pg_sys::MyProc);
            let channel = Channel {
                segment,
                send: pg_sys::shm_mq_attach(answers, segment, std::ptr::null_mut()),
                receive: pg_sys::shm_mq_attach(requests, segment, std::ptr::null_mut()),
            };
            Some((channel, order))
        })
    }

    /// Sends a message, waiting for room.
    ///
    /// # Errors
    /// The other end is gone.
    pub fn send(&mut self, message: &[u8]) -> Result<(), Gone> {
        self.put(message, false)
    }

    /// Sends a message of at most [`MAX_COMPARE_REQUEST_BYTES`] without waiting,
    /// the one before having been answered.
    ///
    /// # Errors
    /// The other end is gone.
    pub fn send_at_once(&mut self, message: &[u8]) -> Result<(), Gone> {
        self.put(message, true)
    }

    fn put(&mut self, message: &[u8], at_once: bool) -> Result<(), Gone> {
        // SAFETY: the handle is attached; the message is copied.
        let result = unsafe {
            pg_sys::shm_mq_send(
                self.send,
                message.len(),
                message.as_ptr().cast(),
                at_once,
                true,
            )
        };
        match result {
            pg_sys::shm_mq_result::SHM_MQ_SUCCESS => Ok(()),
            _ => Err(Gone),
        }
    }

    /// The next message, waiting for it.
    ///
    /// # Errors
    /// The other end is gone.
    pub fn receive(&mut self) -> Result<Vec<u8>, Gone> {
        self.get(false)?.ok_or(Gone)
    }

    /// The next message, if it is there.
    ///
    /// # Errors
    /// The other end is gone.
    pub fn try_receive(&mut self) -> Result<Option<Vec<u8>>, Gone> {
        self.get(true)
    }

    fn get(&mut self, at_once: bool) -> Result<Option<Vec<u8>>, Gone> {
        let (mut length, mut data) = (0, std::ptr::null_mut());
        // SAFETY: the handle is attached; the data stay until the next call.
        unsafe {
            match pg_sys::shm_mq_receive(self.receive, &mut length, &mut data, at_once) {
                pg_sys::shm_mq_result::SHM_MQ_SUCCESS => {
                    let bytes = std::slice::from_raw_parts(data.cast::<u8>(), length);
                    Ok(Some(bytes.to_vec()))
                }
                pg_sys::shm_mq_result::SHM_MQ_WOULD_BLOCK => Ok(None),
                _ => Err(Gone),
            }
        }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        // SAFETY: attached and mapped by `create` or `attach`, given back once;
        // the other end hears of it.
        unsafe {
            pg_sys::shm_mq_detach(self.send);
            pg_sys::shm_mq_detach(self.receive);
            pg_sys::dsm_detach(self.segment);
        }
    }
}
