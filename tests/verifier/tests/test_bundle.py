"""The golden chain holds; whatever is done to it is refused, by bcrdt as well."""

import unittest

from tests.common import flipped, line, ours, theirs, theirs_of_each, vector
from verifier import lz4
from verifier.bundle import DELTA, LABEL, OP, STOP, WITHHELD, frames
from verifier.reading import Reader, u32, u64, u8
from verifier.records import part_commitment


def closed(body):
    """The body of an op's frame with the commitment of its one part in place of salt and payload."""
    reader = Reader(body)
    reader.long(), reader.take(17), reader.long(), reader.long(), reader.u16()
    head = body[:reader.at]
    salt, payload = reader.long(), reader.long()
    return head + u32(0) + u32(32) + part_commitment(salt, payload)


def packed(data):
    """The bundle as one frame of LZ4 whose block is stored as it is."""
    head = lz4.FORM + len(data).to_bytes(8, "little")
    check = bytes([lz4.xxh32(head) >> 8 & 0xFF])
    checksum = lz4.xxh32(data).to_bytes(4, "little")
    body = (len(data) | 1 << 31).to_bytes(4, "little") + data + checksum + bytes(4)
    return lz4.MAGIC + head + check + body + checksum


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

    def test_a_payload_cannot_be_taken_out(self):
        """Each op with its commitment in place of its payload: nobody said that he pruned it."""
        mutants, withheld = [], []
        for at, (tag, body) in enumerate(self.frames):
            if tag == OP:
                read = self.frames[:at] + [(OP, closed(body))] + self.frames[at + 1:]
                mutants.append(joined(read))
                withheld.append((joined([read[0], (WITHHELD, b""), *read[1:]]), body))
        self.agree(mutants)
        # Where payloads of row changes are said to be kept back, only the others must be there.
        for mutant, body in withheld:
            his, mine = theirs("bundle", mutant), ours("bundle", mutant)
            is_delta = body[4 + 32 + 16] == DELTA
            self.assertEqual((mine[0], his[0]), (0, 0) if is_delta else (1, 1), mine[1] + his[1])

    def test_a_chain_may_stop_with_a_block(self):
        tail = next(at for at, (tag, _) in enumerate(self.frames) if tag == 7)
        stopped = joined(self.frames[:tail] + [(STOP, b"")])
        for data in (stopped, packed(stopped)):
            his, mine = theirs("bundle", data), ours("bundle", data)
            self.assertEqual((mine[0], his[0]), (0, 0), mine[1] + his[1])
        self.agree(flipped(packed(stopped), range(0, 400)))
        self.agree([joined(self.frames + [(STOP, b"")]), joined(self.frames[:tail]), packed(stopped) + b"x"])

    def test_a_bundle_of_two_halves(self):
        self.agree([self.data[:-1], self.data + b"\0", self.data[:16], b"", self.data + self.data])

    def test_old_blocks_alone_are_no_chain(self):
        """Cut off at a block, with the tail of today: ops without a block, members without a join."""
        starts = [at for at, (tag, _) in enumerate(self.frames) if tag == 3]
        tail = next(at for at, (tag, _) in enumerate(self.frames) if tag == 7)
        self.agree(joined(self.frames[:at] + self.frames[tail:]) for at in starts)
