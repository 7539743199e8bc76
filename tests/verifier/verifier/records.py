"""Who a node is, what a chain is made from, and what an op's hash covers."""

import unicodedata
from typing import NamedTuple, Optional

from . import merkle, signatures
from .reading import Malformed, Reader, digest, label, u16, u64, u8

MEMBER, VALIDATOR = 1, 2
JOIN, LEAVE = 1, 2
MAX_MEMBERS = 4096
MAX_WEIGHT = 2**32
MAX_PARTS = 64
ZEROS = bytes(32)
# The kinds of ops by their names. A header is no op, and a proof cannot be of one.
KINDS = {
    "delta": 1, "schema": 2, "validator_set": 3, "redaction": 4, "key_shred": 5, "consent": 6,
    "access": 7, "lineage": 8, "prune": 9,
}
VALIDATOR_SET = KINDS["validator_set"]
HEADER = 10


def node_id(signing_key, incarnation):
    return digest(label("bcrdt/node/v1"), signing_key, incarnation)


class Member(NamedTuple):
    """A member record."""

    node_id: bytes
    signing_key: bytes
    tls_key: bytes
    checkpoint_key: bytes
    incarnation: bytes
    replica_id: bytes
    role: int
    weight: int
    name: str
    url: str

    @classmethod
    def read(cls, data):
        """The record as it stands, sound or not."""
        reader = Reader(data)
        reader.version()
        keys = [reader.take(32) for _ in range(4)]
        member = cls(*keys, reader.take(16), reader.take(16), reader.u8(), reader.u64(), reader.text(), reader.text())
        reader.finish()
        if member.role not in (MEMBER, VALIDATOR):
            raise Malformed("a member has no such role")
        return member

    @property
    def votes(self):
        return self.role == VALIDATOR

    def owns_its_id(self):
        return self.node_id == node_id(self.signing_key, self.incarnation)

    def is_sound(self):
        replica = digest(label("bcrdt/replica/v1"), self.signing_key, self.incarnation)[:16]
        keys = {self.signing_key, self.tls_key, self.checkpoint_key}
        control = any(unicodedata.category(c) == "Cc" for c in self.name + self.url)
        return (
            self.owns_its_id()
            and self.replica_id == replica
            and len(keys) == 3
            and all(signatures.is_key(key) for key in keys)
            and 1 <= len(self.name.encode()) <= 63
            and len(self.url.encode()) <= 2048
            and not control
            and (1 <= self.weight <= MAX_WEIGHT if self.votes else self.weight == 0)
        )


def read_sound_member(data):
    member = Member.read(data)
    if not member.is_sound():
        raise Malformed("the member record is not sound")
    return member


class Change(NamedTuple):
    """A membership change: a member that joins or changes, or the node id of one that leaves."""

    joins: Optional[Member]
    leaves: Optional[bytes]

    @classmethod
    def read(cls, data):
        reader = Reader(data)
        reader.version()
        action = reader.u8()
        if action == JOIN:
            return cls(read_sound_member(reader.rest()), None)
        if action != LEAVE:
            raise Malformed("there is no such membership change")
        node = reader.take(32)
        reader.finish()
        return cls(None, node)


class Genesis(NamedTuple):
    """What a chain is made from."""

    chain_id: bytes
    founder: Member
    time: int

    @classmethod
    def read(cls, data):
        reader = Reader(data)
        reader.label("bcrdt/genesis/v1")
        record = reader.long()
        if len(record) > 4096:
            raise Malformed("the founder's record is too long")
        founder = read_sound_member(record)
        if not founder.votes:
            raise Malformed("the founder is no validator")
        time = reader.u64()
        predecessor = reader.u8()
        if predecessor > 1:
            raise Malformed("a flag is neither 0 nor 1")
        if predecessor:
            reader.take(32 + 8 + 32)
        reader.take(32)
        reader.finish()
        return cls(digest(data), founder, time)


def part_commitment(salt, payload):
    return digest(label("bcrdt/part/v1"), salt, u64(len(payload)), payload)


class Op(NamedTuple):
    """What an op's hash and leaf cover, its parts as their commitments."""

    origin: bytes
    seq: int
    hlc: int
    kind: int
    schema_hash: bytes
    commitments: tuple

    def parts_root(self):
        return merkle.root([merkle.leaf_hash(commitment) for commitment in self.commitments])

    def hash(self, chain_id, before):
        return digest(
            label("bcrdt/op/v1"), chain_id, self.origin, u64(self.seq), u64(self.hlc), u8(self.kind),
            self.schema_hash, u16(len(self.commitments)), self.parts_root(), before,
        )

    def leaf(self, chain_id, index, before, this):
        return leaf(
            chain_id, index, self.kind, self.origin, self.seq, self.hlc, self.schema_hash,
            len(self.commitments), self.parts_root(), before, this,
        )


def leaf(chain_id, index, kind, origin, seq, hlc, schema_hash, parts, parts_root, before, this):
    return b"".join((
        label("bcrdt/leaf/v1"), chain_id, u64(index), u8(kind), origin, u64(seq), u64(hlc), schema_hash,
        u16(parts), parts_root, before, this,
    ))


def read_prune(data):
    """The height that a prune op speaks of."""
    reader = Reader(data)
    reader.version()
    height = reader.u64()
    reader.take(8 + 32 + 8)
    for _ in range(3):
        if len(reader.text().encode()) > 1024:
            raise Malformed("a text of the prune op is too long")
    reader.finish()
    return height
