"""The golden chain holds; whatever is done to it is refused, by bcrdt as well."""

import unittest

from tests.common import flipped, line, ours, theirs, theirs_of_each, vector
from verifier.bundle import LABEL, frames
from verifier.reading import u32, u64, u8


def joined(read):
    """A bundle of these frames, with the end that belongs to them."""
    every = [*read, (9, u64(len(read)))]
    return LABEL + b"".join(u8(tag) + u32(len(body)) + body for tag, body in every)


class Golden(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.data = vector("chain.bundle")
        cls.frames = list(frames(cls.data))

    def agree(self, mutants, *words):
        """Both verifiers refuse each, with the same status."""
        mutants = list(mutants)
        for number, (mutant, (status, told)) in enumerate(zip(mutants, theirs_of_each("bundle", mutants, *words))):
            with self.subTest(mutant=number):
                mine = ours("bundle", mutant, *words)
                self.assertNotEqual(status, 0, told)
                self.assertEqual(mine[0], status, mine[1] + told)

    def test_it_holds(self):
        for words in (
            [],
            ["--chain-id", line("chain.id")],
            ["--validator-key", line("validator1.key"), "--validator-key", line("validator2.key")],
        ):
            self.assertEqual(ours("bundle", self.data, *words)[0], 0, words)
            self.assertEqual(theirs("bundle", self.data, *words)[0], 0, words)
        self.assertEqual(joined(self.frames), self.data)

    def test_pins(self):
        self.agree([self.data], "--chain-id", "00" * 32)
        self.agree([self.data], "--validator-key", line("validator1.key"))

    def test_each_byte_counts(self):
        self.agree(flipped(self.data, range(len(self.data))))

    def test_each_frame_has_its_place(self):
        each = range(len(self.frames))
        swapped = (
            self.frames[:at] + [self.frames[at + 1], self.frames[at]] + self.frames[at + 2:] for at in each[:-1]
        )
        # Order among these says nothing: members, tiles that come early enough, the vector, and a
        # segment that is still ahead of its ops.
        mutants = [joined(read) for read in swapped]
        for mutant, (status, told) in zip(mutants, theirs_of_each("bundle", mutants)):
            mine = ours("bundle", mutant)
            self.assertEqual(mine[0], status, mine[1] + told)

    def test_no_frame_can_be_missing(self):
        dropped = [self.frames[:at] + self.frames[at + 1:] for at in range(len(self.frames))]
        self.agree(joined(read) for read in dropped)

    def test_no_frame_can_be_there_twice(self):
        for at, (tag, _) in enumerate(self.frames):
            mutant = joined(self.frames[:at] + [self.frames[at]] + self.frames[at:])
            status, told = theirs("bundle", mutant)
            mine = ours("bundle", mutant)
            with self.subTest(frame=at, tag=tag):
                self.assertEqual(mine[0], status, mine[1] + told)
                # A tile that comes again before its leaves only says the same again.
                self.assertTrue(status != 0 or tag == 4, told)

    def test_a_bundle_of_two_halves(self):
        self.agree([self.data[:-1], self.data + b"\0", self.data[:16], b"", self.data + self.data])

    def test_old_blocks_alone_are_no_chain(self):
        """Cut off at a block, with the tail of today: ops without a block, members without a join."""
        starts = [at for at, (tag, _) in enumerate(self.frames) if tag == 3]
        tail = next(at for at, (tag, _) in enumerate(self.frames) if tag == 7)
        self.agree(joined(self.frames[:at] + self.frames[tail:]) for at in starts)
