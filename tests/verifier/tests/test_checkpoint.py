"""The golden checkpoint is signed by its key; whatever is done to its text is refused."""

import base64
import unittest

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.common import line, ours, vector
from verifier import checkpoint
from verifier.checkpoint import LOG, WITNESS, Key, Note

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

    def test_it_is_signed(self):
        self.assertEqual(ours("checkpoint", self.note, "--key", self.key)[0], 0)
        self.assertEqual(written(Key.read(self.key)), self.key)

    def test_each_byte_counts(self):
        for place in range(len(self.note)):
            for bit in range(8):
                mutant = bytearray(self.note)
                mutant[place] ^= 1 << bit
                with self.subTest(place=place, bit=bit):
                    self.assertNotEqual(ours("checkpoint", bytes(mutant), "--key", self.key)[0], 0)

    def test_another_key_did_not_sign(self):
        held = Key.read(self.key)
        for other in (held._replace(name="node2"), held._replace(type=WITNESS)):
            self.assertEqual(ours("checkpoint", self.note, "--key", written(other))[0], 1)

    def test_a_verifier_key_belongs_together(self):
        name, key_id, encoded = self.key.split("+", 2)
        for wrong in (f"{name}x+{key_id}+{encoded}", f"{name}+{key_id}+{encoded[:-4]}AAAA", name, f"{name}+{key_id}"):
            self.assertEqual(ours("checkpoint", self.note, "--key", wrong)[0], 2, wrong)

    def test_a_witness_signs_with_its_time(self):
        note, witness = cosigned(self.note, 1_700_000_000)
        words = ["--key", self.key, "--witness", written(witness)]
        self.assertEqual(ours("checkpoint", note, *words)[0], 0)
        self.assertEqual(ours("checkpoint", self.note, *words)[0], 1)
        at = note.rindex(b" ") + 1
        for place in range(at, len(note) - 1):
            mutant = bytearray(note)
            mutant[place] ^= 1
            self.assertNotEqual(ours("checkpoint", bytes(mutant), *words)[0], 0, place)

    def test_lines_of_others_do_not_matter_and_false_ones_of_the_key_do(self):
        note, _ = cosigned(self.note, 1)
        self.assertEqual(ours("checkpoint", note, "--key", self.key)[0], 0)
        own = self.note.decode().splitlines()[-1]
        false = own[:-6] + "AAAA" + own[-2:]
        self.assertEqual(ours("checkpoint", note + false.encode() + b"\n", "--key", self.key)[0], 1)

    def test_key_types(self):
        self.assertEqual((LOG, WITNESS), (1, 4))
        self.assertEqual(Key.read(self.key).type, checkpoint.LOG)
