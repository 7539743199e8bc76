//! What a key holds of each kind: almost always of one, so that it takes no room for others.

use crate::keyed::Keyed;

/// A map, a set, a counter and a register at one key, or some of them: S, C and R say how.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Kinds<S, C, R> {
    /// Nothing.
    #[default]
    Nothing,
    /// A map.
    Map(Keyed<Self>),
    /// A set.
    Set(S),
    /// A counter.
    Counter(C),
    /// A register.
    Register(R),
    /// At least two.
    Several(Box<Parts<S, C, R>>),
}

/// The same side by side.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parts<S, C, R> {
    /// In the map there.
    pub map: Keyed<Kinds<S, C, R>>,
    /// In the set there.
    pub set: S,
    /// In the counter there.
    pub counter: C,
    /// In the register there.
    pub register: R,
}

impl<S: Default, C: Default, R: Default> Default for Parts<S, C, R> {
    fn default() -> Self {
        Self {
            map: Keyed::default(),
            set: S::default(),
            counter: C::default(),
            register: R::default(),
        }
    }
}

/// What may be nothing.
pub trait Part: Default {
    /// Whether it is.
    fn is_nothing(&self) -> bool;
}

impl<T> Part for Option<T> {
    fn is_nothing(&self) -> bool {
        self.is_none()
    }
}

impl<V> Part for Keyed<V> {
    fn is_nothing(&self) -> bool {
        self.is_empty()
    }
}

impl<S: Part, C: Part, R: Part> From<Parts<S, C, R>> for Kinds<S, C, R> {
    fn from(parts: Parts<S, C, R>) -> Self {
        let held = [
            !parts.map.is_empty(),
            !parts.set.is_nothing(),
            !parts.counter.is_nothing(),
            !parts.register.is_nothing(),
        ];
        match held {
            [false, false, false, false] => Self::Nothing,
            [true, false, false, false] => Self::Map(parts.map),
            [false, true, false, false] => Self::Set(parts.set),
            [false, false, true, false] => Self::Counter(parts.counter),
            [false, false, false, true] => Self::Register(parts.register),
            _ => Self::Several(Box::new(parts)),
        }
    }
}

impl<S: Part, C: Part, R: Part> Kinds<S, C, R> {
    /// Whether nothing is held of any kind.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// The map, if there is one.
    pub fn map(&self) -> Option<&Keyed<Self>> {
        match self {
            Self::Map(map) => Some(map),
            Self::Several(parts) => Some(&parts.map).filter(|map| !map.is_empty()),
            _ => None,
        }
    }

    /// The set, if there is one.
    pub fn set(&self) -> Option<&S> {
        match self {
            Self::Set(set) => Some(set),
            Self::Several(parts) => Some(&parts.set).filter(|set| !set.is_nothing()),
            _ => None,
        }
    }

    /// The counter, if there is one.
    pub fn counter(&self) -> Option<&C> {
        match self {
            Self::Counter(counter) => Some(counter),
            Self::Several(parts) => Some(&parts.counter).filter(|counter| !counter.is_nothing()),
            _ => None,
        }
    }

    /// The register, if there is one.
    pub fn register(&self) -> Option<&R> {
        match self {
            Self::Register(register) => Some(register),
            Self::Several(parts) => Some(&parts.register).filter(|held| !held.is_nothing()),
            _ => None,
        }
    }

    /// All kinds, out of here.
    pub(super) fn take(&mut self) -> Parts<S, C, R> {
        let mut parts = Parts::default();
        match std::mem::take(self) {
            Self::Nothing => (),
            Self::Map(map) => parts.map = map,
            Self::Set(set) => parts.set = set,
            Self::Counter(counter) => parts.counter = counter,
            Self::Register(register) => parts.register = register,
            Self::Several(several) => parts = *several,
        }
        parts
    }

    /// Changes the kinds in place.
    pub(super) fn edit<T>(&mut self, act: impl FnOnce(&mut Parts<S, C, R>) -> T) -> T {
        let mut parts = self.take();
        let result = act(&mut parts);
        *self = parts.into();
        result
    }
}
