//! `bcrdt audit`: reads a whole log from what it serves to everybody, and says whether it is what its
//! checkpoint says. `read` does it, `keep` remembers it for the next time, `told` says it.

mod keep;
mod read;
mod told;

use std::io::{IsTerminal, Write, stderr};

use ledger::audit::{AuditFault, AuditFaultKind, LogAudit};
use ledger::note::MAX_NOTE_BYTES;
use ledger::{ChainId, Policy, SignedCheckpoint, Vouched};

use crate::arguments::audit::Audit;
use crate::status::Answer;
use crate::web::Web;
use keep::Keep;

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
    checkpoint: SignedCheckpoint,
    vouched: Vouched,
    /// Leaves that were audited before this time.
    known: u64,
    headers: u64,
    nodes: usize,
}

/// `bcrdt audit`; an error says why nothing can be said of the log.
pub fn run(asked: &Audit) -> Result<Answer, String> {
    let policy = asked.trusted.policy()?;
    let policy = policy.ok_or("give the --key of the log: anybody can sign a checkpoint")?;
    match audit(asked, &policy) {
        Ok(outcome) => Ok(told::sound(&outcome, asked.json)),
        Err(Stop::Fault(fault)) => Ok(told::fault(&fault, asked.json)),
        Err(Stop::Failed(reason)) => Err(reason),
    }
}

fn audit(asked: &Audit, policy: &Policy) -> Result<Outcome, Stop> {
    let web = Web::open(&asked.url).map_err(Stop::Failed)?;
    let checkpoint = fetch_checkpoint(&web)?;
    let vouched = policy.check(&checkpoint).map_err(|fault| {
        let kind = AuditFaultKind::NotSigned;
        Stop::from(AuditFault::new(kind, None, fault.to_string()))
    })?;
    let origin = &checkpoint.checkpoint().origin;
    let chain: ChainId = origin
        .strip_prefix(ORIGIN)
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| Stop::Failed(format!("{origin} is not the log of a chain")))?;
    let keep = match &asked.keep {
        Some(folder) => Some(Keep::open(folder, origin).map_err(Stop::Failed)?),
        None => None,
    };
    let (mut kept, mut begun) = (None, None);
    if let Some(keep) = &keep {
        kept = keep.checkpoint().map_err(Stop::Failed)?;
        begun = keep.audit(&chain).map_err(Stop::Failed)?;
    }
    if let Some(kept) = &kept {
        read::check_continues(&web, kept, &checkpoint)?;
    }
    // From here on this state of the log is what the next one must continue.
    if let Some(keep) = &keep {
        keep.store_checkpoint(&checkpoint).map_err(Stop::Failed)?;
    }
    let mut audit = begun.unwrap_or_else(|| LogAudit::new(chain));
    let known = audit.size();
    let passing = kept.map(|kept| (kept.checkpoint().size, kept.checkpoint().root));
    let progress = Progress::new(checkpoint.checkpoint().size);
    read::whole(&web, &mut audit, &checkpoint, passing, |audit| {
        progress.tell(audit.size());
        match &keep {
            Some(keep) => keep.store_audit(audit).map_err(Stop::Failed),
            None => Ok(()),
        }
    })?;
    Ok(Outcome {
        checkpoint,
        vouched,
        known,
        headers: audit.headers(),
        nodes: audit.origins(),
    })
}

fn fetch_checkpoint(web: &Web) -> Result<SignedCheckpoint, Stop> {
    let got = web
        .get("checkpoint", MAX_NOTE_BYTES)
        .map_err(Stop::Failed)?;
    if got.status != 200 {
        let reason = format!("the server shows no checkpoint: status {}", got.status);
        return Err(Stop::Failed(reason));
    }
    let text = String::from_utf8(got.body);
    let text = text.map_err(|_| Stop::Failed("the checkpoint is no text".to_owned()))?;
    SignedCheckpoint::parse(&text).map_err(|error| Stop::Failed(error.to_string()))
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

    fn tell(&self, at: u64) {
        if self.shown {
            let end = if at < self.size { '\r' } else { '\n' };
            // Nobody to tell it to.
            let _ = write!(stderr(), "{at} of {} leaves{end}", self.size);
        }
    }
}
