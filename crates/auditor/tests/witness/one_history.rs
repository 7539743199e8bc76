//! Requests at once, and a witness that dies: what was given out stays the only history.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ledger::SignedCheckpoint;

use super::log::request;
use super::process::{Witness, post};
use super::{ORIGIN_HASH, logs, with_key};

/// Two requests at once must not both win, or one log has two histories that we vouch for.
#[test]
fn of_requests_at_once_one_wins() {
    let (folder, _) = with_key("witness_race");
    let witness = Witness::start(&folder, &logs());
    let win = |requests: Vec<(u64, String)>| {
        let won = std::sync::Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for (size, body) in &requests {
                scope.spawn(|| {
                    let answer = witness.post(body);
                    match answer.status {
                        200 => won.lock().unwrap().push(*size),
                        status => assert_eq!(status, 409, "{answer:?}"),
                    }
                });
            }
        });
        let won = won.into_inner().unwrap();
        assert_eq!(won.len(), 1, "{won:?}");
        won[0]
    };
    // Sizes of one history: the larger must not be rolled back by the smaller.
    let mut known = 0;
    for _ in 0..10 {
        known = win((known + 1..known + 7)
            .map(|size| (size, request(0, known, size)))
            .collect());
        let shown = witness.get(&format!("/{ORIGIN_HASH}/checkpoint"));
        assert_eq!(shown.body.lines().nth(1), Some(known.to_string().as_str()));
    }
    witness.end();
    // Branches that all continue the same leaves.
    let (folder, _) = with_key("witness_branches");
    let witness = Witness::start(&folder, &logs());
    assert_eq!(witness.post(&request(0, 0, 3)).status, 200);
    let won = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for fork in 0..6 {
            let (won, witness) = (&won, &witness);
            scope.spawn(move || {
                if witness.post(&request(fork, 3, 4)).status == 200 {
                    won.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(won.into_inner(), 1);
}

/// Whatever was given out is known after a power cut, or a fork of it would be cosigned too.
#[test]
fn what_was_given_out_survives_kill_9() {
    let (folder, _) = with_key("witness_kill");
    let given = AtomicU64::new(0);
    for round in 0..12u64 {
        let mut witness = Witness::start(&folder, &logs());
        let address = witness.address;
        let shown = witness.get(&format!("/{ORIGIN_HASH}/checkpoint"));
        let mut known = match shown.status {
            200 => {
                SignedCheckpoint::parse(&shown.body)
                    .unwrap()
                    .checkpoint()
                    .size
            }
            _ => 0,
        };
        let last = given.load(Ordering::SeqCst);
        assert!(
            known >= last,
            "round {round}: {last} leaves were cosigned, {known} are known"
        );
        // Another branch from before what was given out gets nothing.
        if last > 3 {
            assert_eq!(witness.post(&request(1, 3, last)).status, 409);
            assert_ne!(witness.post(&request(1, known, known + 1)).status, 200);
        }
        std::thread::scope(|scope| {
            let grower = scope.spawn(|| {
                // Until the connection fails.
                while let Ok(answer) = post(address, &request(0, known, known + 1)) {
                    assert_eq!(answer.status, 200, "{answer:?}");
                    known += 1;
                    given.store(known, Ordering::SeqCst);
                }
            });
            std::thread::sleep(Duration::from_millis(20 + 17 * (round % 5)));
            witness.kill();
            grower.join().unwrap();
        });
    }
    assert!(given.into_inner() > 12);
}
