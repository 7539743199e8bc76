//! What can go wrong, named so that a user can act on it.

use crate::{Dot, Hlc, ReplicaId};

/// Bytes that are not a canonical encoding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end inside a field.
    #[error("the bytes end too early")]
    Truncated,
    /// Bytes remain after the last field.
    #[error("{0} bytes remain after the end")]
    TrailingBytes(usize),
    /// A layout that this release does not know.
    #[error("unknown layout version {0}")]
    UnknownVersion(u8),
    /// Flags or a code that this release does not know.
    #[error("unknown {what} {code}")]
    UnknownCode {
        /// Which field.
        what: &'static str,
        /// What stood there.
        code: u8,
    },
    /// The same content has another, canonical, encoding.
    #[error("not canonical: {0}")]
    NotCanonical(&'static str),
    /// A text field is not valid.
    #[error("invalid text: {0}")]
    InvalidText(&'static str),
    /// A register holds something that is not JSON.
    #[error(transparent)]
    InvalidJson(#[from] JsonError),
    /// More than the limit.
    #[error("{what}: {actual} is over the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        actual: usize,
        /// The limit.
        limit: usize,
    },
    /// A plain column has no CRDT state.
    #[error("a plain column holds no CRDT state")]
    PlainColumn,
}

/// A value that is over a limit of its encoding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// More than the limit.
    #[error("{what}: {actual} is over the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        actual: usize,
        /// The limit.
        limit: usize,
    },
    /// Columns must rise strictly, keys must not be empty, a row exists at odd causal lengths.
    #[error("malformed: {0}")]
    Malformed(&'static str),
}

/// Text that is not JSON as PostgreSQL's jsonb can hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid JSON at byte {at}: {why}")]
pub struct JsonError {
    /// Offset in bytes from 0.
    pub at: usize,
    /// What is wrong there.
    pub why: &'static str,
}

/// A tick of another replica that is too far ahead of the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the tick is {drift_ms} ms ahead of this node's clock, the bound is {max_skew_ms} ms")]
pub struct ClockDrift {
    /// How far ahead, in milliseconds.
    pub drift_ms: u64,
    /// How far it may be.
    pub max_skew_ms: u64,
}

