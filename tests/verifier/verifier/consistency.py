"""That a later checkpoint continues an earlier one."""

from . import jsontext, merkle
from .jsontext import b32, list_of, number, take, text
from .reading import Malformed

MAX_BYTES = 32 << 10


def read(data):
    """(old size, size, path) of a consistency proof as JSON."""
    proof = take(jsontext.read(data, MAX_BYTES), {
        "format": number, "proof": text, "old_size": number, "tree_size": number, "path": list_of(b32),
    })
    length = merkle.consistency_length(proof["old_size"], proof["tree_size"])
    if proof["proof"] != "consistency" or len(proof["path"]) != length:
        raise Malformed("this is no consistency proof")
    return proof["old_size"], proof["tree_size"], proof["path"]


def fault(old, new, proof):
    """Why the note `new` does not continue `old`; None if it does. The proof may be None if both are
    of one size."""
    if old.origin != new.origin:
        return "the checkpoints are of different logs"
    if new.size < old.size:
        return "the log has shrunk"
    if new.size == old.size:
        return None if new.root == old.root else "the log was forked: one size, two roots"
    if proof is None:
        raise Malformed("the checkpoints have different sizes: a proof is needed")
    old_size, size, path = proof
    if (old_size, size) != (old.size, new.size):
        return "the proof is between other sizes"
    if not merkle.is_consistent(old_size, size, path, old.root, new.root):
        return "the proof does not hold"
    return None
