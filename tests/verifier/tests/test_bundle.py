"""The golden chain holds; whatever is done to it is refused, by bcrdt as well."""

import random

from tests.build import bundle, long, pack, split
from tests.common import DOES_NOT, HOLDS, UNREADABLE, Differential, flipped, line, ours, theirs_of_each, vector
from verifier.codec import Cursor, u8
from verifier.frames import BLOCK, OP, STOP, TAIL, TILE, VECTOR, WITHHELD
from verifier.ops import DELTA, part_commitment

KEYS = [word for number in (1, 2) for word in ("--validator-key", line(f"validator{number}.key"))]
KIND = 4 + 32 + 16


def closed(body):
    """The body of an op's frame with the commitment of its one part in place of salt and payload."""
    cursor = Cursor(body)
    cursor.long(), cursor.take(17), cursor.long(), cursor.long(), cursor.u16()
    head = body[:cursor.at]
    return head + long(b"") + long(part_commitment(cursor.long(), cursor.long()))


class Golden(Differential):
    @classmethod
    def setUpClass(cls):
        cls.data = vector("chain.bundle")
        cls.frames = split(cls.data)

    def alike(self, mutants, *words):
        """Both answer alike; which mutants still hold."""
        mutants, holding = list(mutants), []
        for number, (mutant, his) in enumerate(zip(mutants, theirs_of_each("bundle", mutants, *words))):
            mine = ours("bundle", mutant, *words)
            with self.subTest(mutant=number):
                self.assertEqual(mine[0], his[0], mine[1] + his[1])
            if mine[0] == HOLDS:
                holding.append(number)
        return holding

    def test_it_holds(self):
        pins = ["--chain-id", line("chain.id")]
        for words in ([], pins, KEYS, pins + KEYS):
            told = self.same("bundle", self.data, *words)
            self.assertEqual((told["chain_id"], told["height"]), (line("chain.id"), "3"))
            first = ours("bundle", self.data, *words)[1].splitlines()[0]
            self.assertEqual(first == "VERIFIED", bool(words), first)
        self.assertEqual(bundle(self.frames), self.data)

    def test_pins(self):
        self.agree("bundle", [self.data], "--chain-id", "00" * 32, status=DOES_NOT)
        self.agree("bundle", [self.data], *KEYS[:2], status=DOES_NOT)
        self.agree("bundle", [self.data], *KEYS[2:], status=DOES_NOT)
        for words in (["--chain-id", "zz" * 32], ["--chain-id", "00"], ["--validator-key", "00" * 32]):
            self.agree("bundle", [self.data], *words, status=UNREADABLE)

    def test_each_byte_counts(self):
        self.agree("bundle", flipped(self.data, range(len(self.data))))

    def test_all_tags_and_lengths(self):
        mutants, at = [], 16
        while at < len(self.data):
            for place in range(at, at + 5):
                values = map(u8, (0, 3, 5, 6, 9, 11, 12, 255))
                mutants += [self.data[:place] + value + self.data[place + 1:] for value in values]
            at += 5 + int.from_bytes(self.data[at + 1:at + 5], "big")
        self.agree("bundle", [mutant for mutant in mutants if mutant != self.data])

    def test_each_frame_has_its_place(self):
        each = range(len(self.frames) - 1)
        swapped = [
            self.frames[:at] + [self.frames[at + 1], self.frames[at]] + self.frames[at + 2:] for at in each
        ]
        holding = self.alike(bundle(read) for read in swapped)
        # Order among these says nothing: members, tiles that come early enough, the vector, and a
        # segment that is still ahead of its ops.
        tags = {frozenset((self.frames[at][0], self.frames[at + 1][0])) for at in holding}
        fine = (2,), (3, 4), (4, 5), (3, 5), (5, 6), (5, 7), (6, 8), (8,)
        self.assertEqual(tags, {frozenset(pair) for pair in fine})

    def test_no_frame_can_be_missing(self):
        dropped = [self.frames[:at] + self.frames[at + 1:] for at in range(len(self.frames))]
        self.agree("bundle", (bundle(read) for read in dropped))
        # Unless nothing is told of any vector.
        self.agree("bundle", [bundle([it for it in self.frames if it[0] != VECTOR])], status=HOLDS)

    def test_no_frame_can_be_there_twice(self):
        each = range(len(self.frames))
        self.agree("bundle", (bundle(self.frames[:at] + self.frames[at:at + 1] + self.frames[at:]) for at in each))

    def test_a_payload_cannot_be_taken_out(self):
        """Each op with its commitment in place of its payload: nobody said that he pruned it."""
        for at, (tag, body) in enumerate(self.frames):
            if tag != OP:
                continue
            read = self.frames[:at] + [(OP, closed(body))] + self.frames[at + 1:]
            self.agree("bundle", [bundle(read)], status=DOES_NOT)
            # Where payloads of row changes are said to be kept back, only the others must be there.
            withheld = bundle([read[0], (WITHHELD, b""), *read[1:]])
            if body[KIND] == DELTA:
                told = self.same("bundle", withheld)
                self.assertEqual((told["closed_ops"], told["payloads_withheld"]), ("1", "True"))
            else:
                self.agree("bundle", [withheld], status=DOES_NOT)

    def test_a_chain_may_stop_with_a_block(self):
        tail = self.frames.index((TAIL, b""))
        stopped = bundle(self.frames[:tail] + [(STOP, b"")])
        packed = pack(stopped, compress=False)
        for data in (stopped, packed, pack(stopped)):
            self.same("bundle", data)
        self.agree("bundle", flipped(packed, range(400)))
        self.agree("bundle", [bundle(self.frames + [(STOP, b"")]), bundle(self.frames[:tail]), packed + b"x"])

    def test_what_of_an_archive_says_nothing(self):
        """Behind stop no rule binds the member frames to the chain, and the last tile may hold leaves of later
        blocks: only flips in these bytes can still hold."""
        last = [at for at, (tag, _) in enumerate(self.frames) if tag == BLOCK][2]
        frames = self.frames[:last] + [(STOP, b"")]
        data, at = bundle(frames), 16
        loose = set()
        for tag, body in frames:
            start, at = at + 5, at + 5 + len(body)
            if tag == 2:  # not version, node id, signing key; not incarnation and replica id
                loose |= {*range(start + 65, start + 129), *range(start + 161, at)}
            if tag == TILE:  # leaves 7 and 8
                loose |= {*range(start + 9 + 7 * 32, at)}
        places = range(0, len(data), 3)
        holding = {places[number] for number in self.alike(flipped(data, places))}
        self.assertTrue(holding)
        self.assertLessEqual(holding, loose)

    def test_a_bundle_of_two_halves(self):
        cut = [self.data[:length] for length in range(0, len(self.data), 97)]
        more = [self.data + more for more in (b"\0", self.data, self.data[16:], b"\x0b" + bytes(4))]
        self.agree("bundle", [*cut, self.data[:-1], *more], status=UNREADABLE)

    def test_old_blocks_alone_are_no_chain(self):
        """Cut off at a block, with the tail of today: ops without a block, members without a join."""
        tail = self.frames.index((TAIL, b""))
        starts = [at for at, (tag, _) in enumerate(self.frames) if tag == BLOCK]
        self.agree("bundle", (bundle(self.frames[:at] + self.frames[tail:]) for at in starts))

    def test_fields_altered_within_frames(self):
        """The lengths of frames fit what was done to their bodies."""
        chance, mutants = random.Random(5), []
        for at, (tag, body) in enumerate(self.frames):
            for _ in range(20):
                place, junk = chance.randrange(len(body) + 1), bytes([chance.randrange(256)])
                kept = body[place + chance.randrange(2):]
                new = body[:place] + chance.choice((junk, b"")) + kept
                if new != body:
                    mutants.append(bundle(self.frames[:at] + [(tag, new)] + self.frames[at + 1:]))
        self.agree("bundle", mutants)
