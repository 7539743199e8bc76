"""Hostile files that only one of the verifiers refused once: an op nobody signed, tiles and bytes of no use."""

import json

from tests.build import Chain, Node, join, leave, pack, tile, vector
from tests.build import bundle as written
from tests.common import DOES_NOT, UNREADABLE, line, ours, theirs
from tests.common import vector as golden
from tests.rules import Rules, places
from verifier.blocks import Header, validator_set_hash
from verifier.codec import H, ZEROS, u32, u64
from verifier.frames import OP, SEGMENT, STOP, TAIL, TILE


def own(chain):
    return [chain.founder.record(1)]


def ops_first(frames, before=2):
    """All ops before the first block."""
    ops = places(frames, OP)
    rest = [frame for at, frame in enumerate(frames) if at not in ops]
    return rest[:before] + [frames[at] for at in ops] + rest[before:]


def unsigned(frames, node):
    """The first segment of a node without its signature."""
    at = next(at for at in places(frames, SEGMENT) if frames[at][1][4:36] == node.id)
    return frames[:at] + [(SEGMENT, frames[at][1][:-64] + bytes(64))] + frames[at + 1:]


class Bundles(Rules):
    def test_ops_before_the_first_block(self):
        for wrong in (None, 1, 2):  # also where the leaf in the signed log is not the op's
            chain = Chain()
            chain.op(chain.founder)
            chain.op(chain.founder)
            chain.block(wrong=wrong)
            self.bad(ops_first(chain.frames(own(chain))), "op_extra")

    def test_an_op_in_an_archive_that_nobody_signed(self):
        chain = Chain()
        chain.op(chain.founder)
        chain.founder.ops, kept, chain.founder.seq = [], chain.founder.ops, 0
        chain.block()
        frames = chain.frames(own(chain), stop=True)
        self.bad(frames[:2] + [(OP, kept[0][0])] + frames[2:], "op_extra")

    def test_ops_of_nobody_in_an_archive(self):
        chain = Chain()
        two = chain.node(2)
        chain.op(two)
        chain.block()
        frames = chain.frames(own(chain), stop=True)
        self.bad(frames, "segment_extra")
        self.bad(unsigned(frames, two), "segment_extra")
        self.bad([frame for frame in frames if frame[0] != SEGMENT], "op_extra")

    def test_who_joins_and_writes_in_one_block_without_a_member_frame(self):
        chain = Chain()
        two = chain.node(2)
        chain.op(chain.founder, join(two.record()), 3)
        chain.op(two)
        chain.block()
        self.bad(chain.frames(own(chain), stop=True), "segment_extra")
        self.bad(unsigned(chain.frames(own(chain), stop=True), two), "segment_extra")
        chain.op(two, leave(two), 3)
        chain.block()
        self.bad(chain.frames(own(chain)), "segment_extra")
        self.bad(unsigned(chain.frames(own(chain)), two), "segment_extra")

    def test_dependencies_on_the_origin_itself(self):
        chain = Chain()
        chain.op(chain.founder)
        segment = chain.segment(chain.founder, depends=u32(1) + chain.founder.id + u64(1))
        frames = chain.frames(own(chain))
        at = frames.index((TAIL, b"")) + 1
        self.bad(frames[:at] + [segment] + frames[at:], "segment_signature_wrong")

    def test_the_hash_before_a_segment(self):
        """Of an op that has passed it is what the origin says, and compared with nothing."""
        for first in (1, 2):
            chain = Chain()
            for _ in range(3):
                chain.op(chain.founder)
            segments = [chain.segment(chain.founder, 1)] if first == 2 else []
            lie = chain.segment(chain.founder, before=H(b"lie"))
            frames = chain.frames(own(chain))
            at, ops = frames.index((TAIL, b"")) + 1, [frames[at] for at in places(frames, OP)]
            told = frames[:at] + segments + ops[:first] + [lie] + ops[first:] + frames[at + 3:]
            self.good(told)

    def test_tiles_in_an_archive(self):
        chain = Chain()
        chain.block()
        frames = chain.frames(own(chain), stop=True)
        for extra in (tile(0, 1, [ZEROS]), tile(0, 7, [ZEROS]), tile(1, 0, [ZEROS])):
            self.bad(frames[:-1] + [(TILE, extra), (STOP, b"")], "tile_altered")

    def test_a_vector_of_no_ops_with_a_hash(self):
        chain = Chain()
        two = chain.node(2)
        chain.op(chain.founder)
        chain.block()
        for head in (H(b"any"), b""):
            self.bad(chain.frames(own(chain)) + [vector(two, 0, head)], "vector_altered")

    def test_four_bytes_behind_a_packed_bundle(self):
        chain = Chain()
        chain.block()
        packed = pack(written(chain.frames(own(chain))))
        for more in (b"xxxx", bytes(4), packed[:4]):
            mine, his = ours("bundle", packed + more), theirs("bundle", packed + more)
            self.assertEqual((mine[0], his[0]), (UNREADABLE, UNREADABLE), mine[1] + his[1])


class Proofs(Rules):
    def test_a_list_in_place_of_an_object(self):
        proof = json.loads(golden("proof_delta.json"))
        names = (
            "height", "epoch", "prev_header", "first_leaf", "tree_size", "log_root", "validator_set_hash", "state_root",
            "time_ms", "proposer",
        )
        for change in (
            {"header": [proof["header"][name] for name in names]},
            {"certificate": [proof["certificate"][name] for name in ("round", "signatures")]},
            {"validators": [[it[name] for name in ("node", "key", "weight")] for it in proof["validators"]]},
        ):
            data = json.dumps({**proof, **change}).encode()
            mine, his = (it("proof", data, "--chain-id", line("chain.id")) for it in (ours, theirs))
            self.assertEqual((mine[0], his[0]), (UNREADABLE, UNREADABLE), mine[1] + his[1])

    def test_weights_whose_sum_has_no_64_bits(self):
        """One of two that weigh the same is no quorum. No chain has such weights; a proof by itself may."""
        proof = json.loads(golden("proof_delta.json"))
        nodes, weight = sorted((Node(1), Node(2)), key=lambda node: node.id), 2**64 - 1
        validators = [node.entry(weight) for node in nodes]
        fields, chain = proof["header"], bytes.fromhex(proof["chain_id"])
        proof["validators"] = [{"node": it.id.hex(), "key": it.public.hex(), "weight": weight} for it in nodes]
        fields["validator_set_hash"] = validator_set_hash(chain, validators).hex()
        names = "height epoch prev_header first_leaf tree_size log_root validator_set_hash state_root time_ms proposer"
        values = (fields[name] for name in names.split())
        header = Header(chain, *(it if isinstance(it, int) else bytes.fromhex(it) for it in values))
        vote = b"bcrdt/vote/v1\0" + chain + u64(header.height) + u32(0) + b"\2" + header.hash()
        signature = {"node": nodes[0].id.hex(), "signature": nodes[0].key.sign(vote).hex()}
        proof["certificate"] = {"round": 0, "signatures": [signature]}
        words = ["--validator-key", nodes[0].public.hex()]
        mine, his = (it("proof", json.dumps(proof).encode(), *words) for it in (ours, theirs))
        self.assertEqual((mine[0], his[0]), (DOES_NOT, DOES_NOT), mine[1] + his[1])
        self.assertIn("quorum", mine[1])
