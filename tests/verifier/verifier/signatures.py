"""Ed25519 as the chapter demands it.

`cryptography` (OpenSSL) checks the equation without the cofactor, compares R byte for byte and
refuses an S that is not below L. It takes public keys in forms that are not canonical, and keys
and R of small order. Those three checks are made here.
"""

from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from . import curve


@lru_cache(maxsize=4096)
def is_key(key):
    """Whether 32 bytes are a public key."""
    if len(key) != 32:
        return False
    point = curve.decode(key)
    return point is not None and not curve.has_small_order(point)


def verify(key, message, signature):
    """Whether the signature over the message is that of the key."""
    if len(signature) != 64 or not is_key(key):
        return False
    if int.from_bytes(signature[32:], "little") >= curve.L:
        return False
    r = curve.decode(signature[:32])
    if r is None or curve.has_small_order(r):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
