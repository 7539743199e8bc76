"""psycopg 3: parameters and results of all types, as text and as bytes."""

import asyncio
from datetime import datetime, timezone
from decimal import Decimal

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Json, Jsonb

from base import EVERY, TYPES, OnDatabase, states
from crdt_psycopg import STATES, register, register_async

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
LATER = datetime(2026, 2, 2, tzinfo=timezone.utc)

# For each type: the plain type, a parameter for INSERT, another for UPDATE, and
# what is read after each by a cast to the plain type.
PLAIN = {
    "g_counter": ("bigint", 3, 8, 3, 8),
    "pn_counter": ("bigint", 5_000_000_000, -7, 5_000_000_000, -7),
    "b_counter": ("bigint", 9, 2, 9, 2),
    "lww_register": ("jsonb", Jsonb({"a": [1, None]}), Jsonb("123"), {"a": [1, None]}, "123"),
    "mv_register": ("jsonb", Jsonb(1.5), Jsonb([True]), 1.5, [True]),
    "or_set": ("text[]", ["b c", "a"], ["a", 'q"\\'], ["a", "b c"], ["a", 'q"\\']),
    "aw_set": ("text[]", ["ü", "NULL"], [], ["NULL", "ü"], []),
    "lww_set": ("text[]", [], ["x"], [], ["x"]),
    "lww_map": ("jsonb", Jsonb({"k": 1}), Jsonb({"l": None}), {"k": 1}, {"l": None}),
    "or_map": ("jsonb", Jsonb({"n": 1, "s": ["a"]}), Jsonb({"n": 2, "m": {"t": "x"}}),
               {"n": 1, "s": ["a"]}, {"n": 2, "m": {"t": "x"}}),
    "or_cart": ("jsonb", Jsonb({"apple": 2}), Jsonb({"apple": 1, "pear": 4}), {"apple": 2}, {"apple": 1, "pear": 4}),
    "rga": ("jsonb", Jsonb([1, "b"]), Jsonb(["b", {"c": 2}]), [1, "b"], ["b", {"c": 2}]),
    "rga_text": ("text", "two\nlines", "{1,2}", "two\nlines", "{1,2}"),
    # Its own nodes alone raise it, by crdt_tick.
    "vector_clock": ("jsonb", Jsonb({}), Jsonb({}), {}, {}),
    "hlc": ("timestamptz", AT, LATER, AT, LATER),
}
COLUMNS = ", ".join(TYPES)


