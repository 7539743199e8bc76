"""Checkpoints: signed notes with the state of the log."""

import base64
import re
from typing import NamedTuple

from . import signatures
from .reading import Malformed, digest, u8

MAX_BYTES = 256 << 10
MAX_LINES = 100
LOG, WITNESS = 1, 4
LINE = re.compile("— ([^ ]+) ([A-Za-z0-9+/=]+)")


def unbase64(text):
    """Base64 with padding, in its one form."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Malformed("this is no base64") from error
    if base64.b64encode(data).decode() != text:
        raise Malformed("this is no base64 in its one form")
    return data


def is_name(name):
    return name != "" and "+" not in name and not any(c.isspace() or c < " " for c in name)


class Key(NamedTuple):
    """A verifier key."""

    name: str
    type: int
    public: bytes

    @classmethod
    def read(cls, text):
        # Base64 may hold a plus sign, name and id hold none.
        name, plus, rest = text.strip().partition("+")
        key_id, plus, encoded = rest.partition("+")
        data = unbase64(encoded)
        if not plus or not is_name(name) or len(data) != 33 or data[0] not in (LOG, WITNESS):
            raise Malformed("this is no verifier key")
        key = cls(name, data[0], data[1:])
        if key.id().hex() != key_id or not signatures.is_key(key.public):
            raise Malformed("this is no verifier key")
        return key

    def id(self):
        return digest(self.name.encode(), b"\n", u8(self.type), self.public)[:4]

    def signed(self, text, signature):
        """Whether a signature of a line is this key's over the text of the note."""
        if self.type == LOG:
            return signatures.verify(self.public, text, signature)
        if len(signature) != 72:
            return False
        time = int.from_bytes(signature[:8], "big")
        if time >= 2**63:
            return False
        message = b"cosignature/v1\ntime %d\n" % time + text
        return signatures.verify(self.public, message, signature[8:])


class NotSigned(Exception):
    """The checkpoint is not signed as it is asked for."""


def read_keys(texts, key_type):
    """Verifier keys of one type. No two stand for one public key: a witness counts once."""
    keys = {Key.read(text) for text in texts}
    if any(key.type != key_type for key in keys):
        raise Malformed("a key is of another type than is needed")
    if key_type == WITNESS and len({key.public for key in keys}) != len(keys):
        raise Malformed("two witnesses have one public key")
    return keys


class Note(NamedTuple):
    """A checkpoint with its signature lines: (name, key id, signature)."""

    text: bytes
    origin: str
    size: int
    root: bytes
    lines: list

    @classmethod
    def read(cls, data):
        if len(data) > MAX_BYTES:
            raise Malformed("the checkpoint is too long")
        try:
            note = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Malformed("the checkpoint is not UTF-8") from error
        if any(c < " " for c in note.replace("\n", "")):
            raise Malformed("the checkpoint holds control characters")
        text, blank, signed = note.rpartition("\n\n")
        if not blank or not signed.endswith("\n"):
            raise Malformed("the checkpoint has no signature lines after an empty line")
        lines = text.split("\n")
        if len(lines) < 3 or "" in lines:
            raise Malformed("the checkpoint misses a line")
        if not re.fullmatch("0|[1-9][0-9]*", lines[1], re.ASCII) or int(lines[1]) >= 2**64:
            raise Malformed("the second line is no size")
        root = unbase64(lines[2])
        if len(root) != 32:
            raise Malformed("the third line is no root")
        signed = [read_line(line) for line in signed[:-1].split("\n")]
        if len(signed) > MAX_LINES:
            raise Malformed("the checkpoint has too many signature lines")
        return cls(text.encode() + b"\n", lines[0], int(lines[1]), root, signed)

    def is_signed_by(self, key):
        """Whether the key signed. NotSigned if a line says so that does not hold."""
        own = [signature for name, key_id, signature in self.lines if (name, key_id) == (key.name, key.id())]
        if not all(key.signed(self.text, signature) for signature in own):
            raise NotSigned(f"a signature of {key.name} does not hold")
        return bool(own)

    def demand(self, keys, witnesses):
        """NotSigned unless one of the log's keys signed, and all the witnesses."""
        of_log = [key for key in keys if key.name == self.origin]
        if not of_log:
            raise NotSigned("none of the keys is of this log")
        # Every line is looked at: a false one counts, whatever the others say.
        if not any([self.is_signed_by(key) for key in of_log]):
            raise NotSigned("none of the log's keys signed")
        for witness in witnesses:
            if not self.is_signed_by(witness):
                raise NotSigned(f"{witness.name} did not cosign")


def read_line(line):
    found = LINE.fullmatch(line)
    if found is None or not is_name(found[1]):
        raise Malformed("a signature line cannot be read")
    data = unbase64(found[2])
    if len(data) <= 4:
        raise Malformed("a signature line is too short")
    return found[1], data[:4], data[4:]
