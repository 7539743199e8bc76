//! What a delta brings and takes, for people who read a log.

use crate::sequence::{Content, Sequence};
use crate::{AnyState, AwSet, CrdtError, LwwTable, array_text, json, lww_table::TableKind};

impl AnyState {
    /// The change in words, such as `+ {a,b} - 2 tags`. Of what is removed by its dots alone,
    /// only that something is can be told.
    pub fn delta_text(&self) -> String {
        match self {
            Self::GCounter(counter) => match counter.slots() {
                [slot] => format!("at {} by this origin", slot.total),
                slots => format!("{} slots", slots.len()),
            },
            Self::PnCounter(counter) => match counter.slots() {
                [slot] => format!("+{} -{} by this origin", slot.up, slot.down),
                slots => format!("{} slots", slots.len()),
            },
            Self::BCounter(counter) => match (counter.slots(), counter.transfers().next()) {
                ([slot], None) => format!("+{} -{} by this origin", slot.up, slot.down),
                ([], Some(_)) => "rights transferred".to_owned(),
                (slots, _) => format!("{} slots", slots.len()),
            },
            Self::OrSet(set) => {
                let removed = set.removed().len();
                let gone = (removed > 0).then(|| format!("- {removed} tags"));
                brought(added(set.elements()), gone)
            }
            Self::AwSet(set) => {
                let gone = removes(set).then(|| "- elements seen".to_owned());
                brought(added(set.elements()), gone)
            }
            Self::LwwSet(set) => written(set),
            Self::LwwMap(map) => written(map),
            Self::Rga(list) => spliced(list),
            Self::RgaText(text) => spliced(text),
            Self::LwwRegister(_)
            | Self::MvRegister(_)
            | Self::OrMap(_)
            | Self::OrCart(_)
            | Self::VectorClock(_)
            | Self::HlcRegister(_) => shown(self.plain_text()),
        }
    }
}

fn shown(text: Result<String, CrdtError>) -> String {
    text.unwrap_or_else(|error| error.to_string())
}

fn added<'a>(elements: impl Iterator<Item = &'a str>) -> Option<String> {
    let elements: Vec<&str> = elements.collect();
    (!elements.is_empty()).then(|| format!("+ {}", array_text::print(elements.into_iter())))
}

/// Both parts, or that there is neither.
fn brought(come: Option<String>, gone: Option<String>) -> String {
    match (come, gone) {
        (Some(come), Some(gone)) => format!("{come} {gone}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => "seen".to_owned(),
    }
}

/// Whether the delta has seen an addition that it does not have.
fn removes(set: &AwSet) -> bool {
    let is_live = |replica, counter| {
        let mut dots = set.elements_with_dots().flat_map(|(_, dots)| dots);
        dots.any(|dot| dot.replica == replica && dot.counter == counter)
    };
    set.context()
        .iter()
        .any(|(replica, spans)| spans.iter().any(|span| !is_live(replica, span.upto)))
}

fn written<K: TableKind>(table: &LwwTable<K>) -> String {
    let writes = table
        .entries()
        .iter()
        .map(|(key, entry)| match &entry.value {
            Some(value) if value == "null" => format!("+ {}", json::quote(key)),
            Some(value) => format!("{} = {value}", json::quote(key)),
            None => format!("- {}", json::quote(key)),
        });
    brought(
        Some(writes.collect::<Vec<String>>().join(", ")).filter(|text| !text.is_empty()),
        None,
    )
}

fn spliced<C: Content>(sequence: &Sequence<C>) -> String {
    let (content, deleted) = match sequence.brought() {
        Ok(brought) => brought,
        Err(error) => return error.to_string(),
    };
    let come = (C::count(content.slice()) > 0).then(|| format!("+ {}", content.json()));
    let gone = (deleted > 0).then(|| format!("- {deleted}"));
    brought(come, gone)
}

#[cfg(test)]
mod tests {
    use crate::{AnyState, Author, ColumnKind, Hlc, ReplicaId};

    struct Someone(u64);

    impl Author for Someone {
        fn replica(&self) -> ReplicaId {
            ReplicaId([1; 16])
        }

        fn tick(&mut self) -> Hlc {
            self.0 += 1;
            Hlc(self.0)
        }

        fn is_exclusive(&self) -> bool {
            true
        }
    }

    /// An auditor who cannot see what an op did has only its author.
    #[test]
    fn a_delta_says_what_it_did() {
        for (kind, before, after, words) in [
            (ColumnKind::GCounter, "5", "8", "at 8 by this origin"),
            (ColumnKind::PnCounter, "5", "3", "+5 -2 by this origin"),
            (ColumnKind::BCounter, "5", "3", "+5 -2 by this origin"),
            (ColumnKind::LwwRegister, "1", "2", "2"),
            (ColumnKind::MvRegister, "1", "2", "2"),
            (ColumnKind::OrSet, "{a,b}", "{b,c}", "+ {c} - 1 tags"),
            (ColumnKind::AwSet, "{a,b}", "{b,c}", "+ {c} - elements seen"),
            (ColumnKind::AwSet, "{a}", "{a,b}", "+ {b}"),
            (ColumnKind::LwwSet, "{a,b}", "{b,c}", r#"- "a", + "c""#),
            (
                ColumnKind::LwwMap,
                r#"{"a":1}"#,
                r#"{"b":2}"#,
                r#"- "a", "b" = 2"#,
            ),
            (ColumnKind::OrMap, r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":2}"#),
            (ColumnKind::Rga, "[1,2]", "[2,3]", "+ [3] - 1"),
            (ColumnKind::RgaText, "the cat", "the cats", r#"+ "s""#),
        ] {
            let mut author = Someone(0);
            let literal = |text: &str| AnyState::from_text(kind, text).unwrap();
            let old = AnyState::settle(None, &literal(before), &mut author).unwrap();
            let new = AnyState::settle(Some(&old), &literal(after), &mut author).unwrap();
            let delta = AnyState::delta(Some(&old), &new).unwrap();
            assert_eq!(delta.delta_text(), words, "{kind:?}");
        }
    }
}
