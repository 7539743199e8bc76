"""Blocks: validator sets, cuts, headers and certificates."""

from typing import NamedTuple

from . import ed25519
from .codec import H, ZEROS, Cursor, u32, u64
from .errors import Unreadable

MAX_NODES = 4096


def validator_set_hash(chain, entries):
    """Of (node, key, weight), ascending."""
    each = b"".join(node + key + u64(weight) for node, key, weight in entries)
    return H(b"bcrdt/validators/v1\0", chain, u32(len(entries)), each)


def cut_hash(chain, count, entries):
    return H(b"bcrdt/cut/v1\0", chain, u32(count), entries)


class Cut(NamedTuple):
    """(node, seq, op hash) of each origin, and their bytes."""

    entries: list
    raw: bytes

    @classmethod
    def decode(cls, raw):
        cursor = Cursor(raw)
        cursor.version()
        count = cursor.u32()
        if count > MAX_NODES:
            raise Unreadable("too many nodes")
        start = cursor.at
        entries = [(cursor.take(32), cursor.u64(), cursor.take(32)) for _ in range(count)]
        cursor.done()
        ascend(node for node, _, _ in entries)
        if any(seq == 0 for _, seq, _ in entries):
            raise Unreadable("a number is 0")
        return cls(entries, raw[start:])

    def hash(self, chain):
        return cut_hash(chain, len(self.entries), self.raw)


def ascend(nodes):
    last = b""
    for node in nodes:
        if node <= last:
            raise Unreadable("nodes do not ascend")
        last = node


class Header(NamedTuple):
    chain: bytes
    height: int
    epoch: int
    before: bytes
    first_leaf: int
    tree_size: int
    log_root: bytes
    validators: bytes
    state: bytes
    time: int
    proposer: bytes

    @classmethod
    def decode(cls, raw):
        cursor = Cursor(raw)
        cursor.label(b"bcrdt/block/v1\0")
        header = cls(
            cursor.take(32), cursor.u64(), cursor.u64(), cursor.take(32), cursor.u64(), cursor.u64(),
            cursor.take(32), cursor.take(32), cursor.take(32), cursor.u64(), cursor.take(32),
        )
        cursor.done()
        return header

    def hash(self):
        return H(
            b"bcrdt/block/v1\0", self.chain, u64(self.height), u64(self.epoch), self.before, u64(self.first_leaf),
            u64(self.tree_size), self.log_root, self.validators, self.state, u64(self.time), self.proposer,
        )


class Certificate(NamedTuple):
    height: int
    round: int
    header_hash: bytes
    signatures: list

    @classmethod
    def decode(cls, raw):
        cursor = Cursor(raw)
        cursor.version()
        height, number, header_hash, count = cursor.u64(), cursor.u32(), cursor.take(32), cursor.u32()
        if count > MAX_NODES:
            raise Unreadable("too many signatures")
        signatures = [(cursor.take(32), cursor.take(64)) for _ in range(count)]
        cursor.done()
        return cls(height, number, header_hash, signatures)

    def fault(self, chain, validators):
        """None if it holds for these validators, else why not."""
        if self.header_hash == ZEROS:
            return "a vote for nothing"
        if len(self.signatures) > MAX_NODES:
            return "too many signatures"
        known = {node: (key, weight) for node, key, weight in validators}
        signers = [node for node, _ in self.signatures]
        if any(a >= b for a, b in zip(signers, signers[1:])):
            return "the signers do not ascend"
        if any(node not in known for node in signers):
            return "a signer is no validator"
        if not quorum(sum(known[node][1] for node in signers), validators):
            return "the signers are no quorum"
        vote = b"".join(
            (b"bcrdt/vote/v1\0", chain, u64(self.height), u32(self.round), b"\2", self.header_hash)
        )
        for node, signature in self.signatures:
            if not ed25519.verify(known[node][0], signature, vote):
                return "a signature does not hold"
        return None

    def pinned_quorum(self, validators, pinned):
        """Whether the signers whose keys are pinned are a quorum by themselves."""
        known = {node: (key, weight) for node, key, weight in validators}
        held = (known[node] for node, _ in self.signatures)
        return quorum(sum(weight for key, weight in held if key in pinned), validators)


def quorum(weight, validators):
    return 3 * weight > 2 * sum(weight for _, _, weight in validators)
