"""Layouts: big-endian, fixed, nothing left over. Only what can be read in one way is read."""

import hashlib


class Malformed(Exception):
    """Bytes that are not what they should be."""


def digest(*pieces):
    """SHA-256 of the pieces, one after the other."""
    hasher = hashlib.sha256()
    for piece in pieces:
        hasher.update(piece)
    return hasher.digest()


def label(name):
    return name.encode("ascii") + b"\0"


def u8(number):
    return number.to_bytes(1, "big")


def u16(number):
    return number.to_bytes(2, "big")


def u32(number):
    return number.to_bytes(4, "big")


def u64(number):
    return number.to_bytes(8, "big")


class Reader:
    """Takes a layout apart from front to back."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count):
        end = self.at + count
        if end > len(self.data):
            raise Malformed("the bytes end too early")
        piece = self.data[self.at:end]
        self.at = end
        return piece

    def number(self, width):
        return int.from_bytes(self.take(width), "big")

    def u8(self):
        return self.number(1)

    def u16(self):
        return self.number(2)

    def u32(self):
        return self.number(4)

    def u64(self):
        return self.number(8)

    def long(self):
        return self.take(self.u32())

    def text(self):
        try:
            return self.take(self.u16()).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Malformed("a text is not UTF-8") from error

    def rest(self):
        return self.take(len(self.data) - self.at)

    def version(self, known=1):
        found = self.u8()
        if found != known:
            raise Malformed(f"version {found} is not known here")

    def label(self, name):
        if self.take(len(name) + 1) != label(name):
            raise Malformed(f"the label is not {name}")

    def finish(self):
        if self.at != len(self.data):
            raise Malformed(f"{len(self.data) - self.at} bytes are left over")
