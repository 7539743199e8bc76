"""Verifies a bundle: reads its frames in order and believes none of the hashes that are stored."""

from collections import deque

from . import ed25519, ops
from .blocks import MAX_NODES, Certificate, Cut, Header, validator_set_hash
from .codec import H, MAX64, ZEROS
from .errors import Finding, Unreadable
from .frames import BLOCK, CHAIN, MEMBER, OP, SEGMENT, STOP, TAIL, TILE, VECTOR, WITHHELD, frames
from .history import History
from .log import Log
from .members import Change, Genesis
from .membership import Membership
from .merkle import root_of


def decoded(kind, where, decode, raw):
    try:
        return decode(raw)
    except Unreadable as error:
        raise Finding(f"{kind}: {where}: {error}") from None


class Verifier:
    """Takes the frames; `end` says what is told of a chain that holds."""

    def __init__(self, chain_id=None, pinned=()):
        self.pinned_chain = chain_id
        self.pinned = frozenset(pinned)
        self.stored = {}  # node -> member, of the member frames
        self.histories = {}
        self.log = Log()
        self.height = 0  # of the block that is read, or of the last one
        self.in_block = False
        self.after = None  # tail or stop
        self.cut = {}  # node -> seq, of the last block
        self.plan = deque()  # (node, last seq) of the origins whose ops are to come in the block
        self.previous = None  # the header before, whose leaf is to come
        self.decided = None  # (certificate, validators) of the last block
        self.changes = []
        self.vectors = {}
        self.withheld = False
        self.closed_to, self.closed_where = 0, ""  # the last block with a closed part
        self.pruned_to = 0
        self.ops = self.tail_ops = self.closed_ops = self.segments = 0
        self.takes = {
            CHAIN: self.take_chain, WITHHELD: self.take_withheld, MEMBER: self.take_member,
            BLOCK: self.take_block, TILE: self.log.tile, SEGMENT: self.take_segment, OP: self.take_op,
            VECTOR: self.take_vector, TAIL: self.take_tail, STOP: self.take_stop,
        }

    def take(self, tag, fields):
        self.takes[tag](*fields)

    # Chain and members

    def take_chain(self, chain, genesis):
        if H(genesis) != chain:
            raise Finding("genesis_altered: the genesis does not hash to the chain id")
        found = decoded("genesis_altered", "the genesis", Genesis.decode, genesis)
        if self.pinned_chain not in (None, chain):
            raise Finding("genesis_altered: another chain than the one that is pinned")
        self.chain = chain
        self.membership = Membership(found.founder)
        self.header, self.header_hash = found.header, found.header.hash()
        self.validators = self.next_validators = self.membership.validators()

    def take_withheld(self):
        self.withheld = True

    def take_member(self, member):
        fault = member.fault()
        if fault:
            raise Finding(f"membership_altered: member frame: {fault}")
        if member.node in self.stored:
            raise Finding("membership_altered: a node is there twice")
        self.stored[member.node] = member

    def known(self, node):
        """The record of who is a member or was one; None of anybody else."""
        return self.stored.get(node) or self.membership.ever(node)

    def history(self, node):
        if node not in self.histories:
            self.histories[node] = History(node)
        return self.histories[node]

    # Blocks

    def take_block(self, height, raw_header, raw_cut, raw_certificate):
        where = f"block {height}"
        if self.after:
            raise Finding(f"block_extra: {where} behind the tail")
        self.end_block()
        if height != self.height + 1:
            kind = "block_missing" if height > self.height else "block_extra"
            raise Finding(f"{kind}: {where} follows {self.height}")
        cut = decoded("cut_altered", where, Cut.decode, raw_cut)
        new = {node: seq for node, seq, _ in cut.entries}
        if any(new.get(node, 0) < seq for node, seq in self.cut.items()):
            raise Finding(f"cut_altered: {where}: an origin of the cut before is gone or smaller")
        header = decoded("header_altered", where, Header.decode, raw_header)
        if cut.hash(self.chain) != header.state:
            raise Finding(f"cut_altered: {where}: not the state root of the header")
        fault = self.header_fault(height, header, sum(new.values()) - sum(self.cut.values()))
        if fault:
            raise Finding(f"header_altered: {where}: {fault}")
        certificate = decoded("certificate_wrong", where, Certificate.decode, raw_certificate)
        header_hash = H(raw_header)
        if (certificate.height, certificate.header_hash) != (height, header_hash):
            raise Finding(f"certificate_wrong: {where}: it is for another header")
        fault = certificate.fault(self.chain, self.validators)
        if fault:
            raise Finding(f"certificate_wrong: {where}: {fault}")
        self.plan = deque((node, seq) for node, seq in new.items() if seq > self.cut.get(node, 0))
        self.previous = self.header
        self.height, self.in_block, self.cut = height, True, new
        self.header, self.header_hash = header, header_hash
        self.decided = certificate, self.validators
        for node, seq, signed in cut.entries:
            self.history(node).signed(seq, signed, where)

    def header_fault(self, height, header, new_ops):
        before = self.header
        rules = {
            "chain id": header.chain == self.chain,
            "height": header.height == height,
            "header before": header.before == self.header_hash,
            "first leaf": header.first_leaf == before.tree_size,
            "tree size": header.tree_size == header.first_leaf + 1 + new_ops,
            "time": header.time >= before.time,
            "epoch": header.epoch >= before.epoch,
            "validator set hash": header.validators == validator_set_hash(self.chain, self.validators),
            "proposer": any(header.proposer == node for node, _, _ in self.validators),
        }
        return next((name for name, holds in rules.items() if not holds), None)

    def end_block(self):
        if not self.in_block:
            return
        where = f"block {self.height}"
        self.enter_previous()
        if self.plan:
            node, _ = self.plan[0]
            raise Finding(f"op_missing: {where}: op {self.history(node).seq + 1} of {node.hex()}")
        if (self.log.size, self.log.root()) != (self.header.tree_size, self.header.log_root):
            raise Finding(f"log_root_wrong: {where}")
        self.membership.carry_out(self.changes)
        self.changes = []
        self.validators, self.next_validators = self.next_validators, self.membership.validators()
        self.in_block = False

    def enter_previous(self):
        """Enters the leaf of the header before: a block's first one, whose tile comes after the block frame."""
        if self.previous:
            leaf = ops.header_leaf_hash(self.chain, self.log.size, self.previous)
            self.previous = None
            self.log.leaf(leaf, f"block {self.height}")

    def take_tail(self):
        self.end_block()
        self.after = TAIL

    def take_stop(self):
        self.end_block()
        self.after = STOP

    # Segments and ops

    def take_segment(self, origin, first, count, before, head, depends, sealed, signature):
        self.segments += 1
        where = f"segment {first}+{count} of {origin[:32].hex()}"
        member = self.known(origin)
        if member is None:
            raise Finding(f"segment_extra: {where}: the origin is no member")
        kind, last = "segment_signature_wrong", first + count - 1
        if (len(before), len(head), len(signature)) != (32, 32, 64):
            raise Finding(f"{kind}: {where}: length of a field")
        if first < 1 or not 1 <= count <= ops.MAX_OPS or last > MAX64:
            raise Finding(f"{kind}: {where}: its numbers")
        nodes, depends = decoded(kind, f"{where}: dependencies", ops.dependencies, depends)
        if origin in nodes:
            raise Finding(f"{kind}: {where}: it depends on its own origin")
        claim = ops.segment_claim(self.chain, origin, first, count, before, head, depends, sealed)
        if not ed25519.verify(member.key, signature, claim):
            raise Finding(f"{kind}: {where}")
        self.history(origin).segment(first, last, before, head, where)

    def take_op(self, origin, seq, hlc, kind, schema, stored, parts):
        self.ops += 1
        self.tail_ops += self.after == TAIL
        self.enter_previous()
        where = f"op {seq} of {origin[:32].hex()}"
        if self.in_block:
            where = f"block {self.height}: leaf {self.log.size}: {where}"
        elif not self.after:
            raise Finding(f"op_extra: {where} before the first block")
        if self.known(origin) is None:
            raise Finding(f"op_extra: {where}: the origin is no member")
        history = self.history(origin)
        history.is_next(seq, where)
        if self.in_block and (not self.plan or self.plan[0][0] != origin):
            raise Finding(f"op_reordered: {where} is not the next of the cut")
        if len(schema) != 32:
            raise Finding(f"op_altered: {where}: length of the schema hash")
        root = root_of([H(b"\0", commitment) for commitment in self.commitments(parts, where)])
        before = history.hash
        this = ops.op_hash(self.chain, origin, seq, hlc, kind, schema, len(parts), root, before)
        if stored != this:
            raise Finding(f"op_altered: {where}: it does not hash to its op hash")
        history.op(this, where)
        if self.in_block:
            if seq == self.plan[0][1]:
                self.plan.popleft()
            leaf = (kind, origin, seq, hlc, schema, len(parts), root, before, this)
            self.log.leaf(ops.leaf_hash(self.chain, self.log.size, *leaf), where)
        if any(not salt for salt, _ in parts):
            self.take_closed(kind, where)
        if parts[0][0]:
            self.take_payload(kind, parts, (hlc, origin, seq))

    @staticmethod
    def commitments(parts, where):
        if not 1 <= len(parts) <= ops.MAX_PARTS:
            raise Finding(f"payload_altered: {where}: {len(parts)} parts")
        for salt, payload in parts:
            if len(salt) == 32:
                yield ops.part_commitment(salt, payload)
            elif not salt and len(payload) == 32:
                yield payload
            else:
                raise Finding(f"payload_altered: {where}: length of salt or commitment")

    def take_closed(self, kind, where):
        self.closed_ops += 1
        if kind != ops.DELTA:
            raise Finding(f"payload_missing: {where}: closed, and no row change")
        if self.withheld:
            return
        if not self.in_block:
            raise Finding(f"payload_missing: {where}")
        if self.height > self.closed_to:
            self.closed_to, self.closed_where = self.height, where

    def take_payload(self, kind, parts, place):
        """What cannot be read says nothing."""
        payload = parts[0][1]
        try:
            if kind == ops.MEMBERSHIP:
                self.changes.append((*place, Change.decode(payload)))
            elif kind == ops.PRUNE and len(parts) == 1:
                complete = self.height - self.in_block
                self.pruned_to = max(self.pruned_to, min(ops.pruned_height(payload), complete))
        except Unreadable:
            pass

    # The end

    def take_vector(self, origin, seq, head):
        where = f"vector_altered: the vector of {origin[:32].hex()}"
        if len(origin) != 32 or len(head) != 32:
            raise Finding(f"{where}: length of a field")
        if origin in self.vectors or len(self.vectors) >= MAX_NODES:
            raise Finding(f"{where}: it is there twice, or they are too many")
        self.vectors[origin] = seq, head

    def end(self):
        if self.after == TAIL:
            self.end_tail()
        self.log.end(whole=self.after == TAIL)
        if self.closed_to > self.pruned_to:
            raise Finding(f"payload_missing: {self.closed_where}")
        if self.pinned and not (self.decided and self.decided[0].pinned_quorum(self.decided[1], self.pinned)):
            raise Finding(f"certificate_wrong: block {self.height}: the pinned keys are no quorum of its signers")
        return {
            "chain_id": self.chain.hex(),
            "height": self.height,
            "header_hash": self.header_hash.hex(),
            "tree_size": self.log.size,
            "ops": self.ops,
            "tail_ops": self.tail_ops,
            "segments": self.segments,
            "closed_ops": self.closed_ops,
            "payloads_withheld": self.withheld,
        }

    def end_tail(self):
        for history in self.histories.values():
            history.end()
        if self.vectors:
            self.end_vectors()
        self.membership.carry_out(self.changes)
        for node, member in self.stored.items():
            if self.membership.ever(node) != member:
                raise Finding(f"membership_altered: the member frame of {node.hex()}")
        for node in self.membership.members:
            if node not in self.stored:
                raise Finding(f"membership_altered: no member frame of {node.hex()}")

    def end_vectors(self):
        """An origin without ops may stand there, with nothing seen of it."""
        ends = {node: (history.seq, history.hash) for node, history in self.histories.items()}
        for node, vector in self.vectors.items():
            if vector != ends.get(node, (0, ZEROS)):
                raise Finding(f"vector_altered: the vector of {node.hex()}")
        for node, (seq, _) in ends.items():
            if seq and node not in self.vectors:
                raise Finding(f"vector_altered: no vector of {node.hex()}")


def verify(file, chain_id=None, pinned=()):
    """What is told of a chain that holds. A file that is no bundle is none, whatever was found before."""
    verifier, finding = Verifier(chain_id, pinned), None
    for tag, fields in frames(file):
        if finding is None:
            try:
                verifier.take(tag, fields)
            except Finding as error:
                finding = error
    if finding is not None:
        raise finding
    return verifier.end()
