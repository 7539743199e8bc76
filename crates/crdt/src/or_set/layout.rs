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

use super::{OrSet, Tombstones};
use crate::codec::{MAX_STATE_BYTES, Reader, at_most, put_bytes, put_varint};
use crate::elements::{Live, MAX_REPLICAS, change_bytes, put_change, read_change};
use crate::{DecodeError, Dot, ReplicaId};

/// In the change byte: there is a floor. States without one are as they were before floors.
const FLOOR: u8 = 4;

pub(super) fn encode(set: &OrSet) -> Vec<u8> {
    let (live, tombstones) = (&set.live, &set.tombstones);
    let bases = Bases::of(set);
    let mut out = Vec::with_capacity(
        16 + bases.table.len() * 42
            + live.texts.len()
            + 2 * live.len()
            + live.counters.len() * 5
            + tombstones.len() * 4
            + change_bytes(&set.change),
    );
    let flag = if tombstones.is_folded() { FLOOR } else { 0 };
    out.extend([1, set.change.code() | flag]);
    put_varint(&mut out, bases.table.len() as u64);
    for (base, _) in &bases.table {
        out.extend_from_slice(&base.replica.0);
        put_varint(&mut out, base.counter);
    }
    put_varint(&mut out, live.len() as u64);
    for element in 0..live.len() {
        put_bytes(&mut out, live.bytes(element));
        bases.put_dots(&mut out, live, element);
    }
    for (base, ticks) in &bases.table {
        put_varint(&mut out, ticks.len() as u64);
        let mut distance = Distance::from(base.counter);
        ticks
            .iter()
            .for_each(|tick| put_varint(&mut out, distance.to(*tick)));
    }
    if flag != 0 {
        let floor = set.floor();
        put_varint(&mut out, floor.len() as u64);
        for dot in floor.iter() {
            out.extend_from_slice(&dot.replica.0);
            put_varint(&mut out, dot.counter);
        }
    }
    put_change(&mut out, &set.change);
    out
}

/// The replicas that have dots, with the smallest of them.
struct Bases<'a> {
    /// Each with what was removed of it.
    table: Vec<(Dot, &'a [u64])>,
    /// Of each replica in the set's table the index in this one and the base.
    of_place: Vec<(u64, u64)>,
}

impl<'a> Bases<'a> {
    fn of(set: &'a OrSet) -> Self {
        let runs = (0..).map_while(|place| set.tombstones.at(place));
        let runs: Vec<(ReplicaId, u64, &[u64])> = runs.collect();
        let first = |(_, _, ticks): &(ReplicaId, u64, &[u64])| ticks.first().copied();
        let mut least: Vec<Option<u64>> = runs.iter().map(first).collect();
        for (author, counter) in set.live.authors.iter().zip(&set.live.counters) {
            if let Some(least) = least.get_mut(usize::from(*author)) {
                *least = Some(least.map_or(*counter, |least| least.min(*counter)));
            }
        }
        let (mut table, mut of_place) = (Vec::new(), Vec::new());
        for ((replica, _, ticks), least) in runs.into_iter().zip(least) {
            of_place.push((table.len() as u64, least.unwrap_or_default()));
            table.extend(least.map(|counter| (Dot { replica, counter }, ticks)));
        }
        Self { table, of_place }
    }

    fn put_dots(&self, out: &mut Vec<u8>, live: &Live, element: usize) {
        let dots = live.dots(element..element + 1);
        put_varint(out, dots.len() as u64);
        let mut run: Option<(u16, Distance)> = None;
        for at in dots {
            let (author, counter) = live.dot(at);
            // Every replica of a living dot has a base.
            let place = self.of_place.get(usize::from(author));
            let (index, base) = place.copied().unwrap_or_default();
            let (_, distance) = match &mut run {
                Some(run) if run.0 == author => run,
                other => other.insert((author, Distance::from(base))),
            };
            put_varint(out, index);
            put_varint(out, distance.to(counter));
        }
    }
}

/// Turns the ascending counters of one replica into distances, and back.
struct Distance {
    /// The least counter that may follow; None after the greatest of all.
    from: Option<u64>,
}

