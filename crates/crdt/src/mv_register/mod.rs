//! mv_register: a JSON value, or all that were written at once without knowing of each other
//! (Shapiro et al., "A comprehensive study of Convergent and Commutative Replicated Data
//! Types", 2011, specification 10; dotted version vectors: Preguiça et al., 2010).
//!
//! State: values under the dots of their writes, and the causal context. A write takes the place
//! of all that its writer saw; what it did not see stays beside it: a conflict, until somebody
//! writes over it. Join keeps a value that both hold, or that one holds and the other has not
//! seen: (s∩s′) ∪ (s∖c′) ∪ (s′∖c), with c∪c′. Should a replica give one dot to two values, the
//! one with the greater SHA-256 stays.
//!
//! `layout` holds the bytes, `text` the text form.

mod layout;
mod text;

use std::cmp::Ordering;

use sha2::{Digest, Sha256};

use crate::dot_fun::DotFun;
use crate::{
    Author, CausalContext, Crdt, CrdtError, DecodeError, DeltaFault, Dot, Edit, Hlc,
    MAX_STATE_BYTES, ReplicaId, TextError, VersionVector, json,
};

/// A register that shows concurrent values side by side.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MvRegister {
    /// Canonical JSON texts; `context` has all their dots.
    live: DotFun<String>,
    context: CausalContext,
    /// What is to take the place of all that this value shows: canonical JSON texts in
    /// [`in_order`]; none of them asks for the empty register.
    wanted: Option<Vec<String>>,
}

/// The order in which values are shown: that of JSON, of equal numbers that of their digits.
fn in_order(a: &str, b: &str) -> Ordering {
    json::compare(a, b).then_with(|| a.cmp(b))
}

fn sorted(mut values: Vec<String>) -> Vec<String> {
    values.sort_unstable_by(|a, b| in_order(a, b));
    values.dedup();
    values
}

/// Of two values under one dot, the one that stays.
fn winner<'a>(a: &'a String, b: &'a String) -> &'a String {
    if a != b && Sha256::digest(a) < Sha256::digest(b) {
        b
    } else {
        a
    }
}

impl MvRegister {
    /// Writes a JSON value over all that this value shows: any JSON text, it is brought to its
    /// canonical form.
    pub fn set(&self, json: &str) -> Result<Self, CrdtError> {
        self.edited(&json::canonical(json)?)
    }

    /// The value of the latest write by (tick, replica), canonical JSON text; of wanted values
    /// that were never written the last in their order. None if there is no value.
    pub fn get(&self) -> Option<&str> {
        if let Some(wanted) = &self.wanted {
            return wanted.last().map(String::as_str);
        }
        self.live.latest().map(String::as_str)
    }

    /// All values, canonical JSON texts, ascending, each once.
    pub fn values(&self) -> Vec<&str> {
        let mut values: Vec<&str> = match &self.wanted {
            Some(wanted) => return wanted.iter().map(String::as_str).collect(),
            None => self.live.iter().map(|(_, value)| value.as_str()).collect(),
        };
        values.sort_unstable_by(|a, b| in_order(a, b));
        values.dedup();
        values
    }

    /// Whether there are several different values.
    pub fn is_conflicted(&self) -> bool {
        self.values().len() > 1
    }

    /// With the wish to have these values in place of all that this value shows.
    pub(crate) fn asking(&self, values: Vec<String>) -> Self {
        Self {
            wanted: Self::assign(values).wanted,
            ..self.clone()
        }
    }

    /// The settled values under the dots of their writes.
    pub fn live(&self) -> &DotFun<String> {
        &self.live
    }

    /// All writes that this state has seen.
    pub fn context(&self) -> &CausalContext {
        &self.context
    }

    /// The unsettled values.
    pub fn wanted(&self) -> Option<&[String]> {
        self.wanted.as_deref()
    }

    /// Refuses a register whose encoding could not be read back.
    fn check_size(&self) -> Result<(), CrdtError> {
        if layout::size(self) > MAX_STATE_BYTES {
            return Err(CrdtError::TooLarge {
                what: "the register",
                limit: MAX_STATE_BYTES,
            });
        }
        Ok(())
    }

    /// Whether this state is an earlier one of `old`: a value that still stands must be the one
    /// it was.
    fn descends_into(&self, old: &Self) -> bool {
        self.context == old.context && self.live == old.live
            || self.context.is_earlier(&old.context) && self.live.agrees(&old.live)
    }

    /// This settled state with `values` in place of all that `seen` covers, unless they are what
    /// it holds already.
    fn authored(
        mut self,
        values: &[String],
        seen: impl Fn(&Dot) -> bool,
        author: &mut dyn Author,
    ) -> Result<Self, CrdtError> {
        if self.values() == values {
            return Ok(self);
        }
        self.live.retain(|dot| !seen(dot));
        for value in values {
            let dot = Dot {
                replica: author.replica(),
                counter: author.tick().0,
            };
            self.context.author(dot, author.is_exclusive());
            self.live.insert(dot, value.clone());
        }
        self.check_size()?;
        Ok(self)
    }

    /// This settled state led to hold exactly the values that `other` shows.
    fn assigned(self, other: &Self, author: &mut dyn Author) -> Result<Self, CrdtError> {
        let values: Vec<String> = other.values().into_iter().map(str::to_owned).collect();
        self.authored(&values, |_| true, author)
    }

    fn knows_nothing(&self) -> bool {
        self.context.is_empty()
    }
}

impl Crdt for MvRegister {
    const NAME: &'static str = "mv_register";

