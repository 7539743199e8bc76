"""Ops, payloads that are gone, and segments, on generated chains."""

from tests.build import Chain, join, prune
from tests.rules import Rules, places
from verifier.codec import H, ZEROS, u32, u64
from verifier.frames import BLOCK, OP, SEGMENT, STOP, TAIL, VECTOR
from verifier.ops import PRUNE


def own(chain):
    return [chain.founder.record(1)]


class Ops(Rules):
    def test_any_number_is_a_kind(self):
        chain = Chain()
        for kind in (0, 10, 77, 255):
            chain.op(chain.founder, kind=kind)
        chain.block()
        chain.op(chain.founder, kind=10)
        self.good(chain.frames(own(chain)))

    def test_parts(self):
        chain = Chain()
        chain.op(chain.founder, parts=[(H(u32(number)), b"p" * number) for number in range(64)])
        chain.op(chain.founder, parts=[(ZEROS, b""), (ZEROS, b"")])
        chain.block()
        self.good(chain.frames(own(chain)))

    def test_a_part_of_more_than_16_mib(self):
        """The log takes none, and no reader asks: what is there hashes to what was signed."""
        chain = Chain()
        chain.op(chain.founder, bytes((16 << 20) + 1))
        chain.block()
        self.good(chain.frames(own(chain)))

    def test_several_origins(self):
        chain = Chain()
        two, three = chain.node(2), chain.node(3)
        chain.op(chain.founder, join(two.record(1)), 3)
        chain.op(chain.founder, join(three.record()), 3)
        chain.block(decide=[chain.founder.entry(), two.entry()])
        for _ in range(3):
            for node in chain.nodes.values():
                chain.op(node)
        chain.block(upto={two.id: 1, three.id: 2})
        chain.block(upto={two.id: 1, three.id: 3})
        chain.op(two)
        members = [*own(chain), two.record(1), three.record()]
        frames = chain.frames(members)
        self.good(frames)
        self.good(chain.frames(members, stop=True))
        ops = places(frames, OP)
        for at, next_ in zip(ops, ops[1:]):
            swapped = list(frames)
            swapped[at], swapped[next_] = swapped[next_], swapped[at]
            if at < frames.index((TAIL, b"")) or swapped[at][1][:36] == swapped[next_][1][:36]:
                self.bad(swapped, "")
            else:
                self.good(swapped)


class Closed(Rules):
    def chain(self, *after, **first):
        """Block 1 has a closed op, and what comes after is in block 2."""
        chain = Chain()
        chain.op(chain.founder, close=True, **first)
        chain.block()
        for payload in after:
            chain.op(chain.founder, payload, PRUNE)
        chain.block()
        return chain

    def test_what_explains_it(self):
        chain = self.chain()
        self.bad(chain.frames(own(chain)), "payload_missing")
        self.bad(chain.frames(own(chain), stop=True), "payload_missing")
        told = self.good(chain.frames(own(chain), withheld=True))
        self.assertIn("closed_ops: 1\npayloads_withheld: True", told)
        chain.op(chain.founder, prune(1), PRUNE)  # in the tail
        self.good(chain.frames(own(chain)))
        chain.block()
        told = self.good(chain.frames(own(chain)))
        self.assertIn("closed_ops: 1\npayloads_withheld: False", told)
        self.good(chain.frames(own(chain), stop=True))

    def test_how_far_it_reaches(self):
        for height, holds in ((0, False), (1, True), (2, True), (2**64 - 1, True)):
            chain = self.chain(prune(height))
            self.good(chain.frames(own(chain))) if holds else self.bad(chain.frames(own(chain)), "payload_missing")
        # Not over its own block, nor over what is in none.
        chain = Chain()
        chain.op(chain.founder, close=True)
        chain.op(chain.founder, prune(1), PRUNE)
        chain.block()
        self.bad(chain.frames(own(chain)), "payload_missing")
        chain.block()
        self.bad(chain.frames(own(chain)), "payload_missing")
        chain = Chain()
        chain.block()
        chain.op(chain.founder, close=True)
        chain.op(chain.founder, prune(9), PRUNE)
        self.bad(chain.frames(own(chain)), "payload_missing")
        self.good(chain.frames(own(chain), withheld=True))

    def test_any_member_explains_it(self):
        chain = Chain()
        two = chain.node(2)
        chain.op(chain.founder, join(two.record()), 3)
        chain.op(chain.founder, close=True)
        chain.block()
        chain.op(two, prune(1), PRUNE)
        self.good(chain.frames([*own(chain), two.record()]))

    def test_other_kinds_stay(self):
        for kind in (0, 2, 3, 8, 9, 10, 40):
            chain = self.chain(prune(1), kind=kind)
            self.bad(chain.frames(own(chain)), "payload_missing")
            self.bad(chain.frames(own(chain), withheld=True), "payload_missing")

    def test_one_closed_part_of_several(self):
        for kind, holds in ((1, True), (3, False)):
            chain = Chain()
            chain.op(chain.founder, kind=kind, parts=[(ZEROS, b"a"), (ZEROS, b"b")])
            body, leaf = chain.founder.ops[0]
            commitment = H(b"bcrdt/part/v1\0", ZEROS, u64(1), b"b")
            chain.founder.ops[0] = body[:-41] + u32(0) + u32(32) + commitment, leaf
            chain.block()
            self.bad(chain.frames(own(chain)), "payload_missing")
            frames = chain.frames(own(chain), withheld=True)
            self.good(frames) if holds else self.bad(frames, "payload_missing")

    def test_a_prune_that_cannot_be_read_says_nothing(self):
        sound = prune(1)
        for junk in (sound + b"x", sound[:-1], b"\2" + sound[1:], b"", prune(1, ("f" * 1025, "a", "p")),
                     sound[:-1] + b"\xff"):
            chain = self.chain(junk)
            chain.op(chain.founder, kind=PRUNE, parts=[(ZEROS, sound)] * 2)
            self.bad(chain.frames(own(chain)), "payload_missing")
        for texts in (("", "", ""), ("f" * 1024, "\0", "\n"), ("\u00e9", "a", "p")):
            chain = self.chain(prune(1, texts))
            self.good(chain.frames(own(chain)))


