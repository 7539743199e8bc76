//! What the cluster hands to an auditor: proofs and bundles.

use std::collections::BTreeMap;

use ledger::merkle::Tree;
use ledger::proof::ProofOp;
use ledger::{
    Block, BundleWriter, Certificate, ChainSink, Cut, Header, NodeId, OpProof, ValidatorSet,
};

use super::Chain;

impl Chain {
    pub fn block(&self, height: u64) -> Block {
        let row = &self.blocks[height as usize - 1];
        Block {
            header: Header::from_bytes(&row.header).unwrap(),
            cut: Cut::from_bytes(&row.cut).unwrap(),
            certificate: Certificate::from_bytes(&row.certificate).unwrap(),
        }
    }

    /// The leaf of op `seq` of a node, as the layout of blocks says.
    pub fn leaf_index(&self, node: NodeId, seq: u64) -> u64 {
        let mut before = Cut::default();
        let mut size = 0;
        for row in &self.blocks {
            let cut = Cut::from_bytes(&row.cut).unwrap();
            size += 1;
            for (origin, at) in cut.iter() {
                let first = before.get(origin).seq + 1;
                if *origin == node && (first..=at.seq).contains(&seq) {
                    return size + seq - first;
                }
                size += at.seq + 1 - first;
            }
            before = cut;
        }
        panic!("op {seq} is in no block");
    }

    /// The proof of an op under the block of this height.
    pub fn prove(&self, seed: u8, seq: u64, height: u64) -> OpProof {
        self.prove_under(seed, seq, height, &self.genesis.validators())
    }

    /// The same where these validators decided the height.
    pub fn prove_under(
        &self,
        seed: u8,
        seq: u64,
        height: u64,
        validators: &ValidatorSet,
    ) -> OpProof {
        let node = self.id(seed);
        let block = self.block(height);
        let (_, prev, _) = &self.cores[&(node, seq)];
        let row = self.op(seed, seq);
        let index = self.leaf_index(node, seq);
        let tree = Tree::new(self.tiles.clone(), self.size);
        let path = tree.inclusion_proof(index, block.header.tree_size).unwrap();
        OpProof::new(
            &self.genesis,
            row.with_stored(|op| ProofOp::of_stored(op, prev)).unwrap(),
            index,
            &path,
            &block.header,
            &block.certificate,
            validators,
        )
    }

    /// The blocks up to one, as an archive has them.
    pub fn archive(&self, height: usize) -> Vec<u8> {
        let writer =
            BundleWriter::begin(Vec::new(), self.chain, &self.genesis_bytes, &self.members);
        let mut writer = writer.unwrap();
        for block in &self.blocks[..height] {
            let plan = writer.block(&block.as_stored()).unwrap();
            self.feed_plan(&mut writer, &plan);
        }
        writer.stop().unwrap();
        writer.finish().unwrap()
    }

    /// The blocks as the public gets them: payloads kept back, tiles put in by who reads the log.
    pub fn public(&self) -> Vec<u8> {
        let writer = BundleWriter::begin_withheld(
            Vec::new(),
            self.chain,
            &self.genesis_bytes,
            &self.members,
        );
        let mut writer = writer.unwrap();
        let mut tiles = 0;
        for block in &self.blocks {
            let mut plan = writer.block(&block.as_stored()).unwrap();
            assert!(plan.tiles.is_empty());
            let size = Header::from_bytes(&block.header).unwrap().tree_size;
            plan.tiles = tiles..size.div_ceil(256);
            tiles = plan.tiles.end;
            self.feed_plan(&mut writer, &plan);
        }
        writer.stop().unwrap();
        writer.finish().unwrap()
    }

    /// Everything stored, in one file.
    pub fn bundle(&self) -> Vec<u8> {
        let writer =
            BundleWriter::begin(Vec::new(), self.chain, &self.genesis_bytes, &self.members);
        let mut writer = writer.unwrap();
        let mut done = BTreeMap::new();
        for block in &self.blocks {
            let plan = writer.block(&block.as_stored()).unwrap();
            self.feed_plan(&mut writer, &plan);
            for range in plan.ranges {
                done.insert(range.origin.0.to_vec(), range.last_seq);
            }
        }
        self.feed_tail(&mut writer, &done);
        writer.finish().unwrap()
    }
}
