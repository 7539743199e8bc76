"""What the tests of clients have in common: a database for each class of tests."""

import os
import subprocess
import unittest

import psycopg

TYPES = (
    "g_counter", "pn_counter", "b_counter", "lww_register", "mv_register", "or_set", "aw_set", "lww_set",
    "lww_map", "or_map", "or_cart", "rga", "rga_text", "vector_clock", "hlc",
)
# A table with a column of each type, named after it.
EVERY = "id int PRIMARY KEY, " + ", ".join(f"{name} {name}" for name in TYPES)


def admin(statement):
    with psycopg.connect(dbname="postgres", autocommit=True) as connection:
        connection.execute(statement)


def states(connection, table):
    """All rows of a table with a column of each type, as the bytes of their states."""
    sent = ", ".join(f"{name}_send({name})" for name in TYPES)
    return connection.execute(f"SELECT id, {sent} FROM {table} ORDER BY id").fetchall()


class OnDatabase(unittest.TestCase):
    """Has `cls.database` with the extension, `cls.sql` carried out in it, and `self.db` connected to it."""

    sql = ""

    @classmethod
    def setUpClass(cls):
        cls.database = f"clients_{cls.__name__.lower()}"
        cls.fresh(cls.database, cls.addClassCleanup)
        with psycopg.connect(dbname=cls.database) as connection:
            connection.execute("CREATE EXTENSION blockchain_crdt")
            connection.execute(cls.sql)

    @staticmethod
    def fresh(name, cleanup):
        """An empty database, until it is cleaned up."""
        drop = f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"
        admin(drop)
        cleanup(admin, drop)
        admin(f"CREATE DATABASE {name}")

    def setUp(self):
        self.db = self.connect(autocommit=True)

    def connect(self, dbname=None, **options):
        connection = psycopg.connect(dbname=dbname or self.database, **options)
        self.addCleanup(connection.close)
        return connection

    def one(self, query, parameters=None):
        """The only row, or its only value."""
        row = self.db.execute(query, parameters).fetchone()
        return row[0] if len(row) == 1 else row

    def verify(self):
        """Seals what was written, and verifies all of it."""
        self.assertGreater(self.one("SELECT crdt_commit_block()"), 0)
        self.assertTrue(self.one("SELECT verify_chain()"))

    def program(self, *words, script=None, ok=True):
        """What a program of PostgreSQL prints, run on the database."""
        # Messages in English, whatever the caller speaks.
        environment = os.environ | {"PGDATABASE": self.database, "LC_ALL": "C", "PGOPTIONS": "-c lc_messages=C"}
        done = subprocess.run(words, input=script, capture_output=True, text=True, env=environment, timeout=300)
        if ok and done.returncode != 0:
            self.fail(f"{words[0]} ended with {done.returncode}: {done.stderr}")
        return done.stdout if ok else done.stdout + done.stderr
