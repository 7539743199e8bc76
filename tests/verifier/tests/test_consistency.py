"""The later golden checkpoint continues the older one; nothing else does."""

import json
import subprocess
import tempfile
import unittest
from pathlib import Path

from tests.common import BCRDT, VECTORS, flipped, ours, vector


class Consistency(unittest.TestCase):
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

    def agree(self, old, new, proof=None):
        """Both verifiers' status."""
        words = ["--old", str(old), "--new", str(new)] + (["--proof", str(proof)] if proof else [])
        mine = ours("consistency", b"", *words)
        done = subprocess.run([BCRDT, "verify", "consistency", *words], capture_output=True, timeout=60)
        self.assertEqual(mine[0], done.returncode, mine[1] + (done.stdout + done.stderr).decode())
        return mine[0]

    def test_it_continues(self):
        self.assertEqual(self.agree(self.old, self.new, self.proof), 0)
        self.assertEqual(self.agree(self.new, self.new), 0)

    def test_a_proof_is_needed(self):
        self.assertEqual(self.agree(self.old, self.new), 2)

    def test_a_log_does_not_shrink(self):
        self.assertEqual(self.agree(self.new, self.old, self.proof), 1)

    def test_a_fork_is_seen(self):
        lines = vector("checkpoint.txt").decode().split("\n")
        lines[2] = vector("checkpoint_old.txt").decode().split("\n")[2]
        self.assertEqual(self.agree(self.file("forked", "\n".join(lines).encode()), self.new), 1)

    def test_each_character_of_the_proof_counts(self):
        sound = vector("consistency.json")
        for mutant in flipped(sound, range(0, len(sound), 3)):
            status = self.agree(self.old, self.new, self.file("proof", mutant))
            self.assertTrue(status != 0 or json.loads(mutant.lower()) == json.loads(sound), mutant)

    def test_a_path_has_its_length(self):
        proof = json.loads(vector("consistency.json"))
        for path in (proof["path"][:-1], proof["path"] + proof["path"][:1], []):
            mutant = json.dumps({**proof, "path": path}).encode()
            self.assertNotEqual(self.agree(self.old, self.new, self.file("proof", mutant)), 0)