    /// Canonical JSON texts, ascending by [`json::compare`], each once; none if there is none.
    type Plain = Vec<String>;

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        layout::decode(bytes)
    }

    fn encode(&self) -> Vec<u8> {
        layout::encode(self)
    }

    fn value(&self) -> Result<Vec<String>, CrdtError> {
        Ok(self.values().into_iter().map(str::to_owned).collect())
    }

    fn plain_text(&self) -> Result<String, CrdtError> {
        Ok(text::readable(self))
    }

    /// Each JSON text is brought to its canonical form, any other becomes a JSON string.
    ///
    /// Over a row that shows these very values it changes nothing. Otherwise each of them is
    /// written under a dot of its own in place of all that the row shows: one resolves a
    /// conflict, several (a conflict copied from another register) stand as a conflict, none
    /// makes the register empty.
    fn assign(plain: Vec<String>) -> Self {
        let canonical =
            |text: String| json::canonical(&text).unwrap_or_else(|_| json::quote(&text));
        Self {
            wanted: Some(sorted(plain.into_iter().map(canonical).collect())),
            ..Self::default()
        }
    }

    /// The register without a value; a concurrent write survives.
    fn reset(&self) -> Result<Self, CrdtError> {
        Ok(Self {
            wanted: Some(Vec::new()),
            ..self.clone()
        })
    }

    fn latest(&self) -> Hlc {
        self.context.latest()
    }

    fn version(&self) -> VersionVector {
        self.context.version()
    }

    fn is_settled(&self) -> bool {
        self.wanted.is_none()
    }

    fn join(&self, other: &Self) -> Result<Self, CrdtError> {
        let mut live = self.live.clone();
        live.join(&self.context, &other.live, &other.context, |held, twin| {
            winner(held, twin) != held
        });
        let joined = Self {
            live,
            context: self.context.join(&other.context),
            wanted: self.wanted.as_ref().max(other.wanted.as_ref()).cloned(),
        };
        joined.check_size()?;
        Ok(joined)
    }

    /// A write over a stale copy takes the place of what that copy had seen; values that came
    /// later stay beside it. A literal takes the place of all that the row shows.
    fn settle(old: Option<&Self>, new: &Self, author: &mut dyn Author) -> Result<Self, CrdtError> {
        let Some(old) = old else {
            return Self::default().assigned(new, author);
        };
        if !old.is_settled() {
            let base = Self::default().assigned(old, author)?;
            let asks_nothing = new == old || new.knows_nothing() && new.is_settled();
            return match asks_nothing {
                true => Ok(base),
                false => base.assigned(new, author),
            };
        }
        let mut row = old.clone();
        if !new.descends_into(old) {
            return row.assigned(new, author);
        }
        row.live
            .retain(|dot| new.live.get(dot).is_some() || !new.context.contains(dot));
        match &new.wanted {
            None => Ok(row),
            Some(values) if new.knows_nothing() => row.authored(values, |_| true, author),
            Some(values) => row.authored(values, |dot| new.context.contains(dot), author),
        }
    }

    fn delta(old: Option<&Self>, new: &Self) -> Option<Self> {
        let bottom = Self::default();
        let base = old.unwrap_or(&bottom);
        let mut delta = Self {
            context: new.context.beyond(&base.context),
            ..Self::default()
        };
        delta.live = new.live.beyond(&base.live);
        for (dot, _) in delta.live.iter() {
            delta.context.insert(dot);
        }
        let gone = base.live.iter().map(|(dot, _)| dot);
        let gone = gone.filter(|dot| new.live.get(dot).is_none());
        gone.for_each(|dot| delta.context.insert(dot));
        (old.is_none() || delta != bottom).then_some(delta)
    }

    /// Fills the gaps in the causal context, which then is one span a replica: what the stable
    /// vector covers and no value stands for was written over. A state that had not seen all of
    /// `stable` loses those of its values, as it would by joining what it has missed.
    fn compact(&self, stable: &VersionVector) -> Result<Self, CrdtError> {
        Ok(Self {
            context: self.context.filled(stable),
            ..self.clone()
        })
    }

    fn check_delta(delta: &Self, author: ReplicaId, row: Option<&Self>) -> Result<(), DeltaFault> {
        if !delta.is_settled() {
            return Err(DeltaFault::Unsettled);
        }
        let bottom = Self::default();
        let row = row.unwrap_or(&bottom);
        for (dot, value) in delta.live.iter() {
            if dot.replica != author {
                return Err(DeltaFault::ForeignDot(dot));
            }
            if row.context.contains(&dot) && row.live.get(&dot) != Some(value) {
                return Err(DeltaFault::RepeatedDot(dot));
            }
        }
        // What an author says of its own writes harms nobody else.
        match delta.context.foreign_beyond(&row.context, author) {
            Some(dot) => Err(DeltaFault::UnknownDot(dot)),
            None => Ok(()),
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
        let (mine, others) = (self.values(), other.values());
        let differing = mine
            .iter()
            .zip(&others)
            .map(|(a, b)| json::compare(a, b))
            .find(|order| order.is_ne());
        differing.unwrap_or_else(|| mine.len().cmp(&others.len()))
    }

    fn hash_key(&self) -> Vec<u8> {
        let keys: Vec<String> = self.values().into_iter().map(json::hash_key).collect();
        keys.join("|").into()
    }
}

impl Edit for MvRegister {
    /// The value to write: canonical JSON text.
    type Edit = String;

    fn edit(&mut self, value: &String) -> Result<(), CrdtError> {
        let before = self.wanted.replace(vec![value.clone()]);
        self.check_size().inspect_err(|_| self.wanted = before)
    }
}
