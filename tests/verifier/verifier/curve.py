"""The points of edwards25519 (RFC 8032, 5.1), as far as strictness needs them: decoding, and
whether a point is of small order. Slow, and not for secrets."""

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_MINUS_ONE = pow(2, (P - 1) // 4, P)


def decode(encoded):
    """The point (x, y) of 32 bytes in canonical form; None if there is none."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    # x² = (y² − 1) / (d·y² + 1)
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P == -u % P:
        x = x * SQRT_MINUS_ONE % P
    if v * x * x % P != u:
        return None
    if x == 0 and sign:
        return None
    return (P - x if x % 2 != sign else x), y


def double(x, y, z):
    """The point (x/z, y/z) added to itself, in the same coordinates."""
    xx, yy = x * x % P, y * y % P
    both = (x + y) ** 2 - xx - yy
    g, h = yy - xx, -xx - yy
    f = g - 2 * z * z
    return both * f % P, g * h % P, f * g % P


def has_small_order(point):
    """Whether eight times the point is the neutral element (0, 1)."""
    x, y, z = *point, 1
    for _ in range(3):
        x, y, z = double(x, y, z)
    return x == 0 and y == z
