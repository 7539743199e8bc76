"""The golden checkpoint is signed by its key; whatever is done to its text is refused."""

import base64

from tests.build import public, secret
from tests.common import DOES_NOT, HOLDS, UNREADABLE, Differential, flipped, line, vector
from verifier.checkpoint import LOG, WITNESS, Key
from verifier.codec import H, u64

NAME = "blockchain_crdt/" + line("chain.id")
WITNESSES = ("w.example/a", secret(2)), ("w.example/b", secret(3))
TIME = 1_700_000_000


def encoded(data):
    return base64.b64encode(data).decode()


def key(name, type_, private):
    blob = bytes([type_]) + public(private)
    return Key(name, H(name.encode(), b"\n", blob)[:4], type_, blob[1:])


def written(held):
    return f"{held.name}+{held.id.hex()}+{encoded(bytes([held.type]) + held.public)}"


def cosignature(name, private, text, time=TIME):
    """The line of a witness, as tlog-cosignature says, and its verifier key."""
    held = key(name, WITNESS, private)
    signature = private.sign(b"cosignature/v1\ntime %d\n" % (time % 2**64) + text)
    return f"— {name} {encoded(held.id + u64(time) + signature)}\n".encode(), written(held)


def signature(name, private, text):
    return f"— {name} {encoded(key(name, LOG, private).id + private.sign(text))}\n".encode()


def note(text, name=NAME, private=secret(1)):
    """Any text, signed as a log does, and the key of it."""
    return text + b"\n" + signature(name, private, text), written(key(name, LOG, private))


def text_of(size="9", extra="", name=NAME, root=bytes(32)):
    return f"{name}\n{size}\n{encoded(root)}\n{extra}".encode()


