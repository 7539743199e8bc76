//! Alterations by someone who also has the node's own key, as its superuser has: every
//! signature of them is good, and still they are named.
#![allow(dead_code, reason = "each test uses its own share")]

use std::fs;

use ed25519_dalek::Signer;
use harness::{Failure, Outcome, Server, Session};
use ledger::vector::{deps_from_bytes, deps_hash};
use ledger::{Certificate, ChainId, Genesis, Hash, Header, NodeId, SegmentClaim, SigningKey};

/// Where the signing key's seed lies in a key file: behind version and incarnation.
const SEED: std::ops::Range<usize> = 17..49;

/// A head that no op has.
const OTHER_HEAD: Hash = [7; 32];

/// Who holds a node's key.
pub struct Insider {
    key: SigningKey,
    node: NodeId,
    chain: ChainId,
}

impl Insider {
    /// With the key of this server's node, which must be the founder.
    pub fn of(server: &Server) -> Outcome<Insider> {
        let mut session = server.session()?;
        let genesis = Genesis::from_bytes(&bytes(&mut session, "SELECT genesis FROM crdt.chain")?);
        let genesis = genesis.map_err(|e| Failure::new(format!("the genesis: {e}")))?;
        let database = session.text("SELECT oid FROM pg_database WHERE datname = 'app'")?;
        let file = format!("data/blockchain_crdt/{database}.key");
        let key_file = fs::read(server.folder().join(file))?;
        let seed: Option<Hash> = key_file.get(SEED).and_then(|seed| seed.try_into().ok());
        let seed = seed.ok_or_else(|| Failure::new("the key file is short"))?;
        Ok(Insider {
            key: SigningKey::from_bytes(&seed),
            node: genesis.founder.node_id,
            chain: genesis.chain_id(),
        })
    }

    /// A second history: SQL that puts a segment row beside the one of `from`, signed as
    /// well, with another end.
    pub fn fork(&self, session: &mut Session, from: &str) -> Outcome<String> {
        let claim = SegmentClaim {
            head: OTHER_HEAD,
            ..self.claim(session, from)?
        };
        Ok(format!(
            "ALTER TABLE crdt.segment DROP CONSTRAINT segment_pkey;
             INSERT INTO crdt.segment SELECT origin, first_seq, last_seq, sealed_ms, prev, {}, deps, {} {from}",
            literal(&claim.head),
            literal(&self.sign(&claim))
        ))
    }

    /// SQL that puts down evidence against this node: it signed the segment of `from` with two
    /// heads.
    pub fn evidence(&self, session: &mut Session, from: &str) -> Outcome<String> {
        let claim = self.claim(session, from)?;
        let other = SegmentClaim {
            head: OTHER_HEAD,
            ..claim
        };
        // As `replica::Evidence` writes it.
        let mut proof = vec![1, 1];
        proof.extend(claim.first_seq.to_be_bytes());
        proof.extend(self.node.0);
        for claim in [&claim, &other] {
            proof.extend(claim.first_seq.to_be_bytes());
            proof.extend(claim.count.to_be_bytes());
            for hash in [&claim.prev, &claim.head, &claim.deps_hash] {
                proof.extend(hash);
            }
            proof.extend(claim.sealed_ms.to_be_bytes());
            proof.extend(self.sign(claim));
        }
        Ok(format!(
            "INSERT INTO crdt.evidence (node, kind, detail, proof)
             VALUES ({}, 'segments', 'two histories from operation {} on', {})",
            literal(&self.node.0),
            claim.first_seq,
            literal(&proof)
        ))
    }

    /// What this node has signed about the segment of `from`.
    fn claim(&self, session: &mut Session, from: &str) -> Outcome<SegmentClaim> {
        let number = |session: &mut Session, column: &str| -> Outcome<u64> {
            let number = session.number(&format!("SELECT {column} {from}"))?;
            u64::try_from(number).map_err(|e| Failure::new(e.to_string()))
        };
        let first_seq = number(session, "first_seq")?;
        let last_seq = number(session, "last_seq")?;
        let deps = deps_from_bytes(&bytes(session, &format!("SELECT deps {from}"))?)
            .map_err(|e| Failure::new(format!("dependencies: {e}")))?;
        Ok(SegmentClaim {
            origin: self.node,
            first_seq,
            count: u32::try_from(last_seq - first_seq + 1)
                .map_err(|e| Failure::new(e.to_string()))?,
            prev: hash(session, &format!("SELECT prev {from}"))?,
            head: hash(session, &format!("SELECT head {from}"))?,
            deps_hash: deps_hash(&self.chain, &deps),
            sealed_ms: number(session, "sealed_ms")?,
        })
    }

    fn sign(&self, claim: &SegmentClaim) -> [u8; 64] {
        self.key.sign(&claim.message(&self.chain)).to_bytes()
    }

    /// SQL that gives the last block a root of the log that the log does not have, and a
    /// certificate over it.
    pub fn another_root(&self, session: &mut Session) -> Outcome<String> {
        let last = "FROM crdt.block ORDER BY height DESC LIMIT 1";
        let header = bytes(session, &format!("SELECT header {last}"))?;
        let mut header =
            Header::from_bytes(&header).map_err(|e| Failure::new(format!("a header: {e}")))?;
        header.log_root[0] ^= 1;
        let (height, hash) = (header.height, header.hash());
        let certificate =
            Certificate::by_sole_validator(&self.chain, height, hash, self.node, &self.key);
        Ok(format!(
            "UPDATE crdt.block SET header = {}, certificate = {} WHERE height = {height}",
            literal(&header.to_bytes()),
            literal(&certificate.to_bytes())
        ))
    }
}

fn bytes(session: &mut Session, sql: &str) -> Outcome<Vec<u8>> {
    Ok(session.client().query_one(sql, &[])?.try_get(0)?)
}

fn hash(session: &mut Session, sql: &str) -> Outcome<Hash> {
    let bytes = bytes(session, sql)?;
    Hash::try_from(bytes.as_slice()).map_err(|e| Failure::new(e.to_string()))
}

fn literal(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("'\\x{digits}'::bytea")
}
