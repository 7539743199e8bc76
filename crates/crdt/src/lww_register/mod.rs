//! lww_register: one JSON value, the last writer wins (Shapiro et al., "A comprehensive study
//! of Convergent and Commutative Replicated Data Types", 2011, specification 8).
//!
//! State: the value under its stamp (hybrid logical time, then replica); join takes the greater
//! stamp and, should one replica ever give a stamp twice, the value with the greater SHA-256.
//! The stamp of the first write, kept through all later ones, tells a stale copy of this
//! register from another register, which must be taken by value however old it is.
//!
//! `layout` holds the bytes, `text` the text form.

mod layout;
mod text;

use std::cmp::Ordering;

use sha2::{Digest, Sha256};

use crate::{
    Author, Crdt, CrdtError, DecodeError, DeltaFault, Dot, Edit, Hlc, MAX_STATE_BYTES, ReplicaId,
    Stamp, TextError, VersionVector, json,
};

/// A value and who wrote it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Written {
    /// Of this value.
    pub stamp: Stamp,
    /// Of the register's first value.
    pub birth: Stamp,
    /// Canonical JSON text.
    pub value: String,
}

impl Written {
    /// The order of the lattice; the values are hashed only if one stamp was given twice.
    fn rank(&self, other: &Self) -> Ordering {
        self.stamp
            .cmp(&other.stamp)
            .then_with(|| rank_values(&self.value, &other.value))
            .then_with(|| self.birth.cmp(&other.birth))
    }
}

fn rank_values(a: &str, b: &str) -> Ordering {
    if a == b {
        Ordering::Equal
    } else {
        Sha256::digest(a).cmp(&Sha256::digest(b))
    }
}

/// A register of one JSON value.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LwwRegister {
    state: Option<Written>,
    /// The value to be written: canonical JSON text.
    wanted: Option<String>,
}

impl LwwRegister {
    /// Writes a JSON value: any JSON text, it is brought to its canonical form.
    pub fn set(&self, json: &str) -> Result<Self, CrdtError> {
        self.edited(&json::canonical(json)?)
    }

    /// Refuses a register whose encoding could not be read back.
    fn bounded(self) -> Result<Self, CrdtError> {
        if layout::size(&self) > MAX_STATE_BYTES {
            return Err(CrdtError::TooLarge {
                what: "the register",
                limit: MAX_STATE_BYTES,
            });
        }
        Ok(self)
    }

    /// The value, canonical JSON text; None if it was never set.
    pub fn get(&self) -> Option<&str> {
        self.wanted
            .as_deref()
            .or(self.state.as_ref().map(|written| written.value.as_str()))
    }

    /// The settled state.
    pub fn written(&self) -> Option<&Written> {
        self.state.as_ref()
    }

    /// The unsettled value.
    pub fn wanted(&self) -> Option<&str> {
        self.wanted.as_deref()
    }

    /// Whether this state is an earlier one of the same register.
    fn descends_into(&self, old: &Self) -> bool {
        match (&self.state, &old.state) {
            (None, _) => true,
            (Some(mine), Some(held)) => mine.birth == held.birth && mine.rank(held).is_le(),
            (Some(_), None) => false,
        }
    }

    /// This settled state with `value` written over it, unless it holds that already.
    fn authored(&self, value: Option<&str>, author: &mut dyn Author) -> Result<Self, CrdtError> {
        let held = self.state.as_ref();
        let Some(value) = value.filter(|value| held.is_none_or(|held| held.value != *value)) else {
            return Ok(self.clone());
        };
        let mut hlc = author.tick();
        if let Some(held) = held.filter(|held| held.stamp.hlc >= hlc) {
            // The author's clock should be past all it has seen. Were it not, the user's write
            // would vanish silently: step over what is there.
            hlc = Hlc(held
                .stamp
                .hlc
                .0
                .checked_add(1)
                .ok_or(CrdtError::ClockExhausted)?);
        }
        let stamp = Stamp {
            hlc,
            replica: author.replica(),
        };
        let birth = held.map_or(stamp, |held| held.birth);
        let written = Written {
            stamp,
            birth,
            value: value.to_owned(),
        };
        Ok(Self {
            state: Some(written),
            wanted: None,
        })
    }
}

impl Crdt for LwwRegister {
    const NAME: &'static str = "lww_register";

