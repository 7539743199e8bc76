"""Members, what changes them, and the genesis."""

import unicodedata
from typing import NamedTuple, Optional

from . import ed25519
from .blocks import Header, cut_hash, validator_set_hash
from .codec import H, ZEROS, Cursor
from .errors import Unreadable

MEMBER, VALIDATOR = 1, 2
MAX_WEIGHT = 2**32
MAX_FOUNDER = 4096


class Member(NamedTuple):
    """A member record that can be decoded; `fault` says whether it is sound."""

    node: bytes
    key: bytes
    tls_key: bytes
    checkpoint_key: bytes
    incarnation: bytes
    replica: bytes
    role: int
    weight: int
    name: str
    url: str

    @classmethod
    def decode(cls, raw):
        cursor = Cursor(raw)
        cursor.version()
        node, key, tls_key, checkpoint_key = (cursor.take(32) for _ in range(4))
        incarnation, replica = cursor.take(16), cursor.take(16)
        role, weight = cursor.u8(), cursor.u64()
        if role not in (MEMBER, VALIDATOR):
            raise Unreadable(f"role {role} is not known")
        name, url = cursor.text(), cursor.text()
        cursor.done()
        return cls(node, key, tls_key, checkpoint_key, incarnation, replica, role, weight, name, url)

    def fault(self):
        """None if the record is sound, else why not."""
        if self.node != H(b"bcrdt/node/v1\0", self.key, self.incarnation):
            return "the node id is not that of the key"
        if self.replica != H(b"bcrdt/replica/v1\0", self.key, self.incarnation)[:16]:
            return "the replica id is not that of the key"
        if not (1 <= self.weight <= MAX_WEIGHT if self.role == VALIDATOR else self.weight == 0):
            return "the weight is not one of the role"
        if not 1 <= len(self.name.encode()) <= 63 or len(self.url.encode()) > 2048:
            return "the length of name or URL"
        if any(unicodedata.category(letter) == "Cc" for letter in self.name + self.url):
            return "a control character"
        keys = (self.key, self.tls_key, self.checkpoint_key)
        if len(set(keys)) != 3 or not all(ed25519.is_public_key(key) for key in keys):
            return "the keys are not three public keys"
        return None

    def entry(self):
        """What stands of it in a validator set."""
        return self.node, self.key, self.weight


def sound_member(raw):
    member = Member.decode(raw)
    fault = member.fault()
    if fault:
        raise Unreadable(fault)
    return member


class Change(NamedTuple):
    """A membership change; there is no member if the node leaves."""

    node: bytes
    member: Optional[Member]

    @classmethod
    def decode(cls, payload):
        cursor = Cursor(payload)
        cursor.version()
        action = cursor.u8()
        if action == 1:
            member = sound_member(cursor.rest())
            return cls(member.node, member)
        if action == 2:
            node = cursor.take(32)
            cursor.done()
            return cls(node, None)
        raise Unreadable(f"action {action} is not known")


class Genesis(NamedTuple):
    """The founder, and the header before block 1, which follows from the genesis."""

    founder: Member
    header: Header

    @classmethod
    def decode(cls, raw):
        cursor = Cursor(raw)
        cursor.label(b"bcrdt/genesis/v1\0")
        length = cursor.u32()
        if length > MAX_FOUNDER:
            raise Unreadable("the founder is too long")
        founder = sound_member(cursor.take(length))
        if founder.role != VALIDATOR:
            raise Unreadable("the founder is no validator")
        time = cursor.u64()
        follows = cursor.u8()
        if follows > 1:
            raise Unreadable("the flag of the predecessor")
        if follows:
            cursor.take(32 + 8 + 32)
        cursor.take(32)
        cursor.done()
        chain = H(raw)
        validators = validator_set_hash(chain, [founder.entry()])
        state = cut_hash(chain, 0, b"")
        return cls(founder, Header(chain, 0, 0, ZEROS, 0, 0, H(), validators, state, time, founder.node))
