"""What the tests have in common: both verifiers over the same bytes."""

import json
import os
import subprocess
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from unittest import mock

from verifier.__main__ import main

ROOT = Path(__file__).parents[3]
VECTORS = ROOT / "tests" / "vectors"
BCRDT = os.environ.get("BCRDT") or str(ROOT / "target" / "debug" / "bcrdt")
HOLDS, DOES_NOT, UNREADABLE = range(3)


def vector(name):
    return (VECTORS / name).read_bytes()


def line(name):
    return vector(name).decode().strip()


def ours(command, data, *words):
    """The exit status of the verifier here, on standard input, and what it told."""
    out = StringIO()
    stdin = TextIOWrapper(BytesIO(data))
    with mock.patch.object(sys, "stdin", stdin), redirect_stdout(out):
        status = main([command, *([] if command == "consistency" else ["-"]), *words])
    return status, out.getvalue()


def theirs(command, data, *words):
    """The same of bcrdt."""
    file = [] if command == "consistency" else ["-"]
    words = [BCRDT, "verify", command, *file, *words, "--json"]
    done = subprocess.run(words, input=data, capture_output=True, timeout=60)
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


def facts(told):
    """The lines behind the first one: a fact each."""
    return dict(fact.split(": ", 1) for fact in told.splitlines()[1:])


class Differential(unittest.TestCase):
    """Each file is judged by both verifiers."""

    def agree(self, command, mutants, *words, status=None):
        """Both answer alike to each: with this status, or with one that is not 0 if none is said."""
        mutants = list(mutants)
        for number, (mutant, his) in enumerate(zip(mutants, theirs_of_each(command, mutants, *words))):
            with self.subTest(mutant=number):
                mine = ours(command, mutant, *words)
                self.assertEqual(mine[0], his[0], mine[1] + his[1])
                self.assertTrue(mine[0] == status if status is not None else mine[0] != HOLDS, mine[1] + his[1])

    def same(self, command, data, *words):
        """It holds, and all that is told here bcrdt tells too."""
        mine, his = ours(command, data, *words), theirs(command, data, *words)
        self.assertEqual((mine[0], his[0]), (HOLDS, HOLDS), mine[1] + his[1])
        told, theirs_told = facts(mine[1]), json.loads(his[1])
        self.assertTrue(told)
        self.assertEqual(told, {name: str(theirs_told[name]) for name in told})
        return told
