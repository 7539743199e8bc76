//! Asking witnesses to cosign this node's checkpoints (C2SP tlog-witness): a
//! round when the log has grown, the same checkpoint to all, so that a quorum
//! comes together under one; and now and then of a log that does not grow, so
//! that their word of it stays young. What they answer is verified before it is
//! kept.

use super::main_loop::Worker;
use super::network::Posted;
use super::transaction;
use crate::audit::checkpoint;
use crate::audit::feed::ReadTiles;
use crate::catalog;
use crate::instance::settings;
use ledger::merkle::Tree;
use ledger::note::VerifierKey;
use ledger::witness::{ADD_CHECKPOINT, AddCheckpoint, Answer, read_answer};
use ledger::{ChainId, SignedCheckpoint};
use pgrx::{log, warning};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use transport::{TransportError, WebAnswer};

/// How often it is looked whether there is something to submit, at most.
const LOOK_PAUSE: Duration = Duration::from_secs(1);

/// The rounds so far, as far as they matter for the next.
pub struct Witnesses {
    chain: Option<ChainId>,
    next_look: Instant,
    /// How far each witness says it knows the log, by its key; else its last
    /// cosignature that is stored tells.
    known: HashMap<String, u64>,
    /// Requests under way, at most one for each witness.
    asked: HashMap<u64, Asked>,
    next_id: u64,
}

/// A request under way.
struct Asked {
    witness: Witness,
    checkpoint: SignedCheckpoint,
    /// Whether it is a second try, with the size that the witness named.
    again: bool,
}

/// A row of `crdt.witness`.
#[derive(Clone)]
struct Witness {
    vkey: String,
    url: String,
    /// How many leaves it has cosigned.
    size: u64,
    /// How many seconds ago it last did.
    age: Option<f64>,
}

/// A request to be sent.
struct Submission {
    witness: Witness,
    checkpoint: SignedCheckpoint,
    body: String,
}

impl Witnesses {
    /// Nobody asked yet.
    pub fn new() -> Witnesses {
        Witnesses {
            chain: None,
            next_look: Instant::now(),
            known: HashMap::new(),
            asked: HashMap::new(),
            next_id: 0,
        }
    }

    /// What is to be submitted in a round that begins now, and to whom nothing
    /// can be, by its key and with the reason.
    fn round(&self) -> (Vec<Submission>, Vec<(String, String)>) {
        let (mut due, mut ahead) = (Vec::new(), Vec::new());
        let Some(checkpoint) = checkpoint::newest() else {
            return (due, ahead);
        };
        let ours = checkpoint.checkpoint().size;
        for mut witness in witnesses() {
            let is_asked = |asked: &Asked| asked.witness.vkey == witness.vkey;
            if self.asked.values().any(is_asked) {
                continue;
            }
            let known = self.known.get(&witness.vkey);
            witness.size = known.copied().unwrap_or(witness.size);
            if witness.size > ours {
                ahead.push((witness.vkey, rolled_back(witness.size, ours)));
            } else if witness.size < ours || witness.is_old() {
                due.extend(Submission::new(witness, checkpoint.clone()));
            }
        }
        (due, ahead)
    }
}

impl Witness {
    /// Whether what it cosigned last is due to be renewed.
    fn is_old(&self) -> bool {
        let renewal = settings::witness_renewal();
        renewal.zip(self.age).is_some_and(|(most, age)| age > most)
    }
}

/// What a size that only the witness knows of means.
fn rolled_back(theirs: u64, ours: u64) -> String {
    format!(
        "it has seen {theirs} leaves of this log, which has {ours} here: the log was rolled back, or another member is ahead"
    )
}

impl Submission {
    /// None if the tiles do not give the proof; `scan_chain` says why.
    fn new(witness: Witness, checkpoint: SignedCheckpoint) -> Option<Submission> {
        let (old_size, size) = (witness.size, checkpoint.checkpoint().size);
        let proof = Tree::new(ReadTiles, size).consistency_proof(old_size, size);
        let request = AddCheckpoint {
            old_size,
            proof: proof.ok()?,
            checkpoint,
        };
        Some(Submission {
            body: request.to_string(),
            checkpoint: request.checkpoint,
            witness,
        })
    }
}

fn witnesses() -> Vec<Witness> {
    catalog::query(
        "SELECT w.vkey, w.url, coalesce(c.tree_size, 0),
                extract(epoch FROM clock_timestamp() - c.at)::float8
           FROM crdt.witness w
           LEFT JOIN LATERAL (SELECT tree_size, at FROM crdt.cosignature
                               WHERE witness = w.vkey ORDER BY tree_size DESC LIMIT 1) c ON true
          ORDER BY w.vkey",
        &[],
        |row| Witness {
            vkey: row.need(1),
            url: row.need(2),
            size: row.need::<i64>(3) as u64,
            age: row.get(4),
        },
    )
}