class Segments(Rules):
    def test_one_over_two_blocks(self):
        chain = Chain()
        for _ in range(4):
            chain.op(chain.founder)
        chain.block(segments=False)
        chain.op(chain.founder)
        chain.block()
        frames = chain.frames(own(chain))
        self.good(frames)
        (at,) = places(frames, SEGMENT)
        without = frames[:at] + frames[at + 1:]
        self.bad(without, "segment_missing")
        self.good([frame for frame in without if frame[0] not in (TAIL, VECTOR)] + [(STOP, b"")])
        # Anywhere, as long as no op of a later number has passed; also before the first block.
        for place in (2, 3, 5, without.index((TAIL, b"")), without.index((TAIL, b"")) + 1):
            self.good(without[:place] + [frames[at]] + without[place:])
        chain.op(chain.founder)
        rest = [chain.segment(chain.founder)]
        more = chain.frames(own(chain))
        self.bad(more, "segment_missing")
        last = places(more, OP)[-1]
        self.good(more[:last] + rest + more[last:])
        self.good(more[:last + 1] + rest + more[last + 1:])
        self.bad(more[:last] + rest * 2 + more[last:], "segment_extra")

    def test_too_late(self):
        chain = Chain()
        chain.op(chain.founder)
        chain.op(chain.founder)
        chain.block(segments=False)
        one = [chain.segment(chain.founder, 1), chain.segment(chain.founder, 1)]
        frames = chain.frames(own(chain))
        first, second = places(frames, OP)
        self.good(frames[:first] + one + frames[first:])
        self.good(frames[:second] + one + frames[second:])
        self.bad(frames[:second + 1] + one + frames[second + 1:], "segment_missing")
        self.bad(frames[:first] + one[::-1] + frames[first:], "segment_missing")
        self.bad(frames[:first] + one[1:] + frames[first:], "segment_missing")

    def test_what_is_signed(self):
        def with_segment(**what):
            chain = Chain()
            chain.op(chain.founder)
            segment = chain.segment(chain.founder, **what)
            frames = chain.frames(own(chain))
            at = frames.index((TAIL, b"")) + 1
            return frames[:at] + [segment] + frames[at:]

        self.good(with_segment())
        self.good(with_segment(time=2**64 - 1))
        for depends in (
            u32(1) + ZEROS + u64(0), u32(2) + (ZEROS + u64(1)) * 2, u32(1), u32(0) + b"x",
            u32(2) + H(b"b") + u64(1) + ZEROS + u64(1),
            u32(4097) + b"".join(bytes(24) + u64(number) + u64(1) for number in range(1, 4098)),
        ):
            self.bad(with_segment(depends=depends), "segment_signature_wrong")
        self.good(with_segment(depends=u32(1) + ZEROS + u64(2**64 - 1)))
        self.good(with_segment(depends=u32(4096) + b"".join(bytes(24) + u64(at) + u64(1) for at in range(4096))))
        self.bad(with_segment(before=H(b"other")), "op_altered")
        self.bad(with_segment(head=H(b"other")), "op_altered")
        self.bad(with_segment(count=0, head=ZEROS), "segment_signature_wrong")
        self.bad(with_segment(count=2, head=H(b"other")), "")
        self.bad(with_segment(count=10_001, head=H(b"other")), "segment_signature_wrong")
        self.bad(with_segment(count=10_000, head=H(b"other")), "op_missing")

    def test_numbers_that_overflow(self):
        chain = Chain()
        chain.op(chain.founder)
        chain.founder.covered = 2**64 - 2
        segment = chain.segment(chain.founder, count=2, head=ZEROS)
        chain.founder.covered = 0
        frames = chain.frames(own(chain))
        self.bad(frames + [segment], "segment_signature_wrong")

    def test_two_heads(self):
        chain = Chain()
        chain.op(chain.founder)
        chain.op(chain.founder)
        chain.block(segments=False)
        sound = chain.founder.ops[1][1][-1]
        lie = chain.segment(chain.founder, 2, head=H(b"other"))
        frames = chain.frames(own(chain))
        at = places(frames, BLOCK)[0] + 1
        self.bad(frames[:at] + [lie] + frames[at:], "history_forked")
        self.assertNotEqual(sound, H(b"other"))

    def test_ahead_of_all_ops(self):
        """Of an archive it is no matter how far a segment goes on behind it."""
        chain = Chain()
        chain.op(chain.founder)
        chain.block()
        segments = [chain.segment(chain.founder, 1, head=H(b"%d" % number)) for number in range(3)]
        frames = chain.frames(own(chain), stop=True)
        self.good(frames[:-1] + segments + frames[-1:])
        self.bad(frames[:-1] + segments + [(TAIL, b"")], "op_missing")
