"""The golden checkpoint is signed by its key; whatever is done to its text is refused."""

import base64
import unittest

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.common import flipped, line, ours, theirs_of_each, vector
from verifier.checkpoint import WITNESS, Key, Note

WITNESS_SEED = bytes([42]) * 32


def cosigned(note, time):
    """The note with a line of a witness, as tlog-cosignature says; and the witness's key."""
    private = Ed25519PrivateKey.from_private_bytes(WITNESS_SEED)
    key = Key("witness.example/w", WITNESS, private.public_key().public_bytes_raw())
    text = Note.read(note).text
    signature = private.sign(b"cosignature/v1\ntime %d\n" % time + text)
    encoded = base64.b64encode(key.id() + time.to_bytes(8, "big") + signature).decode()
    return note + f"— {key.name} {encoded}\n".encode(), key


def written(key):
    return f"{key.name}+{key.id().hex()}+{base64.b64encode(bytes([key.type]) + key.public).decode()}"


class Checkpoints(unittest.TestCase):
    def setUp(self):
        self.note, self.key = vector("checkpoint.txt"), line("checkpoint.vkey")

    def agree(self, mutants, *words, status=None):
        """Both verifiers answer alike, and refuse unless `status` says otherwise."""
        mutants = list(mutants)
        for number, (mutant, his) in enumerate(zip(mutants, theirs_of_each("checkpoint", mutants, *words))):
            mine = ours("checkpoint", mutant, *words)
            with self.subTest(mutant=number):
                self.assertEqual(mine[0], his[0], mine[1] + his[1])
                self.assertTrue(mine[0] != 0 if status is None else mine[0] == status, mine[1])

    def test_it_is_signed(self):
        self.agree([self.note], "--key", self.key, status=0)
        self.assertEqual(written(Key.read(self.key)), self.key)

    def test_each_byte_counts(self):
        bits = [(place, bit) for place in range(len(self.note)) for bit in range(8)]
        mutants = []
        for place, bit in bits:
            mutant = bytearray(self.note)
            mutant[place] ^= 1 << bit
            mutants.append(bytes(mutant))
        self.agree(mutants, "--key", self.key)

    def test_another_key_did_not_sign(self):
        held = Key.read(self.key)
        self.agree([self.note], "--key", written(held._replace(name="node2")), status=1)
        self.agree([self.note], "--key", written(held._replace(type=WITNESS)), status=2)
        stranger = held._replace(public=Ed25519PrivateKey.from_private_bytes(WITNESS_SEED).public_key().public_bytes_raw())
        self.agree([self.note], "--key", written(stranger), status=1)
        self.agree([self.note], "--key", written(stranger), "--key", self.key, status=0)

    def test_a_verifier_key_belongs_together(self):
        name, key_id, encoded = self.key.split("+", 2)
        for wrong in (f"{name}x+{key_id}+{encoded}", f"{name}+{key_id}+{encoded[:-4]}AAAA", name, f"{name}+{key_id}"):
            self.agree([self.note], "--key", wrong, status=2)

    def test_a_witness_signs_with_its_time(self):
        note, witness = cosigned(self.note, 1_700_000_000)
        words = ["--key", self.key, "--witness", written(witness)]
        self.agree([note], *words, status=0)
        self.agree([self.note], *words, status=1)
        self.agree(flipped(note, range(note.rindex(b"\n", 0, -1), len(note))), *words)

    def test_lines_of_others_do_not_matter_and_false_ones_of_the_key_do(self):
        note, _ = cosigned(self.note, 1)
        self.agree([note], "--key", self.key, status=0)
        own = self.note.decode().splitlines()[-1]
        false = own[:-6] + "AAAA" + own[-2:]
        self.agree([note + false.encode() + b"\n"], "--key", self.key, status=1)
