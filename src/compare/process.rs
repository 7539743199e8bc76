//! The process that reads a table for a peer who compares it with its own. The
//! node worker starts it and passes requests and answers on; it looks at one
//! snapshot, and ends when the node worker lets go of the channel.

use super::channel::{Channel, Gone};
use super::known;
use super::rows;
use super::run::Run;
use crate::catalog::{self, under_one_snapshot};
use crate::error::OrCorrupt;
use crate::track::table;
use crate::worker::{find_table, signals, transaction};
use ledger::digest_tree::{Theirs, named, respond};
use ledger::{ChainId, Hash, VersionVector};
use pgrx::prelude::*;
use replica::message::{CompareRequest, CompareResponse, PeerRow};

/// The process's main function; the argument is the handle of the channel.
#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn bcrdt_compare_main(argument: pg_sys::Datum) {
    signals::install();
    let Some((mut channel, order)) = Channel::attach(argument.value() as u32) else {
        return;
    };
    // SAFETY: once, at the start of a background worker.
    unsafe {
        pg_sys::BackgroundWorkerInitializeConnectionByOid(
            pg_sys::Oid::from(order.database),
            pg_sys::InvalidOid,
            0,
        );
    }
    let mut chain = None;
    let served = transaction::with_extension(|| {
        under_one_snapshot(|| {
            Spi::run("SET application_name = 'blockchain_crdt compare'").or_corrupt("a setting");
            chain = catalog::chain().map(|chain| chain.id);
            if let Some(chain) = &chain {
                // The peer has ended the comparison, or the node worker has.
                let _gone = serve(&mut channel, chain, order.session);
            }
        });
    });
    if let (Err(reason), Some(chain)) = (served, chain) {
        log!("blockchain_crdt: comparing a table for a peer failed: {reason}");
        let _gone = channel.send(&refused(reason).encode(&chain));
    }
}

fn refused(reason: impl Into<String>) -> CompareResponse {
    CompareResponse::Refused {
        reason: reason.into(),
    }
}

/// A table while it is compared.
struct Compared {
    relation: pg_sys::Oid,
    run: Run,
    /// What the asking node has admitted.
    other: VersionVector,
}

fn serve(channel: &mut Channel, chain: &ChainId, session: u64) -> Result<(), Gone> {
    let mut compared = None;
    loop {
        let request = CompareRequest::decode(chain, &channel.receive()?);
        let response = match (request, &compared) {
            (Ok(request @ CompareRequest::Begin { .. }), None) => {
                begin(request, channel).map(|begun| {
                    let root = begun.run.summary.node;
                    compared = Some(begun);
                    CompareResponse::Ready {
                        session,
                        root,
                        vector: known::vector(),
                    }
                })
            }
            (Ok(CompareRequest::Nodes { question, .. }), Some(Compared { run, .. })) => {
                let answer = respond(run, &run.summary, &question);
                Ok(CompareResponse::Nodes(answer))
            }
            (Ok(CompareRequest::Rows { wanted, keys, .. }), Some(compared)) => {
                Ok(answer_rows(compared, &wanted, &keys))
            }
            (Ok(_), _) => Err("this request does not fit the state of the comparison".to_owned()),
            (Err(error), _) => Err(error.to_string()),
        };
        channel.send(&response.unwrap_or_else(refused).encode(chain))?;
    }
}

/// Reads the table; gives up when nobody waits for it any more.
fn begin(request: CompareRequest, channel: &mut Channel) -> Result<Compared, String> {
    let CompareRequest::Begin {
        schema,
        table,
        schema_hash,
        vector: other,
    } = request
    else {
        return Err("a comparison begins with a table".to_owned());
    };
    let tracked =
        find_table(&schema, &table).and_then(|relation| Some((relation, table::find(relation)?)));
    let Some((relation, found)) = tracked else {
        return Err(format!("it does not track table {schema}.{table}"));
    };
    if found.schema.hash() != schema_hash {
        return Err(format!("its table {schema}.{table} has other columns"));
    }
    let run = Run::of_table(relation, || {
        // Nothing is sent before this is answered, so a message is none.
        if channel.try_receive().is_err() {
            // SAFETY: this process has nothing to lose; its transaction only reads.
            unsafe { pg_sys::proc_exit(0) }
        }
    });
    Ok(Compared {
        relation,
        run,
        other,
    })
}

fn answer_rows(compared: &Compared, wanted: &[Theirs], keys: &[Hash]) -> CompareResponse {
    let found: Vec<Option<PeerRow>> = wanted
        .iter()
        .map(|wanted| {
            let (number, entry) = named(&compared.run, wanted)?;
            let (_, place) = compared.run.row(number)?;
            let shown = rows::show(compared.relation, place)?;
            Some(PeerRow {
                key: entry.key,
                key_text: shown.key_text,
                values: shown.values,
                columns: shown.columns,
                in_flight: false,
            })
        })
        .collect();
    let shown: Vec<Hash> = found.iter().flatten().map(|row| row.key).collect();
    let mut moving = known::in_flight(&shown, &compared.other).into_iter();
    let rows = found.into_iter().map(|row| {
        row.map(|row| PeerRow {
            in_flight: moving.next().unwrap_or_default(),
            ..row
        })
    });
    CompareResponse::Rows {
        rows: rows.collect(),
        in_flight: known::in_flight(keys, &compared.other),
    }
}
