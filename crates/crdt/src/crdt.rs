//! What every CRDT type can do.

use std::cmp::Ordering;

use crate::{CrdtError, DecodeError, DeltaFault, Hlc, ReplicaId, TextError, VersionVector};

/// Who settles a change: the one source of dots and stamps.
pub trait Author {
    /// The replica in whose name state is made.
    fn replica(&self) -> ReplicaId;

    /// A tick of its hybrid logical clock: later than all before and all that this replica has
    /// seen of others, and never given twice, not even after a crash or a rollback.
    fn tick(&mut self) -> Hlc;

    /// Whether nobody else can author in this replica's name on top of the same state, as under
    /// the lock of a row. If not, what is made must stand for itself: it must not move the
    /// replica's own slot nor claim to cover what else the replica may have made.
    fn is_exclusive(&self) -> bool;
}

/// A value of a CRDT type: settled state plus unsettled change.
///
/// `Default` is bottom: the empty state without a change. Equal values have equal bytes.
pub trait Crdt: Clone + Eq + Sized + Default {
    /// The name of the SQL type.
    const NAME: &'static str;

    /// What a plain SQL value of it is.
    type Plain;

    /// From the canonical encoding; any other bytes are an error.
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError>;

    /// [`Crdt::decode`] of a value that this node wrote: a type may then leave out what only the
    /// bytes of others can have wrong.
    fn decode_stored(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode(bytes)
    }

    /// The canonical encoding.
    fn encode(&self) -> Vec<u8>;

    /// The value of the state with the change carried out.
    fn value(&self) -> Result<Self::Plain, CrdtError>;

    /// That value as the text of a plain literal, for people.
    fn plain_text(&self) -> Result<String, CrdtError>;

    /// What an inverted index finds the value by: the elements of a set, the keys of a map,
    /// ascending.
    fn keys(&self) -> Vec<String> {
        Vec::new()
    }

    /// A plain literal: the empty state and the wish to be this value.
    fn assign(plain: Self::Plain) -> Self;

    /// The operator `!`: asks for the empty value, as far as this value shows it. Concurrent
    /// additions survive.
    ///
    /// # Errors
    /// A type that only grows.
    fn reset(&self) -> Result<Self, CrdtError>;

    /// The greatest tick that the settled state carries (of tombstones none counts). A clock
    /// must be past it before it authors on top; a delta must not be later than its op.
    fn latest(&self) -> Hlc;

    /// Of each replica the greatest tick that the settled state shows.
    fn version(&self) -> VersionVector;

    /// Whether there is no unsettled change.
    fn is_settled(&self) -> bool;

    /// The least upper bound of both states and of both changes.
    fn join(&self, other: &Self) -> Result<Self, CrdtError>;

    /// [`Crdt::join`] in place; after an error `self` is as before.
    fn join_assign(&mut self, other: &Self) -> Result<(), CrdtError> {
        *self = self.join(other)?;
        Ok(())
    }

    /// [`Crdt::join`] of encoded values; `stored` is one that this node wrote.
    ///
    /// A type whose values are large and whose changes are small may copy what it need not read.
    fn join_bytes(stored: &[u8], other: &[u8]) -> Result<Vec<u8>, CrdtError> {
        let mut joined = Self::decode_stored(stored)?;
        joined.join_assign(&Self::decode(other)?)?;
        Ok(joined.encode())
    }

    /// What a tracked row stores when `new` is written over `old` (None on INSERT or over NULL).
    ///
    /// A `new` that descends from `old` has its change added to `old`; any other came from
    /// elsewhere and is taken by value. The result is settled. If nothing changes it equals
    /// `old` and no tick is taken. An `old` that is itself unsettled (it never passed here) is
    /// first authored by its value.
    fn settle(old: Option<&Self>, new: &Self, author: &mut dyn Author) -> Result<Self, CrdtError>;

    /// [`Crdt::settle`] of encoded values; `old` is one that this node wrote.
    fn settle_bytes(
        old: Option<&[u8]>,
        new: &[u8],
        author: &mut dyn Author,
    ) -> Result<Vec<u8>, CrdtError> {
        let old = old.map(Self::decode_stored).transpose()?;
        Ok(Self::settle(old.as_ref(), &Self::decode(new)?, author)?.encode())
    }

    /// The smallest settled `d` with `old ⊔ d = new`; None if there is no difference.
    ///
    /// `new` must be settled and not below `old`; of an unsettled `old` only the state counts.
    /// Without `old` it is all of `new`, even if that is empty: NULL is not the empty state.
    fn delta(old: Option<&Self>, new: &Self) -> Option<Self>;

    /// [`Crdt::delta`] of encoded values that this node wrote.
    fn delta_bytes(old: Option<&[u8]>, new: &[u8]) -> Result<Option<Vec<u8>>, CrdtError> {
        let old = old.map(Self::decode_stored).transpose()?;
        let delta = Self::delta(old.as_ref(), &Self::decode_stored(new)?);
        Ok(delta.map(|delta| delta.encode()))
    }

    /// Folds what removed elements and departed replicas left behind.
    ///
    /// `stable` is what all replicas are known to have seen: no write will arrive whose author
    /// had not seen it. The value stays. Each type says what it folds, and what becomes of a
    /// join with a state that had not seen `stable`. A type that leaves nothing behind returns
    /// itself.
    fn compact(&self, stable: &VersionVector) -> Result<Self, CrdtError>;

    /// Whether `author` may have made `delta` on top of what the receiver's `row` shows.
    fn check_delta(delta: &Self, author: ReplicaId, row: Option<&Self>) -> Result<(), DeltaFault>;

    /// Lossless text: the readable value, then (unless it is a plain literal) the state.
    fn to_text(&self) -> String;

    /// Reads [`Crdt::to_text`] or a plain literal.
    fn from_text(text: &str) -> Result<Self, TextError>;

    /// The state as JSON, for people.
    fn to_json(&self) -> String;

    /// The order of values in indexes, whatever state they come from; values that are equal in it
    /// are equal to SQL.
    fn cmp_by_value(&self, other: &Self) -> Ordering;

    /// What a hash index hashes: equal for values that [`Crdt::cmp_by_value`] finds equal. Values
    /// beyond what the type can show share one key.
    fn hash_key(&self) -> Vec<u8> {
        self.plain_text().unwrap_or_default().into_bytes()
    }
}

/// A type whose operators can be told as edits, so that a value that is changed many times over
/// need not be copied each time.
pub trait Edit: Crdt {
    /// One use of an operator.
    type Edit: Clone;

    /// The value after the operator, in place; after an error `self` is as before.
    fn edit(&mut self, edit: &Self::Edit) -> Result<(), CrdtError>;

    /// [`Edit::edit`] of an encoded value that this node wrote.
    fn edit_bytes(value: &[u8], edit: &Self::Edit) -> Result<Vec<u8>, CrdtError> {
        let mut value = Self::decode_stored(value)?;
        value.edit(edit)?;
        Ok(value.encode())
    }

    /// The value after the operator.
    fn edited(&self, edit: &Self::Edit) -> Result<Self, CrdtError> {
        let mut value = self.clone();
        value.edit(edit)?;
        Ok(value)
    }
}
