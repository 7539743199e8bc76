"""Cuts, headers, votes, certificates and validator sets."""

from typing import NamedTuple

from . import merkle, signatures
from .reading import Malformed, Reader, digest, label, u32, u64, u8
from .records import HEADER, MAX_MEMBERS, ZEROS, leaf

PRECOMMIT = 2


def ascend(nodes):
    return all(a < b for a, b in zip(nodes, nodes[1:]))


def read_nodes(reader, read_value):
    """A count, then so many node ids, ascending, each with its value."""
    count = reader.u32()
    if count > MAX_MEMBERS:
        raise Malformed("too many nodes")
    entries = [(reader.take(32), read_value(reader)) for _ in range(count)]
    if not ascend([node for node, _ in entries]):
        raise Malformed("nodes do not ascend")
    return dict(entries)


def read_seq(reader):
    seq = reader.u64()
    if seq == 0:
        raise Malformed("there is no op 0")
    return seq


def read_cut(data):
    """Node → (seq, op hash) of a versioned cut."""
    reader = Reader(data)
    reader.version()
    cut = read_nodes(reader, lambda it: (read_seq(it), it.take(32)))
    reader.finish()
    return cut


def cut_hash(chain_id, cut):
    entries = b"".join(node + u64(seq) + head for node, (seq, head) in sorted(cut.items()))
    return digest(label("bcrdt/cut/v1"), chain_id, u32(len(cut)), entries)


def read_deps(data):
    """Node → seq of versioned dependencies."""
    reader = Reader(data)
    reader.version()
    deps = read_nodes(reader, read_seq)
    reader.finish()
    return deps


def deps_hash(chain_id, deps):
    entries = b"".join(node + u64(seq) for node, seq in sorted(deps.items()))
    return digest(label("bcrdt/deps/v1"), chain_id, u32(len(deps)), entries)


def segment_claim(chain_id, origin, first, count, before, head, deps, sealed_at):
    return b"".join((
        label("bcrdt/segment/v1"), chain_id, origin, u64(first), u32(count), before, head,
        deps_hash(chain_id, deps), u64(sealed_at),
    ))


class Header(NamedTuple):
    """A block header."""

    chain_id: bytes
    height: int
    epoch: int
    before: bytes
    first_leaf: int
    tree_size: int
    log_root: bytes
    validator_set_hash: bytes
    state_root: bytes
    time: int
    proposer: bytes

    @classmethod
    def read(cls, data):
        reader = Reader(data)
        reader.label("bcrdt/block/v1")
        header = cls(
            reader.take(32), reader.u64(), reader.u64(), reader.take(32), reader.u64(), reader.u64(),
            reader.take(32), reader.take(32), reader.take(32), reader.u64(), reader.take(32),
        )
        reader.finish()
        return header

    @classmethod
    def of_genesis(cls, genesis):
        chain_id, founder = genesis.chain_id, genesis.founder
        return cls(
            chain_id, 0, 0, ZEROS, 0, 0, merkle.EMPTY_ROOT, validators_hash(chain_id, validators_of([founder])),
            cut_hash(chain_id, {}), genesis.time, founder.node_id,
        )

    def hash(self):
        return digest(
            label("bcrdt/block/v1"), self.chain_id, u64(self.height), u64(self.epoch), self.before,
            u64(self.first_leaf), u64(self.tree_size), self.log_root, self.validator_set_hash, self.state_root,
            u64(self.time), self.proposer,
        )

    def leaf(self, index):
        this = self.hash()
        hlc = self.time * 65536 % 2**64
        return leaf(
            self.chain_id, index, HEADER, self.proposer, self.height, hlc, ZEROS, 1, this, self.before, this,
        )


def validators_of(members):
    """Node → (key, weight) of those who vote."""
    return {m.node_id: (m.signing_key, m.weight) for m in members if m.votes}


def validators_hash(chain_id, validators):
    entries = b"".join(node + key + u64(weight) for node, (key, weight) in sorted(validators.items()))
    return digest(label("bcrdt/validators/v1"), chain_id, u32(len(validators)), entries)


def is_quorum(weight, validators):
    return 3 * weight > 2 * sum(weight for _, weight in validators.values())


class Certificate(NamedTuple):
    """What a quorum signed: signatures is a list of (node, signature)."""

    height: int
    round: int
    header_hash: bytes
    signatures: list

    @classmethod
    def read(cls, data):
        reader = Reader(data)
        reader.version()
        height, round_, header_hash, count = reader.u64(), reader.u32(), reader.take(32), reader.u32()
        if count > MAX_MEMBERS:
            raise Malformed("too many signatures")
        signed = [(reader.take(32), reader.take(64)) for _ in range(count)]
        reader.finish()
        return cls(height, round_, header_hash, signed)

    def fault(self, chain_id, validators):
        """Why it does not hold for these validators; None if it does."""
        nodes = [node for node, _ in self.signatures]
        if self.header_hash == ZEROS:
            return "it is a certificate for nothing"
        if not ascend(nodes) or len(nodes) > MAX_MEMBERS:
            return "the signers do not ascend"
        if any(node not in validators for node in nodes):
            return "a signer is no validator"
        if not is_quorum(sum(validators[node][1] for node in nodes), validators):
            return "the signers are no quorum"
        vote = b"".join((
            label("bcrdt/vote/v1"), chain_id, u64(self.height), u32(self.round), u8(PRECOMMIT), self.header_hash,
        ))
        for node, signature in self.signatures:
            if not signatures.verify(validators[node][0], vote, signature):
                return f"the signature of {node.hex()} does not hold"
        return None

    def is_signed_by(self, keys, validators):
        """Whether the signers with one of these keys are a quorum by themselves."""
        trusted = [validators[node] for node, _ in self.signatures if node in validators]
        return is_quorum(sum(weight for key, weight in trusted if key in keys), validators)
