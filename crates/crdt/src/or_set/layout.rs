//! The bytes of a set; numbers are LEB128:
//!
//! ```text
//! u8 version = 1 ‖ u8 change (0 none, 1 add, 2 assign)
//! replicas: count, then (replica16 ‖ base), ascending; base = its smallest counter in the
//!   state, ≥ 1
//! elements: count, then (length ‖ UTF-8 ‖ dots), ascending by bytes
//!   dots: count ≥ 1, then (replica index ‖ counter), ascending
//! removed: for each replica: count, then counters, ascending
//! floor, if 4 is added to the change: count ≥ 1, then (replica16 ‖ tick ≥ 1), ascending
//! change: add (not empty) and assign: count, then (length ‖ UTF-8), ascending
//! ```
//!
//! A counter is written as its distance from the one before it of the same replica in the same
//! run, less one; the first of a run as its distance from the replica's base.

use super::OrSet;
use super::dots::DotSet;
use super::live::Live;
use crate::codec::{MAX_STATE_BYTES, Reader, at_most, put_bytes, put_varint};
use crate::elements::{put_change, read_change};
use crate::{DecodeError, Dot, ReplicaId, VersionVector};

/// In the change byte: there is a floor. States without one are as they were before floors.
const FLOOR: u8 = 4;

pub(super) fn encode(set: &OrSet) -> Vec<u8> {
    let replicas = replicas(set);
    let mut out = Vec::with_capacity(
        16 + replicas.len() * 25 + set.live.elements().bytes() + set.live.all_dots().len() * 12,
    );
    let flag = if set.floor.is_empty() { 0 } else { FLOOR };
    out.extend([1, set.change.code() | flag]);
    put_varint(&mut out, replicas.len() as u64);
    for base in &replicas {
        out.extend_from_slice(&base.replica.0);
        put_varint(&mut out, base.counter);
    }
    put_varint(&mut out, set.live.elements().len() as u64);
    for (element, dots) in set.live.iter() {
        put_bytes(&mut out, element.as_bytes());
        put_dots(&mut out, dots, &replicas);
    }
    for base in &replicas {
        let counters = set.removed.counters(&base.replica);
        put_varint(&mut out, counters.len() as u64);
        let mut distance = Distance::from(base);
        counters
            .iter()
            .for_each(|counter| put_varint(&mut out, distance.to(*counter)));
    }
    if flag != 0 {
        put_varint(&mut out, set.floor.len() as u64);
        for dot in set.floor.iter() {
            out.extend_from_slice(&dot.replica.0);
            put_varint(&mut out, dot.counter);
        }
    }
    put_change(&mut out, &set.change);
    out
}

fn put_dots(out: &mut Vec<u8>, dots: &[Dot], replicas: &[Dot]) {
    put_varint(out, dots.len() as u64);
    let mut run: Option<(usize, Distance)> = None;
    for dot in dots {
        let index = match &run {
            Some((index, distance)) if distance.replica == dot.replica => *index,
            // Every replica of the state is in the table.
            _ => replicas.partition_point(|base| base.replica < dot.replica),
        };
        let (_, distance) = match &mut run {
            Some(run) if run.0 == index => run,
            other => match replicas.get(index) {
                Some(base) => other.insert((index, Distance::from(base))),
                None => continue,
            },
        };
        put_varint(out, index as u64);
        put_varint(out, distance.to(dot.counter));
    }
}

/// The replicas of the state with their smallest counters, ascending.
fn replicas(set: &OrSet) -> Vec<Dot> {
    let mut firsts: Vec<Dot> = set.removed.firsts().collect();
    for dot in set.live.all_dots() {
        // Neighbours mostly share their replica: keep the list short before it is sorted.
        match firsts.last_mut() {
            Some(last) if last.replica == dot.replica => *last = (*last).min(*dot),
            _ => firsts.push(*dot),
        }
    }
    firsts.sort_unstable();
    firsts.dedup_by_key(|dot| dot.replica);
    firsts
}

/// Turns the ascending counters of one replica into distances, and back.
struct Distance {
    replica: ReplicaId,
    /// The least counter that may follow; None after the greatest of all.
    from: Option<u64>,
}

impl Distance {
    fn from(base: &Dot) -> Self {
        Self {
            replica: base.replica,
            from: Some(base.counter),
        }
    }

    fn to(&mut self, counter: u64) -> u64 {
        // Counters ascend from the base: the distance is never negative.
        let distance = self.from.map_or(0, |from| counter.saturating_sub(from));
        self.from = counter.checked_add(1);
        distance
    }

    fn at(&mut self, distance: u64) -> Result<u64, DecodeError> {
        let counter = self.from.and_then(|from| from.checked_add(distance));
        let counter = counter.ok_or(DecodeError::NotCanonical("counter over 64 bits"))?;
        self.from = counter.checked_add(1);
        Ok(counter)
    }
}

