//! Reading a log to its end, tile by tile, in constant memory.

use ledger::audit::{AuditFault, AuditFaultKind, DueTile, LogAudit};
use ledger::merkle::{TILE_WIDTH, TilePath, TileStore, Tree, TreeError, verify_consistency};
use ledger::{Hash, SignedCheckpoint};

use super::Stop;
use crate::web::Web;

/// Longer than 256 leaves, or 256 hashes.
const MAX_TILE_BYTES: usize = 1 << 20;
/// Bundles that are fetched at a time.
const AHEAD: u64 = 8;
/// Bundles after which the audit is kept.
const KEEP_AFTER: u64 = 256;

/// Audits what is new up to the checkpoint; `keep` is called now and then, and at the end.
pub fn whole(
    web: &Web,
    audit: &mut LogAudit,
    checkpoint: &SignedCheckpoint,
    passing: Option<(u64, Hash)>,
    mut keep: impl FnMut(&LogAudit) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let state = checkpoint.checkpoint();
    if audit.size() > state.size {
        return Err(rolled_back(audit.size(), state.size).into());
    }
    let mut read = 0;
    while audit.size() < state.size {
        let wanted: Vec<_> = (0..AHEAD)
            .map_while(|n| audit.ahead(state.size, n))
            .collect();
        let paths: Vec<String> = wanted
            .iter()
            .flat_map(|(entries, hashes)| [entries.to_string(), hashes.to_string()])
            .collect();
        let mut got = web.get_all(&paths, MAX_TILE_BYTES).into_iter();
        for (entries, hashes) in &wanted {
            let bundle = answer(entries, got.next())?;
            let tile = answer(hashes, got.next())?;
            let due = audit.read(&bundle, &tile, passing)?;
            check_tiles(web, &due)?;
            read += 1;
            if read % KEEP_AFTER == 0 {
                keep(audit)?;
            }
        }
    }
    check_tiles(web, &audit.open_tiles())?;
    if audit.root() != state.root {
        let detail = "the leaves do not make the root that was signed".to_owned();
        let fault = AuditFault::new(AuditFaultKind::RootWrong, None, detail);
        let (expected, found) = (hex::encode(state.root), hex::encode(audit.root()));
        return Err(fault.between(expected, found).into());
    }
    keep(audit)
}

fn check_tiles(web: &Web, due: &[DueTile]) -> Result<(), Stop> {
    for tile in due {
        let got = web.get(&tile.path.to_string(), MAX_TILE_BYTES);
        tile.check(&answer(&tile.path, Some(got))?)?;
    }
    Ok(())
}

/// The body of an answer. What lies under a signed checkpoint must be there.
fn answer(path: &TilePath, got: Option<Result<crate::web::Got, String>>) -> Result<Vec<u8>, Stop> {
    let got = got.ok_or_else(|| Stop::Failed(format!("{path} was not fetched")))?;
    let got = got.map_err(Stop::Failed)?;
    if got.status == 200 {
        return Ok(got.body);
    }
    let index = match *path {
        TilePath::Entries { index, .. } => index.checked_mul(TILE_WIDTH),
        TilePath::Hashes { level, index, .. } => TILE_WIDTH
            .checked_pow(u32::from(level) + 1)
            .and_then(|span| index.checked_mul(span)),
    };
    let detail = format!("the log does not give {path}: status {}", got.status);
    Err(AuditFault::new(AuditFaultKind::Withheld, index, detail).into())
}

fn rolled_back(before: u64, now: u64) -> AuditFault {
    let detail = "the log has fewer leaves than were signed before".to_owned();
    AuditFault::new(AuditFaultKind::RolledBack, None, detail)
        .between(format!("{before} leaves"), format!("{now} leaves"))
}

/// That a checkpoint continues the one that was kept.
pub fn check_continues(
    web: &Web,
    kept: &SignedCheckpoint,
    checkpoint: &SignedCheckpoint,
) -> Result<(), Stop> {
    let (old, new) = (kept.checkpoint(), checkpoint.checkpoint());
    if new.size < old.size {
        return Err(rolled_back(old.size, new.size).into());
    }
    if new.size == old.size {
        return match new.root == old.root {
            true => Ok(()),
            false => Err(AuditFault::forked(old.size, &old.root, &new.root).into()),
        };
    }
    let tiles = WebTiles {
        web,
        size: new.size,
    };
    let tree = Tree::new(tiles, new.size);
    let told = |error: TreeError<Stop>| match error {
        TreeError::Store(stop) => stop,
        TreeError::Tile { level, index } => {
            AuditFault::tile(level, index, "as long as it should be").into()
        }
        TreeError::Range { .. } => Stop::Failed(error.to_string()),
    };
    // Tiles that do not make the signed root would make any proof fail.
    let root = tree.root().map_err(told)?;
    if root != new.root {
        let detail = "the tiles do not make the root that was signed".to_owned();
        let fault = AuditFault::new(AuditFaultKind::RootWrong, None, detail);
        return Err(fault
            .between(hex::encode(new.root), hex::encode(root))
            .into());
    }
    let path = tree.consistency_proof(old.size, new.size).map_err(told)?;
    if verify_consistency(old.size, new.size, &path, &old.root, &new.root) {
        return Ok(());
    }
    let now = tree.root_at(old.size).map_err(told)?;
    Err(AuditFault::forked(old.size, &old.root, &now).into())
}

/// The tiles that a log of this size serves.
struct WebTiles<'a> {
    web: &'a Web,
    size: u64,
}

impl TileStore for WebTiles<'_> {
    type Error = Stop;

    fn tile(&self, level: u8, index: u64) -> Result<Vec<u8>, Stop> {
        let hashes = self.size.checked_shr(8 * u32::from(level)).unwrap_or(0);
        let width = hashes.saturating_sub(index.saturating_mul(TILE_WIDTH));
        let path = TilePath::Hashes {
            level,
            index,
            width: width.min(TILE_WIDTH) as u16,
        };
        let got = self.web.get(&path.to_string(), MAX_TILE_BYTES);
        answer(&path, Some(got))
    }

    fn put(&mut self, _level: u8, _index: u64, _hashes: &[u8]) -> Result<(), Stop> {
        Err(Stop::Failed(
            "the log of another cannot be written".to_owned(),
        ))
    }
}
