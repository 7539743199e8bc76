"""A whole chain in one file."""

from collections import Counter

from . import lz4, merkle, signatures
from .blocks import Certificate, Header, cut_hash, read_cut, read_deps, segment_claim, validators_hash
from .membership import Membership
from .reading import Malformed, Reader, digest, label, u64
from .records import KINDS, MAX_MEMBERS, MAX_PARTS, VALIDATOR_SET, ZEROS, Change, Genesis, Member, Op, part_commitment, read_prune

LABEL = label("bcrdt/bundle/v1")
CHAIN, MEMBER, BLOCK, TILE, SEGMENT, OP, TAIL, VECTOR, END, WITHHELD, STOP = range(1, 12)
MAX_BODY = 34603008
MAX_SEGMENT_OPS = 10_000
TILE_WIDTH = 256
MAX_LEVEL = 7
DELTA, PRUNE = KINDS["delta"], KINDS["prune"]


def frames(data):
    """(tag, body) of each frame up to the end."""
    if data.startswith(lz4.MAGIC):
        data = lz4.unpack(data)
    if not data.startswith(LABEL):
        raise Malformed("the file is no bundle")
    reader = Reader(data)
    reader.take(len(LABEL))
    count = 0
    while True:
        tag, length = reader.u8(), reader.u32()
        if not CHAIN <= tag <= STOP or length > MAX_BODY:
            raise Malformed("there is no such frame")
        body = reader.take(length)
        if tag == END:
            if body != u64(count):
                raise Malformed("the end names another number of frames")
            reader.finish()
            return
        yield tag, body
        count += 1


class Origin:
    """What is known of an origin's ops so far."""

    def __init__(self):
        self.last = 0
        self.head = ZEROS
        # The last op that a segment covers.
        self.covered = 0
        # Signed hashes of ops still to come.
        self.signed = {}


