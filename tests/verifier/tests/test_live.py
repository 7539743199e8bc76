"""A real server's files, made in this run: its chain, a proof of each kind of op, its checkpoint.

The server is the one that PGHOST, PGPORT and PGUSER name."""

import json
import random
import subprocess
import tempfile
import unittest
from pathlib import Path

from tests.common import flipped, ours, theirs, theirs_of_each
from tests.test_bundle import joined
from verifier import lz4, merkle
from verifier.bundle import LABEL, frames
from verifier.checkpoint import LOG, Key, Note
from verifier.records import KINDS, Member

DATABASE = "verifier"
HISTORY = """
    CREATE EXTENSION blockchain_crdt;
    CREATE TABLE page (id int, part text, title lww_register, views pn_counter, tags or_set, body rga_text,
                       note text, PRIMARY KEY (id, part));
    CREATE TABLE other (id bigint PRIMARY KEY, n b_counter);
    SELECT crdt_track('page'), crdt_track('other');
    INSERT INTO page SELECT i, 'a', 'title', 1, '{a,b}', 'body', 'note' FROM generate_series(1, 600) i;
    SELECT crdt_commit_block();
    UPDATE page SET views = views + 1, note = NULL WHERE id % 50 = 0;
    DELETE FROM page WHERE id = 3;
    SELECT crdt_set_node('renamed', '');
    SELECT crdt_untrack('other');
    SELECT crdt_record_lineage('a file', 'page', 'a job');
    ALTER TABLE page ALTER note SET DEFAULT 'none';
    SELECT crdt_commit_block();
    UPDATE page SET body = crdt_append(body, ' and more'), tags = tags - 'a' WHERE id < 9;
    SELECT crdt_commit_block();
    INSERT INTO page VALUES (1000, 'tail', 'in no block yet', 1, '{}', '', '');
"""


