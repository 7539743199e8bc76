//! Whoever can write to the tables of a node can change any row. Each test changes one thing
//! about blocks, tiles, members or the genesis, and the verifier must name exactly that.

mod chain;

use chain::{Chain, key, member};
use ledger::{
    Certificate, ChainVerifier, Cut, FindingKind, Header, Report, ValidatorSet, VoteSignature,
};

fn told(report: &Report) -> Vec<(FindingKind, Option<u64>)> {
    report.findings.iter().map(|f| (f.kind, f.height)).collect()
}

/// Asserts that there is exactly one finding, and gives its detail.
#[track_caller]
fn only(report: &Report, kind: FindingKind, height: Option<u64>) -> String {
    assert_eq!(told(report), [(kind, height)], "{report:#?}");
    report.findings[0].detail.clone()
}

fn sample() -> Chain {
    Chain::sample(3)
}

fn header(chain: &Chain, height: u64) -> Header {
    Header::from_bytes(&chain.blocks[height as usize - 1].header).unwrap()
}

#[test]
fn each_altered_header_field_is_named() {
    let good = sample();
    type Change = dyn Fn(&mut Header);
    let changes: [(&str, &Change); 9] = [
        ("the chain", &|h| h.chain_id.0[0] ^= 1),
        ("the height", &|h| h.height += 1),
        ("the epoch", &|h| h.epoch += 1),
        ("the header before", &|h| h.prev_header[0] ^= 1),
        ("the first leaf", &|h| h.first_leaf += 1),
        ("the tree size", &|h| h.tree_size += 1),
        ("the validator set", &|h| h.validator_set_hash[0] ^= 1),
        ("the state root", &|h| h.state_root[0] ^= 1),
        ("the proposer", &|h| h.proposer.0[0] ^= 1),
    ];
    for height in [1, 3, 5] {
        for (field, change) in changes {
            let mut chain = good.clone();
            let mut altered = header(&good, height);
            change(&mut altered);
            chain.block_mut(height).header = altered.to_bytes();
            let detail = only(&chain.verify(), FindingKind::HeaderAltered, Some(height));
            assert_eq!(detail, format!("{field} of the header was changed"));
        }
        let mut chain = good.clone();
        let mut altered = header(&good, height);
        altered.log_root[0] ^= 1;
        chain.block_mut(height).header = altered.to_bytes();
        let detail = only(&chain.verify(), FindingKind::HeaderAltered, Some(height));
        assert!(detail.starts_with("the log root of the header was changed"));
        let mut altered = header(&good, height);
        altered.time_ms += 1;
        chain.block_mut(height).header = altered.to_bytes();
        let detail = only(&chain.verify(), FindingKind::HeaderAltered, Some(height));
        assert!(detail.starts_with("the header hashes to"), "{detail}");
        chain.block_mut(height).header.pop();
        let detail = only(&chain.verify(), FindingKind::HeaderAltered, Some(height));
        assert!(detail.starts_with("the header cannot be read"), "{detail}");
        chain.block_mut(height).header.clear();
        only(&chain.verify(), FindingKind::HeaderAltered, Some(height));
    }
}

#[test]
fn an_altered_certificate() {
    let good = sample();
    type Change = dyn Fn(&mut Certificate);
    let changes: [&Change; 7] = [
        &|c| c.height += 1,
        &|c| c.round += 1,
        &|c| c.header_hash[0] ^= 1,
        &|c| c.signatures[0].signature[0] ^= 1,
        &|c| c.signatures[0].node.0[0] ^= 1,
        &|c| c.signatures.clear(),
        &|c| {
            let twice = c.signatures[0];
            c.signatures.push(twice);
        },
    ];
    for height in [1, 3, 5] {
        for change in changes {
            let mut chain = good.clone();
            let mut altered =
                Certificate::from_bytes(&chain.block_mut(height).certificate).unwrap();
            change(&mut altered);
            chain.block_mut(height).certificate = altered.to_bytes();
            only(&chain.verify(), FindingKind::CertificateWrong, Some(height));
        }
        let mut chain = good.clone();
        chain.block_mut(height).certificate.clear();
        only(&chain.verify(), FindingKind::CertificateWrong, Some(height));
    }
}

/// A member that is no validator, or a stranger, cannot decide anything.
#[test]
fn a_certificate_by_somebody_else() {
    let good = sample();
    let mut chain = good.clone();
    let header = header(&good, 5);
    for signer in [2, 77] {
        let mut forged = good.certify(&header, &[]);
        let signature = forged.vote().sign(&good.chain, &key(signer));
        forged.signatures.push(VoteSignature {
            node: member(signer, 0).node_id,
            signature,
        });
        chain.block_mut(5).certificate = forged.to_bytes();
        let detail = only(&chain.verify(), FindingKind::CertificateWrong, Some(5));
        assert!(detail.ends_with("is not a validator of that height"));
        forged.signatures[0].node = good.id(1);
        chain.block_mut(5).certificate = forged.to_bytes();
        only(&chain.verify(), FindingKind::CertificateWrong, Some(5));
    }
}