impl Distance {
    fn from(base: u64) -> Self {
        Self { from: Some(base) }
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
    let mut live = read_live(&mut reader, &replicas, &mut based)?;
    let mut tombstones = read_removed(&mut reader, &replicas, &mut based)?;
    if based.contains(&false) {
        return Err(DecodeError::NotCanonical(
            "a replica's base is not its smallest counter",
        ));
    }
    check_removed(&live, &tombstones)?;
    if code & FLOOR != 0 {
        read_floor(&mut reader, &mut tombstones)?;
        let place = |base: &Dot| tombstones.place(&base.replica).unwrap_or_default();
        live.replace(&replicas.iter().map(place).collect::<Vec<_>>());
    }
    let change = read_change(&mut reader, code & !FLOOR)?;
    reader.finish()?;
    Ok(OrSet {
        live,
        tombstones,
        change,
    })
}

/// No removed dot may live.
fn check_removed(live: &Live, tombstones: &Tombstones) -> Result<(), DecodeError> {
    let runs = (0..).map_while(|place| tombstones.at(place));
    let removed: Vec<&[u64]> = runs.map(|(_, _, ticks)| ticks).collect();
    let lives = |(author, counter): (&u16, &u64)| {
        let ticks = removed.get(usize::from(*author));
        ticks.is_some_and(|ticks| ticks.binary_search(counter).is_ok())
    };
    match !tombstones.is_empty() && live.authors.iter().zip(&live.counters).any(lives) {
        true => Err(DecodeError::NotCanonical("a removed dot lives")),
        false => Ok(()),
    }
}

fn read_floor(reader: &mut Reader<'_>, tombstones: &mut Tombstones) -> Result<(), DecodeError> {
    let count = reader.count(17)?;
    let mut floor: Vec<Dot> = Vec::with_capacity(count);
    for _ in 0..count {
        let (replica, counter) = (reader.replica()?, reader.varint()?);
        if counter == 0 || floor.last().is_some_and(|last| last.replica >= replica) {
            return Err(DecodeError::NotCanonical(
                "replicas must ascend, from tick 1",
            ));
        }
        floor.push(Dot { replica, counter });
    }
    if floor.is_empty() {
        return Err(DecodeError::NotCanonical("a floor of nothing"));
    }
    let removed = tombstones.len();
    tombstones.raise(&floor);
    at_most("replicas of a set", tombstones.replicas(), MAX_REPLICAS)?;
    match tombstones.len() == removed {
        true => Ok(()),
        false => Err(DecodeError::NotCanonical("a removed dot below the floor")),
    }
}

fn read_replicas(reader: &mut Reader<'_>) -> Result<Vec<Dot>, DecodeError> {
    let count = reader.count(17)?;
    at_most("replicas of a set", count, MAX_REPLICAS)?;
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
        let element = reader.text()?.as_bytes();
        if live
            .len()
            .checked_sub(1)
            .is_some_and(|last| live.bytes(last) >= element)
        {
            return Err(DecodeError::NotCanonical("elements must ascend"));
        }
        let count = reader.count(2)?;
        if count == 0 {
            return Err(DecodeError::NotCanonical("an element without a dot"));
        }
        live.reserve_dots(count, reader.remaining() / 2);
        let mut run = None;
        for _ in 0..count {
            let (index, counter) = read_dot(reader, replicas, based, &mut run)?;
            live.push_dot(index, counter);
        }
        live.push_text(element, count);
    }
    Ok(live)
}

/// Reads a dot of an element; `run` holds the place of the replica of the one before, and how
/// its counter goes on.
fn read_dot(
    reader: &mut Reader<'_>,
    replicas: &[Dot],
    based: &mut [bool],
    run: &mut Option<(usize, Distance)>,
) -> Result<(u16, u64), DecodeError> {
    let index = usize::try_from(reader.varint()?).unwrap_or(usize::MAX);
    let base = replicas.get(index);
    let base = base.ok_or(DecodeError::NotCanonical("no such replica"))?;
    let (_, distance) = match run {
        Some(run) if run.0 == index => run,
        Some((last, _)) if *last > index => {
            return Err(DecodeError::NotCanonical("dots must ascend"));
        }
        other => other.insert((index, Distance::from(base.counter))),
    };
    let counter = distance.at(reader.varint()?)?;
    mark(based, index, counter == base.counter);
    // There are at most 2^16 replicas.
    Ok((index as u16, counter))
}

fn read_removed(
    reader: &mut Reader<'_>,
    replicas: &[Dot],
    based: &mut [bool],
) -> Result<Tombstones, DecodeError> {
    let mut tombstones = Tombstones::default();
    for (index, base) in replicas.iter().enumerate() {
        let count = reader.count(1)?;
        let mut ticks: Vec<u64> = Vec::with_capacity(count);
        let mut distance = Distance::from(base.counter);
        for _ in 0..count {
            ticks.push(distance.at(reader.varint()?)?);
        }
        mark(based, index, ticks.first() == Some(&base.counter));
        tombstones.push(base.replica, ticks);
    }
    Ok(tombstones)
}

fn mark(based: &mut [bool], index: usize, is_base: bool) {
    if let Some(based) = based.get_mut(index) {
        *based |= is_base;
    }
}
