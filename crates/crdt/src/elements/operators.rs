//! What every set of texts can be asked.

/// The operators and questions of a set with the fields `live` and `change` and a method `named`
/// that gives a dot by the place of its replica.
macro_rules! set_operators {
    ($set:ident) => {
        impl $set {
            /// The operator `+`. The addition of an element that is there already survives a
            /// concurrent removal, so it takes a dot as well.
            pub fn add(&self, element: &str) -> Result<Self, CrdtError> {
                self.edited(&SetEdit::Add(element.to_owned()))
            }

            /// The operator `-`: removes the element as far as this value shows it.
            pub fn remove(&self, element: &str) -> Result<Self, CrdtError> {
                self.edited(&SetEdit::Remove(element.to_owned()))
            }

            /// Whether `element` is in the set.
            pub fn contains(&self, element: &str) -> bool {
                let lives = || self.live.search(element.as_bytes()).is_ok();
                match &self.change {
                    Change::None => lives(),
                    Change::Add(added) => added.contains(element) || lives(),
                    Change::Assign(value) => value.contains(element),
                }
            }

            /// Whether all of `elements` are in the set.
            pub fn contains_all<'a>(&self, elements: impl IntoIterator<Item = &'a str>) -> bool {
                elements.into_iter().all(|element| self.contains(element))
            }

            /// The elements, ascending by bytes.
            pub fn elements(&self) -> impl Iterator<Item = &str> {
                let (live, asked) = match &self.change {
                    Change::None => (Some(&self.live), None),
                    Change::Add(added) => (Some(&self.live), Some(added)),
                    Change::Assign(value) => (None, Some(value)),
                };
                $crate::elements::merged(
                    live.into_iter().flat_map($crate::elements::Live::texts),
                    asked.into_iter().flat_map(Texts::iter),
                )
            }

            /// How many elements.
            pub fn cardinality(&self) -> usize {
                match &self.change {
                    Change::None => self.live.len(),
                    Change::Add(added) => {
                        let new = |text: &&str| self.live.search(text.as_bytes()).is_err();
                        self.live.len() + added.iter().filter(new).count()
                    }
                    Change::Assign(value) => value.len(),
                }
            }

            /// The living elements with their dots, ascending.
            pub fn elements_with_dots(&self) -> impl Iterator<Item = (&str, Vec<Dot>)> {
                (0..self.live.len()).map(|index| (self.live.text(index), self.dots_at(index)))
            }

            /// The dots of `element`, ascending.
            pub fn dots_of(&self, element: &str) -> Vec<Dot> {
                match self.live.search(element.as_bytes()) {
                    Ok(index) => self.dots_at(index),
                    Err(_) => Vec::new(),
                }
            }

            /// The unsettled change.
            pub fn change(&self) -> &Change<Texts, Texts> {
                &self.change
            }

            fn dots_at(&self, index: usize) -> Vec<Dot> {
                let dots = self.live.dots(index..index + 1);
                dots.filter_map(|at| self.named(self.live.dot(at)))
                    .collect()
            }

            /// The dots to remove and the elements to add so that the state holds exactly
            /// `value`.
            fn way_to(&self, value: &Texts) -> (Vec<Dot>, Texts) {
                let gone = (0..self.live.len())
                    .filter(|index| !value.contains(self.live.text(*index)))
                    .flat_map(|index| self.dots_at(index));
                let missing = value
                    .iter()
                    .filter(|element| self.live.search(element.as_bytes()).is_err());
                (gone.collect(), missing.collect())
            }

            /// This settled state led to hold exactly `value`.
            fn assigned(self, value: &Texts, author: &mut dyn Author) -> Result<Self, CrdtError> {
                let (gone, missing) = self.way_to(value);
                match gone.is_empty() && missing.is_empty() {
                    true => Ok(self),
                    false => self.authored(gone, &missing, author),
                }
            }

            fn authored_by_value(new: &Self, author: &mut dyn Author) -> Result<Self, CrdtError> {
                Self::default().assigned(&new.elements().collect(), author)
            }
        }
    };
}

pub(crate) use set_operators;
