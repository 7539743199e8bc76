//! The verified beginning of the chain, remembered in `crdt.verified`, so that
//! the next verification can begin behind it. It is relied on only if the row
//! carries this node's signature, the block that it names is still that block,
//! and no row of the ledger up to there was written since (see `survey`).

use super::survey::{self, Bounds, Numbers};
use super::verify::Stored;
use crate::catalog;
use crate::instance::identity;
use ledger::signature::{sign, verify};
use ledger::{Cut, Ground, Hash, Header, NodeId};
use pgrx::pg_sys;
use std::collections::BTreeMap;

/// What the signature of the remembered row begins with.
const LABEL: &[u8] = b"bcrdt/verified/v1\0";
/// Blocks that are tried, from the newest on, for one that was written before
/// all transactions that still run.
const MAX_BACK: i64 = 10_000;

/// A verified beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Prefix {
    height: u64,
    header_hash: Hash,
    size: u64,
    root: Hash,
    /// Transactions below this number, 64 bits wide, had ended by then.
    horizon: u64,
    numbers: Numbers,
}

/// What is remembered, and what it is worth.
#[derive(Debug, PartialEq, Eq)]
pub enum Memory {
    /// Nothing that is for this node.
    Nothing,
    /// The blocks up to this height are as they were verified.
    Holds(u64),
    /// Something was written since; all must be verified again.
    Doubtful(String),
    /// Somebody altered what is remembered.
    Altered(String),
}

impl Prefix {
    /// Label ‖ system u64 ‖ database u32 ‖ node ‖ height ‖ header hash ‖ size ‖ root ‖ horizon ‖
    /// ops ‖ segments ‖ blocks ‖ ranges ‖ tiles ‖ schemas ‖ archived ‖ long ‖ tables.
    fn message(&self, node: &NodeId) -> Vec<u8> {
        // SAFETY: set when the server starts and when the process connects.
        let (system, database) =
            unsafe { (pg_sys::GetSystemIdentifier(), pg_sys::MyDatabaseId.to_u32()) };
        let n = &self.numbers;
        let mut bytes = LABEL.to_vec();
        bytes.extend(system.to_be_bytes());
        bytes.extend(database.to_be_bytes());
        bytes.extend(node.0);
        bytes.extend(self.height.to_be_bytes());
        bytes.extend(self.header_hash);
        bytes.extend(self.size.to_be_bytes());
        bytes.extend(self.root);
        for number in [
            self.horizon,
            n.ops,
            n.segments,
            n.blocks,
            n.ranges,
            n.tiles,
            n.schemas,
            n.archived,
            n.long,
        ] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(n.tables);
        bytes
    }
}

/// A stored row: whose, its signature, and what it says.
fn read() -> Option<(Vec<u8>, Vec<u8>, Option<Prefix>)> {
    catalog::one(
        "SELECT node, signature, header_hash, root, tables, height, tree_size, horizon, ops,
                segments, blocks, ranges, tiles, schemas, archived, long_values
           FROM crdt.verified",
        &[],
        |row| {
            let hash = |at| {
                row.get::<Vec<u8>>(at)
                    .and_then(|bytes| bytes.try_into().ok())
            };
            let number = |at| row.get::<i64>(at).map(|n| n as u64);
            let prefix = || {
                Some(Prefix {
                    header_hash: hash(3)?,
                    root: hash(4)?,
                    height: number(6)?,
                    size: number(7)?,
                    horizon: number(8)?,
                    numbers: Numbers {
                        ops: number(9)?,
                        segments: number(10)?,
                        blocks: number(11)?,
                        ranges: number(12)?,
                        tiles: number(13)?,
                        schemas: number(14)?,
                        archived: number(15)?,
                        long: number(16)?,
                        tables: hash(5)?,
                    },
                })
            };
            let bytes = |at| row.get::<Vec<u8>>(at).unwrap_or_default();
            (bytes(1), bytes(2), prefix())
        },
    )
}

fn in_recovery() -> bool {
    // SAFETY: reads shared state.
    unsafe { pg_sys::RecoveryInProgress() }
}

/// Whether what is remembered was altered; says what it says if not.
fn trusted() -> Result<Option<Prefix>, String> {
    // A standby has no key of its own to check it with.
    if in_recovery() {
        return Ok(None);
    }
    let Some((node, signature, prefix)) = read() else {
        return Ok(None);
    };
    let identity = identity::identity();
    let me = identity.node_id();
    if node != me.0 {
        // It came here with a copy of another node's data.
        return Ok(None);
    }
    let key = identity.signing.verifying_key();
    let signed = |prefix: &Prefix| {
        let signature = signature.as_slice().try_into().ok();
        signature.is_some_and(|signature| verify(&key, &prefix.message(&me), &signature))
    };
    match prefix.filter(signed) {
        Some(prefix) => Ok(Some(prefix)),
        None => {
            Err("what verify_chain() remembers does not carry this node's signature".to_owned())
        }
    }
}

/// What is wrong with what is remembered, if anything.
pub fn fault() -> Option<String> {
    trusted().err()
}

/// Looks at what is remembered.
pub fn recall(stored: &Stored) -> Memory {
    let prefix = match trusted() {
        Ok(Some(prefix)) => prefix,
        Ok(None) => return Memory::Nothing,
        Err(detail) => return Memory::Altered(detail),
    };
    match still_holds(stored, &prefix) {
        Ok(()) => Memory::Holds(prefix.height),
        Err(detail) => Memory::Doubtful(detail),
    }
}

