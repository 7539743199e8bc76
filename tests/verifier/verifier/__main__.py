"""python -m verifier proof|bundle|checkpoint FILE, or consistency. Exit status as bcrdt's: 0 it holds, 1 it does
not, 2 the command line or the file cannot be read."""

import argparse
import json
import sys
from typing import NamedTuple, Optional

from . import bundle, checkpoint, consistency, proof, signatures
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
    command.add_argument("--key", action="append", required=True)
    command.add_argument("--witness", action="append", default=[])
    command = commands.add_parser("consistency")
    command.add_argument("--old", required=True)
    command.add_argument("--new", required=True)
    command.add_argument("--proof")
    return parser.parse_args(words)


def content(name):
    if name == "-":
        return sys.stdin.buffer.read()
    with open(name, "rb") as file:
        return file.read()


def run(asked):
    """What is told, and whether everything holds."""
    if asked.command == "consistency":
        old, new = (checkpoint.Note.read(content(name)) for name in (asked.old, asked.new))
        path = consistency.read(content(asked.proof)) if asked.proof else None
        fault = consistency.fault(old, new, path)
        return {"error": fault}, fault is None
    data = content(asked.file)
    if asked.command == "checkpoint":
        keys = checkpoint.read_keys(asked.key, checkpoint.LOG)
        witnesses = checkpoint.read_keys(asked.witness, checkpoint.WITNESS)
        note = checkpoint.Note.read(data)
        told = {"origin": note.origin, "size": note.size, "root": note.root.hex()}
        try:
            note.demand(keys, witnesses)
        except checkpoint.NotSigned as error:
            return {**told, "error": str(error)}, False
        return told, True
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
        told, holds = run(asked)
    except (OSError, Malformed) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps({"verified": holds, **told}, indent=2))
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
