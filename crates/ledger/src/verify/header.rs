//! Headers and their certificates: which of the two was altered, and, where one field was
//! changed, which one.

use super::detail::Detail;
use super::finding::{FindingKind, Findings, Place};
use super::stored::StoredBlock;
use crate::block::Header;
use crate::certificate::Certificate;
use crate::hash::{Hash, short};
use crate::ids::ChainId;
use crate::validators::ValidatorSet;

/// What the place of a block demands of its header, as far as it is known.
#[derive(Debug, Clone)]
pub(super) struct Expected<'a> {
    pub chain: ChainId,
    pub height: u64,
    pub before: Option<&'a Header>,
    pub prev_header: Option<Hash>,
    pub first_leaf: Option<u64>,
    pub tree_size: Option<u64>,
    pub cut_hash: Option<Hash>,
    /// Who decides this height, as far as the ops before tell.
    pub set: &'a ValidatorSet,
    /// Faults were found before and the header names other validators: they may be the right ones.
    pub doubted: bool,
}

/// A header after its certificate was looked at.
#[derive(Debug, Clone)]
pub(super) struct JudgedHeader {
    /// The header as it was signed; none if it cannot be told.
    pub header: Option<Header>,
    /// Its hash as signed, or as found where no signature helps.
    pub hash: Option<Hash>,
    /// The quorum's signatures that hold for `hash`.
    pub certificate: Option<Certificate>,
    /// A header that differs from the signed one in a field that is not known yet.
    pub pending: Option<Header>,
}

/// Holds header and certificate against each other and against the place.
pub(super) fn judge(
    row: &StoredBlock<'_>,
    expected: &Expected<'_>,
    findings: &mut Findings,
) -> JudgedHeader {
    let place = Place::block(row.height);
    let found = match Header::from_bytes(row.header) {
        Ok(header) => Some(header),
        Err(error) => {
            let detail = format!("the header cannot be read: {error}");
            findings.add(place.finding(FindingKind::HeaderAltered, detail));
            None
        }
    };
    let found_hash = found.as_ref().map(Header::hash);
    let certificate = signed(row, expected, found_hash, findings);
    let signed = certificate.as_ref().map(|c| c.header_hash);
    match (found, signed) {
        (Some(header), Some(hash)) if found_hash == Some(hash) => {
            check_fields(&header, expected, true, findings);
            JudgedHeader {
                header: Some(header),
                hash: Some(hash),
                certificate,
                pending: None,
            }
        }
        (Some(header), Some(hash)) => {
            let healed = heal(&header, expected, &hash);
            if let Some((_, detail)) = &healed {
                findings.add(place.finding(FindingKind::HeaderAltered, detail.clone()));
            }
            JudgedHeader {
                pending: healed.is_none().then_some(header),
                header: healed.map(|(header, _)| header),
                hash: Some(hash),
                certificate,
            }
        }
        (Some(header), None) => {
            check_fields(&header, expected, false, findings);
            JudgedHeader {
                header: Some(header),
                hash: found_hash,
                certificate,
                pending: None,
            }
        }
        (None, hash) => JudgedHeader {
            header: None,
            hash,
            certificate,
            pending: None,
        },
    }
}

/// The certificate that a quorum signed; reports one that does not hold.
fn signed(
    row: &StoredBlock<'_>,
    expected: &Expected<'_>,
    found: Option<Hash>,
    findings: &mut Findings,
) -> Option<Certificate> {
    let place = Place::block(row.height);
    let mut wrong = |detail: Detail| {
        findings.add(place.finding(FindingKind::CertificateWrong, detail));
    };
    let certificate = match Certificate::from_bytes(row.certificate) {
        Ok(certificate) => certificate,
        Err(error) => {
            wrong(format!("the certificate cannot be read: {error}").into());
            return None;
        }
    };
    let set = expected.set;
    let fault = match certificate.verify(&expected.chain, set) {
        Ok(()) if certificate.height == expected.height => return Some(certificate),
        Ok(()) => Detail::values(
            "the height of the certificate",
            certificate.height,
            expected.height,
        ),
        Err(fault) => fault.to_string().into(),
    };
    // Perhaps only what the certificate says about itself was changed.
    if let Some(hash) = found {
        let restored = Certificate {
            height: expected.height,
            header_hash: hash,
            ..certificate.clone()
        };
        if restored != certificate && restored.verify(&expected.chain, set).is_ok() {
            let found = (certificate.height, short(&certificate.header_hash));
            let signed = (expected.height, short(&hash));
            let text = format!(
                "the certificate names height {} and header {}, signed are {} and {}",
                found.0, found.1, signed.0, signed.1
            );
            let detail = Detail::from(text)
                .expected(format_args!("{} {}", signed.0, signed.1))
                .found(format_args!("{} {}", found.0, found.1));
            wrong(detail);
            return Some(restored);
        }
    }
    // What put the validators in doubt is a finding already; this would only be its echo.
    if !expected.doubted {
        wrong(fault);
    }
    None
}

