"""psql on tracked tables."""

import tempfile
from pathlib import Path

from base import EVERY, TYPES, OnDatabase, states

VALUES = """7, 1, 2, 3, '"x"', '"y"', '{a}', '{b,"c d"}', '{e}', '{"k": 1}', '{"n": 2}', '{"apple": 3}', '[1, "z"]',
            E'two\\nlines', '{}', '2026-01-02 03:04:05+00'"""


class Psql(OnDatabase):
    sql = f"""
        CREATE TABLE page ({EVERY});
        SELECT crdt_track('page');
        INSERT INTO page VALUES ({VALUES});
        CREATE TABLE item (id int PRIMARY KEY, stock pn_counter NOT NULL DEFAULT '0', tags aw_set, title lww_register);
        SELECT crdt_track('item');
        INSERT INTO item VALUES (1, 10, '{{red}}', 'Chair');
    """

    def psql(self, *words, **options):
        return self.program("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *words, **options)

    def test_copy_keeps_states(self):
        """Who moves a table by \\copy must not lose states: what was merged would merge wrongly ever after."""
        with tempfile.TemporaryDirectory() as folder:
            for form in ("text", "csv, HEADER", "binary"):
                file = Path(folder, "page")
                columns = "id, " + ", ".join(TYPES)
                self.psql("-c", "DROP TABLE IF EXISTS copied", "-c", f"CREATE TABLE copied ({EVERY})",
                          "-c", rf"\copy page ({columns}) TO '{file}' (FORMAT {form})",
                          "-c", rf"\copy copied FROM '{file}' (FORMAT {form})")
                with self.subTest(form):
                    self.assertEqual(states(self.db, "copied"), states(self.db, "page"))

    def test_copy_from_plain_values(self):
        """A spreadsheet of plain values loads into a tracked table; each row is an op in the ledger."""
        before = self.ops()
        self.psql("-c", r"\copy item (id, stock, tags, title) FROM pstdin (FORMAT csv)",
                  script='11,5,"{a,b}","""Table"""\n12,-5,{},Stool\n')
        self.assertEqual(
            self.psql("-c", "SELECT id, stock::bigint, tags::text[], title::text FROM item WHERE id > 10 ORDER BY id"),
            "11|5|{a,b}|Table\n12|-5|{}|Stool\n")
        self.assertEqual(self.ops() - before, 2)

    def ops(self):
        self.verify()
        return self.one("SELECT count(*) FROM crdt_ops WHERE table_name = 'public.item'")

    def test_describe(self):
        """\\d tells what a column is and that the table is tracked; \\dT+ says what the types are for."""
        described = self.program("psql", "-X", "-A", "-c", r"\d item")
        for part in ("stock|pn_counter||not null|'0'::pn_counter\n", "tags|aw_set|||\n", "title|lww_register|||\n", "zz_crdt_guard"):
            self.assertIn(part, described)
        self.assertRegex(self.psql("-c", r"\dT+ pn_counter"), r"^public\|pn_counter\|.*\|A bigint that all nodes add to")
        self.assertIn("crdt_assign", self.psql("-c", r"\df crdt_assign"))

    def test_variables(self):
        """Scripts give values by :variables, quoted by psql; none of them is misread."""
        self.psql("-v", "id=20", "-v", "more=7", "-v", "tag=it's", "-v", "title=a \\ 'b'",
                  script="INSERT INTO item VALUES (:id, 1, '{}', '\"\"');\n"
                         "UPDATE item SET stock = stock + :more, tags = tags + :'tag', title = :'title'::text WHERE id = :id;\n"
                         "SELECT stock::bigint AS seen FROM item WHERE id = :id \\gset\n"
                         "UPDATE item SET stock = stock - :seen + 1 WHERE id = :id;\n")
        self.assertEqual(self.psql("-c", "SELECT stock::bigint, tags::text[], title::text FROM item WHERE id = 20"),
                         "1|{it's}|a \\ 'b'\n")

    def test_errors_tell_what_to_do(self):
        """Somebody at the prompt reads the message, and with it the way out."""
        said = self.psql("-c", "UPDATE item SET stock = 'many' WHERE id = 1", ok=False)
        self.assertIn("ERROR:", said)
        self.assertIn("many", said)
        said = self.psql("-c", "TRUNCATE item", ok=False)
        self.assertIn("HINT:  DELETE FROM the table", said)

    def test_single_transaction(self):
        """A script under -1 that fails leaves no trace, neither in the row nor in the ledger."""
        before = self.ops()
        self.psql("-1", "-c", "UPDATE item SET stock = stock + 1000 WHERE id = 1", "-c", "SELECT 1/0", ok=False)
        self.assertEqual(self.one("SELECT stock::bigint FROM item WHERE id = 1"), 10)
        self.assertEqual(self.ops(), before)


class Dump(OnDatabase):
    """pg_dump as directory with several jobs, and as INSERTs."""

    sql = Psql.sql

    def copy(self, name):
        name = f"{self.database}_{name}"
        self.fresh(name, self.addCleanup)
        return name

    def same(self, copy):
        """The copy's rows have the original's states, and its chain verifies."""
        copied = self.connect(copy, autocommit=True)
        self.assertEqual(states(copied, "page"), states(self.db, "page"))
        self.assertEqual(copied.execute("SELECT stock::bigint FROM item").fetchall(), [(10,)])
        self.assertTrue(copied.execute("SELECT verify_chain()").fetchone()[0])

    def test_directory_with_jobs(self):
        """A large database is dumped and restored by several processes at once; the states come through."""
        self.verify()
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder, "dump")
            self.program("pg_dump", "-Fd", "-j", "2", "-f", str(target))
            copy = self.copy("jobs")
            self.program("pg_restore", "-j", "2", "--exit-on-error", "-d", copy, str(target))
        self.same(copy)

    def test_inserts(self):
        """A dump as INSERT statements gives values as literals; their states come through."""
        self.verify()
        dump = self.program("pg_dump", "--column-inserts", "--rows-per-insert=100")
        copy = self.copy("inserts")
        self.program("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", copy, script=dump)
        self.same(copy)
