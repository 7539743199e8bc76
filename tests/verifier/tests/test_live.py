"""A real server's files, made in this run: its chain, a proof of each kind of op, its checkpoint.

The server is the one that PGHOST, PGPORT and PGUSER name."""

import json
import random
import subprocess
import tempfile
from io import BytesIO
from pathlib import Path

from tests.build import bundle, split
from tests.common import DOES_NOT, HOLDS, Differential, flipped, ours, theirs_of_each
from tests.test_bundle import KIND
from tests.test_checkpoint import written
from verifier import merkle
from verifier.checkpoint import LOG, Checkpoint, Key
from verifier.codec import H
from verifier.frames import BLOCK, MEMBER, OP, STOP, TILE, WITHHELD, opened
from verifier.lz4frame import read_up_to
from verifier.members import Member
from verifier.ops import KINDS

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


class Live(Differential):
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

    @staticmethod
    def unpacked(data):
        stream = opened(BytesIO(data))
        return read_up_to(stream, 1 << 30)

    def test_the_chain_holds(self):
        told = self.same("bundle", self.bundle, *self.pins)
        self.assertGreater(int(told["tree_size"]), 512, "more than one full tile")
        self.assertEqual(told["closed_ops"], "0")

    def test_a_proof_of_each_kind_of_op_holds(self):
        proofs = psql(DATABASE, """
            SELECT DISTINCT ON (kind) crdt_op_proof(origin_id, seq) FROM crdt_ops WHERE height IS NOT NULL
             ORDER BY kind, seq""").splitlines()
        kinds = {self.same("proof", proof.encode(), *self.pins)["kind"] for proof in proofs}
        self.assertLessEqual({"delta", "schema", "validator_set", "lineage"}, kinds)

    def test_a_proof_of_a_row_says_what_was_written(self):
        proof = psql(DATABASE, "SELECT crdt_proof('page', '7', 'a')").encode()
        self.same("proof", proof, *self.pins)
        places = random.Random(7).sample(range(len(proof)), 300)
        mutants = list(flipped(proof, places))
        for mutant, his in zip(mutants, theirs_of_each("proof", mutants, *self.pins)):
            mine = ours("proof", mutant, *self.pins)
            self.assertEqual(mine[0], his[0], mine[1] + his[1])
            self.assertTrue(mine[0] != HOLDS or mutant.lower() == proof.lower(), mutant)

    def test_what_was_pruned_still_holds(self):
        told = self.same("bundle", self.pruned, *self.pins)
        self.assertGreater(int(told["closed_ops"]), 0)
        self.assertEqual(told["payloads_withheld"], "False")
        self.assertEqual(self.same("proof", self.closed_proof, *self.pins)["closed_parts"], "1")

    def test_the_archive_holds_by_itself(self):
        told = self.same("bundle", self.archive, *self.pins)
        self.assertEqual(told["height"], str(self.height))
        self.assertEqual(split(self.unpacked(self.archive))[-1], (STOP, b""))
        places = random.Random(5).sample(range(len(self.archive)), 150)
        self.agree("bundle", flipped(self.archive, places))

    def test_pruned_payloads_are_missing_without_the_prune_op(self):
        read = split(self.unpacked(self.pruned))
        (prune,) = [at for at, (tag, body) in enumerate(read) if tag == OP and body[KIND] == KINDS["prune"]]
        body = bytearray(read[prune][1])
        body[-1] ^= 1
        self.agree("bundle", [bundle(read[:prune] + [(OP, bytes(body))] + read[prune + 1:])], status=DOES_NOT)
        # Up to its block, as an archive would have it, nothing explains what is gone.
        block = max(at for at, (tag, _) in enumerate(read[:prune]) if tag == BLOCK)
        stopped = [*read[:block], (STOP, b"")]
        mine = ours("bundle", bundle(stopped))
        self.assertEqual(mine[0], DOES_NOT)
        self.assertIn("payload_missing", mine[1])
        self.agree("bundle", [bundle(stopped)], status=DOES_NOT)
        told = self.same("bundle", bundle([stopped[0], (WITHHELD, b""), *stopped[1:]]))
        self.assertEqual(told["payloads_withheld"], "True")

    def test_the_checkpoint_is_signed_and_of_this_log(self):
        read = split(self.unpacked(self.bundle))
        (member,) = [Member.decode(body) for tag, body in read if tag == MEMBER]
        name = f"blockchain_crdt/{self.chain_id}"
        blob = bytes([LOG]) + member.checkpoint_key
        key = Key(name, H(name.encode(), b"\n", blob)[:4], LOG, member.checkpoint_key)
        told = self.same("checkpoint", self.note.encode(), "--key", written(key))
        self.assertEqual(told["log"], name)
        # The bundle was made later: its log begins with the one of the checkpoint.
        tiles = {body[1:9]: body[9:] for tag, body in read if tag == TILE and body[0] == 0}
        leaves = b"".join(tiles[index] for index in sorted(tiles))
        checkpoint = Checkpoint.read(self.note.encode())
        hashes = [leaves[at:at + 32] for at in range(0, 32 * checkpoint.size, 32)]
        self.assertEqual(merkle.root_of(hashes), checkpoint.root)

    def test_each_region_of_the_bundle_counts(self):
        """A bit in the head and in some bytes of the body of frames of every kind."""
        data = self.unpacked(self.bundle)
        chosen, at, seen = [], 16, {}
        chance = random.Random(11)
        for tag, body in split(data):
            seen[tag] = seen.get(tag, 0) + 1
            if seen[tag] <= 2 or chance.random() < 0.004:
                inside = range(at + 5, at + 5 + len(body))
                chosen += [at, at + 4, *chance.sample(inside, min(4, len(inside)))]
            at += 5 + len(body)
        chosen += [at, at + 4, at + 12]
        self.assertEqual(set(seen), set(range(1, 9)), "frames of every kind")
        self.agree("bundle", flipped(data, chosen))
