"""Makes chains of our own, bundles of them, and the files that they are packed into."""

import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verifier import ops
from verifier.blocks import Header, cut_hash, validator_set_hash
from verifier.codec import H, ZEROS, u8, u16, u32, u64
from verifier.frames import BLOCK, CHAIN, END, LABEL, MEMBER, OP, SEGMENT, STOP, TAIL, TILE, VECTOR, WITHHELD
from verifier.lz4frame import FORM, MAGIC, MIB, xxh32
from verifier.members import Genesis
from verifier.merkle import Edge, root_of

SIGNING, TLS, CHECKPOINT = range(3)


def secret(number, which=SIGNING):
    return Ed25519PrivateKey.from_private_bytes(H(b"test", u32(number), u32(which)))


def public(key):
    return key.public_key().public_bytes_raw()


def text(value):
    value = value.encode()
    return u16(len(value)) + value


def long(value):
    return u32(len(value)) + value


class Node:
    def __init__(self, number):
        self.number, self.key = number, secret(number)
        self.public = public(self.key)
        self.incarnation = bytes([number % 256]) * 16
        self.id = H(b"bcrdt/node/v1\0", self.public, self.incarnation)
        self.seq, self.hash, self.ops = 0, ZEROS, []
        self.covered, self.covered_head = 0, ZEROS

    def record(self, weight=0, name="n", url="", role=None):
        replica = H(b"bcrdt/replica/v1\0", self.public, self.incarnation)[:16]
        return b"".join((
            b"\1", self.id, self.public, public(secret(self.number, TLS)), public(secret(self.number, CHECKPOINT)),
            self.incarnation, replica, u8(role or (2 if weight else 1)), u64(weight), text(name), text(url),
        ))

    def entry(self, weight=1):
        return self.id, self.public, weight


def join(record):
    return b"\1\1" + record


def leave(node):
    return b"\1\2" + node.id


def prune(height, texts=("f", "a", "p")):
    return b"\1" + u64(height) + u64(5) + ZEROS + u64(9) + b"".join(map(text, texts))


