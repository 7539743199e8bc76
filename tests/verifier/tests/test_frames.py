"""Which frames a bundle may have and where, and how blocks follow each other, on generated chains."""

from tests.build import Chain, bundle, long, vector
from tests.common import UNREADABLE
from tests.rules import Rules, pinned, places
from verifier.codec import ZEROS, u16, u32, u64
from verifier.frames import BLOCK, CHAIN, END, MAX_BODY, MEMBER, OP, SEGMENT, STOP, TAIL, TILE, VECTOR, WITHHELD


def tiny(count=3):
    chain = Chain()
    for number in range(count):
        chain.op(chain.founder, b"payload %d" % number)
    chain.block()
    return chain


class Structure(Rules):
    def setUp(self):
        self.chain = tiny()
        self.members = [self.chain.founder.record(1)]
        self.frames = self.chain.frames(self.members)
        self.tail = self.frames.index((TAIL, b""))

    def test_what_holds(self):
        told = self.good(self.frames, *pinned(self.chain, self.chain.founder))
        self.assertTrue(told.startswith("VERIFIED\n"), told)
        self.assertIn("VERIFIED, but against nothing pinned", self.good(self.frames))
        self.good(self.chain.frames(self.members, stop=True))
        self.assertIn("payloads_withheld: True", self.good(self.chain.frames(self.members, withheld=True)))
        self.good(self.chain.frames(self.members, vectors=False))

    def test_a_frame_elsewhere_is_no_bundle(self):
        stopped = self.chain.frames(self.members, stop=True)
        frames, tail = self.frames, self.tail
        self.no_bundle(frames[1:], "chain")
        self.no_bundle([], "chain")
        self.no_bundle(frames[:1] + frames, "chain")
        self.no_bundle(frames + frames[:1], "chain")
        self.no_bundle(frames[:tail] + frames[tail + 1:], "vector")
        self.no_bundle([frame for frame in frames if frame[0] not in (TAIL, VECTOR)], "neither")
        self.no_bundle(frames + [(TAIL, b"")], "second")
        self.no_bundle(frames + [(STOP, b"")], "second")
        for further in (TAIL, STOP, BLOCK, SEGMENT, TILE):
            self.no_bundle(stopped + [(further, b"")], "behind stop")
        self.no_bundle(frames + [(WITHHELD, b"")], "withheld")
        self.no_bundle(frames[:2] + [(WITHHELD, b"")] + frames[2:], "withheld")
        self.no_bundle(frames[:1] + [(WITHHELD, b"")] * 2 + frames[1:], "withheld")
        self.no_bundle(frames[:3] + frames[1:2] + frames[3:], "member")
        self.no_bundle(frames + [(END, u64(len(frames)))], "")

    def test_a_frame_that_cannot_be_read_is_no_bundle(self):
        frames, tail = self.frames, self.tail
        for tag in (0, 12, 255):
            self.no_bundle(frames + [(tag, b"")], "tag")
        self.no_bundle(frames[:tail] + [(TAIL, b"x")] + frames[tail + 1:], "left over")
        self.no_bundle(self.chain.frames(self.members, stop=True)[:-1] + [(STOP, b"x")], "left over")
        self.no_bundle([frames[0], (WITHHELD, b"x"), *frames[1:]], "left over")
        self.no_bundle([(CHAIN, bytes(31)), *frames[1:]], "too short")
        record = self.members[0]
        for wrong in (record[:-1], record + b"x", b"", b"\2" + record[1:], b"x", self.chain.founder.record(1, role=3)):
            self.no_bundle(frames[:1] + [(MEMBER, wrong)] + frames[2:], "frame 1")
        self.no_bundle(frames[:1] + [(MEMBER, record[:-4] + b"\xff" + record[-3:])] + frames[2:])

    def test_where_it_ends(self):
        data = bundle(self.frames)
        head = data[:-13]
        for wrong in (
            data[:-1] + bytes([data[-1] ^ 1]), head, head + b"\1" + u32(MAX_BODY + 1), head + b"\1" + u32(2**32 - 1),
            head + b"\x09" + u32(7) + u64(len(self.frames))[1:],
            head + b"\x09" + u32(9) + u64(len(self.frames)) + b"\0",
        ):
            self.agree("bundle", [wrong], status=UNREADABLE)
        # A finding, and then no bundle: no bundle.
        altered = bundle([(CHAIN, ZEROS + self.chain.genesis), *self.frames[1:]])
        self.agree("bundle", [altered[:-1]], status=UNREADABLE)
        self.bad([(CHAIN, ZEROS + self.chain.genesis), *self.frames[1:]], "genesis_altered")

    def test_order_that_is_a_finding(self):
        frames = self.frames
        self.bad(frames + [frames[2]], "block_extra")
        self.bad(frames[:self.tail + 1] + [frames[2]] + frames[self.tail + 1:], "block_extra")
        self.bad(frames[:3] + frames[2:], "tile_altered")
        ops = places(frames, OP)
        swapped = list(frames)
        swapped[ops[0]], swapped[ops[1]] = swapped[ops[1]], swapped[ops[0]]
        self.bad(swapped, "op_missing")
        self.bad(frames[:ops[0]] + frames[ops[0] + 1:], "op_missing")
        self.bad(frames[:ops[0] + 1] + frames[ops[0]:], "op_extra")
        self.bad(frames[:ops[2]] + [frames[self.tail], frames[ops[2]]] + frames[self.tail + 1:], "op_missing")

    def test_order_that_says_nothing(self):
        (segment,) = places(self.frames, SEGMENT)
        rest = self.frames[:segment] + self.frames[segment + 1:]
        for at in range(2, places(rest, OP)[-1] + 2):
            self.good(rest[:at] + [self.frames[segment]] + rest[at:])

    def test_lengths_are_findings(self):
        chain = tiny(1)
        frames = chain.frames([chain.founder.record(1)])
        (at,) = places(frames, OP)
        op = frames[at][1]
        head = op[:36 + 8 + 8 + 1 + 36 + 36]

        def with_op(body):
            return frames[:at] + [(OP, body)] + frames[at + 1:]

        for count in (0, 65):
            self.bad(with_op(head + u16(count) + (long(ZEROS) + long(b"")) * count), "payload_altered")
        self.no_bundle(with_op(head + u16(66) + bytes(8 * 66)), "66 parts")
        for salt, payload in ((bytes(31), b""), (bytes(33), b""), (b"", b""), (b"", bytes(31)), (b"", bytes(33))):
            self.bad(with_op(head + u16(1) + long(salt) + long(payload)), "payload_altered")
        self.bad(with_op(long(chain.founder.id[:31]) + op[36:]), "op_extra")
        self.bad(with_op(op[:53] + long(bytes(31)) + op[89:]), "op_altered")
        self.bad(with_op(op[:89] + long(b"") + op[125:]), "op_altered")
        (at,) = places(frames, SEGMENT)
        body = frames[at][1]
        self.bad(frames[:at] + [(SEGMENT, long(b"") + body[36:])] + frames[at + 1:], "segment_extra")
        self.bad(frames[:at] + [(SEGMENT, body[:-68] + long(b""))] + frames[at + 1:], "segment_signature_wrong")


