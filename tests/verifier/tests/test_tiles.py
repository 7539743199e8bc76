"""Tiles, on a generated chain of more than a thousand leaves."""

import io
import random
import tracemalloc

from tests.build import Chain, bundle, tile
from tests.common import DOES_NOT
from tests.rules import Rules, places
from verifier import merkle
from verifier.bundle import verify
from verifier.codec import H, u32
from verifier.errors import Finding
from verifier.frames import BLOCK, STOP, TAIL, TILE
from verifier.log import Log


class Tiles(Rules):
    @classmethod
    def setUpClass(cls):
        cls.chain = Chain()
        for count in (300, 0, 5, 700, 20):
            for _ in range(count):
                cls.chain.op(cls.chain.founder)
            cls.chain.block()
        cls.members = [cls.chain.founder.record(1)]
        cls.frames = cls.chain.frames(cls.members)
        cls.level0 = [at for at in places(cls.frames, TILE) if cls.frames[at][1][0] == 0]
        (cls.level1,) = [at for at in places(cls.frames, TILE) if cls.frames[at][1][0] == 1]
        cls.stopped = cls.chain.frames(cls.members, stop=True)

    def moved(self, at, to):
        """The frame at one place before the one that is at another now."""
        rest = self.frames[:at] + self.frames[at + 1:]
        to -= to > at
        return rest[:to] + [self.frames[at]] + rest[to:]

    def test_they_hold(self):
        self.good(self.frames, "--chain-id", self.chain.id.hex())
        self.good(self.stopped)

    def test_each_tile_counts(self):
        chance, mutants = random.Random(1), []
        for at in places(self.frames, TILE):
            body = self.frames[at][1]
            flips = [0, 8, *(chance.randrange(9, len(body)) for _ in range(4))]
            changed = [body[:place] + bytes([body[place] ^ 1]) + body[place + 1:] for place in flips]
            changed += [body[:-32], body[:-1], body + bytes(32), body[:9], body[:9] + bytes(8224), b"\x08" + body[1:]]
            for new in changed:
                mutants.append(self.frames[:at] + [(TILE, new)] + self.frames[at + 1:])
            mutants.append(self.frames[:at] + self.frames[at + 1:])
            mutants.append(self.frames[:at + 1] + self.frames[at:])
        self.agree("bundle", map(bundle, mutants), status=DOES_NOT)

    def test_early_tiles(self):
        """Before their block, if only they ascend and come before their leaves."""
        first = self.level0[0]
        self.good(self.moved(first, first - 1))
        rest = [frame for at, frame in enumerate(self.frames) if at not in self.level0]
        early = [self.frames[at] for at in self.level0]
        self.good(rest[:2] + early + rest[2:])
        self.bad(rest[:2] + early[::-1] + rest[2:], "tile_altered")
        block = places(self.frames, BLOCK)[2]
        self.good(self.moved(self.level0[2], block))
        self.good(self.moved(self.level0[1], self.level0[1] + 200))
        self.bad(self.moved(self.level0[1], self.level0[1] + 290), "tile_altered")
        self.bad(self.moved(self.level0[2], self.level0[1]), "tile_altered")
        self.bad(self.moved(first, first + 2 + 2), "tile_altered")

    def test_a_tile_of_no_leaves(self):
        tail = self.frames.index((TAIL, b""))
        for at in (tail, tail + 1):
            for index in (4, 5, 2**63):
                extra = (TILE, tile(0, index, [H(b"x")]))
                self.bad(self.frames[:at] + [extra] + self.frames[at:], "tile_altered")

    def test_a_tile_that_is_longer_than_the_log(self):
        last = self.level0[-1]
        longer = self.frames[:last] + [(TILE, self.frames[last][1] + bytes(32))] + self.frames[last + 1:]
        self.bad(longer, "tile_altered")
        # In an archive it is the tile of the log as it is today.
        self.good(longer[:longer.index((TAIL, b""))] + [(STOP, b"")])
        block = places(self.frames, BLOCK)[1]
        self.good(self.frames[:block] + [(STOP, b"")])
        self.bad(self.frames[:block] + self.frames[self.frames.index((TAIL, b"")):], "")

    def test_tiles_above(self):
        tail = self.frames.index((TAIL, b""))
        for at in (1 + 1, tail, tail + 1, len(self.frames)):
            self.good(self.moved(self.level1, at))
        upper = self.frames[self.level1][1]
        for extra in (upper, b"\2" + upper[1:], b"\1" + bytes(7) + b"\1" + upper[9:], b"\x08" + upper[1:]):
            self.bad(self.frames + [(TILE, extra)], "tile_altered")

    def test_levels(self):
        """Above 65536 leaves, without a chain."""
        log, leaves = Log(), [H(u32(number)) for number in range(65536 + 300)]
        for at in range(0, len(leaves), 256):
            log.tile(0, at // 256, b"".join(leaves[at:at + 256]))
            for leaf in leaves[at:at + 256]:
                log.leaf(leaf, "")
        row, above, level = leaves, [], 0
        while len(row) >= 256:
            row = [merkle.root_of(row[at:at + 256]) for at in range(0, len(row) - 255, 256)]
            level += 1
            above += [(level, at // 256, b"".join(row[at:at + 256])) for at in range(0, len(row), 256)]
        self.assertEqual([each[:2] for each in above], [(1, 0), (1, 1), (2, 0)])
        for each in above:
            self.assertRaises(Finding, log.end, True)
            log.tile(*each)
        log.end(True)
        log.tile(3, 0, H(b"no"))
        self.assertRaises(Finding, log.end, True)

    def test_memory_does_not_grow_with_the_chain(self):
        peaks = []
        for count in (4, 40):
            chain = Chain()
            for _ in range(count):
                for _ in range(10):
                    chain.op(chain.founder, b"x" * 6000)
                chain.block()
            file = io.BytesIO(bundle(chain.frames([chain.founder.record(1)])))
            tracemalloc.start()
            verify(file, chain.id)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        self.assertLess(peaks[1], peaks[0] + 100_000)
