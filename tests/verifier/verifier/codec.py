"""Fields as the chapter's notation has them, and the one hash."""

import hashlib

from .errors import Unreadable

ZEROS = bytes(32)
MAX64 = 2**64 - 1


def H(*parts):
    """SHA-256 of the parts, one after the other."""
    hasher = hashlib.sha256()
    for part in parts:
        hasher.update(part)
    return hasher.digest()


def u8(number):
    return number.to_bytes(1, "big")


def u16(number):
    return number.to_bytes(2, "big")


def u32(number):
    return number.to_bytes(4, "big")


def u64(number):
    return number.to_bytes(8, "big")


class Cursor:
    """Reads fields off bytes; Unreadable if they are not there."""

    __slots__ = ("data", "at")

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count):
        end = self.at + count
        if end > len(self.data):
            raise Unreadable("too short")
        taken = self.data[self.at:end]
        self.at = end
        return taken

    def u8(self):
        return self.take(1)[0]

    def u16(self):
        return int.from_bytes(self.take(2), "big")

    def u32(self):
        return int.from_bytes(self.take(4), "big")

    def u64(self):
        return int.from_bytes(self.take(8), "big")

    def long(self):
        return self.take(self.u32())

    def rest(self):
        return self.take(len(self.data) - self.at)

    def text(self, most=0xFFFF):
        length = self.u16()
        if length > most:
            raise Unreadable(f"a text of {length} bytes")
        try:
            return self.take(length).decode("utf-8")
        except UnicodeDecodeError:
            raise Unreadable("a text that is not UTF-8") from None

    def label(self, label):
        if self.take(len(label)) != label:
            raise Unreadable("another label")

    def version(self):
        version = self.u8()
        if version != 1:
            raise Unreadable(f"version {version} is not known")

    def done(self):
        if self.at != len(self.data):
            raise Unreadable("bytes left over")
