//! hlc: the latest tick of a hybrid logical clock that was seen (Kulkarni et al., "Logical
//! Physical Clocks and Consistent Snapshots in Globally Distributed Databases", 2014).
//!
//! State: a tick or none; join takes the greater. A literal, and the operator `+` with a tick,
//! ask to raise it to that tick; what is lower than the row's changes nothing. A tick names no
//! author. So that no one pushes it into the future, a write beyond the author's own clock is
//! refused, and a peer's delta must not be later than the op that carries it
//! ([`crate::Crdt::latest`]).
//!
//! The bytes: u8 version = 1 ‖ u8 flags (1 state, 2 change) ‖ state: u64 ‖ change: u64, both
//! big-endian. The text form is the time as `civil` prints it, or `-infinity` where there is
//! none yet, as PostgreSQL writes the time before all others.

mod civil;

use std::cmp::Ordering;

use crate::codec::Reader;
use crate::{
    Author, Crdt, CrdtError, DecodeError, DeltaFault, Edit, Hlc, ReplicaId, TextError,
    VersionVector, text_form,
};

const STATE: u8 = 1;
const CHANGE: u8 = 2;

/// The text of no tick.
const NEVER: &str = "-infinity";

/// The greatest tick seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HlcRegister {
    state: Option<Hlc>,
    /// What to raise it to.
    wanted: Option<Hlc>,
}

impl HlcRegister {
    /// Asks to raise it to `tick`, unless it is there already.
    pub fn raised(self, tick: Hlc) -> Self {
        Self {
            wanted: self.wanted.max(Some(tick)),
            ..self
        }
    }

    /// The tick with the change carried out; None before all.
    pub fn get(&self) -> Option<Hlc> {
        self.state.max(self.wanted)
    }

    /// The settled tick.
    pub fn state(&self) -> Option<Hlc> {
        self.state
    }

    fn readable(&self) -> String {
        self.get()
            .map_or_else(|| NEVER.to_owned(), |tick| tick.to_string())
    }
}

impl Crdt for HlcRegister {
    const NAME: &'static str = "hlc";

    type Plain = Option<Hlc>;

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version()?;
        let flags = reader.u8()?;
        if flags & !(STATE | CHANGE) != 0 {
            return Err(DecodeError::UnknownCode {
                what: "flags",
                code: flags,
            });
        }
        let mut tick = |flag: u8| -> Result<Option<Hlc>, DecodeError> {
            if flags & flag == 0 {
                return Ok(None);
            }
            reader.u64().map(|tick| Some(Hlc(tick)))
        };
        let (state, wanted) = (tick(STATE)?, tick(CHANGE)?);
        reader.finish()?;
        Ok(Self { state, wanted })
    }

    fn encode(&self) -> Vec<u8> {
        let flag = |tick: Option<Hlc>, flag: u8| tick.map_or(0, |_| flag);
        let mut out = vec![1, flag(self.state, STATE) | flag(self.wanted, CHANGE)];
        for tick in self.state.iter().chain(&self.wanted) {
            out.extend_from_slice(&tick.0.to_be_bytes());
        }
        out
    }

    fn value(&self) -> Result<Option<Hlc>, CrdtError> {
        Ok(self.get())
    }

    fn plain_text(&self) -> Result<String, CrdtError> {
        Ok(self.readable())
    }

    /// None asks for nothing.
    fn assign(plain: Option<Hlc>) -> Self {
        Self {
            state: None,
            wanted: plain,
        }
    }

    fn reset(&self) -> Result<Self, CrdtError> {
        Err(CrdtError::OnlyGrows(Self::NAME))
    }

    fn latest(&self) -> Hlc {
        self.state.unwrap_or_default()
    }

    /// Empty: a tick alone does not say whose it was.
    fn version(&self) -> VersionVector {
        VersionVector::default()
    }

    fn is_settled(&self) -> bool {
        self.wanted.is_none()
    }

    fn join(&self, other: &Self) -> Result<Self, CrdtError> {
        Ok(Self {
            state: self.state.max(other.state),
            wanted: self.wanted.max(other.wanted),
        })
    }

    /// By value and by change are the same here: the greatest of all.
    fn settle(old: Option<&Self>, new: &Self, author: &mut dyn Author) -> Result<Self, CrdtError> {
        let held = old.and_then(|old| old.state);
        let wanted = old.and_then(Self::get).max(new.get());
        if let Some(wanted) = wanted.filter(|_| wanted > held) {
            let now = author.tick();
            if wanted > now {
                return Err(CrdtError::FutureTick { wanted, now });
            }
        }
        Ok(Self {
            state: wanted,
            wanted: None,
        })
    }

    fn delta(old: Option<&Self>, new: &Self) -> Option<Self> {
        old.is_none_or(|old| old.state < new.state).then_some(Self {
            state: new.state,
            wanted: None,
        })
    }

    /// It keeps one tick only.
    fn compact(&self, _stable: &VersionVector) -> Result<Self, CrdtError> {
        Ok(*self)
    }

    /// Any replica may raise it; how far, the op's own tick bounds.
    fn check_delta(
        delta: &Self,
        _author: ReplicaId,
        _row: Option<&Self>,
    ) -> Result<(), DeltaFault> {
        if !delta.is_settled() {
            return Err(DeltaFault::Unsettled);
        }
        Ok(())
    }

    fn to_text(&self) -> String {
        text_form::print(self, self.readable(), self.state.is_none())
    }

    fn from_text(text: &str) -> Result<Self, TextError> {
        text_form::parse(text, Self::readable, |text| match text.trim() {
            NEVER => Ok(Self::default()),
            time => {
                let tick = civil::parse(time).ok_or_else(|| TextError::Syntax {
                    type_name: Self::NAME,
                    text: text_form::shorten(text),
                    why: "a time such as 2026-11-21T12:00:00.123Z/5 is expected",
                })?;
                Ok(Self::assign(Some(tick)))
            }
        })
    }

    fn to_json(&self) -> String {
        let tick = |tick: Option<Hlc>| match tick {
            Some(tick) => format!(
                r#"{{"time":"{tick}","millis":{},"logical":{}}}"#,
                tick.millis(),
                tick.logical()
            ),
            None => "null".to_owned(),
        };
        let change = match self.wanted {
            Some(_) => format!(r#"{{"raise":{}}}"#, tick(self.wanted)),
            None => "null".to_owned(),
        };
        format!(
            r#"{{"type":"hlc","value":"{}","tick":{},"change":{change}}}"#,
            self.readable(),
            tick(self.state)
        )
    }

    fn cmp_by_value(&self, other: &Self) -> Ordering {
        self.get().cmp(&other.get())
    }
}

impl Edit for HlcRegister {
    /// The tick to raise it to.
    type Edit = Hlc;

    fn edit(&mut self, tick: &Hlc) -> Result<(), CrdtError> {
        *self = self.raised(*tick);
        Ok(())
    }
}
