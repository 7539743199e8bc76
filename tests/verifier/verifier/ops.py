"""Ops and segments: what is hashed and signed of them, and the payloads that verification reads."""

from .blocks import MAX_NODES, ascend
from .codec import H, MAX64, ZEROS, Cursor, u8, u16, u32, u64
from .errors import Unreadable

MAX_PARTS = 64
MAX_OPS = 10_000
MAX_PRUNE_TEXT = 1024
DELTA, MEMBERSHIP, PRUNE, HEADER = 1, 3, 9, 10
KINDS = {
    "delta": 1, "schema": 2, "validator_set": 3, "redaction": 4, "key_shred": 5, "consent": 6, "access": 7,
    "lineage": 8, "prune": 9,
}


def part_commitment(salt, payload):
    return H(b"bcrdt/part/v1\0", salt, u64(len(payload)), payload)


def op_hash(chain, origin, seq, hlc, kind, schema, count, root, before):
    return H(
        b"bcrdt/op/v1\0", chain, origin, u64(seq), u64(hlc), u8(kind), schema, u16(count), root, before
    )


def leaf_hash(chain, index, kind, origin, seq, hlc, schema, count, root, before, this):
    return H(
        b"\0bcrdt/leaf/v1\0", chain, u64(index), u8(kind), origin, u64(seq), u64(hlc), schema, u16(count), root,
        before, this,
    )


def header_leaf_hash(chain, index, header):
    this = header.hash()
    hlc = header.time << 16 & MAX64
    return leaf_hash(
        chain, index, HEADER, header.proposer, header.height, hlc, ZEROS, 1, this, header.before, this
    )


def dependencies(raw):
    """The dependencies as they are hashed, without the version that stands before them."""
    cursor = Cursor(raw)
    cursor.version()
    count = cursor.u32()
    if count > MAX_NODES:
        raise Unreadable("too many")
    entries = [(cursor.take(32), cursor.u64()) for _ in range(count)]
    cursor.done()
    ascend(node for node, _ in entries)
    if any(seq == 0 for _, seq in entries):
        raise Unreadable("a number is 0")
    return [node for node, _ in entries], raw[1:]


def segment_claim(chain, origin, first, count, before, head, depends, sealed):
    return b"".join((
        b"bcrdt/segment/v1\0", chain, origin, u64(first), u32(count), before, head,
        H(b"bcrdt/deps/v1\0", chain, depends), u64(sealed),
    ))


def pruned_height(payload):
    """What a prune op says: the last block that was pruned."""
    cursor = Cursor(payload)
    cursor.version()
    height = cursor.u64()
    cursor.take(8 + 32 + 8)
    for _ in range(3):
        cursor.text(MAX_PRUNE_TEXT)
    cursor.done()
    return height
