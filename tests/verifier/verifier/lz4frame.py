"""Reads the LZ4 frames of a packed bundle as a stream, a frame of at most 1 MiB at a time."""

import struct

from .errors import BadFormat

MAGIC = b"\x04\x22\x4d\x18"
# Version 1, blocks that stand alone with a checksum each, length and checksum of the content; of at most 1 MiB.
FORM = b"\x7c\x60"
MIB = 1 << 20
P1, P2, P3, P4, P5 = 2654435761, 2246822519, 3266489917, 668265263, 374761393
M = 0xFFFFFFFF


def xxh32(data):
    """The checksum of LZ4, with seed 0."""
    length, at = len(data), 0
    if length >= 16:
        a, b, c, d = P1 + P2 & M, P2, 0, -P1 & M
        whole = length // 16 * 4
        words = struct.unpack_from(f"<{whole}I", data)
        for i in range(0, whole, 4):
            a = a + words[i] * P2 & M
            a = ((a << 13 | a >> 19) & M) * P1 & M
            b = b + words[i + 1] * P2 & M
            b = ((b << 13 | b >> 19) & M) * P1 & M
            c = c + words[i + 2] * P2 & M
            c = ((c << 13 | c >> 19) & M) * P1 & M
            d = d + words[i + 3] * P2 & M
            d = ((d << 13 | d >> 19) & M) * P1 & M
        at = whole * 4
        h = (a << 1 & M | a >> 31) + (b << 7 & M | b >> 25) + (c << 12 & M | c >> 20) + (d << 18 & M | d >> 14)
    else:
        h = P5
    h = h + length & M
    while at + 4 <= length:
        h = h + int.from_bytes(data[at:at + 4], "little") * P3 & M
        h = (h << 17 & M | h >> 15) * P4 & M
        at += 4
    for byte in data[at:]:
        h = h + byte * P5 & M
        h = (h << 11 & M | h >> 21) * P1 & M
    h = (h ^ h >> 15) * P2 & M
    h = (h ^ h >> 13) * P3 & M
    return h ^ h >> 16


class Block:
    """A compressed block, from front to back."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count):
        end = self.at + count
        if end > len(self.data):
            raise BadFormat("LZ4: a block ends too early")
        taken = self.data[self.at:end]
        self.at = end
        return taken

    def length(self, nibble):
        length = nibble
        while nibble == 15:
            more = self.take(1)[0]
            length += more
            if more != 255:
                break
        return length


def unpack_block(data, room):
    """A block that stands alone, unpacked to at most `room` bytes."""
    block, out = Block(data), bytearray()
    while True:
        token = block.take(1)[0]
        length = block.length(token >> 4)
        if len(out) + length > room:
            raise BadFormat("LZ4: a block unpacks to too much")
        out += block.take(length)
        if block.at == len(data):
            if token & 15:
                raise BadFormat("LZ4: a match without an offset")
            return bytes(out)
        offset = int.from_bytes(block.take(2), "little")
        if not 0 < offset <= len(out):
            raise BadFormat("LZ4: an offset before the beginning")
        length = block.length(token & 15) + 4
        if len(out) + length > room:
            raise BadFormat("LZ4: a block unpacks to too much")
        start = len(out) - offset
        if length <= offset:
            out += out[start:start + length]
        else:
            out += (bytes(out[start:]) * (length // offset + 1))[:length]


def read_up_to(stream, count):
    """So many bytes, or all that are left."""
    pieces, have = [], 0
    while have < count:
        piece = stream.read(count - have)
        if not piece:
            break
        pieces.append(piece)
        have += len(piece)
    return b"".join(pieces)


def read_exactly(stream, count, what):
    got = read_up_to(stream, count)
    if len(got) < count:
        raise BadFormat(f"the file ends within {what}")
    return got


class Unpacked:
    """`read(count)` of the bundle inside; each frame is checked before a byte of it is given.

    `magic` is what was read of the packed file already."""

    def __init__(self, packed, magic):
        self.packed = packed
        self.magic = magic
        self.content = b""
        self.at = 0

    def exactly(self, count):
        return read_exactly(self.packed, count, "an LZ4 frame")

    def number(self):
        return int.from_bytes(self.exactly(4), "little")

    def block(self, size, room):
        """A block whose size stands before it."""
        stored, length = size >> 31, size & 0x7FFFFFFF
        if not 0 < length <= MIB:
            raise BadFormat("LZ4: length of a block")
        data = self.exactly(length)
        if xxh32(data) != self.number():
            raise BadFormat("LZ4: checksum of a block")
        if not stored:
            return unpack_block(data, room)
        if length > room:
            raise BadFormat("LZ4: a frame unpacks to too much")
        return data

    def frame(self):
        """The content of the next frame; None if there is none."""
        magic, self.magic = self.magic or read_up_to(self.packed, 4), None
        if not magic:
            return None
        if magic != MAGIC:
            raise BadFormat("LZ4: not the beginning of a frame")
        head = self.exactly(10)
        length = int.from_bytes(head[2:], "little")
        if head[:2] != FORM or length > MIB:
            raise BadFormat("LZ4: a frame of another form")
        if self.exactly(1)[0] != xxh32(head) >> 8 & 0xFF:
            raise BadFormat("LZ4: checksum of a frame's head")
        content = bytearray()
        while size := self.number():
            content += self.block(size, length - len(content))
        if len(content) != length:
            raise BadFormat("LZ4: length of the content")
        if xxh32(content) != self.number():
            raise BadFormat("LZ4: checksum of the content")
        return bytes(content)

    def read(self, count):
        while self.at == len(self.content):
            content = self.frame()
            if content is None:
                return b""
            self.content, self.at = content, 0
        piece = self.content[self.at:self.at + count]
        self.at += len(piece)
        return piece