/// What does not fit the place, in a header that is what it was when it was signed.
fn check_fields(
    header: &Header,
    expected: &Expected<'_>,
    certified: bool,
    findings: &mut Findings,
) {
    let place = Place::block(expected.height);
    let mut wrong = |field: &str, found: String, wanted: String| {
        let detail = Detail::values(field, found, wanted);
        findings.add(place.finding(FindingKind::HeaderAltered, detail));
    };
    let mut number = |field: &str, found: u64, wanted: Option<u64>| {
        if let Some(wanted) = wanted
            && wanted != found
        {
            wrong(field, found.to_string(), wanted.to_string());
        }
    };
    number("the height", header.height, Some(expected.height));
    number("the first leaf", header.first_leaf, expected.first_leaf);
    number("the tree size", header.tree_size, expected.tree_size);
    if let Some(before) = expected.before {
        let late = (header.time_ms < before.time_ms).then_some(before.time_ms);
        number("the time", header.time_ms, late);
        let back = (header.epoch < before.epoch).then_some(before.epoch);
        number("the epoch", header.epoch, back);
    }
    let mut hash = |field: &str, found: &Hash, wanted: Option<Hash>| {
        if let Some(wanted) = wanted
            && wanted != *found
        {
            wrong(field, short(found), short(&wanted));
        }
    };
    hash("the chain", &header.chain_id.0, Some(expected.chain.0));
    hash(
        "the header before",
        &header.prev_header,
        expected.prev_header,
    );
    if certified || !expected.doubted {
        let set = expected.set;
        let wanted = set.hash(&expected.chain);
        hash(
            "the validator set",
            &header.validator_set_hash,
            Some(wanted),
        );
        if !set.0.contains_key(&header.proposer) {
            wrong(
                "the proposer",
                short(&header.proposer.0),
                "a validator".to_owned(),
            );
        }
    }
}

/// Tries what the place demands in each field in turn until the header is the signed one.
fn heal(header: &Header, expected: &Expected<'_>, signed: &Hash) -> Option<(Header, Detail)> {
    let attempt = |field: &str, change: &dyn Fn(&mut Header)| {
        let mut other = header.clone();
        change(&mut other);
        (other != *header && other.hash() == *signed).then(|| {
            let (found, wanted) = differing(header, &other);
            let text = format!("{field} of the header was changed");
            (other, Detail::from(text).expected(wanted).found(found))
        })
    };
    let before = expected.before;
    attempt("the chain", &|h| h.chain_id = expected.chain)
        .or_else(|| attempt("the height", &|h| h.height = expected.height))
        .or_else(|| {
            attempt("the header before", &|h| {
                h.prev_header = expected.prev_header.unwrap_or(h.prev_header);
            })
        })
        .or_else(|| {
            attempt("the first leaf", &|h| {
                h.first_leaf = expected.first_leaf.unwrap_or(h.first_leaf);
            })
        })
        .or_else(|| {
            attempt("the tree size", &|h| {
                h.tree_size = expected.tree_size.unwrap_or(h.tree_size);
            })
        })
        .or_else(|| {
            attempt("the state root", &|h| {
                h.state_root = expected.cut_hash.unwrap_or(h.state_root);
            })
        })
        .or_else(|| {
            attempt("the epoch", &|h| {
                h.epoch = before.map_or(h.epoch, |b| b.epoch)
            })
        })
        .or_else(|| {
            attempt("the validator set", &|h| {
                h.validator_set_hash = expected.set.hash(&expected.chain);
            })
        })
        .or_else(|| {
            let mut validators = expected.set.0.keys();
            validators.find_map(|node| attempt("the proposer", &|h| h.proposer = *node))
        })
}

/// The field in which two headers differ: as found, and as signed.
fn differing(found: &Header, signed: &Header) -> (String, String) {
    let fields = |h: &Header| {
        [
            short(&h.chain_id.0),
            h.height.to_string(),
            h.epoch.to_string(),
            short(&h.prev_header),
            h.first_leaf.to_string(),
            h.tree_size.to_string(),
            short(&h.log_root),
            short(&h.validator_set_hash),
            short(&h.state_root),
            short(&h.proposer.0),
        ]
    };
    let pairs = fields(found).into_iter().zip(fields(signed));
    let mut other = pairs.filter(|(found, signed)| found != signed);
    other.next().unwrap_or_default()
}

/// The last try, when the block's ops have been seen: the root that they lead to.
pub(super) fn heal_root(
    header: Header,
    signed: Option<Hash>,
    root: Option<Hash>,
) -> (Option<Header>, Detail) {
    let found = header.hash();
    if let Some(root) = root {
        let other = Header {
            log_root: root,
            ..header.clone()
        };
        if Some(other.hash()) == signed {
            let (found, wanted) = (short(&header.log_root), short(&root));
            let text =
                format!("the log root of the header was changed to {found}, expected {wanted}");
            return (
                Some(other),
                Detail::from(text).expected(wanted).found(found),
            );
        }
    }
    let found = short(&found);
    let signed = signed.map_or("nothing".to_owned(), |hash| short(&hash));
    let text = format!("the header hashes to {found}, its certificate signs {signed}");
    (None, Detail::from(text).expected(signed).found(found))
}
