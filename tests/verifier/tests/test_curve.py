"""Ed25519 as strictly as the chapter says, where `cryptography` alone is laxer."""

import unittest

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verifier import curve, signatures

# The points whose order divides 8, in canonical form (RFC 8032 has no list; these are the
# solutions of 8·A = neutral element).
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


class Strictness(unittest.TestCase):
    def setUp(self):
        self.private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
        self.key = self.private.public_key().public_bytes_raw()
        self.signature = self.private.sign(b"message")

    def test_a_signature_holds_for_its_message_and_key_only(self):
        self.assertTrue(signatures.verify(self.key, b"message", self.signature))
        self.assertFalse(signatures.verify(self.key, b"massage", self.signature))
        other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
        self.assertFalse(signatures.verify(other, b"message", self.signature))
        for place in range(64):
            mutant = bytearray(self.signature)
            mutant[place] ^= 1
            self.assertFalse(signatures.verify(self.key, b"message", bytes(mutant)), place)

    def test_s_is_below_the_order(self):
        s = int.from_bytes(self.signature[32:], "little") + curve.L
        again = self.signature[:32] + s.to_bytes(32, "little")
        self.assertFalse(signatures.verify(self.key, b"message", again))

    def test_points_of_small_order_are_no_keys(self):
        for text in SMALL:
            self.assertFalse(signatures.is_key(bytes.fromhex(text)), text)

    def test_r_of_small_order_is_refused(self):
        # With A = neutral element and S = 0, R = neutral element satisfies the equation for
        # every message.
        neutral = bytes.fromhex(SMALL[0])
        self.assertFalse(signatures.verify(neutral, b"anything", neutral + bytes(32)))
        for text in SMALL:
            self.assertFalse(signatures.verify(self.key, b"message", bytes.fromhex(text) + self.signature[32:]))

    def test_points_have_one_form(self):
        for offset in range(19):
            form = (curve.P + offset).to_bytes(32, "little")
            self.assertIsNone(curve.decode(form), offset)
            self.assertFalse(signatures.is_key(form), offset)
        self.assertIsNone(curve.decode((1 << 255 | 1).to_bytes(32, "little")), "x = 0 with a sign")

    def test_a_key_is_not_of_small_order(self):
        self.assertFalse(curve.has_small_order(curve.decode(self.key)))