/// An operation that a CRDT cannot carry out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CrdtError {
    /// The value of a counter is beyond bigint, or a slot beyond 64 bits.
    #[error("counter value out of range")]
    Overflow,
    /// The state would be over its limit.
    #[error("{what} would be over the limit of {limit}")]
    TooLarge {
        /// What would be too large.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A set element is not text that PostgreSQL can hold.
    #[error("a set element cannot contain a NUL character")]
    InvalidElement,
    /// A map key is not text that PostgreSQL can hold.
    #[error("a map key cannot contain a NUL character")]
    InvalidKey,
    /// A path into a map that names no key.
    #[error("a path into a map needs at least one key")]
    EmptyPath,
    /// A state that knows a part of what the other one has compacted and lacks the rest.
    #[error("a state of {0} is older than what was compacted since: it cannot be combined")]
    StaleState(&'static str),
    /// A register's value is not JSON.
    #[error(transparent)]
    InvalidJson(#[from] JsonError),
    /// A stamp at the end of time cannot be followed by a later one.
    #[error("a stamp is at the end of the clock's range")]
    ClockExhausted,
    /// Two states contradict each other below the tick to which removals were folded: one was
    /// folded before all replicas had seen what the other holds.
    #[error(
        "key \"{key}\" was written at tick {tick}, but removals were folded up to tick {floor} without it"
    )]
    StaleEntry {
        /// Where they differ.
        key: String,
        /// Of the write that the folded state had not seen.
        tick: u64,
        /// Up to which removals were folded.
        floor: u64,
    },
    /// Two states of different types cannot be joined.
    #[error("cannot combine {0} with {1}")]
    KindMismatch(&'static str, &'static str),
    /// Changes of two different rows cannot be joined.
    #[error("cannot join changes of different rows")]
    KeyMismatch,
    /// An amount that would make a grow-only counter smaller.
    #[error("a g_counter only grows: it cannot change by {amount}")]
    Shrinks {
        /// What was to be added, below 0.
        amount: i128,
    },
    /// A tick that this replica's own clock has not reached: other replicas would refuse it.
    #[error("the time {wanted} is later than this node's clock, {now}")]
    FutureTick {
        /// The tick in the value.
        wanted: Hlc,
        /// A tick of the author's clock.
        now: Hlc,
    },
    /// The value of a bounded counter would be below its floor.
    #[error("the value {value} is below the floor {floor}")]
    BelowFloor {
        /// What was to be written.
        value: i64,
        /// The least value.
        floor: i64,
    },
    /// A bounded counter has its floor for life.
    #[error("the counter's floor is {held}, it cannot become {wanted}")]
    FloorIsFixed {
        /// The counter's.
        held: i128,
        /// In the value that was written.
        wanted: i64,
    },
    /// A decrement or transfer of a bounded counter that the replica's own rights do not cover.
    #[error(
        "{wanted} rights are needed and {held} are held here; {}",
        holders(elsewhere)
    )]
    NoRights {
        /// What the write takes and gives away.
        wanted: i128,
        /// What this replica may.
        held: i128,
        /// The other replicas' rights, as far as the row shows them; most first.
        elsewhere: Vec<(ReplicaId, u64)>,
    },
    /// Two sessions could spend the same rights of one loose value.
    #[error("rights of a {0} can be spent only in a row of a tracked table")]
    NeedsRow(&'static str),
    /// A vector clock counts what a node itself did; no other may do it for that node.
    #[error(
        "the entry of replica {replica} is {wanted}, but the row has {held}: only that replica may raise it"
    )]
    ForeignEntry {
        /// Whose entry.
        replica: ReplicaId,
        /// In the value that was written.
        wanted: u64,
        /// In the row, 0 if none.
        held: u64,
    },
    /// A type whose values cannot be emptied.
    #[error("a {0} only grows: it cannot be reset")]
    OnlyGrows(&'static str),
    /// A column that the schema does not have, or has as a plain one.
    #[error("column {0} of the change is no CRDT column of the table")]
    NoCrdtColumn(u16),
    /// A position beyond the end of a sequence.
    #[error("position {at} is out of range: the value has {length} elements")]
    OutOfRange {
        /// The first position that is not there; Unicode characters or list elements, from 0.
        at: usize,
        /// How many elements there are.
        length: usize,
    },
    /// A sequence's text has a character that PostgreSQL cannot hold.
    #[error("a text cannot contain a NUL character")]
    InvalidText,
    /// A part of a sequence cannot be placed: what it stands beside has not arrived.
    #[error("a part of the sequence stands beside {0}, which is not known here")]
    MissingOrigin(Dot),
    /// Two states of a sequence have different content under one dot.
    #[error("two states have different content under the dot {0}")]
    Forked(Dot),
    /// A sequence that no honest author can make.
    #[error("malformed sequence: {0}")]
    Malformed(&'static str),
    /// Bytes that are no state.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// Who else has rights, as far as a message can hold them.
fn holders(elsewhere: &[(ReplicaId, u64)]) -> String {
    const NAMED: usize = 8;
    if elsewhere.is_empty() {
        return "no other replica holds any".to_owned();
    }
    let named = elsewhere.iter().take(NAMED);
    let mut text = named
        .map(|(replica, rights)| format!("replica {replica} holds {rights}"))
        .collect::<Vec<_>>()
        .join(", ");
    match elsewhere.len().checked_sub(NAMED) {
        None | Some(0) => (),
        Some(more) => text.push_str(&format!(", {more} more hold some")),
    }
    text
}

/// Why a delta of a peer is refused: it claims what its author has no right to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeltaFault {
    /// Only settled state travels.
    #[error("the delta carries an unsettled change")]
    Unsettled,
    /// A counter slot of another replica.
    #[error("the delta writes a counter slot of replica {0}")]
    ForeignSlot(ReplicaId),
    /// An entry of another replica in a vector clock.
    #[error("the delta raises the entry of replica {0}")]
    ForeignEntry(ReplicaId),
    /// One replica takes more slots of one counter than any honest one does.
    #[error("the delta brings its author to {actual} slots of one counter, the limit is {limit}")]
    TooManySlots {
        /// Slots of the author in row and delta.
        actual: usize,
        /// The limit.
        limit: usize,
    },
    /// One replica names more receivers of rights than any honest one does.
    #[error("the delta brings its author to {actual} transfers, the limit is {limit}")]
    TooManyTransfers {
        /// Transfers of the author in row and delta.
        actual: usize,
        /// The limit.
        limit: usize,
    },
    /// What only grows became less, or the floor of a slot another.
    #[error("the delta takes back what slot {0} of a b_counter says")]
    Shrunk(Dot),
    /// The author of a bounded counter's delta spent what it did not have.
    #[error("the delta overdraws the rights of replica {replica} by {by}")]
    Overdrawn {
        /// The author.
        replica: ReplicaId,
        /// How far below 0 its rights would be.
        by: i128,
    },
    /// An element under another replica's dot.
    #[error("the delta adds an element under the foreign dot {0}")]
    ForeignDot(Dot),
    /// One dot names two elements.
    #[error("the delta uses dot {0} twice")]
    RepeatedDot(Dot),
    /// A dot of the author that the row has seen already.
    #[error("the delta uses dot {0} again")]
    UsedDot(Dot),
    /// More than one addition to a counter can add.
    #[error("the delta adds a number out of range under dot {0}")]
    ShareOutOfRange(Dot),
    /// Removal of something that was never added here.
    #[error("the delta removes the unknown dot {0}")]
    UnknownDot(Dot),
    /// A part of a sequence beside something that is not known here.
    #[error("the delta inserts beside the unknown dot {0}")]
    MissingOrigin(Dot),
    /// A value stamped in another replica's name.
    #[error("the delta carries a stamp of replica {0}")]
    ForeignStamp(ReplicaId),
    /// A write that claims to be older than removals that all replicas had seen.
    #[error("the delta carries tick {tick}, removals were folded up to tick {floor}")]
    BelowFloor {
        /// In the delta.
        tick: u64,
        /// Of the row.
        floor: u64,
    },
    /// A delta that would fold removals in the name of all.
    #[error("the delta folds removals up to tick {actual}, the row only up to tick {limit}")]
    ForeignFloor {
        /// In the delta.
        actual: u64,
        /// Of the row.
        limit: u64,
    },
    /// The delta is of another type than the row's column.
    #[error("a delta of {0} for a column of {1}")]
    KindMismatch(&'static str, &'static str),
}

/// Why a row change of a peer is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowFault {
    /// The key has another number of columns than the table's.
    #[error("the key has {actual} columns, the table's has {expected}")]
    KeyColumns {
        /// In the change.
        actual: usize,
        /// In the table.
        expected: usize,
    },
    /// A delta for a column that is not a CRDT column of the table.
    #[error("column {0} has a delta but is no CRDT column")]
    NoCrdtColumn(u16),
    /// A plain value for a column that is not a plain column outside the key.
    #[error("column {0} has a plain value but is no plain column")]
    NoPlainColumn(u16),
    /// Plain columns must travel together: one stamp stands for all of them.
    #[error("plain column {0} is missing")]
    MissingPlainColumn(u16),
    /// NULL for a column that must not be NULL.
    #[error("column {0} must not be NULL")]
    NullValue(u16),
    /// Ticks after that of the op that carries them would win over honest writes to come.
    #[error("the change carries tick {actual:?}, later than {limit:?}")]
    Late {
        /// The greatest tick in the change.
        actual: Hlc,
        /// What the op allows.
        limit: Hlc,
    },
    /// The plain values are stamped in another replica's name.
    #[error("the plain values carry a stamp of replica {0}")]
    ForeignStamp(ReplicaId),
    /// The bytes of a delta are no state.
    #[error("column {column}: {fault}")]
    Decode {
        /// Which column.
        column: u16,
        /// What is wrong.
        fault: DecodeError,
    },
    /// The delta claims what its author has no right to.
    #[error("column {column}: {fault}")]
    Delta {
        /// Which column.
        column: u16,
        /// What is wrong.
        fault: DeltaFault,
    },
}

