"""The golden proofs hold; whatever is done to them is refused, by bcrdt as well, or says the same."""

import copy
import json

from tests.common import DOES_NOT, HOLDS, UNREADABLE, Differential, flipped, line, ours, theirs_of_each, vector

PROOFS = ["proof_delta", "proof_closed", "proof_member", "proof_schema"]
CHAIN = ["--chain-id", line("chain.id")]
ONE, TWO = (["--validator-key", line(f"validator{number}.key")] for number in (1, 2))


class Proofs(Differential):
    def check(self, mutants, *words, status=None):
        self.agree("proof", mutants, *words, status=status)

    def test_they_hold(self):
        for name in PROOFS:
            for words in ([], CHAIN, ONE, CHAIN + ONE, ONE + TWO):
                self.same("proof", vector(f"{name}.json"), *words)
        self.assertTrue(ours("proof", vector("proof_delta.json"))[1].startswith("VERIFIED, but against nothing"))
        self.assertTrue(ours("proof", vector("proof_delta.json"), *CHAIN)[1].startswith("VERIFIED\n"))

    def test_later_validators_need_pinned_keys(self):
        data = [vector("proof_later_validators.json")]
        for words in ([], ONE, TWO, CHAIN):
            self.check(data, *words, status=DOES_NOT)
        self.same("proof", data[0], *ONE, *TWO)

    def test_pins(self):
        for words in (["--chain-id", "00" * 32], TWO, CHAIN + TWO):
            self.check([vector("proof_delta.json")], *words, status=DOES_NOT)

    def test_each_character_counts(self):
        for name in ("proof_delta", "proof_closed"):
            data = vector(f"{name}.json")
            sound, mutants = json.loads(data), list(flipped(data, range(len(data))))
            for place, (mutant, his) in enumerate(zip(mutants, theirs_of_each("proof", mutants))):
                mine = ours("proof", mutant)
                with self.subTest(place=place):
                    self.assertEqual(mine[0], his[0], mine[1] + his[1])
                    # The only changes without meaning: digits in upper case, and other white space.
                    same = mine[0] != HOLDS or plain(json.loads(mutant)) == plain(sound)
                    self.assertTrue(same, mutant[max(place - 40, 0):place + 40])

    def test_a_proof_cut_off(self):
        data = vector("proof_delta.json").rstrip()
        self.check([data[:length] for length in range(0, len(data), 7)], status=UNREADABLE)
        more = (b"0", b"{}", b",", data, b"\0", b"\xef\xbb\xbf", b"\x0b", b"\xc2\xa0")
        self.check([b"\xef\xbb\xbf" + data, *(data + each for each in more)], status=UNREADABLE)
        self.check([data, data + b" \r\n\t"], status=HOLDS)

    def test_each_member_is_there_once(self):
        text = vector("proof_delta.json")
        mutants = [
            mutant for path, value in fields(json.loads(text)) for mutant in mutants_of(json.loads(text), path, value)
        ]
        self.assertGreater(len(mutants), 300)
        self.check(mutants)

    def test_numbers_and_members_in_other_forms(self):
        text = vector("proof_delta.json")
        for old, new in (
            (b'"format": 1,', b'"format": 1, "format": 1,'), (b'"round": 0', b'"round": 0, "round": 0'),
            (b'"round": 0', b'"round": -0'), (b'"round": 0', b'"round": 00'), (b'"round": 0', b'"round": 0.0'),
            (b'"round": 0', b'"round": 0e0'), (b'"round": 0', b'"round": 4294967296'),
            (b'"round": 0', b'"round": true'),
            (b'"format": 1', b'"format": 2'), (b'"format": 1', b'"format": 18446744073709551616'),
        ):
            self.assertIn(old, text)
            self.check([text.replace(old, new)], status=UNREADABLE)
        self.check([text.replace(b'"format"', b'"\\u0066ormat"')], status=HOLDS)

    def test_hostile_text(self):
        self.check([
            b"[" * 100_000, b'{"a":' * 50_000, b'{"format":' + b"1" * 100_000, b'{"genesis":"' + b"0" * 100_000,
            b'{"inclusion":[' + b"[]," * 100_000, b'"\\ud800"', b'{"\\ud800":1}', b"NaN", b"", b" ", b"\xff", b"null",
            b"[]", b'""', b"0", b'{"format":1}', b"{}",
        ], status=UNREADABLE)

    def test_kinds(self):
        sound = json.loads(vector("proof_delta.json"))
        for kind in ("header", "", "none", "DELTA", "\u00e9", "prune", "lineage"):
            self.check([changed(sound, ("op", "kind"), kind)], status=DOES_NOT)
        raw = json.dumps(sound, ensure_ascii=False).replace('"delta"', '"\u00e9"').encode()
        self.check([raw], status=DOES_NOT)
        wrong = [raw.replace("\u00e9".encode(), each) for each in (b"\xe9", b"\\ud800")]
        self.check(wrong, status=UNREADABLE)

    def test_lists_have_their_bounds_and_order(self):
        sound = json.loads(vector("proof_later_validators.json"))
        part = {"commitment": "00" * 32}
        for path, value in (
            (("op", "parts"), []), (("op", "parts"), [part] * 64), (("op", "parts"), [part] * 65),
            (("validators",), sound["validators"][::-1]), (("validators",), []),
            (("validators",), sound["validators"][:1] * 2),
            (("certificate", "signatures"), sound["certificate"]["signatures"][::-1]),
            (("certificate", "signatures"), sound["certificate"]["signatures"] * 2),
            (("certificate", "signatures"), []), (("inclusion",), []), (("inclusion",), ["00" * 32] * 500),
            (("genesis",), ""), (("genesis",), sound["genesis"][:-2]),
            (("header", "tree_size"), 0), (("header", "tree_size"), 2**64 - 1), (("leaf_index",), 2**64 - 1),
        ):
            self.check([changed(sound, path, value)], *ONE, *TWO, status=DOES_NOT)


def plain(proof):
    return json.dumps(proof).lower()


def fields(value, path=()):
    """Each member and item of a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key), inner
        yield from fields(inner, (*path, key))


def changed(proof, path, value):
    """The proof with another value there."""
    proof = copy.deepcopy(proof)
    parent = proof
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    return json.dumps(proof).encode()


def mutants_of(proof, path, value):
    """The proof without this member, with one more beside it, and with other values in its place."""
    mark = changed(proof, path, "@").decode()
    if isinstance(path[-1], str):
        name = json.dumps(path[-1])
        member = f'{name}: "@"'
        yield mark.replace(f", {member}", "").replace(f"{member}, ", "").replace(member, "").encode()
        yield mark.replace(member, f'{name}: {json.dumps(value)}, {name}: {json.dumps(value)}').encode()
        yield mark.replace(member, f'{name}: {json.dumps(value)}, "further": 1').encode()
    others = [None, str(value) + "0", {}, [value], True]
    if type(value) is int:
        others += [float(value), value + 0.5, -1, 2**64, value + 1, str(value), []]
    elif isinstance(value, str):
        others += [value[:-1], value[2:], value[:-2] + "0g", value[:2] + " " + value[2:], "", 0, []]
    elif isinstance(value, list):
        others += [value + value[:1], value[:-1], value + [0], 0]
    elif isinstance(value, dict):
        others += [{**value, "more": 1}, 0]
    yield from (changed(proof, path, other) for other in others if type(other) is not type(value) or other != value)
