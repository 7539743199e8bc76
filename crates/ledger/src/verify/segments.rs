//! Segment rows: their signatures, and whether they follow each other without gap.

use ed25519_dalek::VerifyingKey;

use super::ChainVerifier;
use super::detail::Detail;
use super::finding::{FindingKind, Findings, Place};
use super::history::{Broken, History};
use super::stored::StoredSegment;
use crate::hash::{Hash, short};
use crate::ids::{ChainId, NodeId};
use crate::segment::{MAX_SEGMENT_OPS, SegmentClaim};
use crate::signature::{SignatureBytes, public_key};
use crate::vector::{deps_from_bytes, deps_hash};

/// A segment row whose fields have their lengths.
pub(super) struct Row {
    pub first_seq: u64,
    pub last_seq: u64,
    pub prev: Hash,
    pub head: Hash,
}

impl ChainVerifier {
    /// Takes a segment row: after its block, and before the last op that it covers.
    pub fn segment(&mut self, row: &StoredSegment<'_>) {
        self.segments = self.segments.saturating_add(1);
        let place = self.place();
        let Ok(origin) = row.origin.try_into().map(NodeId) else {
            let detail = Detail::length("the origin", row.origin.len(), 32);
            let mut finding = place.finding(FindingKind::SegmentSignatureWrong, detail);
            finding.seq = Some(row.first_seq);
            return self.findings.add(finding);
        };
        let key = self.key(&origin);
        self.ensure_history(origin, None);
        match self.histories.get_mut(&origin) {
            Some(history) => {
                let judged = judge(&self.chain, origin, row, key.as_ref());
                let (broken, findings) = (&mut self.broken, &mut self.findings);
                take(history, row, judged, key, place, broken, findings);
            }
            None => {
                let detail = "the origin is not a member".to_owned();
                let kind = FindingKind::SegmentExtra;
                self.findings
                    .add(place.op(origin, row.first_seq, kind, detail));
            }
        }
    }

    /// The key of an origin: whoever hands it over, it must give the origin's id.
    pub fn key(&self, origin: &NodeId) -> Option<VerifyingKey> {
        let stored = self.stored_members.get(origin);
        let joined = self.membership.ever(origin);
        stored
            .into_iter()
            .chain(joined)
            .filter(|m| NodeId::derive(&m.signing_key, &m.incarnation) == *origin)
            .find_map(|m| public_key(&m.signing_key))
    }
}

/// Checks what the row says by itself.
pub(super) fn judge(
    chain: &ChainId,
    origin: NodeId,
    row: &StoredSegment<'_>,
    key: Option<&VerifyingKey>,
) -> Result<Row, Detail> {
    let hash = |bytes: &[u8], what: &str| -> Result<Hash, Detail> {
        let len = bytes.len();
        let wrong = |_| Detail::length(what, len, 32);
        bytes.try_into().map_err(wrong)
    };
    if row.first_seq == 0 || row.count == 0 || row.count > MAX_SEGMENT_OPS as u64 {
        let text = format!(
            "the row covers {} ops from op {}, allowed are 1 to {MAX_SEGMENT_OPS} from op 1",
            row.count, row.first_seq
        );
        return Err(Detail::from(text)
            .expected(format_args!("1 to {MAX_SEGMENT_OPS} ops"))
            .found(format_args!("{} ops", row.count)));
    }
    let last_seq = row
        .first_seq
        .checked_add(row.count - 1)
        .ok_or("the numbers overflow")?;
    let prev = hash(row.prev, "the hash before")?;
    let head = hash(row.head, "the head")?;
    let deps = deps_from_bytes(row.deps).map_err(|e| format!("the dependencies: {e}"))?;
    if deps.contains_key(&origin) {
        return Err("the dependencies name the origin itself".into());
    }
    let signature: SignatureBytes = row
        .signature
        .try_into()
        .map_err(|_| Detail::length("the signature", row.signature.len(), 64))?;
    let claim = SegmentClaim {
        origin,
        first_seq: row.first_seq,
        count: row.count as u32,
        prev,
        head,
        deps_hash: deps_hash(chain, &deps),
        sealed_ms: row.sealed_ms,
    };
    if key.is_some_and(|key| !claim.signed_by(chain, key, &signature)) {
        return Err(format!(
            "the signature does not hold for ops {} to {last_seq} with head {}",
            row.first_seq,
            short(&head)
        )
        .into());
    }
    Ok(Row {
        first_seq: row.first_seq,
        last_seq,
        prev,
        head,
    })
}

/// Joins the row to the history.
fn take(
    history: &mut History,
    row: &StoredSegment<'_>,
    judged: Result<Row, Detail>,
    key: Option<VerifyingKey>,
    place: Place,
    broken: &mut Vec<Broken>,
    findings: &mut Findings,
) {
    let origin = history.origin;
    let segment = match judged {
        Ok(segment) => segment,
        Err(detail) => {
            let kind = FindingKind::SegmentSignatureWrong;
            findings.add(place.op(origin, row.first_seq, kind, detail));
            history.covered = None;
            return;
        }
    };
    let (first, last) = (segment.first_seq, segment.last_seq);
    match history.covered {
        // A second history is told as such when its head is noted.
        Some(covered) if first <= covered && history.contradicts(last, &segment.head) => {}
        Some(covered) if first <= covered => {
            let detail = format!("ops {first} to {last} are covered up to op {covered} already");
            findings.add(place.op(origin, first, FindingKind::SegmentExtra, detail));
        }
        Some(covered) if first > covered + 1 => {
            let gap = format!("ops {} to {}", covered + 1, first - 1);
            let detail = Detail::from(format!("no segment covers {gap}")).expected(gap);
            let kind = FindingKind::SegmentMissing;
            findings.add(place.op(origin, covered + 1, kind, detail));
        }
        _ => {}
    }
    history.covered = Some(history.covered.unwrap_or(0).max(last));
    if key.is_none() {
        history.unverified.get_or_insert(first);
        return;
    }
    if first > 1 || history.next == 1 {
        history.anchor(first - 1, segment.prev, place, broken, findings);
    }
    if !history.anchor(last, segment.head, place, broken, findings) {
        let detail = "the segment came after its ops, which were not held against it".to_owned();
        findings.add(place.op(origin, first, FindingKind::SegmentMissing, detail));
    }
}
