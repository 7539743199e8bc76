"""python -m verifier proof|bundle|checkpoint FILE. Exit status as bcrdt's: 0 it holds, 1 it does
not, 2 the command line or the file cannot be read."""

import argparse
import json
import sys
from typing import NamedTuple, Optional

from . import bundle, checkpoint, proof, signatures
from .reading import Malformed


class Pins(NamedTuple):
    """What the auditor knows from elsewhere."""

    chain_id: Optional[bytes]
    keys: frozenset


def b32(text):
    data = bytes.fromhex(text)
    if len(data) != 32:
        raise ValueError
    return data


def public_key(text):
    key = b32(text)
    if not signatures.is_key(key):
        raise ValueError
    return key


def arguments(words):
    parser = argparse.ArgumentParser(prog="verifier", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("proof", "bundle"):
        command = commands.add_parser(name)
        command.add_argument("file")
        command.add_argument("--chain-id", type=b32)
        command.add_argument("--validator-key", type=public_key, action="append", default=[])
    command = commands.add_parser("checkpoint")
    command.add_argument("file")
    command.add_argument("--key", required=True)
    command.add_argument("--witness", action="append", default=[])
    return parser.parse_args(words)


def run(asked, data):
    """What is told, and whether everything holds."""
    if asked.command == "checkpoint":
        note = checkpoint.Note.read(data)
        missing = [text for text in [asked.key, *asked.witness] if not note.is_signed_by(checkpoint.Key.read(text))]
        told = {"origin": note.origin, "size": note.size, "root": note.root.hex(), "not_signed_by": missing}
        return told, not missing
    pins = Pins(asked.chain_id, frozenset(asked.validator_key))
    if asked.command == "proof":
        read = proof.read(data)
        try:
            return proof.verify(read, pins), True
        except proof.NotProved as error:
            return {"error": str(error)}, False
    findings, told = bundle.verify(data, pins)
    told["findings"] = [{"kind": kind, "detail": detail} for kind, detail in findings]
    return told, not findings


def main(words):
    asked = arguments(words)
    try:
        if asked.file == "-":
            data = sys.stdin.buffer.read()
        else:
            with open(asked.file, "rb") as file:
                data = file.read()
        told, holds = run(asked, data)
    except (OSError, Malformed) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps({"verified": holds, **told}, indent=2))
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
