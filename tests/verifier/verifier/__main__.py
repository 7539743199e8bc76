"""python -m verifier bundle|proof|checkpoint FILE, or consistency. The exit status is 0 if it holds, 1 if it does
not, 2 if the command line or the file cannot be read. What holds is told by a line for each fact."""

import argparse
import contextlib
import re
import sys

from . import bundle, consistency, ed25519, proof
from .checkpoint import LOG, MAX_NOTE, WITNESS, Checkpoint, Key
from .checkpoint import verify as verify_checkpoint
from .errors import BadFormat, Finding

HEX32 = re.compile(r"[0-9a-fA-F]{64}")


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise BadFormat(message)


def b32(text):
    if not HEX32.fullmatch(text):
        raise BadFormat("not 32 bytes in hexadecimal")
    return bytes.fromhex(text)


def public_key(text):
    key = b32(text)
    if not ed25519.is_public_key(key):
        raise BadFormat("not a public key")
    return key


def arguments(words):
    parser = Parser(prog="verifier", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("bundle", "proof"):
        command = commands.add_parser(name, allow_abbrev=False)
        command.add_argument("file")
        command.add_argument("--chain-id", type=b32)
        command.add_argument("--validator-key", type=public_key, action="append", default=[])
    command = commands.add_parser("checkpoint", allow_abbrev=False)
    command.add_argument("file")
    command.add_argument("--key", type=lambda text: Key.read(text, LOG), action="append", required=True)
    command.add_argument("--witness", type=lambda text: Key.read(text, WITNESS), action="append", default=[])
    command = commands.add_parser("consistency", allow_abbrev=False)
    command.add_argument("--old", required=True)
    command.add_argument("--new", required=True)
    command.add_argument("--proof")
    return parser.parse_args(words)


def opened(name):
    return contextlib.nullcontext(sys.stdin.buffer) if name == "-" else open(name, "rb")


def content(name, most):
    """The file, or one byte more of it than there may be."""
    with opened(name) as file:
        return file.read(most + 1)


def verified(asked):
    """What is told of what holds."""
    if asked.command == "checkpoint":
        return verify_checkpoint(content(asked.file, MAX_NOTE), asked.key, asked.witness)
    if asked.command == "consistency":
        old, new = (Checkpoint.read(content(name, MAX_NOTE)) for name in (asked.old, asked.new))
        path = asked.proof and consistency.Proof.read(content(asked.proof, consistency.MAX_TEXT))
        return consistency.verify(old, new, path)
    if asked.command == "proof":
        return proof.verify(content(asked.file, proof.MAX_TEXT), asked.chain_id, asked.validator_key)
    with opened(asked.file) as file:
        return bundle.verify(file, asked.chain_id, asked.validator_key)


def but(asked):
    """What a reader must not take the result for."""
    if asked.command == "consistency":
        return ", but no signature was looked at"
    if asked.command != "checkpoint" and not asked.chain_id and not asked.validator_key:
        return ", but against nothing pinned: the file only agrees with itself"
    return ""


def printable(text):
    """In one line, whatever a file says in it."""
    return "".join(letter if " " <= letter < "\x7f" else ascii(letter)[1:-1] for letter in str(text))[:1000]


def main(words):
    try:
        asked = arguments(words)
        told = verified(asked)
    except Finding as error:
        print(printable(f"NOT VERIFIED: {error}"))
        return 1
    except BadFormat as error:
        print(printable(f"ERROR: {error}"))
        return 2
    except OSError as error:
        print(printable(f"ERROR: {error.strerror or error}"))
        return 2
    print(f"VERIFIED{but(asked)}")
    for name, value in told.items():
        print(f"{name}: {printable(value)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
