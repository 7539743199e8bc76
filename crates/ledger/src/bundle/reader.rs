//! Reads a bundle and verifies it on the way: all of it, or a run of its blocks.

use std::io::Read;
use std::ops::RangeInclusive;

use super::frame::{Tag, read_block, read_chain, read_op, read_segment, read_tile, read_vector};
use super::frames::{BundleError, Frame, Frames};
use super::skip::Skipped;
use crate::codec::Reader;
use crate::ids::ChainId;
use crate::member::Member;
use crate::pins::{Pins, Trust};
use crate::vector::MAX_MEMBERS;
use crate::verify::{ChainVerifier, Detail, FindingKind, Place, Report};

/// Verifies a bundle against what is pinned. Gives the chain's name, the report, and on what it
/// rests; a chain or validators that are not the pinned ones are findings.
///
/// # Errors
/// [`BundleError`] if the bytes are no complete bundle.
pub fn verify_bundle(
    from: impl Read,
    pins: &Pins,
) -> Result<(ChainId, Report, Trust), BundleError> {
    let (mut frames, head, mut frame) = begin(from)?;
    let mut verifier = ChainVerifier::begin(head.chain, &head.genesis, head.members);
    if head.withheld {
        verifier.expect_withheld();
    }
    let mut after_blocks = None;
    while frame.tag != Tag::End {
        let belongs = match frame.tag {
            Tag::Tail | Tag::Stop => after_blocks.is_none(),
            Tag::Vector => after_blocks == Some(Tag::Tail),
            _ => after_blocks != Some(Tag::Stop),
        };
        if !belongs {
            return Err(frames.misplaced());
        }
        if let Tag::Tail | Tag::Stop = frame.tag {
            after_blocks = Some(frame.tag);
        }
        feed(&mut frames, &mut verifier, &frame)?;
        frame = frames.next_frame()?;
    }
    let mut report = match after_blocks {
        Some(Tag::Tail) => verifier.finish(),
        // An archive or a public export: of what came after the last block it says nothing.
        Some(_) => verifier.stop(),
        None => return Err(frames.misplaced()),
    };
    hold_against(pins, head.chain, &mut report);
    Ok((head.chain, report, pins.trust()))
}

/// Like [`verify_bundle`], of the blocks of these heights only. What the blocks stand on, the
/// header before them, is verified by its certificate; the members are taken as they are stored.
/// If payloads in these blocks are gone, it reads on until a prune op explains it.
///
/// # Errors
/// As [`verify_bundle`]; [`BundleError::NoSuchBlock`] if the bundle ends before the first height.
pub fn verify_bundle_blocks(
    from: impl Read,
    pins: &Pins,
    heights: RangeInclusive<u64>,
) -> Result<(ChainId, Report, Trust), BundleError> {
    let (first, last) = ((*heights.start()).max(1), *heights.end());
    let (mut frames, head, mut frame) = begin(from)?;
    let mut skipped = Skipped::default();
    let mut verifier = None;
    let mut reached = 0;
    while !matches!(frame.tag, Tag::End | Tag::Tail | Tag::Stop) {
        if frame.tag == Tag::Block {
            let row = read_block(&frame.body).map_err(|e| frames.fault(e))?;
            if row.height > last
                && verifier
                    .as_ref()
                    .is_none_or(|v: &ChainVerifier| !v.awaits_prune())
            {
                break;
            }
            reached = reached.max(row.height);
            if verifier.is_none() && row.height >= first {
                let members = head.members.clone();
                let edge = skipped.edge();
                let mut begun = match skipped.previous() {
                    None => ChainVerifier::begin(head.chain, &head.genesis, members),
                    Some(row) => ChainVerifier::resume(head.chain, members, &row, edge),
                };
                if head.withheld {
                    begun.expect_withheld();
                }
                begun.block(&row);
                skipped.hand_over(&mut begun);
                verifier = Some(begun);
                frame = frames.next_frame()?;
                continue;
            }
        }
        match &mut verifier {
            Some(verifier) => feed(&mut frames, verifier, &frame)?,
            None => skipped.frame(&frame).map_err(|e| frames.fault(e))?,
        }
        frame = frames.next_frame()?;
    }
    let Some(mut verifier) = verifier else {
        return Err(BundleError::NoSuchBlock {
            first,
            last: reached,
        });
    };
    while frame.tag != Tag::End && frame.tag != Tag::Block && verifier.awaits_prune() {
        feed(&mut frames, &mut verifier, &frame)?;
        frame = frames.next_frame()?;
    }
    let mut report = verifier.stop();
    report
        .findings
        .retain(|finding| finding.height.is_none_or(|height| height <= last));
    hold_against(pins, head.chain, &mut report);
    Ok((head.chain, report, pins.trust()))
}

