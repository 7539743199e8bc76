"""The golden proofs hold; whatever is done to them is refused, by bcrdt as well, or says the same."""

import json
import unittest

from tests.common import flipped, line, ours, theirs, theirs_of_each, vector

HOLDS = ["proof_delta", "proof_closed", "proof_member", "proof_schema"]


def told(answer):
    """What is told of a proof that holds, without what only bcrdt tells."""
    summary = json.loads(answer[1])
    return {name: value for name, value in summary.items() if name not in ("trust", "checkpoint")}


class Proofs(unittest.TestCase):
    def test_they_hold(self):
        for name in HOLDS:
            for words in ([], ["--chain-id", line("chain.id")], ["--validator-key", line("validator1.key")]):
                data = vector(f"{name}.json")
                mine, his = ours("proof", data, *words), theirs("proof", data, *words)
                self.assertEqual((mine[0], his[0]), (0, 0), mine[1] + his[1])
                self.assertEqual(told(mine), told(his))

    def test_later_validators_need_pinned_keys(self):
        data = vector("proof_later_validators.json")
        one, two = (["--validator-key", line(f"validator{n}.key")] for n in (1, 2))
        for words, status in (([], 1), (one, 1), (two, 1), (one + two, 0), (["--chain-id", line("chain.id")], 1)):
            self.assertEqual(ours("proof", data, *words)[0], status, words)
            self.assertEqual(theirs("proof", data, *words)[0], status, words)

    def test_pins(self):
        data = vector("proof_delta.json")
        for words in (["--chain-id", "00" * 32], ["--validator-key", line("validator2.key")]):
            self.assertEqual(ours("proof", data, *words)[0], 1)
            self.assertEqual(theirs("proof", data, *words)[0], 1)

    def test_each_character_counts(self):
        for name in ("proof_delta", "proof_closed"):
            self.each_character(vector(f"{name}.json"))

    def each_character(self, data):
        sound = json.loads(data)
        mutants = list(flipped(data, range(len(data))))
        for place, (mutant, his) in enumerate(zip(mutants, theirs_of_each("proof", mutants))):
            with self.subTest(place=place):
                mine = ours("proof", mutant)
                self.assertEqual(mine[0], his[0], mine[1] + his[1])
                # The only changes without meaning: digits in upper case, and other white space.
                same = mine[0] != 0 or self.plain(json.loads(mutant)) == self.plain(sound)
                self.assertTrue(same, mutant[max(place - 40, 0):place + 40])

    @staticmethod
    def plain(proof):
        return json.dumps(proof).lower()

    def test_each_member_is_there_once(self):
        sound = json.loads(vector("proof_delta.json"))
        mutants = []
        for path in list(paths(sound)):
            for change in (drop, add, double_number, as_text, as_null):
                proof = json.loads(vector("proof_delta.json"))
                if change(proof, path):
                    mutants.append(json.dumps(proof).encode())
        text = vector("proof_delta.json")
        mutants.append(text.replace(b'"format": 1,', b'"format": 1, "format": 1,'))
        mutants.append(text.replace(b'"round": 0', b'"round": 0, "round": 0'))
        mutants.append(text.replace(b'"round": 0', b'"round": -0'))
        mutants.append(text.replace(b'"round": 0', b'"round": 4294967296'))
        mutants.append(text.replace(b'"format": 1', b'"format": 2'))
        mutants.append(b"[" * 100_000)
        self.assertGreater(len(mutants), 100)
        for mutant, his in zip(mutants, theirs_of_each("proof", mutants)):
            mine = ours("proof", mutant)
            self.assertNotEqual(his[0], 0, mutant)
            self.assertEqual(mine[0], his[0], mine[1] + his[1] + mutant.decode()[:2000])


def paths(found, path=()):
    """Each member and item of a JSON value."""
    children = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from paths(child, (*path, key))


def parent(proof, path):
    for key in path[:-1]:
        proof = proof[key]
    return proof


def drop(proof, path):
    del parent(proof, path)[path[-1]]
    return True


def add(proof, path):
    held = parent(proof, path)
    if isinstance(held, dict):
        held["further"] = 1
    else:
        held.append(held[-1])
    return True


def double_number(proof, path):
    held = parent(proof, path)
    if type(held[path[-1]]) is not int:
        return False
    held[path[-1]] = float(held[path[-1]])
    return True


def as_text(proof, path):
    held = parent(proof, path)
    held[path[-1]] = str(held[path[-1]]) + "0"
    return True


def as_null(proof, path):
    parent(proof, path)[path[-1]] = None
    return True
