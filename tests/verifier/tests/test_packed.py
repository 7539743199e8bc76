"""Packed bundles."""

import random
import shutil
import subprocess
import unittest

from tests.build import Chain, bundle, lz4_block, pack, pack_frame
from tests.common import HOLDS, UNREADABLE, Differential, flipped, ours, vector
from verifier.errors import BadFormat
from verifier.lz4frame import MAGIC, MIB, unpack_block, xxh32


class Packed(Differential):
    def setUp(self):
        self.data = vector("chain.bundle")

    def check(self, files, status):
        self.agree("bundle", files, status=status)

    def test_blocks_and_frames_of_any_length(self):
        for compress in (False, True):
            for content in (700, 3000, MIB):
                self.check([pack(self.data, compress, content, block) for block in (100, 1000, MIB)], HOLDS)
        parts = pack_frame(self.data[:50]), pack_frame(b""), pack_frame(self.data[50:])
        self.check([b"".join(parts), parts[1] + parts[0] + parts[2], parts[0] + parts[2] + parts[1]], HOLDS)

    def test_nothing_is_told_otherwise(self):
        chance = random.Random(2)
        for mutant in flipped(self.data, chance.sample(range(len(self.data)), 300)):
            self.assertEqual(ours("bundle", pack(mutant, chance.random() < 0.5)), ours("bundle", mutant))

    def test_each_byte_counts(self):
        for compress in (False, True):
            packed = pack(self.data, compress, block=3000)
            for mutant in flipped(packed, range(0, len(packed), 2)):
                self.assertEqual(ours("bundle", mutant)[0], UNREADABLE)
            self.check(flipped(packed, [*range(60), *range(60, len(packed), 25)]), UNREADABLE)
            self.check([packed[:length] for length in range(0, len(packed), 50)], UNREADABLE)
            skipped = b"\x50\x2a\x4d\x18" + bytes(4)
            more = (b"\0", packed, packed[:7], self.data, pack(b"\0"), pack(b"x" * 5000), skipped)
            self.check([packed + each for each in more], UNREADABLE)
        self.check([pack(pack(self.data)), pack(b""), MAGIC, MAGIC + bytes(20)], UNREADABLE)

    def test_more_than_a_frame(self):
        chain = Chain()
        for number in range(3):
            chain.op(chain.founder, random.Random(number).randbytes(1000) * 700)
        chain.block()
        packed = pack(bundle(chain.frames([chain.founder.record(1)])))
        first = packed.index(MAGIC, 4)
        second = packed.index(MAGIC, first + 4)
        self.check([packed], HOLDS)
        self.check([
            packed[:first] + packed, packed[first:], packed[:first] + packed[second:], packed[:first],
            packed + packed[second:], packed[:first] + packed[second:] + packed[first:second],
        ], UNREADABLE)

    def test_a_frame_that_goes_on_and_on(self):
        """Matches that make much of little are cut off where the frame's length is."""
        block = b"\x1fa\x01\x00" + b"\xff" * 100_000 + b"\0\0"
        for room in (0, 1, 1000, MIB):
            self.assertRaises(BadFormat, unpack_block, block, room)

    @unittest.skipUnless(shutil.which("lz4"), "no lz4")
    def test_the_lz4_command(self):
        done = subprocess.run(["lz4", "-d", "-c"], input=pack(self.data), stdout=subprocess.PIPE, check=True)
        self.assertEqual(done.stdout, self.data)


class Blocks(unittest.TestCase):
    def test_the_checksum(self):
        for data, checksum in (
            (b"", 0x02CC5D05), (b"abc", 0x32D153FF), (b"Nobody inspects the spammish repetition", 0xE2293B2F)
        ):
            self.assertEqual(xxh32(data), checksum)

    def test_what_was_packed_is_unpacked(self):
        chance = random.Random(1)
        for length in (0, 1, 12, 13, 14, 300, 5000):
            half = chance.randbytes(length // 2 + 1)
            for data in (chance.randbytes(length), b"a" * length, b"abc" * (length // 3), half * 2):
                self.assertEqual(unpack_block(lz4_block(data), len(data)), data)
                if data:
                    self.assertRaises(BadFormat, unpack_block, lz4_block(data), len(data) - 1)

    def test_any_bytes(self):
        chance = random.Random(3)
        for _ in range(10_000):
            try:
                self.assertLessEqual(len(unpack_block(chance.randbytes(chance.randrange(40)), 1000)), 1000)
            except BadFormat:
                pass
