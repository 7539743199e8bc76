"""Checkpoints: C2SP tlog-checkpoints in signed notes, and the keys that sign them."""

import base64
import binascii
import re
from typing import NamedTuple

from . import ed25519
from .codec import H, MAX64
from .errors import BadFormat, Finding

MAX_NOTE = 256 << 10
MAX_SIGNATURES = 100
LOG, WITNESS = 1, 4
SIZE = re.compile(r"0|[1-9][0-9]{0,19}")


def unbase64(text):
    """Bytes in the one form of base64 that they have."""
    try:
        encoded = text.encode("ascii")
        found = binascii.a2b_base64(encoded)
    except (ValueError, UnicodeEncodeError):
        raise BadFormat("no base64") from None
    if base64.b64encode(found) != encoded:
        raise BadFormat("no base64 in its one form")
    return found


def is_name(name):
    return bool(name) and "+" not in name and not any(letter.isspace() or letter < " " for letter in name)


class Key(NamedTuple):
    """A verifier key."""

    name: str
    id: bytes
    type: int
    public: bytes

    @classmethod
    def read(cls, text, needed):
        parts = text.split("+", 2)
        if len(parts) != 3 or not is_name(parts[0]):
            raise BadFormat("not a verifier key")
        name, key_id, encoded = parts
        blob = unbase64(encoded)
        if len(blob) != 33 or blob[0] != needed:
            raise BadFormat(f"not a verifier key of type {needed}")
        key = cls(name, H(name.encode("utf-8", "surrogateescape"), b"\n", blob)[:4], blob[0], blob[1:])
        if key_id != key.id.hex():
            raise BadFormat("a verifier key with another key id")
        if not ed25519.is_public_key(key.public):
            raise BadFormat("a verifier key without a public key")
        return key

    def holds(self, signature, text):
        if self.type == LOG:
            return ed25519.verify(self.public, signature, text)
        time = int.from_bytes(signature[:8], "big")
        cosigned = b"cosignature/v1\ntime %d\n" % time + text
        return len(signature) == 72 and time < 2**63 and ed25519.verify(self.public, signature[8:], cosigned)


class Checkpoint(NamedTuple):
    origin: str
    size: int
    root: bytes
    text: bytes
    signatures: list

    @classmethod
    def read(cls, raw):
        if len(raw) > MAX_NOTE:
            raise BadFormat("more than 256 KiB")
        try:
            note = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise BadFormat("not UTF-8") from None
        if any(letter < " " and letter != "\n" for letter in note):
            raise BadFormat("control characters")
        text, gap, rest = note.partition("\n\n")
        if not gap or not rest.endswith("\n"):
            raise BadFormat("no signed note")
        lines = text.split("\n")
        if len(lines) < 3 or "" in lines:
            raise BadFormat("lines of a checkpoint are missing")
        origin, size, root = lines[0], lines[1], unbase64(lines[2])
        if not SIZE.fullmatch(size) or int(size) > MAX64:
            raise BadFormat("not a size")
        if len(root) != 32:
            raise BadFormat("not a root")
        signatures = rest[:-1].split("\n")
        if len(signatures) > MAX_SIGNATURES:
            raise BadFormat("more than 100 signatures")
        return cls(origin, int(size), root, f"{text}\n".encode(), [signature_of(line) for line in signatures])

    def signers(self, keys):
        """Those of the keys that signed; each line that says so must hold."""
        found = set()
        for name, key_id, signature in self.signatures:
            for key in keys:
                if (key.name, key.id) == (name, key_id):
                    if not key.holds(signature, self.text):
                        raise Finding(f"a signature of {name} does not hold")
                    found.add(key)
        return found


def signature_of(line):
    """Name, key id and signature."""
    fields = line.split(" ")
    if len(fields) != 3 or fields[0] != "\u2014" or not is_name(fields[1]):
        raise BadFormat("not the line of a signature")
    blob = unbase64(fields[2])
    if len(blob) < 5:
        raise BadFormat("an empty signature")
    return fields[1], blob[:4], blob[4:]


def verify(raw, keys, witnesses=()):
    """What is told of a checkpoint that is to be relied on."""
    keys, witnesses = set(keys), set(witnesses)
    if len({witness.public for witness in witnesses}) != len(witnesses):
        raise BadFormat("two witnesses with one public key")
    checkpoint = Checkpoint.read(raw)
    of_log = {key for key in keys if key.name == checkpoint.origin}
    if not of_log:
        raise Finding("no key of this log is trusted")
    if not checkpoint.signers(of_log):
        raise Finding("no trusted key of the log has signed")
    missing = witnesses - checkpoint.signers(witnesses)
    if missing:
        raise Finding(f"the witness {min(missing).name} has not signed")
    return {"log": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex()}