#[test]
fn an_altered_cut() {
    let good = sample();
    for height in [1, 3, 5] {
        type Change<'a> = &'a dyn Fn(&mut Cut);
        let changes: [Change<'_>; 5] = [
            &|cut| cut.0.values_mut().next().unwrap().seq += 1,
            &|cut| cut.0.values_mut().next_back().unwrap().seq -= 1,
            &|cut| cut.0.values_mut().next().unwrap().head[0] ^= 1,
            &|cut| {
                cut.0.pop_last();
            },
            &|cut| {
                let (_, at) = cut.0.pop_first().unwrap();
                cut.0.insert(ledger::NodeId([3; 32]), at);
            },
        ];
        for (i, change) in changes.into_iter().enumerate() {
            let mut chain = good.clone();
            let mut altered = Cut::from_bytes(&chain.block_mut(height).cut).unwrap();
            change(&mut altered);
            chain.block_mut(height).cut = altered.to_bytes();
            let report = chain.verify();
            let told = told(&report);
            assert_eq!(
                told,
                [(FindingKind::CutAltered, Some(height))],
                "height {height}, change {i}: {report:#?}"
            );
        }
        let mut chain = good.clone();
        chain.block_mut(height).cut.pop();
        only(&chain.verify(), FindingKind::CutAltered, Some(height));
        chain.block_mut(height).cut.clear();
        only(&chain.verify(), FindingKind::CutAltered, Some(height));
    }
}

#[test]
fn a_missing_doubled_or_moved_block() {
    let good = sample();
    for height in [1, 3, 4] {
        let mut chain = good.clone();
        chain.blocks.retain(|b| b.height != height);
        let detail = only(&chain.verify(), FindingKind::BlockMissing, Some(height));
        assert_eq!(detail, format!("block {height} is not stored"));
    }
    let mut chain = good.clone();
    chain.blocks.retain(|b| !(2..=3).contains(&b.height));
    only(&chain.verify(), FindingKind::BlockMissing, Some(2));
    let mut chain = good.clone();
    let copy = chain.blocks[2].clone();
    chain.blocks.insert(3, copy);
    only(&chain.verify(), FindingKind::BlockExtra, Some(3));
    let mut chain = good.clone();
    chain.block_mut(5).height = 6;
    let report = chain.verify();
    assert!(told(&report).contains(&(FindingKind::BlockMissing, Some(5))));
    assert!(!report.is_verified());
}

/// The last block cut off leaves leaves behind that no block explains.
#[test]
fn a_missing_last_block_shows_in_the_tiles() {
    let mut chain = sample();
    chain.blocks.pop();
    let report = chain.verify();
    let kinds: Vec<_> = report.findings.iter().map(|f| f.kind).collect();
    assert_eq!(kinds, [FindingKind::TileAltered], "{report:#?}");
}

#[test]
fn an_altered_tile() {
    let good = Chain::sample(40);
    assert!(good.tiles.0.contains_key(&(1, 0)));
    for leaf in [0, 3, 200, 255, 256, 300] {
        let mut chain = good.clone();
        let tile = chain.tiles.0.get_mut(&(0, leaf / 256)).unwrap();
        tile[(leaf % 256) as usize * 32] ^= 1;
        let report = chain.verify();
        assert_eq!(report.findings.len(), 1, "{report:#?}");
        assert_eq!(report.findings[0].kind, FindingKind::TileAltered);
        assert_eq!(report.findings[0].leaf_index, Some(leaf));
    }
    type Change = dyn Fn(&mut Vec<u8>);
    let changes: [&Change; 4] = [
        &|tile| tile[0] ^= 1,
        &|tile| tile.truncate(tile.len() - 1),
        &|tile| tile.clear(),
        &|tile| tile.extend([0; 32]),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        for place in [(1, 0), (0, 1)] {
            if i == 0 && place.0 == 0 {
                continue;
            }
            let mut chain = good.clone();
            change(chain.tiles.0.get_mut(&place).unwrap());
            let report = chain.verify();
            let kinds: Vec<_> = report.findings.iter().map(|f| f.kind).collect();
            assert_eq!(
                kinds,
                [FindingKind::TileAltered],
                "change {i} of {place:?}: {report:#?}"
            );
        }
    }
    for place in [(0, 0), (0, 1), (1, 0)] {
        let mut chain = good.clone();
        chain.tiles.0.remove(&place);
        let report = chain.verify();
        assert_eq!(report.findings.len(), 1, "{place:?}: {report:#?}");
        assert_eq!(report.findings[0].kind, FindingKind::TileAltered);
    }
}

/// A validator that signs a root which its own block does not have.
#[test]
fn a_signed_header_with_another_root() {
    let mut chain = sample();
    let mut wrong = header(&chain, 5);
    wrong.log_root[0] ^= 1;
    let certificate = chain.certify(&wrong, &[1]).to_bytes();
    chain.block_mut(5).header = wrong.to_bytes();
    chain.block_mut(5).certificate = certificate;
    only(&chain.verify(), FindingKind::LogRootWrong, Some(5));
}

