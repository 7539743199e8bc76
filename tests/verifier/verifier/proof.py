"""The proof of one op: JSON, format 1."""

from . import jsontext, merkle
from .blocks import Certificate, Header, ascend, validators_hash, validators_of
from .jsontext import b32, fixed, hexadecimal, list_of, number, take, text
from .reading import Malformed, digest
from .records import KINDS, MAX_MEMBERS, MAX_PARTS, Genesis, Op, part_commitment

MAX_BYTES = 80 << 20


class NotProved(Exception):
    """The proof does not hold."""


def demand(holds, otherwise):
    if not holds:
        raise NotProved(otherwise)


def read(data):
    """The proof with its byte strings as bytes; exactly the members that belong there."""
    return take(jsontext.read(data, MAX_BYTES), {
        "format": number, "chain_id": b32, "genesis": hexadecimal, "op": read_op, "leaf_index": number,
        "inclusion": list_of(b32), "header": read_header, "certificate": read_certificate,
        "validators": list_of(read_validator),
    })


def read_op(found):
    return take(found, {
        "origin": b32, "seq": number, "hlc": number, "kind": text, "schema_hash": b32,
        "parts": list_of(read_part), "prev_op_hash": b32,
    })


def read_part(found):
    """The commitment, and whether the part is shown."""
    if isinstance(found, dict) and "commitment" in found:
        return take(found, {"commitment": b32})["commitment"], False
    part = take(found, {"salt": b32, "payload": hexadecimal})
    return part_commitment(part["salt"], part["payload"]), True


def read_header(found):
    return take(found, {
        "height": number, "epoch": number, "prev_header": b32, "first_leaf": number, "tree_size": number,
        "log_root": b32, "validator_set_hash": b32, "state_root": b32, "time_ms": number, "proposer": b32,
    })


def read_certificate(found):
    certificate = take(found, {
        "round": number,
        "signatures": list_of(lambda it: take(it, {"node": b32, "signature": fixed(64)})),
    })
    if certificate["round"] >= 2**32:
        raise Malformed("there is no such round")
    return certificate


def read_validator(found):
    return take(found, {"node": b32, "key": b32, "weight": number})


def verify(proof, pins):
    """What the proof shows, by the names that bcrdt gives it; NotProved if it does not hold."""
    demand(digest(proof["genesis"]) == proof["chain_id"], "the chain id is not that of the genesis")
    chain_id = proof["chain_id"]
    demand(pins.chain_id in (None, chain_id), "it is another chain than the pinned one")
    try:
        genesis = Genesis.read(proof["genesis"])
    except Malformed as error:
        raise NotProved(f"the genesis: {error}") from error

    told = proof["op"]
    demand(told["kind"] in KINDS, "there is no such kind of op")
    demand(1 <= len(told["parts"]) <= MAX_PARTS, "an op has 1 to 64 parts")
    commitments = tuple(commitment for commitment, _ in told["parts"])
    op = Op(told["origin"], told["seq"], told["hlc"], KINDS[told["kind"]], told["schema_hash"], commitments)
    this = op.hash(chain_id, told["prev_op_hash"])
    leaf = merkle.leaf_hash(op.leaf(chain_id, proof["leaf_index"], told["prev_op_hash"], this))

    fields = proof["header"]
    header = Header(
        chain_id, fields["height"], fields["epoch"], fields["prev_header"], fields["first_leaf"],
        fields["tree_size"], fields["log_root"], fields["validator_set_hash"], fields["state_root"],
        fields["time_ms"], fields["proposer"],
    )
    included = merkle.is_included(leaf, proof["leaf_index"], header.tree_size, proof["inclusion"], header.log_root)
    demand(included, "the op is not in the log that the header names")

    listed = proof["validators"]
    demand(len(listed) <= MAX_MEMBERS and ascend([it["node"] for it in listed]), "the validators do not ascend")
    validators = {it["node"]: (it["key"], it["weight"]) for it in listed}
    named = validators_hash(chain_id, validators) == header.validator_set_hash
    demand(named, "the validators are not those that the header names")
    signed = [(it["node"], it["signature"]) for it in proof["certificate"]["signatures"]]
    certificate = Certificate(header.height, proof["certificate"]["round"], header.hash(), signed)
    fault = certificate.fault(chain_id, validators)
    demand(fault is None, f"the certificate: {fault}")
    if pins.keys:
        trusted = certificate.is_signed_by(pins.keys, validators)
    else:
        trusted = validators == validators_of([genesis.founder])
    demand(trusted, "those who signed are neither pinned nor those of the genesis")
    return {
        "chain_id": chain_id.hex(),
        "origin": op.origin.hex(),
        "seq": op.seq,
        "hlc": op.hlc,
        "kind": told["kind"],
        "op_hash": this.hex(),
        "closed_parts": sum(not is_open for _, is_open in told["parts"]),
        "leaf_index": proof["leaf_index"],
        "tree_size": header.tree_size,
        "height": header.height,
        "header_hash": header.hash().hex(),
        "time_ms": header.time,
    }