    type Plain = Option<String>;

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        layout::decode(bytes)
    }

    fn encode(&self) -> Vec<u8> {
        layout::encode(self)
    }

    fn value(&self) -> Result<Option<String>, CrdtError> {
        Ok(self.get().map(str::to_owned))
    }

    fn plain_text(&self) -> Result<String, CrdtError> {
        Ok(self.get().unwrap_or("null").to_owned())
    }

    /// JSON's null: what was once set cannot be unset.
    fn reset(&self) -> Result<Self, CrdtError> {
        self.set("null")
    }

    fn version(&self) -> VersionVector {
        let written = self.state.iter();
        written
            .map(|written| Dot {
                replica: written.stamp.replica,
                counter: written.stamp.hlc.0,
            })
            .collect()
    }

    /// A register keeps its last value only.
    fn compact(&self, _stable: &VersionVector) -> Result<Self, CrdtError> {
        Ok(self.clone())
    }

    /// JSON text is brought to its canonical form, any other becomes a JSON string. None is the
    /// register that was never set: it asks for nothing.
    fn assign(plain: Option<String>) -> Self {
        let wanted =
            plain.map(|text| json::canonical(&text).unwrap_or_else(|_| json::quote(&text)));
        Self {
            state: None,
            wanted,
        }
    }

    fn latest(&self) -> Hlc {
        self.state
            .as_ref()
            .map_or(Hlc::default(), |written| written.stamp.hlc)
    }

    fn is_settled(&self) -> bool {
        self.wanted.is_none()
    }

    fn join(&self, other: &Self) -> Result<Self, CrdtError> {
        let state = match (&self.state, &other.state) {
            (Some(a), Some(b)) => Some(if a.rank(b).is_lt() { b } else { a }),
            (a, b) => a.as_ref().or(b.as_ref()),
        };
        let wanted = match (&self.wanted, &other.wanted) {
            (Some(a), Some(b)) => Some(if rank_values(a, b).is_lt() { b } else { a }),
            (a, b) => a.as_ref().or(b.as_ref()),
        };
        let joined = Self {
            state: state.cloned(),
            wanted: wanted.cloned(),
        };
        if layout::size(&joined) > MAX_STATE_BYTES {
            return Err(CrdtError::TooLarge {
                what: "the register",
                limit: MAX_STATE_BYTES,
            });
        }
        Ok(joined)
    }

    fn settle(old: Option<&Self>, new: &Self, author: &mut dyn Author) -> Result<Self, CrdtError> {
        let bottom = Self::default();
        let Some(old) = old else {
            return bottom.authored(new.get(), author);
        };
        let base = match old.is_settled() {
            true => old.clone(),
            false => bottom.authored(old.get(), author)?,
        };
        let wanted = if new.descends_into(old) {
            new.wanted()
        } else {
            new.get()
        };
        base.authored(wanted, author)
    }

    fn delta(old: Option<&Self>, new: &Self) -> Option<Self> {
        let delta = Self {
            state: new.state.clone(),
            wanted: None,
        };
        old.is_none_or(|old| old.state != new.state)
            .then_some(delta)
    }

    fn check_delta(delta: &Self, author: ReplicaId, _row: Option<&Self>) -> Result<(), DeltaFault> {
        if !delta.is_settled() {
            return Err(DeltaFault::Unsettled);
        }
        match &delta.state {
            Some(written) if written.stamp.replica != author => {
                Err(DeltaFault::ForeignStamp(written.stamp.replica))
            }
            _ => Ok(()),
        }
    }

    fn to_text(&self) -> String {
        text::print(self)
    }

    fn from_text(text: &str) -> Result<Self, TextError> {
        text::parse(text)
    }

    fn to_json(&self) -> String {
        text::json(self)
    }

    fn cmp_by_value(&self, other: &Self) -> Ordering {
        match (self.get(), other.get()) {
            (Some(a), Some(b)) => json::compare(a, b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        }
    }

    fn hash_key(&self) -> Vec<u8> {
        self.get().map(json::hash_key).unwrap_or_default().into()
    }
}

impl Edit for LwwRegister {
    /// The value to write: canonical JSON text.
    type Edit = String;

    fn edit(&mut self, value: &String) -> Result<(), CrdtError> {
        let state = self.state.take();
        let edited = Self {
            state,
            wanted: Some(value.clone()),
        };
        if layout::size(&edited) > MAX_STATE_BYTES {
            self.state = edited.state;
            return Err(CrdtError::TooLarge {
                what: "the register",
                limit: MAX_STATE_BYTES,
            });
        }
        *self = edited;
        Ok(())
    }
}