#[test]
fn an_altered_genesis() {
    let good = sample();
    for at in [0, 20, good.genesis_bytes.len() - 1] {
        let mut chain = good.clone();
        chain.genesis_bytes[at] ^= 1;
        only(&chain.verify(), FindingKind::GenesisAltered, Some(0));
    }
    let mut chain = good.clone();
    chain.genesis_bytes.clear();
    only(&chain.verify(), FindingKind::GenesisAltered, Some(0));
}

#[test]
fn altered_members() {
    let good = sample();
    type Change = dyn Fn(&mut Vec<ledger::Member>);
    let changes: [(&str, &Change); 6] = [
        ("the stored member differs from its join", &|m| {
            m[1].url.push('x');
        }),
        ("the node id does not belong", &|m| {
            m[1].signing_key = key(50).verifying_key().to_bytes();
        }),
        ("a validator weighs", &|m| m[2].weight = 5),
        ("nobody let this member join", &|m| m.push(member(9, 0))),
        ("the member is not stored", &|m| drop(m.remove(1))),
        ("the stored member differs from its join", &|m| {
            m[2].tls_key = key(50).verifying_key().to_bytes();
        }),
    ];
    for (detail, change) in changes {
        let mut chain = good.clone();
        change(&mut chain.members);
        let report = chain.verify();
        let found = only(&report, FindingKind::MembershipAltered, None);
        assert!(found.starts_with(detail), "{found}");
    }
}

/// A first fault must not make the verifier blind to a second one, nor to echo itself.
#[test]
fn faults_do_not_hide_each_other() {
    let good = sample();
    let mut chain = good.clone();
    chain.op_mut(2, 7).payload[0] ^= 1;
    let mut altered = header(&good, 5);
    altered.validator_set_hash[0] ^= 1;
    chain.block_mut(5).header = altered.to_bytes();
    assert_eq!(
        told(&chain.verify()),
        [
            (FindingKind::PayloadAltered, Some(3)),
            (FindingKind::HeaderAltered, Some(5))
        ]
    );
    // The op that appoints a validator is altered: what he signs later is not wrong for that.
    let mut chain = Chain::new();
    let first = chain.genesis.validators();
    chain.join(2, 9);
    chain.commit(&[1], &first);
    chain.deltas(1, 1);
    chain.commit(&[1], &first);
    let both = ValidatorSet::from_members(&chain.members);
    chain.deltas(1, 1);
    chain.commit(&[1, 2], &both);
    chain.op_mut(1, 1).payload[190] ^= 1;
    only(&chain.verify(), FindingKind::PayloadAltered, Some(1));
}

/// The validators change by ops; from the second block on the new ones decide.
#[test]
fn certificates_follow_the_validator_set() {
    let mut chain = Chain::new();
    let first = chain.genesis.validators();
    chain.join(2, 3);
    chain.commit(&[1], &first);
    chain.deltas(1, 1);
    chain.commit(&[1], &first);
    let both = ValidatorSet::from_members(&chain.members);
    chain.deltas(1, 1);
    let alone = {
        let mut chain = chain.clone();
        chain.commit(&[1], &both);
        chain
    };
    chain.commit(&[1, 2], &both);
    let report = chain.verify();
    assert!(report.is_verified(), "{report:#?}");
    let detail = only(&alone.verify(), FindingKind::CertificateWrong, Some(3));
    assert!(detail.starts_with("the signers weigh 1 of 4"), "{detail}");
}

#[test]
fn a_chain_is_verified_from_any_block_on() {
    let good = Chain::sample(40);
    for from in [1, 3, 5] {
        let previous = good.blocks[from as usize - 1].as_stored();
        let run = |chain: &Chain| {
            let mut verifier = ChainVerifier::resume(
                chain.chain,
                chain.members.clone(),
                &previous,
                good.edge(from),
            );
            for block in &chain.blocks[from as usize..] {
                let plan = verifier.block(&block.as_stored());
                chain.feed_plan(&mut verifier, &plan);
            }
            verifier.stop()
        };
        let report = run(&good);
        assert!(report.is_verified(), "from {from}: {report:#?}");
        assert_eq!(report.height, 5);
        if from < 5 {
            let mut chain = good.clone();
            let last = chain.cut.get(&chain.id(2)).seq;
            chain.op_mut(2, last - 1).payload.push(1);
            let report = run(&chain);
            assert_eq!(told(&report), [(FindingKind::PayloadAltered, Some(5))]);
        }
    }
    let mut altered = good.blocks[2].clone();
    altered.certificate[60] ^= 1;
    let verifier = ChainVerifier::resume(
        good.chain,
        good.members.clone(),
        &altered.as_stored(),
        good.edge(3),
    );
    only(&verifier.stop(), FindingKind::CertificateWrong, Some(3));
    let verifier = ChainVerifier::resume(
        good.chain,
        good.members.clone(),
        &good.blocks[2].as_stored(),
        good.edge(2),
    );
    only(&verifier.stop(), FindingKind::TileAltered, Some(3));
}
