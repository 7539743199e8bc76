"""pgbench: many clients on a few rows."""

import tempfile
from pathlib import Path

from base import OnDatabase

CLIENTS = 8
EACH = 25  # transactions of a client

SCRIPT = r"""
\set row random(1, 3)
\set amount random(1, 9)
BEGIN;
UPDATE page SET views = views + :amount, tags = tags + ('c' || :client_id) + ('v' || :amount) WHERE id = :row;
INSERT INTO done (client, page, amount) VALUES (:client_id, :row, :amount);
COMMIT;
"""


class Pgbench(OnDatabase):
    sql = """
        CREATE TABLE page (id int PRIMARY KEY, views pn_counter NOT NULL DEFAULT '0', tags aw_set NOT NULL DEFAULT '{}');
        SELECT crdt_track('page');
        INSERT INTO page SELECT generate_series(1, 3);
        -- What the clients did, in a table without any of this.
        CREATE TABLE done (id serial PRIMARY KEY, client int, page int, amount int);
    """

    def bench(self, protocol):
        self.db.execute("TRUNCATE done")
        self.db.execute("UPDATE page SET views = 0, tags = '{}'")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "page.sql")
            file.write_text(SCRIPT)
            said = self.program("pgbench", "-n", "-c", str(CLIENTS), "-j", "2", "-t", str(EACH), "-M", protocol,
                                "-f", str(file))
        self.assertIn(f"number of transactions actually processed: {CLIENTS * EACH}/{CLIENTS * EACH}", said)
        self.assertIn("number of failed transactions: 0 ", said)
        # Counters: each addition counts once. Sets: each addition is there.
        self.assertEqual(
            self.db.execute("SELECT id, views::bigint, tags::text[] FROM page ORDER BY id").fetchall(),
            self.db.execute("""
                SELECT p.id, (SELECT coalesce(sum(d.amount), 0) FROM done d WHERE d.page = p.id)::bigint,
                       ARRAY(SELECT tag COLLATE "C"
                               FROM done d, LATERAL (VALUES ('c' || d.client), ('v' || d.amount)) AS t (tag)
                              WHERE d.page = p.id GROUP BY 1 ORDER BY 1)
                  FROM page p ORDER BY p.id""").fetchall())
        self.verify()

    def test_simple(self):
        """If one increment of eight clients on one row were lost or counted twice, no count could be trusted."""
        self.bench("simple")

    def test_prepared(self):
        """The same with prepared statements, whose plans PostgreSQL keeps: a plan must hold no state of a row."""
        self.bench("prepared")

    def test_every_transaction_is_in_the_ledger(self):
        """An auditor counts the ops: none is missing, none is there twice."""
        self.verify()
        before = self.one("SELECT count(*) FROM crdt_ops")
        # Pages are emptied first; one that is empty is not written by that.
        emptied = self.one("SELECT count(*) FROM page WHERE views <> 0 OR tags <> '{}'")
        self.bench("extended")
        self.assertEqual(self.one("SELECT count(*) FROM crdt_ops") - before, emptied + CLIENTS * EACH)