class Checkpoints(Differential):
    def setUp(self):
        self.note, self.key = vector("checkpoint.txt"), line("checkpoint.vkey")
        self.text = self.note[:self.note.index(b"\n\n") + 1]

    def check(self, mutants, *words, status=None):
        self.agree("checkpoint", mutants, *words, status=status)

    def test_it_is_signed(self):
        for name in ("checkpoint.txt", "checkpoint_old.txt"):
            told = self.same("checkpoint", vector(name), "--key", self.key)
            self.assertEqual(told["log"], NAME)
        self.assertEqual(written(Key.read(self.key, LOG)), self.key)

    def test_each_byte_counts(self):
        mutants = []
        for place in range(len(self.note)):
            for bit in range(8):
                mutant = bytearray(self.note)
                mutant[place] ^= 1 << bit
                mutants.append(bytes(mutant))
        self.check(mutants, "--key", self.key)
        self.check([self.note[:place] for place in range(len(self.note))], "--key", self.key, status=UNREADABLE)
        more = (b"\n", b" ", b"x", b"\xe2\x80\x94 a b\n", self.note, b"\0")
        self.check([self.note + each for each in more], "--key", self.key, status=UNREADABLE)

    def test_another_key_did_not_sign(self):
        held = Key.read(self.key, LOG)
        self.check([self.note], "--key", written(key("node2", LOG, secret(9))), status=DOES_NOT)
        self.check([self.note], "--key", written(key(NAME, WITNESS, secret(9))), status=UNREADABLE)
        other = written(key(NAME, LOG, secret(9)))
        self.check([self.note], "--key", other, status=DOES_NOT)
        self.check([self.note], "--key", other, "--key", self.key, status=HOLDS)
        self.check([self.note], "--key", self.key, "--key", self.key, status=HOLDS)
        self.check([self.note], "--key", written(held), status=HOLDS)

    def test_a_verifier_key_belongs_together(self):
        name, key_id, rest = self.key.split("+", 2)
        small = bytes([LOG]) + b"\1" + bytes(31)
        for wrong in (
            f"{name}x+{key_id}+{rest}", f"{name}+{key_id}+{rest[:-4]}AAAA", name, f"{name}+{key_id}", "",
            f"{name}+{key_id.upper()}+{rest}", f"{name}+{key_id}+{rest}=", f" {name}+{key_id}+{rest}", f"{self.key}\n",
            written(Key(name, H(name.encode(), b"\n", small)[:4], LOG, small[1:])),
            *(written(key(unfit, LOG, secret(1))) for unfit in ("a b", "a\u00a0b", "", "a\x01b")),
        ):
            self.check([self.note], "--key", wrong, status=UNREADABLE)
        for name in ("a\u00e9b", "a\x7fb", "—"):
            self.check([self.note], "--key", written(key(name, LOG, secret(1))), status=DOES_NOT)

    def test_a_witness_signs_with_its_time(self):
        lines, keys = zip(*(cosignature(*witness, self.text) for witness in WITNESSES))
        words = ["--key", self.key, "--witness", keys[0], "--witness", keys[1]]
        self.check([self.note + b"".join(lines), self.note + lines[1] + lines[0]], *words, status=HOLDS)
        self.check([self.note, self.note + lines[0], self.note + lines[1]], *words, status=DOES_NOT)
        self.check([self.note + b"".join(lines)], "--key", self.key, status=HOLDS)
        signed = self.note + lines[0]
        self.check(flipped(signed, range(len(self.note), len(signed))), *words[:4])
        self.check([self.note + lines[0]], *words[:4], "--witness", keys[0], status=HOLDS)
        late, _ = cosignature(*WITNESSES[0], self.text, time=2**63)
        self.check([self.note + late], *words[:4], status=DOES_NOT)

    def test_a_witness_has_a_key_of_its_own(self):
        one, same = cosignature(*WITNESSES[0], self.text), cosignature("w.example/c", WITNESSES[0][1], self.text)
        words = ["--key", self.key, "--witness", one[1], "--witness", same[1]]
        self.check([self.note + one[0] + same[0]], *words, status=UNREADABLE)

    def test_lines_of_others_do_not_matter_and_false_ones_of_the_key_do(self):
        other, other_key = cosignature(*WITNESSES[0], self.text)
        self.check([self.note + other], "--key", self.key, status=HOLDS)
        own = self.note.decode().splitlines()[-1]
        false = self.note + (own[:-6] + "AAAA" + own[-2:] + "\n").encode()
        self.check([false], "--key", self.key, status=DOES_NOT)
        # A key of another log is not asked, whatever it is said to have signed.
        lie = signature("other", secret(5), b"something else\n")
        words = ["--key", self.key, "--key", written(key("other", LOG, secret(5)))]
        self.check([self.note + lie], *words, status=HOLDS)
        # A witness that signed twice, once in vain.
        bad, _ = cosignature(*WITNESSES[0], b"something else\n")
        self.check([self.note + other + bad], "--key", self.key, "--witness", other_key, status=DOES_NOT)
        twice, _ = cosignature(*WITNESSES[0], self.text, time=5)
        self.check([self.note + other + twice], "--key", self.key, "--witness", other_key, status=HOLDS)

    def test_shape(self):
        for size in ("01", "", "-1", "+1", "1.", "18446744073709551616", "\u0661", "1 "):
            self.judge(text_of(size), UNREADABLE)
        for extra in ("\n", "a\n\nb\n", "a\tb\n", "\r\n", "\0\n", "\x1f\n"):
            self.judge(text_of(extra=extra), UNREADABLE)
        for extra in ("extension\n", "a b\nc\n", "\x7f\n", "\u0085\n", "\u2028\n"):
            self.judge(text_of(extra=extra), HOLDS)
        for size in ("0", "1", "18446744073709551615"):
            self.judge(text_of(size), HOLDS)
        for root in (b"", bytes(31), bytes(33)):
            self.judge(text_of(root=root), UNREADABLE)
        self.judge(text_of().replace(b"AAA=\n", b"AAB=\n"), UNREADABLE)
        self.judge(text_of().replace(b"AAA=\n", b"AAA\n"), UNREADABLE)

    def judge(self, text, status):
        data, held = note(text)
        self.check([data], "--key", held, status=status)

    def test_the_first_line_is_any_text(self):
        for name in ("x", "example.com/log", "\u00e9", "a\x7fb"):
            data, held = note(text_of(name=name), name)
            self.check([data], "--key", held, status=HOLDS)
            self.check([data], "--key", self.key, status=DOES_NOT)
        # No key can have these.
        for name in ("a b", "a+b", " ", "a\u00a0b"):
            self.check([note(text_of(name=name), "x")[0]], "--key", self.key, status=DOES_NOT)
        self.check([note(text_of(name=""), "x")[0]], "--key", self.key, status=UNREADABLE)

    def test_signatures_are_1_to_100(self):
        data, held = note(text_of())
        last = data.splitlines(True)[-1]
        self.check([data + last * 99], "--key", held, status=HOLDS)
        self.check([data + last * 100, text_of(), text_of() + b"\n"], "--key", held, status=UNREADABLE)
        for wrong in (
            "— a \n", "— a AAAA\n", "- a AAAAAAAA\n", "—  a AAAAAAAA\n", "— a+b AAAAAAAA\n", "\n",
            "— a\u00a0b AAAAAAAA\n", "— a AAAAAAAA \n", "— a AAAAAAB=\n", "— a AAAAAAA\n",
        ):
            self.check([data + wrong.encode()], "--key", held, status=UNREADABLE)
        self.check([data + "— a\x7f AAAAAAA=\n".encode()], "--key", held, status=HOLDS)

    def test_a_note_has_at_most_256_kib(self):
        data, held = note(text_of(extra="x" * 200_000 + "\n"))
        self.check([data], "--key", held, status=HOLDS)
        data, held = note(text_of(extra="x" * 262_144 + "\n"))
        self.check([data], "--key", held, status=UNREADABLE)
