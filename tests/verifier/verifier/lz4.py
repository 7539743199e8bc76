"""LZ4 frames as packed bundles have them: independent blocks with a checksum each, with the length and
the checksum of the content (the public frame format, version 1.6.2)."""

from .reading import Malformed

MAGIC = bytes.fromhex("04224d18")
FORM = bytes.fromhex("7c60")
MAX_BLOCK = 1 << 20
P1, P2, P3, P4, P5 = 2654435761, 2246822519, 3266489917, 668265263, 374761393
MASK = 2**32 - 1


def rotate(number, bits):
    return (number << bits | number >> 32 - bits) & MASK


def xxh32(data):
    """The checksum, with seed 0."""
    at, length = 0, len(data)
    if length >= 16:
        lanes = [P1 + P2 & MASK, P2, 0, -P1 & MASK]
        while at + 16 <= length:
            for lane in range(4):
                word = int.from_bytes(data[at:at + 4], "little")
                lanes[lane] = rotate(lanes[lane] + word * P2 & MASK, 13) * P1 & MASK
                at += 4
        total = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18)
    else:
        total = P5
    total = total + length & MASK
    while at + 4 <= length:
        total = rotate(total + int.from_bytes(data[at:at + 4], "little") * P3 & MASK, 17) * P4 & MASK
        at += 4
    for byte in data[at:]:
        total = rotate(total + byte * P5 & MASK, 11) * P1 & MASK
    total = (total ^ total >> 15) * P2 & MASK
    total = (total ^ total >> 13) * P3 & MASK
    return total ^ total >> 16


class Cursor:
    """Little-endian, unlike our own layouts."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        piece = self.data[self.at:self.at + count]
        if len(piece) != count:
            raise Malformed("the packed bundle is cut off")
        self.at += count
        return piece

    def number(self, width):
        return int.from_bytes(self.take(width), "little")

    def length(self, nibble):
        """A length that begins in a token."""
        total = nibble
        while nibble == 15:
            more = self.number(1)
            total += more
            if more != 255:
                break
        return total

    def left(self):
        return len(self.data) - self.at


def block(data):
    """The content of a block."""
    cursor, out = Cursor(data), bytearray()
    while True:
        token = cursor.number(1)
        out += cursor.take(cursor.length(token >> 4))
        if not cursor.left():
            return bytes(out)
        offset = cursor.number(2)
        count = cursor.length(token & 15) + 4
        if not 0 < offset <= len(out) or len(out) + count > MAX_BLOCK:
            raise Malformed("a block of the packed bundle cannot be read")
        for _ in range(count):
            out.append(out[-offset])


def unpack(data):
    """The bundle in a packed one."""
    cursor, content = Cursor(data), []
    while cursor.left():
        if cursor.take(4) != MAGIC:
            raise Malformed("something else follows a packed frame")
        head = cursor.take(10)
        if head[:2] != FORM or cursor.number(1) != xxh32(head) >> 8 & 0xFF:
            raise Malformed("a packed frame of another form")
        blocks = []
        while size := cursor.number(4):
            stored = cursor.take(size & 0x7FFFFFFF)
            if cursor.number(4) != xxh32(stored):
                raise Malformed("a block of the packed bundle is not what it was")
            blocks.append(stored if size >> 31 else block(stored))
        piece = b"".join(blocks)
        if len(piece) != int.from_bytes(head[2:], "little") or cursor.number(4) != xxh32(piece):
            raise Malformed("the content of a packed frame is not what it was")
        content.append(piece)
    return b"".join(content)
