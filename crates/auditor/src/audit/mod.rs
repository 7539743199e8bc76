//! `bcrdt audit`: reads a whole log from what it serves to everybody, and says whether it is what its
//! checkpoint says. `read` does it, `keep` remembers it for the next time, `told` says it.

mod keep;
mod read;
mod told;

use std::io::{IsTerminal, Write, stderr};

use ledger::audit::{AuditFault, AuditFaultKind};
use ledger::note::{KeyKind, VerifierKey};
use ledger::{ChainId, Signed, SignedCheckpoint};

use crate::arguments::audit::Audit;
use crate::status::Answer;
use crate::web::Web;

/// Longer than a checkpoint with all signatures that a note can have.
const MAX_CHECKPOINT_BYTES: usize = ledger::note::MAX_NOTE_BYTES;
/// What comes before the chain's id in the name of its log.
const ORIGIN: &str = "blockchain_crdt/";

/// Why an audit ended before its end.
enum Stop {
    /// Something is wrong with the log.
    Fault(Box<AuditFault>),
    /// The log or the folder cannot be read: nothing can be said.
    Failed(String),
}

impl From<AuditFault> for Stop {
    fn from(fault: AuditFault) -> Self {
        Self::Fault(Box::new(fault))
    }
}

/// What an audit came to.
struct Outcome {
    chain: ChainId,
    checkpoint: SignedCheckpoint,
    /// Names and times, in seconds since 1970, of the witnesses that cosigned it.
    witnesses: Vec<(String, u64)>,
    /// Leaves that were audited before this time.
    known: u64,
    blocks: u64,
    nodes: usize,
}

/// `bcrdt audit`; an error says why nothing can be said of the log.
pub fn run(asked: &Audit) -> Result<Answer, String> {
    let origin = origin(asked)?;
    match audit(asked, &origin) {
        Ok(outcome) => Ok(told::sound(&outcome, asked.json)),
        Err(Stop::Fault(fault)) => Ok(told::fault(&origin, &fault, asked.json)),
        Err(Stop::Failed(reason)) => Err(reason),
    }
}

/// The name of the log, on which all keys given must agree.
fn origin(asked: &Audit) -> Result<String, String> {
    for key in &asked.keys {
        key.need(KeyKind::Ed25519)
            .map_err(|error| format!("--key {}: {error}", key.name()))?;
    }
    for key in &asked.witnesses {
        key.need(KeyKind::Cosignature)
            .map_err(|error| format!("--witness {}: {error}", key.name()))?;
    }
    let mut names = asked.keys.iter().map(VerifierKey::name);
    let name = names.next().ok_or("no key was given")?;
    match names.all(|other| other == name) {
        true => Ok(name.to_owned()),
        false => Err("the keys given are of different logs".to_owned()),
    }
}

fn audit(asked: &Audit, origin: &str) -> Result<Outcome, Stop> {
    let chain: ChainId = origin
        .strip_prefix(ORIGIN)
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| Stop::Failed(format!("{origin} is not the log of a chain")))?;
    let web = Web::open(&asked.url).map_err(Stop::Failed)?;
    let mut keep = match &asked.keep {
        Some(folder) => Some(keep::Keep::open(folder, origin).map_err(Stop::Failed)?),
        None => None,
    };
    let kept = match &keep {
        Some(keep) => keep.checkpoint().map_err(Stop::Failed)?,
        None => None,
    };
    let checkpoint = fetch_checkpoint(&web, origin)?;
    let witnesses = check_signed(asked, &checkpoint)?;
    if let Some(kept) = &kept {
        read::check_continues(&web, kept, &checkpoint)?;
    }
    // From here on this state of the log is what the next one must continue.
    if let Some(keep) = &keep {
        keep.store_checkpoint(&checkpoint).map_err(Stop::Failed)?;
    }
    let begun = match &keep {
        Some(keep) => keep.audit(&chain).map_err(Stop::Failed)?,
        None => None,
    };
    let mut audit = begun.unwrap_or_else(|| ledger::audit::LogAudit::new(chain));
    let known = audit.size();
    let passing = kept.map(|kept| (kept.checkpoint().size, kept.checkpoint().root));
    let mut progress = Progress::new(checkpoint.checkpoint().size);
    read::whole(&web, &mut audit, &checkpoint, passing, |audit| {
        progress.tell(audit.size());
        match &mut keep {
            Some(keep) => keep.store_audit(audit).map_err(Stop::Failed),
            None => Ok(()),
        }
    })?;
    Ok(Outcome {
        chain,
        checkpoint,
        witnesses,
        known,
        blocks: audit.headers(),
        nodes: audit.origins(),
    })
}

fn fetch_checkpoint(web: &Web, origin: &str) -> Result<SignedCheckpoint, Stop> {
    let got = web
        .get("checkpoint", MAX_CHECKPOINT_BYTES)
        .map_err(Stop::Failed)?;
    if got.status != 200 {
        let reason = format!("the server has no checkpoint: status {}", got.status);
        return Err(Stop::Failed(reason));
    }
    let text = String::from_utf8(got.body);
    let text = text.map_err(|_| Stop::Failed("the checkpoint is no text".to_owned()))?;
    let checkpoint =
        SignedCheckpoint::parse(&text).map_err(|error| Stop::Failed(error.to_string()))?;
    let found = &checkpoint.checkpoint().origin;
    if found != origin {
        let detail = "the checkpoint is of another log".to_owned();
        let fault = AuditFault::new(AuditFaultKind::NotSigned, None, detail);
        return Err(fault.between(origin, found).into());
    }
    Ok(checkpoint)
}

/// That the log and enough witnesses signed; which witnesses, and when.
fn check_signed(asked: &Audit, checkpoint: &SignedCheckpoint) -> Result<Vec<(String, u64)>, Stop> {
    let not_signed = |detail: String| AuditFault::new(AuditFaultKind::NotSigned, None, detail);
    let mut signed = false;
    for key in &asked.keys {
        match checkpoint.signed(key) {
            Signed::Yes { .. } => signed = true,
            Signed::No => {}
            Signed::Wrong => {
                let detail = format!("the signature of {} does not hold", key.name());
                return Err(not_signed(detail).into());
            }
        }
    }
    if !signed {
        let detail = "the log's key did not sign the checkpoint".to_owned();
        return Err(not_signed(detail).into());
    }
    let mut witnesses = Vec::new();
    for key in &asked.witnesses {
        match checkpoint.signed(key) {
            Signed::Yes { time } => witnesses.push((key.name().to_owned(), time.unwrap_or(0))),
            Signed::No => {}
            Signed::Wrong => {
                let detail = format!("the cosignature of {} does not hold", key.name());
                return Err(not_signed(detail).into());
            }
        }
    }
    let needed = asked.witnesses_needed.unwrap_or(asked.witnesses.len());
    match witnesses.len() >= needed {
        true => Ok(witnesses),
        false => Err(
            not_signed("too few witnesses cosigned the checkpoint".to_owned())
                .between(needed, witnesses.len())
                .into(),
        ),
    }
}

/// Tells people how far it has come, where there is a terminal.
struct Progress {
    size: u64,
    shown: bool,
}

impl Progress {
    fn new(size: u64) -> Self {
        let shown = stderr().is_terminal();
        Self { size, shown }
    }

    fn tell(&mut self, at: u64) {
        if self.shown {
            let end = if at < self.size { '\r' } else { '\n' };
            // Nobody to tell it to.
            let _ = write!(stderr(), "{at} of {} leaves{end}", self.size);
        }
    }
}
