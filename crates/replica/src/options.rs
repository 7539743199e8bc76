//! The intervals and bounds of a node, each with its unit. Every buffer a peer can fill has its bound
//! here.

/// Intervals (ms) and bounds (bytes, counts) of a [`Node`](crate::Node).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// A validator proposes a block this long after the last one, when operations wait. Milliseconds.
    pub block_interval_ms: u64,
    /// A validator proposes at once when this many operations wait, and puts at most this many into one
    /// block.
    pub max_block_ops: u64,
    /// Anti-entropy asks one peer each time this has passed. Milliseconds.
    pub sync_interval_ms: u64,
    /// A segment whose newest operation lies further ahead of this node's clock waits. Milliseconds.
    pub max_clock_skew_ms: u64,
    /// Requests under way to one peer; what is sealed meanwhile is sent together afterwards.
    pub max_in_flight: usize,
    /// Segment bytes in one push; a single segment may be larger.
    pub max_push_bytes: u32,
    /// Segment bytes that this node asks for, and answers with, in one pull; a single segment may be
    /// larger.
    pub max_pull_bytes: u32,
    /// Bytes of segments that wait for what they depend on, over all origins.
    pub holdback_bytes: usize,
    /// Segments that wait for what they depend on, of one origin.
    pub holdback_segments: usize,
    /// First pause after a peer could not be reached; doubles with each failure. Milliseconds.
    pub backoff_base_ms: u64,
    /// Longest pause between attempts to reach a peer. Milliseconds.
    pub backoff_cap_ms: u64,
    /// A request without an answer for this long counts as failed. Milliseconds.
    pub request_timeout_ms: u64,
    /// How long others' segments may wait for operations of an origin that has equivocated: what it
    /// signed may not exist anywhere. Milliseconds.
    pub barred_grace_ms: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            block_interval_ms: 1_000,
            max_block_ops: 10_000,
            sync_interval_ms: 1_000,
            max_clock_skew_ms: 60_000,
            max_in_flight: 8,
            max_push_bytes: 4 << 20,
            max_pull_bytes: 8 << 20,
            holdback_bytes: 64 << 20,
            holdback_segments: 1_024,
            backoff_base_ms: 500,
            backoff_cap_ms: 30_000,
            request_timeout_ms: 30_000,
            barred_grace_ms: 10_000,
        }
    }
}
