"""What the tests have in common: both verifiers over the same bytes."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from unittest import mock

from verifier.__main__ import main

ROOT = Path(__file__).parents[3]
VECTORS = ROOT / "tests" / "vectors"
BCRDT = os.environ.get("BCRDT") or str(ROOT / "target" / "debug" / "bcrdt")


def vector(name):
    return (VECTORS / name).read_bytes()


def line(name):
    return vector(name).decode().strip()


def ours(command, data, *words):
    """The exit status of the verifier here, on standard input, and what it told."""
    out, err = StringIO(), StringIO()
    stdin = TextIOWrapper(BytesIO(data))
    with mock.patch.object(sys, "stdin", stdin), redirect_stdout(out), redirect_stderr(err):
        status = main([command, *([] if command == "consistency" else ["-"]), *words])
    return status, out.getvalue() + err.getvalue()


def theirs(command, data, *words):
    """The same of bcrdt."""
    done = subprocess.run([BCRDT, "verify", command, "-", *words, "--json"], input=data, capture_output=True, timeout=60)
    return done.returncode, (done.stdout + done.stderr).decode()


def theirs_of_each(command, mutants, *words):
    """bcrdt's answers to many files, several at a time."""
    with ThreadPoolExecutor(4) as pool:
        yield from pool.map(lambda data: theirs(command, data, *words), mutants)


def flipped(data, places):
    """The data with one bit changed at each of the places."""
    for place in places:
        mutant = bytearray(data)
        mutant[place] ^= 1 << place % 8
        yield bytes(mutant)
