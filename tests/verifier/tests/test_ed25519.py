"""Ed25519 as strictly as the chapter says, where `cryptography` alone is laxer."""

import unittest

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.build import public
from tests.common import line
from verifier import ed25519
from verifier.codec import u32, u64

# The points whose order divides 8, in canonical form (RFC 8032 has no list; these are the
# solutions of 8·A = neutral element). Those of x = 0 with a sign are no points.
SMALL = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]
SIGNED_ZERO = ["01" + "00" * 30 + "80", "ec" + "ff" * 31]


class Strictness(unittest.TestCase):
    def setUp(self):
        private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
        self.key, self.signature = public(private), private.sign(b"message")

    def test_a_signature_is_one_of_this_key_over_this_message(self):
        self.assertTrue(ed25519.verify(self.key, self.signature, b"message"))
        self.assertFalse(ed25519.verify(self.key, self.signature, b"massage"))
        other = public(Ed25519PrivateKey.from_private_bytes(bytes(32)))
        self.assertFalse(ed25519.verify(other, self.signature, b"message"))
        for place in range(64):
            mutant = bytearray(self.signature)
            mutant[place] ^= 1
            self.assertFalse(ed25519.verify(self.key, bytes(mutant), b"message"), place)
        for wrong in (self.signature[:-1], self.signature + b"\0", b""):
            self.assertFalse(ed25519.verify(self.key, wrong, b"message"))

    def test_s_is_below_the_order(self):
        s = int.from_bytes(self.signature[32:], "little") + ed25519.L
        again = self.signature[:32] + s.to_bytes(32, "little")
        self.assertFalse(ed25519.verify(self.key, again, b"message"))

    def test_points_of_small_order_are_no_keys(self):
        for text in SMALL:
            self.assertTrue(ed25519.has_small_order(ed25519.decode(bytes.fromhex(text))), text)
            self.assertFalse(ed25519.is_public_key(bytes.fromhex(text)), text)

    def test_r_of_small_order_is_refused(self):
        # With A and R neutral or small and S = 0, the equation holds for one message in eight.
        neutral = bytes.fromhex(SMALL[0])
        for text in SMALL:
            small = bytes.fromhex(text)
            self.assertFalse(ed25519.verify(self.key, small + self.signature[32:], b"message"))
            for number in range(20):
                self.assertFalse(ed25519.verify(small, neutral + bytes(32), b"%d" % number))

    def test_points_have_one_form(self):
        for offset in range(19):
            form = (ed25519.P + offset).to_bytes(32, "little")
            self.assertIsNone(ed25519.decode(form), offset)
            self.assertFalse(ed25519.is_public_key(form), offset)
        for text in SIGNED_ZERO:
            self.assertIsNone(ed25519.decode(bytes.fromhex(text)), text)
        self.assertIsNone(ed25519.decode(b"\2" + bytes(31)), "not on the curve")
        self.assertIsNone(ed25519.decode(self.key[:31]))

    def test_a_key_is_not_of_small_order(self):
        self.assertFalse(ed25519.has_small_order(ed25519.decode(self.key)))

    def test_the_vote_of_the_chapter(self):
        vote = b"bcrdt/vote/v1\0" + bytes.fromhex(line("chain.id")) + u64(2) + u32(0) + b"\2" + bytes.fromhex(
            "5a09bae30adac079385d87db3650c0fecacb52ba75ebe2c1541d97345e0c376a"
        )
        signature = bytes.fromhex(
            "1af08d57f233526d4100bdcbd9f0940153ebdfc04886c7b8d6e227b5f4687702"
            "4dbfa6f4b8543bd442b062b66a1915c597a927b30db25f65eb5381731eea9f0b"
        )
        self.assertTrue(ed25519.verify(bytes.fromhex(line("validator1.key")), signature, vote))
        self.assertFalse(ed25519.verify(bytes.fromhex(line("validator2.key")), signature, vote))
