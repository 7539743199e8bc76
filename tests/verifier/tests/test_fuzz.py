"""A chain with a bit of everything, altered at random. Both verifiers answer alike."""

import random

from tests.build import Chain, bundle, join, leave, prune, split
from tests.common import HOLDS, Differential, flipped, ours, theirs_of_each, vector
from verifier.frames import BLOCK, CHAIN, MEMBER, OP, STOP


def rich():
    chain = Chain()
    two, three = chain.node(2), chain.node(3)
    chain.op(chain.founder, join(two.record(1)), 3)
    chain.op(chain.founder, join(three.record()), 3)
    chain.op(chain.founder, b"secret", close=True)
    chain.block(decide=[chain.founder.entry(), two.entry()])
    chain.op(two, b"y", parts=[(bytes(32), b"one"), (bytes(32), b"two")])
    chain.op(three, b"z", close=True)
    chain.block()
    chain.op(two, prune(2), 9)
    chain.block(segments=False)
    chain.op(three, leave(three), 3)
    for _ in range(260):
        chain.op(chain.founder, b"w")
    chain.block()
    chain.op(two, b"later")
    return chain.frames([chain.founder.record(1), two.record(1), three.record()])


def shuffled(frames, chance):
    """Frames left out, doubled, moved, cut and glued."""
    for _ in range(chance.randrange(1, 4)):
        at, to = chance.randrange(len(frames)), chance.randrange(len(frames))
        tag, body = frames[at]
        cut = body[:chance.randrange(len(body) + 1)]
        how = chance.randrange(6)
        if how == 0:
            frames.insert(to, frames[at])
        elif how == 1 and len(frames) > 1:
            frames.pop(at)
        elif how == 2:
            frames.insert(to, frames.pop(at))
        elif how == 3:
            frames[at] = chance.randrange(13), body
        elif how == 4:
            frames[at] = tag, cut
        else:
            frames[at] = tag, cut + frames[to][1]
    return frames


class Fuzz(Differential):
    def test_bits(self):
        data, chance = bundle(rich()), random.Random(1)
        self.assertEqual(ours("bundle", data)[0], HOLDS)
        places = [*chance.sample(range(len(data)), 60), *range(16, 5000, 101)]
        self.agree("bundle", flipped(data, places))

    def test_frames(self):
        whole = rich()
        ops = [at for at, (tag, _) in enumerate(whole) if tag == OP]
        for source in (split(vector("chain.bundle")), whole, whole[:ops[-100]] + [(STOP, b"")]):
            chance = random.Random(2)
            mutants = [shuffled(list(source), chance) for _ in range(300)]
            known = {body for tag, body in source if tag in (CHAIN, BLOCK, OP)}
            files = [bundle(mutant) for mutant in mutants]
            for mutant, file, his in zip(mutants, files, theirs_of_each("bundle", files)):
                mine = ours("bundle", file)
                self.assertEqual(mine[0], his[0], mine[1] + his[1])
                if mine[0] == HOLDS:
                    self.assertLessEqual({body for tag, body in mutant if tag in (CHAIN, BLOCK, OP)}, known)

    def test_noise(self):
        chance, data = random.Random(6), vector("chain.bundle")
        member = 16 + 5 + len(split(data)[0][1])
        self.assertEqual(data[member], MEMBER)
        heads = b"", data[:16], data[:member], b"\x04\x22\x4d\x18\x7c\x60"
        lengths = 0, 1, 3, 4, 15, 16, 17, 100, 5000
        self.agree("bundle", [head + chance.randbytes(length) for head in heads for length in lengths], status=2)
