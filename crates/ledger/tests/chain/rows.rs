//! Stored rows that tests own and alter.

use ledger::{StoredBlock, StoredOp, StoredPart, StoredSegment};

#[derive(Clone, Debug)]
pub struct OpRow {
    pub origin: Vec<u8>,
    pub seq: u64,
    pub hlc: u64,
    pub kind: u8,
    pub schema_hash: Vec<u8>,
    pub salt: Vec<u8>,
    pub payload: Vec<u8>,
    pub op_hash: Vec<u8>,
}

#[derive(Clone, Debug)]
pub struct SegmentRow {
    pub origin: Vec<u8>,
    pub first_seq: u64,
    pub count: u64,
    pub prev: Vec<u8>,
    pub head: Vec<u8>,
    pub deps: Vec<u8>,
    pub sealed_ms: u64,
    pub signature: Vec<u8>,
}

#[derive(Clone, Debug)]
pub struct BlockRow {
    pub height: u64,
    pub header: Vec<u8>,
    pub cut: Vec<u8>,
    pub certificate: Vec<u8>,
}

impl OpRow {
    /// Leaves the commitment of the payload only.
    pub fn close(&mut self) {
        let part = StoredPart {
            salt: &self.salt,
            payload: &self.payload,
        };
        let commitment = part.commitment().unwrap();
        self.salt.clear();
        self.payload = commitment.to_vec();
    }

    pub fn with_stored<T>(&self, f: impl FnOnce(&StoredOp<'_>) -> T) -> T {
        let parts = [StoredPart {
            salt: &self.salt,
            payload: &self.payload,
        }];
        f(&StoredOp {
            origin: &self.origin,
            seq: self.seq,
            hlc: self.hlc,
            kind: self.kind,
            schema_hash: &self.schema_hash,
            parts: &parts,
            op_hash: &self.op_hash,
        })
    }
}

impl SegmentRow {
    pub fn as_stored(&self) -> StoredSegment<'_> {
        StoredSegment {
            origin: &self.origin,
            first_seq: self.first_seq,
            count: self.count,
            prev: &self.prev,
            head: &self.head,
            deps: &self.deps,
            sealed_ms: self.sealed_ms,
            signature: &self.signature,
        }
    }
}

impl BlockRow {
    pub fn as_stored(&self) -> StoredBlock<'_> {
        StoredBlock {
            height: self.height,
            header: &self.header,
            cut: &self.cut,
            certificate: &self.certificate,
        }
    }
}