class Chain:
    """Collects what its nodes write; `block` cuts it, `frames` is the bundle."""

    def __init__(self, weight=1):
        self.founder = Node(1)
        self.nodes = {self.founder.id: self.founder}
        self.genesis = b"bcrdt/genesis/v1\0" + long(self.founder.record(weight)) + u64(1000) + b"\0" + bytes(32)
        self.header = Genesis.decode(self.genesis).header
        self.id = self.header.chain
        self.cut, self.leaves, self.edge = {}, [], Edge()
        self.blocks = []  # (body of the block, first leaf, leaves behind it, its segments and ops)
        self.sets = {1: [self.founder.entry(weight)], 2: [self.founder.entry(weight)]}
        self.hlc = 0

    def node(self, number):
        node = Node(number)
        self.nodes[node.id] = node
        return node

    def op(self, node, payload=b"x", kind=ops.DELTA, parts=None, close=False, hlc=None):
        self.hlc += 1
        hlc = self.hlc if hlc is None else hlc
        parts = parts or [(H(u64(self.hlc)), payload)]
        commitments = [ops.part_commitment(*part) for part in parts]
        root = root_of([H(b"\0", commitment) for commitment in commitments])
        before, node.seq = node.hash, node.seq + 1
        node.hash = ops.op_hash(self.id, node.id, node.seq, hlc, kind, ZEROS, len(parts), root, before)
        stored = [(b"", commitment) for commitment in commitments] if close else parts
        body = b"".join((
            long(node.id), u64(node.seq), u64(hlc), u8(kind), long(ZEROS), long(node.hash), u16(len(parts)),
            *(long(salt) + long(payload) for salt, payload in stored),
        ))
        leaf = kind, node.id, node.seq, hlc, ZEROS, len(parts), root, before, node.hash
        node.ops.append((body, leaf))

    def segment(self, node, count=None, depends=u32(0), before=None, head=None, time=7):
        """A segment of the ops that none covers yet, or of so many of them."""
        first = node.covered + 1
        count = node.seq - node.covered if count is None else count
        last = first + count - 1
        head = node.ops[last - 1][1][-1] if head is None else head
        before = node.covered_head if before is None else before
        claim = ops.segment_claim(self.id, node.id, first, count, before, head, depends, time)
        node.covered, node.covered_head = last, head
        return SEGMENT, b"".join((
            long(node.id), u64(first), u64(count), long(before), long(head), long(b"\1" + depends), u64(time),
            long(node.key.sign(claim)),
        ))

    def block(self, signers=None, segments=True, upto=None, decide=None, wrong=None, **change):
        """A block of all ops, or up to (node id -> number); `decide` are the validators of the block after next.

        `change` alters the header, `wrong` the leaf of that index."""
        height, first_leaf = self.header.height + 1, self.edge.size
        frames, cut = [], {}
        leaves = [ops.header_leaf_hash(self.id, first_leaf, self.header)]
        for node in sorted(self.nodes.values(), key=lambda node: node.id):
            last = (upto or {}).get(node.id, node.seq)
            old = self.cut.get(node.id, (0, ZEROS))
            if segments and node.covered < last:
                frames.append(self.segment(node, last - node.covered))
            for body, leaf in node.ops[old[0]:last]:
                leaves.append(ops.leaf_hash(self.id, first_leaf + len(leaves), *leaf))
                frames.append((OP, body))
            if last:
                cut[node.id] = (last, node.ops[last - 1][1][-1])
        if wrong is not None:
            leaves[wrong] = H(b"wrong")
        for leaf in leaves:
            self.leaves.append(leaf)
            self.edge.push(leaf)
        entries = b"".join(node + u64(seq) + head for node, (seq, head) in sorted(cut.items()))
        validators = self.sets[height]
        fields = {
            "chain": self.id, "height": height, "epoch": 0, "before": self.header.hash(), "first_leaf": first_leaf,
            "tree_size": self.edge.size, "log_root": self.edge.root(),
            "validators": validator_set_hash(self.id, validators), "state": cut_hash(self.id, len(cut), entries),
            "time": 1000 + height, "proposer": validators[0][0],
        }
        self.header, self.cut = Header(**{**fields, **change}), cut
        header_hash = self.header.hash()
        vote = b"".join((b"bcrdt/vote/v1\0", self.id, u64(height), u32(0), b"\2", header_hash))
        signers = [self.nodes[node] for node, _, _ in validators] if signers is None else signers
        votes = sorted((node.id, node.key.sign(vote)) for node in signers)
        certificate = b"\1" + u64(height) + u32(0) + header_hash + u32(len(votes)) + b"".join(
            node + signature for node, signature in votes
        )
        cut_bytes = b"\1" + u32(len(cut)) + entries
        raw = b"bcrdt/block/v1\0" + b"".join(
            field if isinstance(field, bytes) else u64(field) for field in self.header
        )
        body = u64(height) + long(raw) + long(cut_bytes) + long(certificate)
        self.blocks.append((body, first_leaf, self.edge.size, frames))
        self.sets[height + 2] = self.sets[height + 1] if decide is None else sorted(decide)

    def frames(self, members, stop=False, withheld=False, vectors=True, tail=()):
        """The frames without the end; `tail` stands behind the ops that are in no block."""
        frames = [(CHAIN, self.id + self.genesis)]
        frames += [(WITHHELD, b"")] * withheld
        frames += [(MEMBER, record) for record in members]
        seen = -1
        for body, first, end, inner in self.blocks:
            frames.append((BLOCK, body))
            tiles = range(max(seen + 1, first // 256), (end - 1) // 256 + 1)
            frames += [(TILE, tile(0, index, self.leaves[256 * index:256 * index + 256])) for index in tiles]
            seen = max(seen, (end - 1) // 256)
            frames += inner
        if stop:
            return [*frames, (STOP, b"")]
        frames.append((TAIL, b""))
        for node in sorted(self.nodes.values(), key=lambda node: node.id):
            if node.covered < node.seq:
                kept = node.covered, node.covered_head
                frames.append(self.segment(node))
                node.covered, node.covered_head = kept
            done = self.cut.get(node.id, (0,))[0]
            frames += [(OP, body) for body, _ in node.ops[done:]]
        frames += tail
        row, level = self.leaves, 0
        while len(row) >= 256:
            row = [root_of(row[at:at + 256]) for at in range(0, len(row) - 255, 256)]
            level += 1
            frames += [(TILE, tile(level, at // 256, row[at:at + 256])) for at in range(0, len(row), 256)]
        if vectors:
            frames += [vector(node, node.seq, node.hash) for node in self.nodes.values() if node.seq]
        return frames


def tile(level, index, hashes):
    return u8(level) + u64(index) + b"".join(hashes)


def vector(node, seq, head):
    return VECTOR, long(node.id) + u64(seq) + long(head)


def bundle(frames):
    """The file of these frames, with the end that belongs to them."""
    frames = [*frames, (END, u64(len(frames)))]
    return LABEL + b"".join(u8(tag) + long(body) for tag, body in frames)


def split(raw):
    """The frames of a bundle without its end."""
    frames, at = [], len(LABEL)
    while at < len(raw):
        length = int.from_bytes(raw[at + 1:at + 5], "big")
        frames.append((raw[at], raw[at + 5:at + 5 + length]))
        at += 5 + length
    return frames[:-1]


def lz4_block(data):
    """Compressed as plainly as can be: each match that is met first."""
    out, seen, at, start = bytearray(), {}, 0, 0

    def sequence(literals, offset=0, length=0):
        out.append(min(len(literals), 15) << 4 | (min(length - 4, 15) if offset else 0))
        put_length(len(literals) - 15)
        out.extend(literals)
        if offset:
            out.extend(struct.pack("<H", offset))
            put_length(length - 19)

    def put_length(rest):
        if rest >= 0:
            out.extend(b"\xff" * (rest // 255) + u8(rest % 255))

    while at + 12 < len(data):
        key = data[at:at + 4]
        old, seen[key] = seen.get(key), at
        if old is None or at - old > 65535:
            at += 1
            continue
        length = 4
        while at + length < len(data) - 5 and data[old + length] == data[at + length]:
            length += 1
        sequence(data[start:at], at - old, length)
        at += length
        start = at
    sequence(data[start:])
    return bytes(out)


def pack(raw, compress=True, content=MIB, block=MIB):
    """LZ4 frames of so many bytes, in blocks of so many."""
    return b"".join(pack_frame(raw[at:at + content], compress, block) for at in range(0, len(raw), content))


def pack_frame(part, compress=True, block=MIB):
    head = FORM + struct.pack("<Q", len(part))
    out = MAGIC + head + u8(xxh32(head) >> 8 & 255)
    for at in range(0, len(part), block):
        piece = part[at:at + block]
        packed = lz4_block(piece) if compress else piece
        stored = len(packed) >= len(piece)
        packed = piece if stored else packed
        out += struct.pack("<I", len(packed) | stored << 31) + packed + struct.pack("<I", xxh32(packed))
    return out + bytes(4) + struct.pack("<I", xxh32(part))