class Chain:
    """Verifies a chain frame by frame. `findings` holds (kind, detail)."""

    def __init__(self, chain_id, ops):
        self.chain_id = chain_id
        self.findings = []
        # How many op frames are still to come.
        self.remaining_ops = ops
        self.membership = None
        self.last = None
        self.origins = {}
        self.records = {}
        self.edge = merkle.Edge()
        self.leaves = []
        self.tiles = {}
        self.next_tile = 0
        self.upper = {}
        self.changes = []
        self.vector = {}
        # The block whose ops are being read: its header, cut, and the ops that are due in order.
        self.open = None
        self.due = []
        self.due_leaf = None
        self.cut = {}
        self.in_tail = False
        self.stopped = False
        # The last block that a member says it pruned, and ops whose payload is gone that nobody has
        # spoken of: (height, node, seq).
        self.pruned = 0
        self.closed = []
        self.withheld = False
        self.certificate = None
        self.counts = Counter()

    def begin(self, genesis, members):
        for member in members:
            self.take_member(member)
        if digest(genesis) != self.chain_id:
            self.find("genesis_altered", "the genesis is not the one that names the chain")
        try:
            read = Genesis.read(genesis)
        except Malformed as error:
            # Without a genesis there is nobody who could have signed anything.
            self.find("genesis_altered", str(error))
            raise Hopeless from error
        self.membership = Membership(read.founder)
        self.last = Header.of_genesis(read)

    def find(self, kind, detail):
        self.findings.append((kind, detail))

    def expect(self, holds, kind, detail):
        if not holds:
            self.find(kind, detail)
        return holds

    def take_member(self, member):
        if not member.is_sound():
            self.find("membership_altered", f"the record of {member.node_id.hex()} is not sound")
        elif member.node_id in self.records or len(self.records) >= MAX_MEMBERS:
            self.find("membership_altered", f"{member.node_id.hex()} is there twice, or there are too many")
        self.records[member.node_id] = member

    def origin(self, node):
        """What is known of an origin; None if it is nobody."""
        known = node in self.records or self.membership.ever(node) or node in self.cut
        if node not in self.origins and not known:
            return None
        return self.origins.setdefault(node, Origin())

    def key(self, node):
        for member in (self.records.get(node), self.membership.ever(node)):
            if member is not None and member.owns_its_id():
                return member.signing_key
        return None

    def feed(self, tag, body):
        {
            BLOCK: self.block, TILE: self.tile, SEGMENT: self.segment, OP: self.op, TAIL: self.tail,
            VECTOR: self.take_vector, STOP: self.stop,
        }[tag](Reader(body))

    # Blocks

    def block(self, reader):
        height, header_bytes, cut_bytes, certificate_bytes = reader.u64(), reader.long(), reader.long(), reader.long()
        reader.finish()
        self.close_block()
        if self.in_tail or height <= self.last.height:
            self.find("block_extra", f"block {height} was seen already")
            raise Hopeless
        if height != self.last.height + 1:
            self.find("block_missing", f"block {height} follows block {self.last.height}")
            raise Hopeless
        try:
            header = Header.read(header_bytes)
        except Malformed as error:
            self.find("header_altered", f"block {height}: {error}")
            raise Hopeless from error
        try:
            cut = read_cut(cut_bytes)
        except Malformed as error:
            self.find("cut_altered", f"block {height}: {error}")
            raise Hopeless from error
        validators = self.membership.validators_at(height)
        self.check_cut(header, cut)
        self.check_header(header, cut, validators)
        self.check_certificate(header, certificate_bytes, validators)
        self.open = header
        self.due = [
            (node, seq)
            for node in sorted(cut)
            for seq in range(self.cut.get(node, (0,))[0] + 1, cut[node][0] + 1)
        ]
        self.due.reverse()
        self.due_leaf = self.last.leaf(header.first_leaf)
        self.cut = cut
        for node, (seq, head) in sorted(cut.items()):
            self.sign(self.origin(node), node, seq, head)

    def check_cut(self, header, cut):
        self.expect(cut_hash(self.chain_id, cut) == header.state_root, "cut_altered", "not the header's cut")
        for node, (seq, _) in self.cut.items():
            if cut.get(node, (0,))[0] < seq:
                self.find("cut_altered", "the cut falls behind the one before")
                raise Hopeless

    def check_header(self, header, cut, validators):
        last = self.last
        ops = sum(seq for seq, _ in cut.values()) - sum(seq for seq, _ in self.cut.values())
        fits = {
            "chain": header.chain_id == self.chain_id,
            "height": header.height == last.height + 1,
            "header before": header.before == last.hash(),
            "first leaf": header.first_leaf == self.edge.size,
            "tree size": header.tree_size == self.edge.size + 1 + ops,
            "time": header.time >= last.time,
            "epoch": header.epoch >= last.epoch,
            "validator set": header.validator_set_hash == validators_hash(self.chain_id, validators),
            "proposer": header.proposer in validators,
        }
        for field, right in fits.items():
            self.expect(right, "header_altered", f"the {field} of block {header.height}")
        # The cut decides how many ops are awaited: a forged one must not make that endless.
        if ops > self.remaining_ops:
            self.find("op_missing", f"block {header.height} speaks of more ops than there are")
            raise Hopeless

    def check_certificate(self, header, data, validators):
        self.certificate = None
        try:
            certificate = Certificate.read(data)
        except Malformed as error:
            self.find("certificate_wrong", str(error))
            return
        if certificate.height != header.height or certificate.header_hash != header.hash():
            self.find("certificate_wrong", "the certificate is for another block")
            return
        fault = certificate.fault(self.chain_id, validators)
        if self.expect(fault is None, "certificate_wrong", fault):
            self.certificate = certificate, validators

    def enter_header(self):
        if self.due_leaf is not None:
            leaf, self.due_leaf = self.due_leaf, None
            self.push(merkle.leaf_hash(leaf))

    def close_block(self):
        if self.open is None:
            return
        self.enter_header()
        header, self.open = self.open, None
        if self.due:
            self.find("op_missing", f"block {header.height} misses {len(self.due)} ops")
            raise Hopeless
        self.expect(self.edge.root() == header.log_root, "log_root_wrong", f"block {header.height}")
        self.carry_out_changes()
        self.last = header

    def carry_out_changes(self):
        self.membership.carry_out(self.changes)
        self.changes = []

    # The log

    def tile(self, reader):
        level, index = reader.u8(), reader.u64()
        data = reader.rest()
        whole = len(data) % 32 == 0 and 1 <= len(data) // 32 <= TILE_WIDTH
        if not self.expect(whole and level <= MAX_LEVEL, "tile_altered", f"tile {index} of level {level}"):
            return
        hashes = [data[at:at + 32] for at in range(0, len(data), 32)]
        if level > 0:
            self.expect((level, index) not in self.upper, "tile_altered", f"tile {index} of level {level} again")
            self.upper[level, index] = hashes
        elif self.expect(index >= max(self.next_tile, self.edge.size // TILE_WIDTH), "tile_altered",
                         f"tile {index} came late or again"):
            self.tiles[index] = hashes
            self.next_tile = index + 1

    def push(self, leaf):
        index, place = divmod(self.edge.size, TILE_WIDTH)
        stored = self.tiles.get(index, [])[place:place + 1]
        self.expect(stored == [leaf], "tile_altered", f"leaf {self.edge.size}")
        self.edge.push(leaf)
        self.leaves.append(leaf)
        if self.edge.size % TILE_WIDTH == 0:
            self.tiles.pop(index, None)

    def check_tiles(self):
        index, place = divmod(self.edge.size, TILE_WIDTH)
        for at, hashes in self.tiles.items():
            self.expect(len(hashes) <= (place if at == index else 0), "tile_altered", f"tile {at} is too long")
        expected, level, below = {}, 0, self.leaves
        while len(below) >= TILE_WIDTH:
            full = range(0, len(below) - TILE_WIDTH + 1, TILE_WIDTH)
            below = [merkle.root(below[at:at + TILE_WIDTH]) for at in full]
            level += 1
            for at in range(0, len(below), TILE_WIDTH):
                expected[level, at // TILE_WIDTH] = below[at:at + TILE_WIDTH]
        for place in expected.keys() | self.upper.keys():
            self.expect(expected.get(place) == self.upper.get(place), "tile_altered", f"tile {place}")

    # Histories

    def sign(self, origin, node, seq, head):
        """Takes note of a signed hash. Says whether it can still be held against its op."""
        if seq > origin.last:
            other = origin.signed.setdefault(seq, head)
            return self.expect(other == head, "history_forked", f"op {seq} of {node.hex()}") or True
        if seq == origin.last:
            self.expect(origin.head == head, "op_altered", f"op {seq} of {node.hex()} is not the signed one")
            return True
        return False

    def segment(self, reader):
        node, first, count, before, head = (
            reader.long(), reader.u64(), reader.u64(), reader.long(), reader.long())
        deps, sealed_at, signature = reader.long(), reader.u64(), reader.long()
        reader.finish()
        self.counts["segments"] += 1
        lengths = [len(it) for it in (node, before, head, signature)] == [32, 32, 32, 64]
        if not self.expect(lengths and first >= 1 and 1 <= count <= MAX_SEGMENT_OPS and first + count - 1 < 2**64,
                           "segment_signature_wrong", "a field cannot be"):
            return
        origin = self.origin(node)
        if not self.expect(origin is not None, "segment_extra", f"{node.hex()} is no member"):
            return
        try:
            claim = segment_claim(self.chain_id, node, first, count, before, head, read_deps(deps), sealed_at)
        except Malformed as error:
            self.find("segment_signature_wrong", str(error))
            return
        key, last = self.key(node), first + count - 1
        holds = key is not None and signatures.verify(key, claim, signature)
        if not self.expect(holds, "segment_signature_wrong", f"ops {first} to {last} of {node.hex()}"):
            return
        kind = "segment_missing" if first > origin.covered else "segment_extra"
        self.expect(first == origin.covered + 1, kind, f"op {first} of {node.hex()} follows {origin.covered}")
        origin.covered = max(origin.covered, last)
        self.sign(origin, node, first - 1, before)
        self.expect(self.sign(origin, node, last, head), "segment_missing", "it came after its ops")

    def op(self, reader):
        node, seq, hlc, kind = reader.long(), reader.u64(), reader.u64(), reader.u8()
        schema_hash, stored, count = reader.long(), reader.long(), reader.u16()
        if count > MAX_PARTS + 1:
            raise Malformed("too many parts")
        parts = [(reader.long(), reader.long()) for _ in range(count)]
        reader.finish()
        self.counts["ops"] += 1
        self.remaining_ops -= 1
        if self.open is not None:
            self.enter_header()
        self.counts["tail_ops"] += self.in_tail
        origin = self.origin(node)
        if not self.expect(origin is not None, "op_extra", f"{node.hex()} is no member"):
            return
        if seq != origin.last + 1:
            self.find("op_extra" if seq <= origin.last else "op_missing", f"op {seq} of {node.hex()}")
            raise Hopeless
        if not self.in_tail:
            due = self.due.pop() if self.due else None
            if not self.expect(due == (node, seq), "op_reordered", f"op {seq} of {node.hex()}"):
                raise Hopeless
        right = 1 <= count <= MAX_PARTS and len(schema_hash) == 32
        right = right and all(len(salt) == 32 or is_closed(salt, payload) for salt, payload in parts)
        if not self.expect(right, "payload_altered", f"op {seq} of {node.hex()}"):
            raise Hopeless
        commitments = tuple(
            payload if is_closed(salt, payload) else part_commitment(salt, payload) for salt, payload in parts
        )
        op = Op(node, seq, hlc, kind, schema_hash, commitments)
        before, this = origin.head, op.hash(self.chain_id, origin.head)
        self.expect(this == stored, "payload_altered", f"op {seq} of {node.hex()}")
        self.expect(origin.signed.pop(seq, this) == this, "op_altered", f"op {seq} of {node.hex()}")
        origin.last, origin.head = seq, this
        if not self.in_tail:
            self.push(merkle.leaf_hash(op.leaf(self.chain_id, self.edge.size, before, this)))
        if any(is_closed(salt, payload) for salt, payload in parts):
            self.note_closed(node, seq, kind)
        elif kind == VALIDATOR_SET:
            self.note_change(hlc, node, seq, parts[0][1])
        elif kind == PRUNE and count == 1:
            self.note_prune(parts[0][1])

    def note_change(self, hlc, node, seq, payload):
        try:
            self.changes.append((hlc, node, seq, Change.read(payload)))
        except Malformed:
            # Every node refuses it alike: it changes nothing.
            pass

    def note_closed(self, node, seq, kind):
        if not self.expect(kind == DELTA, "payload_missing", f"op {seq} of {node.hex()}"):
            return
        # What is in no block was pruned by nobody.
        height = self.open.height if self.open is not None else 2**64
        if not self.withheld and height > self.pruned:
            self.closed.append((height, node, seq))

    def note_prune(self, payload):
        try:
            height = read_prune(payload)
        except Malformed:
            return
        self.pruned = max(self.pruned, min(height, self.last.height))
        self.closed = [it for it in self.closed if it[0] > self.pruned]

    # The end

    def stop(self, reader):
        reader.finish()
        self.stopped = True

    def tail(self, reader):
        reader.finish()
        self.close_block()
        self.in_tail = True

    def take_vector(self, reader):
        node, seq, head = reader.long(), reader.u64(), reader.long()
        reader.finish()
        if self.expect(len(node) == 32 and node not in self.vector, "vector_altered", "no id, or there twice"):
            self.vector[node] = seq, head

    def finish(self):
        self.close_block()
        for _, node, seq in self.closed:
            self.find("payload_missing", f"op {seq} of {node.hex()}")
        if self.stopped:
            return
        for node, origin in self.origins.items():
            kind = "op_missing" if origin.covered > origin.last else "op_extra"
            self.expect(origin.covered == origin.last, kind, f"segments of {node.hex()} end at {origin.covered}")
        self.carry_out_changes()
        self.check_vector()
        self.check_members()
        self.check_tiles()

    def check_vector(self):
        if not self.vector:
            return
        for node, (seq, head) in self.vector.items():
            origin = self.origins.get(node)
            right = seq == 0 if origin is None else (seq, head) == (origin.last, origin.head)
            self.expect(right, "vector_altered", node.hex())
        for node, origin in self.origins.items():
            self.expect(origin.last == 0 or node in self.vector, "vector_altered", f"{node.hex()} is not there")

    def check_members(self):
        for node, record in self.records.items():
            self.expect(self.membership.ever(node) == record, "membership_altered", node.hex())
        for node in self.membership.present:
            self.expect(node in self.records, "membership_altered", f"{node.hex()} is not there")

    def check_pins(self, pins):
        self.expect(pins.chain_id in (None, self.chain_id), "genesis_altered", "it is another chain")
        if pins.keys:
            signed = self.certificate is not None and self.certificate[0].is_signed_by(pins.keys, self.certificate[1])
            self.expect(signed, "certificate_wrong", "no quorum of pinned validators signed the last block")


def is_closed(salt, payload):
    """Whether a part is only its commitment."""
    return salt == b"" and len(payload) == 32


class Hopeless(Exception):
    """What was found leaves nothing to hold what follows against."""


def check_order(tags):
    """What follows the members: one tail or one stop, vectors only behind a tail, nothing behind a
    stop."""
    ends = [at for at, tag in enumerate(tags) if tag in (TAIL, STOP)]
    if len(ends) != 1 or {CHAIN, MEMBER, WITHHELD} & set(tags):
        raise Malformed("a frame stands where none of its kind can be")
    (end,) = ends
    if VECTOR in tags[:end] or (tags[end] == STOP and end != len(tags) - 1):
        raise Malformed("a frame stands where none of its kind can be")


def verify(data, pins):
    """The findings, and a summary by the names that bcrdt gives it. Malformed if it is no bundle."""
    read = list(frames(data))
    if not read or read[0][0] != CHAIN:
        raise Malformed("a bundle starts with its chain")
    reader = Reader(read[0][1])
    chain_id, genesis = reader.take(32), reader.rest()
    at, members = 1, []
    withheld = len(read) > 1 and read[1][0] == WITHHELD
    if withheld:
        Reader(read[1][1]).finish()
        at = 2
    while at < len(read) and read[at][0] == MEMBER:
        members.append(Member.read(read[at][1]))
        at += 1
    check_order([tag for tag, _ in read[at:]])
    chain = Chain(chain_id, sum(tag == OP for tag, _ in read))
    chain.withheld = withheld
    try:
        chain.begin(genesis, members)
        for tag, body in read[at:]:
            chain.feed(tag, body)
        chain.finish()
    except Hopeless:
        pass
    chain.check_pins(pins)
    return chain.findings, {
        "chain_id": chain_id.hex(),
        "height": None if chain.findings else chain.last.height,
        "header_hash": None if chain.findings else chain.last.hash().hex(),
        "tree_size": chain.edge.size,
        "ops": chain.counts["ops"],
        "tail_ops": chain.counts["tail_ops"],
        "segments": chain.counts["segments"],
    }