class Psycopg(OnDatabase):
    sql = f"""
        CREATE TABLE page ({EVERY});
        SELECT crdt_track('page');
        CREATE TABLE copied ({EVERY});
    """

    def setUp(self):
        super().setUp()
        self.db.execute("DELETE FROM page")
        self.db.execute("DELETE FROM copied")

    def insert(self, **options):
        marks = ", ".join(["%s"] * len(TYPES))
        self.db.execute(f"INSERT INTO page VALUES (1, {marks})", [PLAIN[name][1] for name in TYPES], **options)

    def plain(self, binary=False):
        casts = ", ".join(f"{name}::{PLAIN[name][0]}" for name in TYPES)
        with self.db.cursor(binary=binary, row_factory=dict_row) as cursor:
            [row] = cursor.execute(f"SELECT {casts} FROM page WHERE id = 1").fetchall()
        return row

    def expect(self, written, **options):
        row = self.plain(**options)
        for name in TYPES:
            with self.subTest(name):
                self.assertEqual(row[name], PLAIN[name][written + 2])

    def test_plain_parameters(self):
        """int, list, str, Jsonb, datetime go in without casts and come out by a cast: no driver code is needed."""
        self.insert()
        self.expect(1)
        self.expect(1, binary=True)
        for name in TYPES:
            self.db.execute(f"UPDATE page SET {name} = %s WHERE id = 1", [PLAIN[name][2]])
        self.expect(2)
        self.expect(2, binary=True)
        self.verify()

    def test_binary_parameters(self):
        """The same where the program asks for binary parameters (%b) and one statement writes all."""
        self.insert()
        assignments = ", ".join(f"{name} = %b" for name in TYPES if PLAIN[name][2] != [])
        self.db.execute(f"UPDATE page SET {assignments} WHERE id = 1",
                        [PLAIN[name][2] for name in TYPES if PLAIN[name][2] != []])
        self.db.execute("UPDATE page SET aw_set = '{}' WHERE id = 1")
        self.expect(2, binary=True)

    def test_casts(self):
        """Casts on parameters, as careful programs write them, mean the same."""
        self.insert()
        for name in TYPES:
            plain = PLAIN[name][0]
            self.db.execute(f"UPDATE page SET {name} = %s::{plain}::{name} WHERE id = 1", [PLAIN[name][2]])
        self.expect(2)
        self.db.execute("UPDATE page SET aw_set = %s::aw_set, pn_counter = %s::pn_counter WHERE id = 1", [["x"], 4])
        self.assertEqual(self.one("SELECT aw_set::text[], pn_counter::bigint FROM page"), (["x"], 4))

    def test_text_for_registers(self):
        """A str parameter has no type: a register reads it as a literal, so text that looks like JSON needs a cast."""
        self.insert()
        for statement, parameter, value in (
            ("lww_register = %s", "plain words", "plain words"),
            ("lww_register = %s", "123", 123),
            ("lww_register = %s::text", "123", "123"),
            ("lww_register = %s", Jsonb("123"), "123"),
            ("lww_register = %s::jsonb", Json(None), None),
            ("lww_register = %s", True, True),
        ):
            self.db.execute(f"UPDATE page SET {statement} WHERE id = 1", [parameter])
            with self.subTest(f"{statement} {parameter!r}"):
                self.assertEqual(self.one("SELECT lww_register::jsonb FROM page"), value)

    def test_numbers(self):
        """Numbers of any Python type count; a fraction is rounded, as bigint does it."""
        self.insert()
        for name in ("g_counter", "pn_counter", "b_counter"):
            for value, whole in ((10, 10), (Decimal(11), 11), ("12", 12), (Decimal("13.5"), 14)):
                self.db.execute(f"UPDATE page SET {name} = %s", [value])
                with self.subTest(f"{name} {value!r}"):
                    self.assertEqual(self.one(f"SELECT {name}::int FROM page"), whole)

    def test_text_for_texts(self):
        """Whatever people type must go in: with a cast a text is taken as it is, without it read as a literal."""
        self.insert()
        for typed in ("", "plain", "an e-mail @v1: address", "x @v1:AQAA", "{1,2}", "tab\tand \\ and ' and \U0001f600"):
            for column in ("rga_text", "lww_register"):
                self.db.execute(f"UPDATE page SET {column} = %s::text WHERE id = 1", [typed])
                with self.subTest(f"{column} {typed!r}"):
                    self.assertEqual(self.one(f"SELECT {column}::text FROM page"), typed)
        with self.assertRaises(psycopg.errors.InvalidTextRepresentation):
            self.db.execute("UPDATE page SET rga_text = %s WHERE id = 1", ["x @v1:AQAA"])

    def test_operators(self):
        """Operators take parameters: five more, this tag in, is it there?"""
        self.insert()
        self.db.execute(
            "UPDATE page SET pn_counter = pn_counter + %s, g_counter = g_counter + %s, or_set = or_set + %s - %s,"
            " or_cart = crdt_increment(or_cart, %s, %s), or_map = crdt_put(or_map, %s, %s) WHERE id = 1",
            [5, 1, "new", "a", "pear", 3, "t", Jsonb("x")])
        self.assertEqual(
            self.one("SELECT pn_counter::bigint, g_counter::bigint, or_set::text[], or_cart::jsonb, or_map::jsonb FROM page"),
            (5_000_000_005, 4, ["b c", "new"], {"apple": 2, "pear": 3}, {"n": 1, "s": ["a"], "t": "x"}))
        # An array parameter stands on its own, beside the operators of both `set` and `array`.
        self.assertEqual(self.one("SELECT id FROM page WHERE or_set ? %s AND or_set @> %s AND pn_counter > %s AND or_set ?| %s",
                                  ["new", ["b c"], 10, ["new", "x"]]), 1)

    def test_no_value_is_lost_between_text_and_text(self):
        """What a program reads without a cast is the whole value: written elsewhere it is the same state."""
        self.insert()
        self.db.execute("UPDATE page SET or_set = or_set - 'a', pn_counter = pn_counter - 1, vector_clock = crdt_tick(vector_clock)")
        row = self.one(f"SELECT {COLUMNS} FROM page")
        for name, text in zip(TYPES, row):
            self.assertIsInstance(text, str, name)
        self.db.execute(f"INSERT INTO copied VALUES (1, {', '.join(['%s'] * len(TYPES))})", row)
        self.assertEqual(states(self.db, "copied"), states(self.db, "page"))

    def test_states_as_bytes(self):
        """With the example's loaders and dumpers states are bytes, there and back: nothing is parsed twice."""
        self.insert()
        register(self.db)
        with self.db.cursor(binary=True) as cursor:
            [row] = cursor.execute(f"SELECT {COLUMNS} FROM page").fetchall()
            for name, state in zip(TYPES, row):
                self.assertIsInstance(state, STATES[name])
            self.assertEqual([state.data for state in row], list(states(self.db, "page")[0][1:]))
            cursor.execute(f"INSERT INTO copied VALUES (1, {', '.join(['%s'] * len(TYPES))})", row)
            self.assertEqual(states(self.db, "copied"), states(self.db, "page"))
            # An array of them, too.
            [[both]] = cursor.execute("SELECT ARRAY[pn_counter, %s] FROM page", [row[1]]).fetchall()
            self.assertEqual(both, [row[1], row[1]])
        # Text cursors of this connection still give text.
        self.assertIsInstance(self.one("SELECT pn_counter FROM page"), str)

    def test_damaged_bytes_are_refused(self):
        """A program that mixes up columns or damages bytes gets an error, not a broken row."""
        self.insert()
        register(self.db)
        with self.db.cursor(binary=True) as cursor:
            [[counter]] = cursor.execute("SELECT pn_counter FROM page").fetchall()
        for name, data in (("or_set", counter.data), ("pn_counter", counter.data[:-1]), ("pn_counter", b"")):
            with self.subTest(f"{name} {data!r}"), self.assertRaises(psycopg.errors.InvalidBinaryRepresentation):
                self.db.execute(f"UPDATE page SET {name} = %s", [STATES[name](data)])
        self.expect(1)

    def test_read_modify_write(self):
        """A state that was read and is written back whole undoes nothing that others wrote meanwhile."""
        self.insert()
        other = self.connect(autocommit=True)
        pn_counter, aw_set, rga_text = self.one("SELECT pn_counter, aw_set, rga_text FROM page")
        other.execute("UPDATE page SET pn_counter = pn_counter + 1, aw_set = aw_set + 'theirs', rga_text = crdt_append(rga_text, '!')")
        self.db.execute("UPDATE page SET pn_counter = %s, aw_set = %s, rga_text = %s", [pn_counter, aw_set, rga_text])
        self.assertEqual(self.one("SELECT pn_counter::bigint, aw_set::text[], rga_text::text FROM page"),
                         (5_000_000_001, ["NULL", "theirs", "ü"], "two\nlines!"))
        # The same with operators on it.
        self.db.execute("UPDATE page SET pn_counter = %s::pn_counter + 1, aw_set = %s::aw_set - 'ü' + 'ü'", [pn_counter, aw_set])
        self.assertEqual(self.one("SELECT pn_counter::bigint, aw_set::text[] FROM page"), (5_000_000_002, ["NULL", "theirs", "ü"]))
        self.db.execute("UPDATE page SET pn_counter = pn_counter - 1")
        # And with the program's own value over what it had read.
        self.db.execute(
            "UPDATE page SET pn_counter = crdt_assign(%s, %s::bigint::pn_counter), aw_set = crdt_assign(%s, %s::aw_set),"
            " rga_text = crdt_assign(%s, %s::text::rga_text)",
            [pn_counter, 5_000_000_010, aw_set, ["mine", "ü"], rga_text, "two words"])
        self.assertEqual(self.one("SELECT pn_counter::bigint, aw_set::text[], rga_text::text FROM page"),
                         (5_000_000_011, ["mine", "theirs", "ü"], "two words!"))

    def test_copy_text(self):
        """COPY loads plain values by the row and unloads states that load elsewhere."""
        with self.db.cursor() as cursor:
            with cursor.copy("COPY page (id, pn_counter, or_set, lww_register, hlc) FROM STDIN") as copy:
                copy.write_row([1, 5, ["a", "b c"], "x\ty", AT])
                copy.write_row([2, None, None, Jsonb([1]), None])
            self.assertEqual(
                cursor.execute("SELECT id, pn_counter::bigint, or_set::text[], lww_register::jsonb, hlc::timestamptz"
                               " FROM page ORDER BY id").fetchall(),
                [(1, 5, ["a", "b c"], "x\ty", AT), (2, None, None, [1], None)])
            with cursor.copy(f"COPY page (id, {COLUMNS}) TO STDOUT") as copy:
                data = b"".join(copy)
            with cursor.copy("COPY copied FROM STDIN") as copy:
                copy.write(data)
        self.assertEqual(states(self.db, "copied"), states(self.db, "page"))

    def test_copy_binary(self):
        """Binary COPY carries states as bytes, row by row, with the example's loaders and dumpers."""
        self.insert()
        register(self.db)
        with self.db.cursor(binary=True) as cursor:
            with cursor.copy(f"COPY page (id, {COLUMNS}) TO STDOUT (FORMAT binary)") as copy:
                copy.set_types(["int4", *TYPES])
                rows = list(copy.rows())
            self.assertIsInstance(rows[0][1], STATES["g_counter"])
            with cursor.copy("COPY copied FROM STDIN (FORMAT binary)") as copy:
                copy.set_types(["int4", *TYPES])
                for row in rows:
                    copy.write_row(row)
        self.assertEqual(states(self.db, "copied"), states(self.db, "page"))

    def test_prepared_statements(self):
        """A statement prepared once and run often works on the row as it is each time, under any plan."""
        self.insert()
        for mode in ("force_custom_plan", "force_generic_plan"):
            self.db.execute(f"SET plan_cache_mode = {mode}")
            self.db.execute("UPDATE page SET pn_counter = 0, or_set = '{}'")
            for i in range(10):
                self.db.execute("UPDATE page SET pn_counter = pn_counter + %s, or_set = or_set + %s WHERE id = %s",
                                [i, f"t{i}", 1], prepare=True)
            self.assertEqual(self.one("SELECT pn_counter::bigint, crdt_cardinality(or_set) FROM page"), (45, 10))
        self.assertEqual(self.one("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%UPDATE page SET pn_counter = pn%'"), 1)

    def test_executemany_and_pipeline(self):
        """Batches without waiting for answers: all arrive, in order, and an error undoes its own transaction only."""
        self.insert()
        with self.db.cursor() as cursor:
            cursor.executemany("UPDATE page SET pn_counter = pn_counter + %s WHERE id = 1", [[1]] * 20)
        self.assertEqual(self.plain()["pn_counter"], 5_000_000_020)
        with self.db.pipeline() as pipeline:
            for i in range(20):
                with self.db.transaction():
                    self.db.execute("UPDATE page SET pn_counter = pn_counter + 1, rga = crdt_append(rga, %s) WHERE id = 1", [Jsonb(i)])
            read = self.db.execute("SELECT pn_counter::bigint, rga::jsonb FROM page")
            pipeline.sync()
            self.assertEqual(read.fetchone(), (5_000_000_040, [1, "b", *range(20)]))
        with self.assertRaises(psycopg.errors.InvalidTextRepresentation), self.db.pipeline():
            with self.db.transaction():
                self.db.execute("UPDATE page SET pn_counter = pn_counter + 1 WHERE id = 1")
                self.db.execute("UPDATE page SET pn_counter = %s WHERE id = 1", ["many"])
        self.assertEqual(self.plain()["pn_counter"], 5_000_000_040)
        self.verify()

    def test_async(self):
        """Coroutines on connections of their own count exactly, and states are bytes for them as well."""
        self.insert()

        async def work(name):
            async with await psycopg.AsyncConnection.connect(dbname=self.database, autocommit=True) as connection:
                await register_async(connection)
                for i in range(10):
                    await connection.execute("UPDATE page SET pn_counter = pn_counter + 1, or_set = or_set + %s", [f"{name}{i}"])
                    async with connection.cursor(binary=True) as cursor:
                        await cursor.execute("SELECT or_set FROM page")
                        [state] = await cursor.fetchone()
                    await connection.execute("UPDATE page SET or_set = %s", [state])

        async def all_at_once():
            await asyncio.gather(work("a"), work("b"), work("c"))

        asyncio.run(all_at_once())
        self.assertEqual(self.one("SELECT pn_counter::bigint, crdt_cardinality(or_set) FROM page"), (5_000_000_030, 32))

    def test_server_side_cursor_and_returning(self):
        """RETURNING and named cursors give values as SELECT does."""
        self.insert()
        self.assertEqual(
            self.one("UPDATE page SET pn_counter = pn_counter + 1, or_set = %s RETURNING pn_counter::bigint, or_set::text[]", [["z"]]),
            (5_000_000_001, ["z"]))
        with self.db.transaction(), self.db.cursor("named", binary=True) as cursor:
            cursor.execute("SELECT pn_counter::bigint, aw_set::text[] FROM page")
            self.assertEqual(cursor.fetchall(), [(5_000_000_001, ["NULL", "ü"])])

    def test_errors_have_codes(self):
        """A program tells a wrong value from a full counter by the SQLSTATE."""
        self.insert()
        for error, statement, parameter in (
            (psycopg.errors.InvalidTextRepresentation, "pn_counter = %s", "many"),
            (psycopg.errors.NumericValueOutOfRange, "pn_counter = pn_counter + %s", 2**63 - 1),
            (psycopg.errors.InvalidTextRepresentation, "or_set = %s", ["a", None]),
            (psycopg.errors.NullValueNotAllowed, "or_set = %s::text[]", ["a", None]),
            (psycopg.errors.InsufficientPrivilege, "vector_clock = %s", Jsonb({"01" * 16: 5})),
        ):
            with self.subTest(statement), self.assertRaises(error):
                self.db.execute(f"UPDATE page SET {statement}", [parameter])
        self.expect(1)