pub(super) fn decode(bytes: &[u8]) -> Result<OrSet, DecodeError> {
    at_most("bytes of a set", bytes.len(), MAX_STATE_BYTES)?;
    let mut reader = Reader::new(bytes);
    reader.version()?;
    let code = reader.u8()?;
    let replicas = read_replicas(&mut reader)?;
    // Which replicas have a dot at their base: a base that no dot has could be any number.
    let mut based = vec![false; replicas.len()];
    let live = read_live(&mut reader, &replicas, &mut based)?;
    let removed = read_removed(&mut reader, &replicas, &mut based)?;
    if based.contains(&false) {
        return Err(DecodeError::NotCanonical(
            "a replica's base is not its smallest counter",
        ));
    }
    if !removed.is_empty() && live.all_dots().iter().any(|dot| removed.contains(dot)) {
        return Err(DecodeError::NotCanonical("a removed dot lives"));
    }
    let floor = match code & FLOOR {
        0 => VersionVector::default(),
        _ => read_floor(&mut reader)?,
    };
    if !floor.is_empty() && removed.iter().any(|dot| floor.covers(&dot)) {
        return Err(DecodeError::NotCanonical("a removed dot below the floor"));
    }
    let change = read_change(&mut reader, code & !FLOOR)?;
    reader.finish()?;
    Ok(OrSet {
        live,
        removed,
        floor,
        change,
    })
}

fn read_floor(reader: &mut Reader<'_>) -> Result<VersionVector, DecodeError> {
    let mut floor = VersionVector::default();
    let mut last = None;
    let count = reader.count(17)?;
    for _ in 0..count {
        let (replica, counter) = (reader.replica()?, reader.varint()?);
        if counter == 0 || last.replace(replica).is_some_and(|last| last >= replica) {
            return Err(DecodeError::NotCanonical(
                "replicas must ascend, from tick 1",
            ));
        }
        floor.observe(Dot { replica, counter });
    }
    match count {
        0 => Err(DecodeError::NotCanonical("a floor of nothing")),
        _ => Ok(floor),
    }
}

fn read_replicas(reader: &mut Reader<'_>) -> Result<Vec<Dot>, DecodeError> {
    let count = reader.count(17)?;
    let mut replicas: Vec<Dot> = Vec::with_capacity(count);
    for _ in 0..count {
        let base = Dot {
            replica: reader.replica()?,
            counter: reader.varint()?,
        };
        if replicas
            .last()
            .is_some_and(|last| last.replica >= base.replica)
        {
            return Err(DecodeError::NotCanonical("replicas must ascend"));
        }
        if base.counter == 0 {
            return Err(DecodeError::NotCanonical("tick 0 is no event"));
        }
        replicas.push(base);
    }
    Ok(replicas)
}

fn read_live(
    reader: &mut Reader<'_>,
    replicas: &[Dot],
    based: &mut [bool],
) -> Result<Live, DecodeError> {
    let count = reader.count(4)?;
    let mut live = Live::with_capacity(count, 0);
    for _ in 0..count {
        let element = reader.text()?;
        if live.elements().last().is_some_and(|last| last >= element) {
            return Err(DecodeError::NotCanonical("elements must ascend"));
        }
        let count = reader.count(2)?;
        if count == 0 {
            return Err(DecodeError::NotCanonical("an element without a dot"));
        }
        live.reserve_dots(count, reader.remaining() / 2);
        live.try_push(
            element,
            Dots {
                reader,
                replicas,
                based,
                left: count,
                run: None,
            },
        )?;
    }
    Ok(live)
}

/// Reads the dots of one element.
struct Dots<'a, 'b> {
    reader: &'a mut Reader<'b>,
    replicas: &'a [Dot],
    based: &'a mut [bool],
    left: usize,
    /// Index of the replica of the last dot, and its last counter.
    run: Option<(usize, Distance)>,
}

impl Dots<'_, '_> {
    fn read(&mut self) -> Result<Dot, DecodeError> {
        const DISORDER: DecodeError = DecodeError::NotCanonical("dots must ascend");
        let index = usize::try_from(self.reader.varint()?).unwrap_or(usize::MAX);
        let base = self.replicas.get(index);
        let base = base.ok_or(DecodeError::NotCanonical("no such replica"))?;
        let (_, distance) = match &mut self.run {
            Some(run) if run.0 == index => run,
            Some((last, _)) if *last > index => return Err(DISORDER),
            other => other.insert((index, Distance::from(base))),
        };
        let counter = distance.at(self.reader.varint()?)?;
        mark(self.based, index, counter == base.counter);
        Ok(Dot {
            replica: base.replica,
            counter,
        })
    }
}

impl Iterator for Dots<'_, '_> {
    type Item = Result<Dot, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        Some(self.read())
    }
}

fn read_removed(
    reader: &mut Reader<'_>,
    replicas: &[Dot],
    based: &mut [bool],
) -> Result<DotSet, DecodeError> {
    let mut removed = DotSet::default();
    for (index, base) in replicas.iter().enumerate() {
        let count = reader.count(1)?;
        let mut counters: Vec<u64> = Vec::with_capacity(count);
        let mut distance = Distance::from(base);
        for _ in 0..count {
            counters.push(distance.at(reader.varint()?)?);
        }
        mark(based, index, counters.first() == Some(&base.counter));
        removed.push_run(base.replica, counters);
    }
    Ok(removed)
}

fn mark(based: &mut [bool], index: usize, is_base: bool) {
    if let Some(based) = based.get_mut(index) {
        *based |= is_base;
    }
}
