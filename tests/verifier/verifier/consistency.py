"""That a later checkpoint continues an earlier one."""

from typing import NamedTuple

from .errors import BadFormat, Finding
from .jsontext import Json
from .merkle import consistency_length, consistent

MAX_TEXT = 32 << 10


class Proof(NamedTuple):
    old_size: int
    tree_size: int
    path: list

    @classmethod
    def read(cls, raw):
        j = Json(raw, MAX_TEXT)
        found = j.object({
            "format": j.format, "proof": j.string, "old_size": j.number, "tree_size": j.number,
            "path": lambda: j.list(j.b32),
        })
        j.done()
        if found["proof"] != "consistency":
            raise BadFormat("not a proof of consistency")
        proof = cls(found["old_size"], found["tree_size"], found["path"])
        if consistency_length(proof.old_size, proof.tree_size) != len(proof.path):
            raise BadFormat("a path of another length than its sizes lead to")
        return proof


def verify(old, new, proof):
    """What is told of two checkpoints, the later of which continues the earlier. Signatures are not looked at."""
    told = {"log": new.origin, "old_size": old.size, "size": new.size}
    if old.origin != new.origin:
        raise Finding("two logs")
    if old.size > new.size:
        raise Finding(f"the new checkpoint has {new.size} leaves, the old one {old.size}")
    if old.size == new.size:
        if old.root != new.root:
            raise Finding("a fork: one size, two roots")
        return told
    if proof is None:
        raise BadFormat("the checkpoints have different sizes: a proof is needed")
    if (proof.old_size, proof.tree_size) != (old.size, new.size):
        raise Finding(f"the proof is between the sizes {proof.old_size} and {proof.tree_size}")
    if not consistent(old.size, old.root, new.size, new.root, proof.path):
        raise Finding("the new log does not continue the old one")
    return told
