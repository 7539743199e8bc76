"""Proofs of ops."""

from .blocks import MAX_NODES, Certificate, Header, validator_set_hash
from .codec import H
from .errors import Finding, Unreadable
from .jsontext import Json
from .members import Genesis
from .merkle import included, root_of
from .ops import KINDS, MAX_PARTS, leaf_hash, op_hash, part_commitment

MAX_TEXT = 80 << 20


def read(raw):
    j = Json(raw, MAX_TEXT)

    def part():
        return j.object({"salt": j.b32, "payload": j.hex}, {"commitment": j.b32})

    def op():
        return j.object({
            "origin": j.b32, "seq": j.number, "hlc": j.number, "kind": j.string, "schema_hash": j.b32,
            "parts": lambda: j.list(part), "prev_op_hash": j.b32,
        })

    def header():
        return j.object({
            "height": j.number, "epoch": j.number, "first_leaf": j.number, "tree_size": j.number,
            "time_ms": j.number, "prev_header": j.b32, "log_root": j.b32, "validator_set_hash": j.b32,
            "state_root": j.b32, "proposer": j.b32,
        })

    def signature():
        return j.object({"node": j.b32, "signature": j.b64})

    def certificate():
        return j.object({"round": lambda: j.number(2**32 - 1), "signatures": lambda: j.list(signature)})

    def validator():
        return j.object({"node": j.b32, "key": j.b32, "weight": j.number})

    proof = j.object({
        "format": j.format, "chain_id": j.b32, "genesis": j.hex, "op": op, "leaf_index": j.number,
        "inclusion": lambda: j.list(j.b32), "header": header, "certificate": certificate,
        "validators": lambda: j.list(validator),
    })
    j.done()
    return proof


def genesis_of(proof, chain_id):
    if H(proof["genesis"]) != proof["chain_id"]:
        raise Finding("the genesis does not hash to the chain id")
    if chain_id is not None and proof["chain_id"] != chain_id:
        raise Finding("another chain than the one that is pinned")
    try:
        return Genesis.decode(proof["genesis"])
    except Unreadable as error:
        raise Finding(f"genesis: {error}") from None


def commitment_of(part):
    return part["commitment"] if "commitment" in part else part_commitment(part["salt"], part["payload"])


def op_of(proof):
    """The hash of the op, which is in the log of the header."""
    chain, op, header, index = proof["chain_id"], proof["op"], proof["header"], proof["leaf_index"]
    kind, count = KINDS.get(op["kind"]), len(op["parts"])
    if kind is None:
        raise Finding("the kind is not valid")
    if not 1 <= count <= MAX_PARTS:
        raise Finding(f"an op of {count} parts")
    root = root_of([H(b"\0", commitment_of(part)) for part in op["parts"]])
    fields = op["origin"], op["seq"], op["hlc"]
    this = op_hash(chain, *fields, kind, op["schema_hash"], count, root, op["prev_op_hash"])
    leaf = leaf_hash(chain, index, kind, *fields, op["schema_hash"], count, root, op["prev_op_hash"], this)
    if not included(leaf, index, header["tree_size"], proof["inclusion"], header["log_root"]):
        raise Finding(f"op {op['seq']} is not leaf {index} of the log of block {header['height']}")
    return this


def signed_header(proof, genesis, pinned):
    """The hash of the header, which validators signed that are to be trusted."""
    chain, header = proof["chain_id"], proof["header"]
    validators = [(it["node"], it["key"], it["weight"]) for it in proof["validators"]]
    nodes = [node for node, _, _ in validators]
    if len(nodes) > MAX_NODES or any(a >= b for a, b in zip(nodes, nodes[1:])):
        raise Finding("the validators do not ascend or are too many")
    if validator_set_hash(chain, validators) != header["validator_set_hash"]:
        raise Finding("the validators are not those of the header")
    this = Header(
        chain, header["height"], header["epoch"], header["prev_header"], header["first_leaf"],
        header["tree_size"], header["log_root"], header["validator_set_hash"], header["state_root"],
        header["time_ms"], header["proposer"],
    ).hash()
    signatures = [(it["node"], it["signature"]) for it in proof["certificate"]["signatures"]]
    certificate = Certificate(header["height"], proof["certificate"]["round"], this, signatures)
    fault = certificate.fault(chain, validators)
    if fault:
        raise Finding(f"certificate: {fault}")
    if pinned:
        if not certificate.pinned_quorum(validators, pinned):
            raise Finding("the pinned keys among the signers are no quorum")
    elif validators != [genesis.founder.entry()]:
        raise Finding("the validators are not the founder: pin their keys")
    return this


def verify(raw, chain_id=None, pinned=()):
    """What is told of a proof that holds."""
    proof = read(raw)
    genesis = genesis_of(proof, chain_id)
    op, header = proof["op"], proof["header"]
    op_hash_found = op_of(proof)
    header_hash = signed_header(proof, genesis, frozenset(pinned))
    return {
        "chain_id": proof["chain_id"].hex(),
        "kind": op["kind"],
        "origin": op["origin"].hex(),
        "seq": op["seq"],
        "hlc": op["hlc"],
        "op_hash": op_hash_found.hex(),
        "closed_parts": sum("commitment" in part for part in op["parts"]),
        "leaf_index": proof["leaf_index"],
        "tree_size": header["tree_size"],
        "height": header["height"],
        "header_hash": header_hash.hex(),
        "time_ms": header["time_ms"],
    }
