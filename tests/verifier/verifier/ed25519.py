"""Ed25519 as strictly as the chapter has it. The equation itself is that of `cryptography`."""

from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)


def decode(encoded):
    """The affine point of a canonical encoding, or None."""
    if len(encoded) != 32:
        return None
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if y >= P:
        return None
    u = (y * y - 1) % P
    v = (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    vxx = v * x * x % P
    if vxx != u:
        if vxx != (P - u) % P:
            return None
        x = x * ROOT_OF_MINUS_1 % P
    if x == 0 and sign:
        return None
    if x & 1 != sign:
        x = P - x
    return x, y


def has_small_order(point):
    x, y = point
    z = 1
    for _ in range(3):  # doubled in projective coordinates, with a = -1
        b = (x + y) * (x + y) % P
        c = x * x % P
        d = y * y % P
        e = -c % P
        f = (e + d) % P
        h = z * z % P
        j = (f - 2 * h) % P
        x, y, z = (b - c - d) * j % P, f * (e - d) % P, f * j % P
    return x == 0 and y == z


def is_good_point(encoded):
    point = decode(encoded)
    return point is not None and not has_small_order(point)


@lru_cache(maxsize=16384)
def is_public_key(encoded):
    return is_good_point(encoded)


@lru_cache(maxsize=8192)
def opened(encoded):
    return Ed25519PublicKey.from_public_bytes(encoded)


def verify(public, signature, message):
    if len(public) != 32 or len(signature) != 64 or not is_public_key(public):
        return False
    if int.from_bytes(signature[32:], "little") >= L:
        return False
    if not is_good_point(signature[:32]):
        return False
    try:
        opened(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True