/// Text that is no value of the type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// The plain value is malformed.
    #[error("invalid input syntax for type {type_name}: \"{text}\": {why}")]
    Syntax {
        /// The SQL type.
        type_name: &'static str,
        /// The start of the input.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The plain value is beyond bigint.
    #[error("value \"{text}\" is out of range for type {type_name}")]
    OutOfRange {
        /// The SQL type.
        type_name: &'static str,
        /// The start of the input.
        text: String,
    },
    /// A plain cart counts something otherwise than in whole numbers.
    #[error("or_cart: \"{key}\" must be a whole number within bigint, it is {value}")]
    NoCount {
        /// The start of the key.
        key: String,
        /// The start of what stands there.
        value: String,
    },
    /// The plain value is over the limit of a state.
    #[error("a value of type {type_name} would be over the limit of {limit} bytes")]
    TooLarge {
        /// The SQL type.
        type_name: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A plain column holds no CRDT state.
    #[error("a plain column holds no CRDT state")]
    PlainColumn,
    /// The state after the marker is not base64url or too short.
    #[error("the state after \"@v1:\" is damaged: {0}")]
    Armour(&'static str),
    /// The state after the marker was altered or cut.
    #[error("the state after \"@v1:\" has checksum {actual:08x}, expected {expected:08x}")]
    Checksum {
        /// What the text says.
        expected: u32,
        /// What its bytes have.
        actual: u32,
    },
    /// The state after the marker is none of this type.
    #[error("the state after \"@v1:\" is no {type_name}: {fault}")]
    State {
        /// The SQL type.
        type_name: &'static str,
        /// What is wrong.
        fault: DecodeError,
    },
    /// The readable part was edited without its state.
    #[error("the readable value \"{readable}\" differs from the state's value \"{state}\"")]
    Disagrees {
        /// What stands before the marker.
        readable: String,
        /// What stands in the state.
        state: String,
    },
}