def psql(database, sql):
    done = subprocess.run(
        ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database], input=sql, capture_output=True, text=True,
        timeout=120,
    )
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout.strip()


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        psql("postgres", f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        psql("postgres", f"CREATE DATABASE {DATABASE}")
        cls.addClassCleanup(psql, "postgres", f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        psql(DATABASE, HISTORY)
        cls.note = psql(DATABASE, "SELECT crdt_checkpoint()") + "\n"
        cls.chain_id = psql(DATABASE, "SELECT encode(chain_id, 'hex') FROM crdt.chain")
        cls.key = json.loads(psql(DATABASE, "SELECT to_json(crdt_node())"))["signing_key"].removeprefix("\\x")
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        # The server, another user, writes there.
        Path(folder.name).chmod(0o777)
        file = Path(folder.name) / "chain.bundle"
        psql(DATABASE, f"SELECT crdt_export_chain('{file}')")
        cls.bundle = cls.read(file)
        cls.pins = ["--chain-id", cls.chain_id, "--validator-key", cls.key]

        proof = "SELECT crdt_op_proof(origin_id, seq) FROM crdt_ops WHERE kind = 'delta' ORDER BY seq LIMIT 1"
        cls.archive = Path(folder.name) / "archive.bundle"
        cls.height = int(psql(DATABASE, "SELECT min(height) FROM crdt_ops WHERE kind = 'delta'"))
        psql(DATABASE, f"SELECT crdt_prune({cls.height}, '{cls.archive}')")
        pruned = Path(folder.name) / "pruned.bundle"
        psql(DATABASE, f"SELECT crdt_export_chain('{pruned}')")
        cls.archive, cls.pruned = cls.read(cls.archive), cls.read(pruned)
        cls.closed_proof = psql(DATABASE, proof).encode()

    @staticmethod
    def read(file):
        try:
            return file.read_bytes()
        except PermissionError:
            return subprocess.run(["runuser", "-u", "postgres", "--", "cat", file], capture_output=True).stdout

    def same(self, command, data, *words):
        """What both say of it."""
        mine, his = ours(command, data, *words), theirs(command, data, *words)
        self.assertEqual(mine[0], his[0], mine[1] + his[1])
        mine, his = (json.loads(it[1]) for it in (mine, his))
        shared = mine.keys() & his.keys()
        self.assertEqual({k: mine[k] for k in shared}, {k: his[k] for k in shared})
        return mine

    def test_the_chain_holds(self):
        told = self.same("bundle", self.bundle, *self.pins)
        self.assertTrue(told["verified"])
        self.assertGreater(told["tree_size"], 512, "more than one full tile")

    def test_a_proof_of_each_kind_of_op_holds(self):
        proofs = psql(DATABASE, """
            SELECT DISTINCT ON (kind) crdt_op_proof(origin_id, seq) FROM crdt_ops WHERE height IS NOT NULL
             ORDER BY kind, seq""").splitlines()
        kinds = {self.same("proof", proof.encode(), *self.pins)["kind"] for proof in proofs}
        self.assertLessEqual({"delta", "schema", "validator_set", "lineage"}, kinds)

    def test_a_proof_of_a_row_says_what_was_written(self):
        proof = psql(DATABASE, "SELECT crdt_proof('page', '7', 'a')").encode()
        self.assertTrue(self.same("proof", proof, *self.pins)["verified"])
        places = random.Random(7).sample(range(len(proof)), 300)
        mutants = list(flipped(proof, places))
        for mutant, his in zip(mutants, theirs_of_each("proof", mutants, *self.pins)):
            mine = ours("proof", mutant, *self.pins)
            self.assertEqual(mine[0], his[0], mine[1] + his[1])
            self.assertTrue(mine[0] != 0 or mutant.lower() == proof.lower(), mutant)

    def test_what_was_pruned_still_holds(self):
        told = self.same("bundle", self.pruned, *self.pins)
        self.assertTrue(told["verified"], told)
        self.assertEqual(self.same("proof", self.closed_proof, *self.pins)["closed_parts"], 1)

    def test_the_archive_holds_by_itself(self):
        told = self.same("bundle", self.archive, *self.pins)
        self.assertTrue(told["verified"], told)
        self.assertEqual(told["height"], self.height)
        places = random.Random(5).sample(range(len(self.archive)), 150)
        mutants = list(flipped(self.archive, places))
        for mutant, his in zip(mutants, theirs_of_each("bundle", mutants)):
            mine = ours("bundle", mutant)
            self.assertNotEqual(his[0], 0)
            self.assertEqual(mine[0], his[0], mine[1] + his[1])

    def test_pruned_payloads_are_missing_without_the_prune_op(self):
        read = [(tag, body) for tag, body in frames(self.pruned)]
        (prune,) = [at for at, (tag, body) in enumerate(read) if tag == 6 and body[4 + 32 + 16] == KINDS["prune"]]
        body = bytearray(read[prune][1])
        body[-1] ^= 1
        mutant = joined(read[:prune] + [(6, bytes(body))] + read[prune + 1:])
        mine, his = ours("bundle", mutant), theirs("bundle", mutant)
        self.assertEqual((mine[0], his[0]), (1, 1))
        self.assertIn("payload_missing", mine[1] + his[1])

    def test_the_checkpoint_is_signed_and_of_this_log(self):
        read = list(frames(self.bundle))
        (member,) = [Member.read(body) for tag, body in read if tag == 2]
        key = Key(f"blockchain_crdt/{self.chain_id}", LOG, member.checkpoint_key)
        note = Note.read(self.note.encode())
        self.assertTrue(note.is_signed_by(key))
        self.assertEqual(note.origin, f"blockchain_crdt/{self.chain_id}")
        # The bundle was made later: its log begins with the one of the checkpoint.
        tiles = {body[1:9]: body[9:] for tag, body in read if tag == 4 and body[0] == 0}
        leaves = b"".join(tiles[index] for index in sorted(tiles))
        hashes = [leaves[at:at + 32] for at in range(0, 32 * note.size, 32)]
        self.assertEqual(merkle.root(hashes), note.root)

    def test_each_region_of_the_bundle_counts(self):
        """A bit in the head and in some bytes of the body of frames of every kind."""
        bundle = lz4.unpack(self.bundle) if self.bundle.startswith(lz4.MAGIC) else self.bundle
        chosen, at, seen = [], len(LABEL), {}
        chance = random.Random(11)
        for tag, body in frames(bundle):
            seen[tag] = seen.get(tag, 0) + 1
            if seen[tag] <= 2 or chance.random() < 0.004:
                inside = range(at + 5, at + 5 + len(body))
                chosen += [at, at + 4, *chance.sample(inside, min(4, len(inside)))]
            at += 5 + len(body)
        chosen += [at, at + 4, at + 12]
        self.assertEqual(set(seen), set(range(1, 9)), "frames of every kind")
        mutants = list(flipped(bundle, chosen))
        for place, mutant, his in zip(chosen, mutants, theirs_of_each("bundle", mutants)):
            with self.subTest(place=place):
                mine = ours("bundle", mutant)
                self.assertNotEqual(his[0], 0)
                self.assertEqual(mine[0], his[0], mine[1] + his[1])