impl Worker {
    /// Submits the newest checkpoint to the witnesses that have not seen it, if
    /// it is time.
    pub(super) fn ask_witnesses(&mut self) -> Result<(), String> {
        let now = Instant::now();
        if self.node.is_none() || self.network.is_none() || now < self.witnesses.next_look {
            return Ok(());
        }
        if self.witnesses.chain != self.chain {
            self.witnesses = Witnesses::new();
            self.witnesses.chain = self.chain;
        }
        let witnesses = &self.witnesses;
        let (round, ahead) =
            transaction::with_extension(|| catalog::under_one_snapshot(|| witnesses.round()))?;
        let pause = match round.is_empty() {
            true => LOOK_PAUSE,
            false => Duration::from_millis(settings::witness_interval_ms()),
        };
        self.witnesses.next_look = now + pause;
        for (vkey, reason) in ahead {
            failed(&vkey, &reason)?;
        }
        round
            .into_iter()
            .try_for_each(|submission| self.submit(submission, false))
    }

    fn submit(&mut self, submission: Submission, again: bool) -> Result<(), String> {
        let Some(network) = &self.network else {
            return Ok(());
        };
        let Submission {
            witness,
            checkpoint,
            body,
        } = submission;
        let id = self.witnesses.next_id;
        self.witnesses.next_id += 1;
        let url = format!("{}{ADD_CHECKPOINT}", witness.url);
        match network.post_web(&url, id, body.into_bytes()) {
            Ok(()) => {
                let asked = Asked {
                    witness,
                    checkpoint,
                    again,
                };
                self.witnesses.asked.insert(id, asked);
                Ok(())
            }
            Err(error) => failed(&witness.vkey, &error.to_string()),
        }
    }

    /// Takes a witness's answer in. If that fails, the witness is asked again
    /// in the next round.
    pub(super) fn hear_witness(&mut self, outcome: Posted) {
        if let Some(asked) = self.witnesses.asked.remove(&outcome.id)
            && let Err(reason) = self.hear(asked, outcome.result)
        {
            log!("blockchain_crdt: {reason}");
        }
    }

    fn hear(
        &mut self,
        asked: Asked,
        result: Result<WebAnswer, TransportError>,
    ) -> Result<(), String> {
        let Asked {
            witness,
            checkpoint,
            again,
        } = asked;
        let size = checkpoint.checkpoint().size;
        match read(&witness, &checkpoint, result) {
            Ok(Answer::Cosigned { line, time }) => {
                self.witnesses.known.insert(witness.vkey.clone(), size);
                keep(&witness.vkey, &checkpoint, &line.to_string(), time)
            }
            Ok(Answer::Conflict { size: theirs }) => {
                self.witnesses.known.insert(witness.vkey.clone(), theirs);
                let now = transaction::with_extension(checkpoint::newest)?;
                let ours = now.map_or(0, |newest| newest.checkpoint().size);
                if theirs > ours {
                    // Asked anew when this log has grown beyond what the witness has seen.
                    failed(&witness.vkey, &rolled_back(theirs, ours))
                } else if again || theirs > size {
                    Ok(())
                } else {
                    let witness = Witness {
                        size: theirs,
                        ..witness
                    };
                    let submission =
                        transaction::with_extension(|| Submission::new(witness, checkpoint))?;
                    match submission {
                        Some(submission) => self.submit(submission, true),
                        None => Ok(()),
                    }
                }
            }
            Err(reason) => failed(&witness.vkey, &reason),
        }
    }
}

fn read(
    witness: &Witness,
    checkpoint: &SignedCheckpoint,
    result: Result<WebAnswer, TransportError>,
) -> Result<Answer, String> {
    let answer = result.map_err(|error| error.to_string())?;
    let key: VerifierKey = witness.vkey.parse().map_err(|fault| format!("{fault}"))?;
    let WebAnswer {
        status,
        content_type,
        body,
    } = answer;
    read_answer(status, &content_type, &body, checkpoint, &key).map_err(|fault| fault.to_string())
}

/// Keeps a cosignature that was verified.
fn keep(vkey: &str, checkpoint: &SignedCheckpoint, line: &str, time: u64) -> Result<(), String> {
    let state = checkpoint.checkpoint();
    transaction::with_extension(|| {
        catalog::run(
            "INSERT INTO crdt.cosignature (tree_size, witness, root, line, at)
             VALUES ($1, $2, $3, $4, to_timestamp($5::float8))
             ON CONFLICT (tree_size, witness) DO UPDATE
                SET root = excluded.root, line = excluded.line, at = excluded.at
              WHERE excluded.at > cosignature.at",
            &[
                (state.size as i64).into(),
                vkey.into(),
                state.root.as_slice().into(),
                line.into(),
                (time as f64).into(),
            ],
        );
        catalog::run(
            "UPDATE crdt.witness SET error = NULL, error_at = NULL
              WHERE vkey = $1 AND error IS NOT NULL",
            &[vkey.into()],
        );
    })
}

/// Notes what stands between this node and a witness; told once as long as it
/// stays the same.
fn failed(vkey: &str, reason: &str) -> Result<(), String> {
    let changed = transaction::with_extension(|| {
        catalog::run(
            "UPDATE crdt.witness SET error = $2, error_at = now()
              WHERE vkey = $1 AND error IS DISTINCT FROM $2",
            &[vkey.into(), reason.into()],
        )
    })?;
    if changed > 0 {
        let name = vkey.split('+').next().unwrap_or_default();
        warning!("blockchain_crdt: the witness {name} did not cosign: {reason}");
    }
    Ok(())
}
