"""Generated chains, each judged by both verifiers."""

from tests.build import bundle
from tests.common import DOES_NOT, HOLDS, UNREADABLE, Differential, ours, theirs


class Rules(Differential):
    def judged(self, frames, words=(), pack=bytes):
        """The status, which is that of both, and what was told here."""
        data = pack(bundle(frames))
        mine, his = ours("bundle", data, *words), theirs("bundle", data, *words)
        self.assertEqual(mine[0], his[0], mine[1] + his[1])
        return mine

    def good(self, frames, *words):
        mine = self.judged(frames, words)
        self.assertEqual(mine[0], HOLDS, mine[1])
        return mine[1]

    def bad(self, frames, finding, *words):
        mine = self.judged(frames, words)
        self.assertEqual(mine[0], DOES_NOT, mine[1])
        self.assertIn(finding, mine[1])

    def no_bundle(self, frames, why=""):
        mine = self.judged(frames)
        self.assertEqual(mine[0], UNREADABLE, mine[1])
        self.assertIn(why, mine[1])


def pinned(chain, *nodes):
    """The words that pin a chain and these nodes' keys."""
    return ["--chain-id", chain.id.hex(), *(word for node in nodes for word in ("--validator-key", node.public.hex()))]


def places(frames, tag):
    """Where the frames of this tag are."""
    return [at for at, (found, _) in enumerate(frames) if found == tag]
