"""The later golden checkpoint continues the older one; nothing else does."""

import json
import tempfile
from pathlib import Path

from tests.common import DOES_NOT, HOLDS, UNREADABLE, VECTORS, Differential, flipped, ours, theirs, vector
from tests.test_checkpoint import note, text_of


class Consistency(Differential):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.old, self.new = VECTORS / "checkpoint_old.txt", VECTORS / "checkpoint.txt"
        self.proof = VECTORS / "consistency.json"

    def file(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def status(self, old, new, proof=None):
        """Both verifiers' status."""
        words = ["--old", str(old), "--new", str(new)] + (["--proof", str(proof)] if proof else [])
        mine, his = ours("consistency", b"", *words), theirs("consistency", b"", *words)
        self.assertEqual(mine[0], his[0], mine[1] + his[1])
        return mine[0]

    def test_it_continues(self):
        self.assertEqual(self.status(self.old, self.new, self.proof), HOLDS)
        self.assertEqual(self.status(self.new, self.new), HOLDS)
        # What is not needed is not asked.
        self.assertEqual(self.status(self.new, self.new, self.proof), HOLDS)
        self.assertEqual(self.status(self.new, self.new, self.new), UNREADABLE)

    def test_a_proof_is_needed(self):
        self.assertEqual(self.status(self.old, self.new), UNREADABLE)

    def test_a_log_does_not_shrink(self):
        self.assertEqual(self.status(self.new, self.old, self.proof), DOES_NOT)
        self.assertEqual(self.status(self.new, self.old), DOES_NOT)

    def test_a_fork_is_seen(self):
        lines = vector("checkpoint.txt").decode().split("\n")
        lines[2] = vector("checkpoint_old.txt").decode().split("\n")[2]
        forked = self.file("forked", "\n".join(lines).encode())
        self.assertEqual(self.status(forked, self.new), DOES_NOT)
        self.assertEqual(self.status(self.old, forked, self.proof), DOES_NOT)

    def test_two_logs(self):
        other = self.file("other", note(text_of(name="other"), "other")[0])
        self.assertEqual(self.status(other, self.new), DOES_NOT)
        self.assertEqual(self.status(other, other), HOLDS)

    def test_each_byte_of_the_text_counts(self):
        for place in range(vector("checkpoint.txt").index(b"\n\n") + 1):
            (mutant,) = flipped(vector("checkpoint.txt"), [place])
            self.assertNotEqual(self.status(self.old, self.file("new", mutant), self.proof), HOLDS, place)

    def test_each_character_of_the_proof_counts(self):
        sound = vector("consistency.json")
        for mutant in flipped(sound, range(0, len(sound), 3)):
            status = self.status(self.old, self.new, self.file("proof", mutant))
            self.assertTrue(status != HOLDS or json.loads(mutant.lower()) == json.loads(sound), mutant)
        for length in range(0, len(sound.rstrip()), 20):
            self.assertEqual(self.status(self.old, self.new, self.file("proof", sound[:length])), UNREADABLE)

    def test_a_proof_has_its_form(self):
        proof = json.loads(vector("consistency.json"))
        for change in (
            {"path": proof["path"][:-1]}, {"path": proof["path"] + proof["path"][:1]}, {"path": []}, {"more": 1},
            {"format": 2}, {"proof": "inclusion"}, {"proof": 2}, {"old_size": 10}, {"tree_size": -1},
        ):
            mutant = self.file("proof", json.dumps({**proof, **change}).encode())
            self.assertEqual(self.status(self.old, self.new, mutant), UNREADABLE, change)
        # Between other sizes, with a path of their length.
        mutant = self.file("proof", json.dumps({**proof, "old_size": 5}).encode())
        self.assertNotEqual(self.status(self.old, self.new, mutant), HOLDS)
        for padding, status in ((30_000, HOLDS), (32_768, UNREADABLE)):
            padded = self.file("proof", vector("consistency.json") + b" " * padding)
            self.assertEqual(self.status(self.old, self.new, padded), status)