class Blocks(Rules):
    def test_headers(self):
        for change in (
            {"height": 2}, {"chain": ZEROS}, {"before": ZEROS}, {"first_leaf": 1}, {"tree_size": 9},
            {"validators": ZEROS}, {"proposer": ZEROS}, {"time": 999}, {"tree_size": 2**64 - 1},
            {"first_leaf": 2**64 - 1},
        ):
            chain = Chain()
            chain.op(chain.founder)
            chain.block(**change)
            self.bad(chain.frames([chain.founder.record(1)]), "header_altered")
        for change, finding in (({"state": ZEROS}, "cut_altered"), ({"log_root": ZEROS}, "log_root_wrong")):
            chain = Chain()
            chain.op(chain.founder)
            chain.block(**change)
            for stop in (False, True):
                self.bad(chain.frames([chain.founder.record(1)], stop=stop), finding)

    def test_time_and_epoch_do_not_fall(self):
        for field in ("time", "epoch"):
            for second, holds in ((5001, True), (5000, True), (4999, False)):
                chain = Chain()
                chain.block(**{field: 5000})
                chain.block(**{field: second})
                frames = chain.frames([chain.founder.record(1)])
                self.good(frames) if holds else self.bad(frames, "header_altered")
        chain = Chain()
        chain.block(time=2**64 - 1, epoch=2**64 - 1)
        chain.block(time=2**64 - 1, epoch=2**64 - 1)
        self.good(chain.frames([chain.founder.record(1)]))

    def test_certificates(self):
        for signers in ([], [1, 1], [2], [1, 2]):
            chain = Chain()
            nodes = {1: chain.founder, 2: chain.node(2)}
            chain.block(signers=[nodes[number] for number in signers])
            self.bad(chain.frames([chain.founder.record(1)]), "certificate_wrong")

    def test_a_leaf_that_is_not_the_op(self):
        """The tiles and the signed root agree with each other."""
        for wrong in (0, 1, 2):
            chain = Chain()
            chain.op(chain.founder)
            chain.op(chain.founder)
            chain.block(wrong=wrong)
            for stop in (False, True):
                self.bad(chain.frames([chain.founder.record(1)], stop=stop), "tile_altered")

    def test_gaps_and_empty_blocks(self):
        chain = Chain()
        for _ in range(5):
            chain.block()
        frames = chain.frames([chain.founder.record(1)])
        self.good(frames)
        blocks = places(frames, BLOCK)
        self.bad(frames[:blocks[2]] + frames[blocks[3]:], "block_missing")
        self.bad(frames[:blocks[2]] + frames[blocks[1]:], "block_extra")
        self.bad(frames[:blocks[0]] + frames[blocks[1]:], "block_missing")

    def test_ops_of_later_blocks(self):
        chain = Chain()
        chain.op(chain.founder)
        chain.block()
        chain.op(chain.founder)
        chain.block()
        frames = chain.frames([chain.founder.record(1)])
        later, block = places(frames, OP)[1], places(frames, BLOCK)[1]
        moved = frames[:block] + [frames[later]] + frames[block:later] + frames[later + 1:]
        self.bad(moved, "op_reordered")

    def test_no_block_at_all(self):
        chain = Chain()
        frames = chain.frames([chain.founder.record(1)])
        self.good(frames, "--chain-id", chain.id.hex())
        self.bad(frames, "certificate_wrong", *pinned(chain, chain.founder))
        self.good(chain.frames([chain.founder.record(1)], stop=True))
        self.good(chain.frames([], stop=True))
        self.bad(chain.frames([]), "membership_altered")

    def test_vectors(self):
        chain = tiny()
        two = chain.node(2)
        frames = chain.frames([chain.founder.record(1)])
        for wrong in (
            vector(chain.founder, 2, chain.founder.hash), vector(chain.founder, 3, ZEROS), vector(two, 1, ZEROS),
            vector(chain.founder, 0, ZEROS), vector(chain.founder, 3, b""), (VECTOR, long(b"") + u64(0) + long(ZEROS)),
        ):
            self.bad(frames[:-1] + [wrong], "vector_altered")
        self.bad(frames + frames[-1:], "vector_altered")
        self.bad(frames + [vector(two, 0, ZEROS)] * 2, "vector_altered")
        self.bad(frames[:-1] + [vector(two, 0, ZEROS)], "vector_altered")
        self.bad(frames + [vector(two, 1, ZEROS)], "vector_altered")
        # Of an origin without ops, be it a member or not, it says that there are none.
        self.good(frames + [vector(two, 0, ZEROS)])
        nobody = [(VECTOR, long(u64(number) * 4) + u64(0) + long(ZEROS)) for number in range(4096)]
        self.good(frames + nobody[:4095])
        self.bad(frames + nobody, "vector_altered")