fn still_holds(stored: &Stored, prefix: &Prefix) -> Result<(), String> {
    let ground = stored
        .ground(prefix.height)
        .ok_or_else(|| format!("block {} cannot be read", prefix.height))?;
    let now = describe(stored, &ground, prefix.horizon, Known::Nothing)?;
    match now == *prefix {
        true => Ok(()),
        false => Err("rows of the ledger are gone, or its tables were replaced".to_owned()),
    }
}

/// What was seen of the ops already, under the snapshot in use.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    Nothing,
    /// They are there, each as it was signed.
    Verified,
}

/// What the rows say now of the chain up to `ground`.
fn describe(
    stored: &Stored,
    ground: &Ground,
    horizon: u64,
    known: Known,
) -> Result<Prefix, String> {
    let unreadable = || format!("block {} cannot be read", ground.height);
    let header = Header::from_bytes(&ground.header).map_err(|_| unreadable())?;
    let cut = Cut::from_bytes(&ground.cut).map_err(|_| unreadable())?;
    let mut origins = BTreeMap::new();
    let mut ops = 0;
    for (origin, at) in cut.iter() {
        let number = stored.source.names.number(origin);
        let behind = ground.origins.get(origin);
        let (number, behind) = number.zip(behind).ok_or_else(unreadable)?;
        let head = catalog::one(
            "SELECT hash FROM crdt.op WHERE origin = $1 AND seq = $2",
            &[number.into(), (at.seq as i64).into()],
            |row| row.need::<Vec<u8>>(1),
        );
        if head.as_deref() != Some(&at.head) {
            return Err(format!(
                "op {} of node {number} is not what the block says",
                at.seq
            ));
        }
        origins.insert(number, (at.seq as i64, behind.covered as i64));
        ops += at.seq;
    }
    let numbers = survey::survey(&Bounds {
        height: ground.height,
        size: header.tree_size,
        origins,
        horizon,
        ops: (known == Known::Verified).then_some(ops),
    })?;
    let complete = super::stamp::complete_tiles(header.tree_size);
    if (numbers.ops, numbers.blocks, numbers.tiles) != (ops, ground.height, complete) {
        return Err("the ledger has not the rows that its blocks speak of".to_owned());
    }
    Ok(Prefix {
        height: ground.height,
        header_hash: header.hash(),
        size: header.tree_size,
        root: header.log_root,
        horizon,
        numbers,
    })
}

/// What can be remembered of the chain, which was verified under the snapshot
/// in use: its blocks up to the last one that was written before all
/// transactions that still run. None where nothing can be kept.
pub fn memorable(stored: &Stored) -> Option<Remembered> {
    // SAFETY: state and settings of this process.
    let (read_only, level) = unsafe { (pg_sys::XactReadOnly, pg_sys::XactIsoLevel) };
    // Under one snapshot for the whole transaction the row that another one
    // remembered meanwhile could not be replaced.
    let fixed = level > pg_sys::XACT_READ_COMMITTED as i32;
    if in_recovery() || read_only || fixed {
        return None;
    }
    let horizon = survey::horizon();
    let stamps: Vec<(i64, i64)> = catalog::query(
        "SELECT height, xmin::text::bigint FROM crdt.block ORDER BY height DESC LIMIT $1",
        &[MAX_BACK.into()],
        |row| (row.need(1), row.need(2)),
    );
    let (height, _) = stamps
        .into_iter()
        .find(|(_, stamp)| u32::try_from(*stamp).is_ok_and(|s| survey::is_older(s, horizon)))?;
    let ground = stored.ground(u64::try_from(height).ok()?)?;
    // An op that a transaction behind the horizon has rewritten, which only pruning
    // does, is seen when this is recalled: then all is verified once more.
    let described = describe(stored, &ground, horizon, Known::Verified);
    described.ok().map(Remembered)
}

/// What is to be remembered.
pub struct Remembered(Prefix);

impl Remembered {
    /// Remembers it, unless another session is about to.
    pub fn keep(self) {
        let table = catalog::relation_oid(c"verified");
        // SAFETY: the lock is given back when the transaction ends.
        let mine = unsafe {
            pg_sys::ConditionalLockRelationOid(
                table,
                pg_sys::ShareRowExclusiveLock as pg_sys::LOCKMODE,
            )
        };
        if !mine {
            return;
        }
        let identity = identity::identity();
        let node = identity.node_id();
        let signature = sign(&identity.signing, &self.0.message(&node));
        let (prefix, n) = (&self.0, &self.0.numbers);
        catalog::run("DELETE FROM crdt.verified", &[]);
        catalog::run(
            "INSERT INTO crdt.verified (height, header_hash, tree_size, root, ops, horizon, segments,
                                        blocks, ranges, tiles, schemas, archived, long_values, tables, node, signature)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
            &[
                (prefix.height as i64).into(),
                prefix.header_hash.as_slice().into(),
                (prefix.size as i64).into(),
                prefix.root.as_slice().into(),
                (n.ops as i64).into(),
                (prefix.horizon as i64).into(),
                (n.segments as i64).into(),
                (n.blocks as i64).into(),
                (n.ranges as i64).into(),
                (n.tiles as i64).into(),
                (n.schemas as i64).into(),
                (n.archived as i64).into(),
                (n.long as i64).into(),
                n.tables.as_slice().into(),
                node.0.as_slice().into(),
                signature.as_slice().into(),
            ],
        );
    }
}