/// What a bundle starts with.
struct Head {
    chain: ChainId,
    genesis: Vec<u8>,
    members: Vec<Member>,
    withheld: bool,
}

/// Reads the head and the frame after it.
fn begin<R: Read>(from: R) -> Result<(Frames<R>, Head, Frame), BundleError> {
    let mut frames = Frames::begin(from)?;
    let mut frame = frames.next_frame()?;
    if frame.tag != Tag::Chain {
        return Err(frames.misplaced());
    }
    let (chain, genesis) = read_chain(&frame.body).map_err(|e| frames.fault(e))?;
    let genesis = genesis.to_vec();
    frame = frames.next_frame()?;
    let withheld = frame.tag == Tag::Withheld;
    if withheld {
        let empty = Reader::new(&frame.body).finish("withheld");
        empty.map_err(|e| frames.fault(e))?;
        frame = frames.next_frame()?;
    }
    let mut members = Vec::new();
    while frame.tag == Tag::Member {
        if members.len() >= MAX_MEMBERS {
            return Err(frames.misplaced());
        }
        members.push(Member::read(&frame.body).map_err(|e| frames.fault(e))?);
        frame = frames.next_frame()?;
    }
    let head = Head {
        chain,
        genesis,
        members,
        withheld,
    };
    Ok((frames, head, frame))
}

/// Feeds one row.
fn feed<R: Read>(
    frames: &mut Frames<R>,
    verifier: &mut ChainVerifier,
    frame: &Frame,
) -> Result<(), BundleError> {
    let fed = match frame.tag {
        Tag::Block => read_block(&frame.body).map(|row| {
            verifier.block(&row);
        }),
        Tag::Tile => read_tile(&frame.body).map(|(level, index, hashes)| {
            verifier.tile(level, index, hashes);
        }),
        Tag::Segment => read_segment(&frame.body).map(|row| verifier.segment(&row)),
        Tag::Op => read_op(&frame.body, |op| verifier.op(op)),
        Tag::Tail => Reader::new(&frame.body)
            .finish("tail")
            .map(|()| verifier.tail()),
        Tag::Stop => Reader::new(&frame.body).finish("stop"),
        Tag::Vector => {
            read_vector(&frame.body).map(|(origin, seq, head)| verifier.vector(origin, seq, head))
        }
        Tag::Chain | Tag::Member | Tag::Withheld | Tag::End => return Err(frames.misplaced()),
    };
    fed.map_err(|e| frames.fault(e))
}

fn hold_against(pins: &Pins, chain: ChainId, report: &mut Report) {
    let mut add = |kind, detail: Detail| {
        report.findings.push(Place::default().finding(kind, detail));
    };
    if let Some(pinned) = pins.chain_id
        && pinned != chain
    {
        let detail = Detail::from(format!("the chain is {chain}, pinned is {pinned}"))
            .expected(pinned)
            .found(chain);
        add(FindingKind::GenesisAltered, detail);
    }
    let signed = report
        .decided
        .as_ref()
        .is_some_and(|(set, certificate)| pins.accept(set, certificate));
    if !pins.validator_keys.is_empty() && !signed {
        let detail = "the last block is not signed by a quorum of pinned validators";
        add(FindingKind::CertificateWrong, detail.into());
    }
}
