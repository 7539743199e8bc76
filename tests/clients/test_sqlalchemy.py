"""SQLAlchemy 2, Core and ORM: through a view of plain types, and on the table itself."""

import asyncio
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from threading import Barrier
from typing import Any, Optional

from psycopg.errors import SerializationFailure
from sqlalchemy import BigInteger, FetchedValue, MetaData, Table, Text, create_engine, delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import DBAPIError, SAWarning
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.ext.mutable import MutableDict, MutableList
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import crdt_sqlalchemy as crdt
from base import EVERY, TYPES, OnDatabase

TABLE = """
    CREATE TABLE page (
        id    int PRIMARY KEY,
        views pn_counter NOT NULL DEFAULT '0',
        tags  aw_set NOT NULL DEFAULT '{}',
        title lww_register,
        facts or_map NOT NULL DEFAULT '{}',
        steps rga NOT NULL DEFAULT '[]',
        body  rga_text NOT NULL DEFAULT '',
        state mv_register
    );
    SELECT crdt_track('page');
"""


class OnEngine(OnDatabase):
    page: type  # what is mapped

    def setUp(self):
        super().setUp()
        self.engine = self.new_engine()
        with Session(self.engine) as session:
            session.execute(delete(self.page))
            session.add(self.page(id=1, views=10, tags=["a", "b"], title={"en": "Hello"}, facts={"n": 1},
                                  steps=[1, 2], body="one two three", state="draft"))
            session.commit()

    def new_engine(self, **options):
        engine = create_engine(f"postgresql+psycopg:///{self.database}", **options)
        self.addCleanup(engine.dispose)
        return engine

    def two(self, **options):
        """Two sessions that have both read the row."""
        sessions = []
        for _ in range(2):
            session = Session(self.new_engine(**options))
            self.addCleanup(session.close)
            sessions += [session, session.get(self.page, 1)]
            sessions[-1].views, sessions[-1].tags
        return sessions

    def at_once(self, engine, turns, work):
        """Two threads that do `work(page, thread, turn)` in units of work of their own; a unit that
        PostgreSQL could not serialize is done again, as its manual says. Gives the number of those."""
        start = Barrier(2)

        def run(thread):
            start.wait()
            again = 0
            for turn in range(turns):
                while True:
                    try:
                        with Session(engine) as session, session.begin():
                            work(session.get(self.page, 1), thread, turn)
                        break
                    except DBAPIError as error:
                        if not isinstance(error.orig, SerializationFailure):
                            raise
                        again += 1
            return again

        with ThreadPoolExecutor(2) as pool:
            return sum(pool.map(run, range(2)))


class PlainBase(DeclarativeBase):
    pass


class PlainPage(PlainBase):
    """The view, as any application without casts would map it."""

    __tablename__ = "page_plain"
    id: Mapped[int] = mapped_column(primary_key=True)
    views: Mapped[int] = mapped_column(BigInteger)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    title: Mapped[Any] = mapped_column(JSONB)
    facts: Mapped[dict] = mapped_column(MutableDict.as_mutable(JSONB))
    steps: Mapped[list] = mapped_column(JSONB)
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[Any] = mapped_column(JSONB)


class ThroughView(OnEngine):
    page = PlainPage
    sql = TABLE + "SELECT crdt_create_view('page', 'page_plain');"

    def test_unit_of_work(self):
        """An application keeps its mapping: it inserts, reads, changes and deletes plain Python values."""
        with Session(self.engine) as session:
            page = session.get(PlainPage, 1)
            self.assertEqual(
                (page.views, page.tags, page.title, page.facts, page.steps, page.body, page.state),
                (10, ["a", "b"], {"en": "Hello"}, {"n": 1}, [1, 2], "one two three", "draft"))
            page.views = 12
            page.tags = ["b", "c"]
            page.title = "Hi"
            page.facts["m"] = {"deep": True}
            page.steps = [2, 3]
            page.body = "one 2 three"
            session.commit()
            self.assertEqual(
                (page.views, page.tags, page.title, page.facts, page.steps, page.body),
                (12, ["b", "c"], "Hi", {"n": 1, "m": {"deep": True}}, [2, 3], "one 2 three"))
            session.add_all(PlainPage(id=i, views=i, tags=[str(i)], title=i, facts={}, steps=[], body="", state=None)
                            for i in range(2, 50))
            session.commit()
            session.delete(session.get(PlainPage, 2))
            session.commit()
            self.assertEqual(session.scalars(select(PlainPage.id).where(PlainPage.tags.contains(["7"]), PlainPage.views > 6)).all(), [7])
        self.verify()

    def test_core(self):
        """INSERT, UPDATE with RETURNING and DELETE of Core work on the view."""
        page = PlainPage.__table__
        with self.engine.begin() as connection:
            connection.execute(insert(page), [{"id": i, "views": i, "tags": ["x"], "facts": {}, "steps": [], "body": "t"} for i in (2, 3)])
            self.assertEqual(
                connection.execute(update(page).where(page.c.id > 1).values(views=page.c.views * 10).returning(page.c.id, page.c.views)).all(),
                [(2, 20), (3, 30)])
            self.assertEqual(connection.execute(delete(page).where(page.c.views == 20)).rowcount, 1)

    def test_other_columns_stay(self):
        """The ORM writes the columns that changed: what another session did to the others stays."""
        one, mine, two, theirs = self.two()
        mine.views = 11
        theirs.tags = ["a", "b", "theirs"]
        two.commit()
        one.commit()
        self.assertEqual((mine.views, mine.tags), (11, ["a", "b", "theirs"]))

    def test_difference(self):
        """`page.views = Page.views + 1` counts in any isolation level, whatever was read."""
        one, mine, two, theirs = self.two()
        mine.views = PlainPage.views + 1
        theirs.views = PlainPage.views + 5
        two.commit()
        one.commit()
        self.assertEqual(mine.views, 16)

    def test_stale_absolute_value(self):
        """The guide says: in READ COMMITTED an absolute value wins over what the session did not see.
        If it did not, or if it did more than that, the guide would mislead."""
        one, mine, two, theirs = self.two()
        mine.views = 11
        theirs.views = 15
        two.commit()
        one.commit()
        self.assertEqual(mine.views, 11)

    def test_repeatable_read_tells(self):
        """In REPEATABLE READ nothing is overwritten unseen: the later session gets an error and reads again."""
        one, mine, two, theirs = self.two(isolation_level="REPEATABLE READ")
        mine.views += 1
        theirs.views += 5
        two.commit()
        with self.assertRaises(DBAPIError) as caught:
            one.commit()
        self.assertIsInstance(caught.exception.orig, SerializationFailure)
        one.rollback()
        mine.views += 1
        one.commit()
        self.assertEqual(mine.views, 16)

    def test_two_at_once(self):
        """Two threads write whole values in REPEATABLE READ and try again when told to: nothing is lost."""

        def work(page, thread, turn):
            page.views += 1
            page.tags = page.tags + [f"{thread}-{turn}"]

        self.at_once(self.new_engine(isolation_level="REPEATABLE READ"), 25, work)
        with Session(self.engine) as session:
            page = session.get(PlainPage, 1)
            self.assertEqual(page.views, 60)
            self.assertEqual(len(page.tags), 52)
        self.verify()


class CrdtBase(DeclarativeBase):
    pass


class CrdtPage(CrdtBase):
    """The table itself, with the types of the example."""

    __tablename__ = "page"
    id: Mapped[int] = mapped_column(primary_key=True)
    views: Mapped[int] = mapped_column(crdt.PnCounter)
    tags: Mapped[frozenset[str]] = mapped_column(crdt.AwSet)
    title: Mapped[Any] = mapped_column(crdt.LwwRegister)
    facts: Mapped[dict] = mapped_column(MutableDict.as_mutable(crdt.OrMap))
    steps: Mapped[list] = mapped_column(MutableList.as_mutable(crdt.Rga))
    body: Mapped[str] = mapped_column(crdt.RgaText)
    state: Mapped[Any] = mapped_column(crdt.MvRegister)


class EagerBase(DeclarativeBase):
    pass


class EagerPage(EagerBase):
    """Reads what it wrote by RETURNING."""

    __tablename__ = "page"
    __mapper_args__ = {"eager_defaults": True}
    id: Mapped[int] = mapped_column(primary_key=True)
    views: Mapped[int] = mapped_column(crdt.PnCounter, server_onupdate=FetchedValue())
    tags: Mapped[frozenset[str]] = mapped_column(crdt.AwSet, server_onupdate=FetchedValue())


class Direct(OnEngine):
    page = CrdtPage
    sql = TABLE

    def test_whole_values_of_two_sessions(self):
        """Two people load a page, both change all of it and save: each one's work is there, in READ COMMITTED."""
        one, mine, two, theirs = self.two()
        mine.views += 1
        theirs.views += 5
        mine.tags = mine.tags - {"a"} | {"mine"}
        theirs.tags |= {"theirs"}
        mine.facts["mine"] = "x"
        theirs.facts["theirs"] = ["y"]
        mine.steps.append(3)
        theirs.steps.insert(0, 0)
        mine.body = "ONE two three"
        theirs.body = "one two three four"
        two.commit()
        one.commit()
        for page in mine, theirs:
            self.assertEqual(page.views, 16)
            self.assertEqual(page.tags, {"b", "mine", "theirs"})
            self.assertEqual(page.facts, {"n": 1, "mine": "x", "theirs": ["y"]})
            self.assertEqual(page.steps, [0, 1, 2, 3])
            self.assertEqual(page.body, "ONE two three four")
        self.verify()

    def test_two_at_once(self):
        """Two threads write whole values as fast as they can: no increment, no element, no word is lost or doubled."""

        def work(page, thread, turn):
            page.views += 1
            page.tags |= {f"{thread}-{turn}"}
            page.body += f" {thread}.{turn:02}"

        again = self.at_once(self.new_engine(), 25, work)
        self.assertEqual(again, 0)
        with Session(self.engine) as session:
            page = session.get(CrdtPage, 1)
            self.assertEqual(page.views, 60)
            self.assertEqual(len(page.tags), 52)
            words = page.body.split()
            self.assertEqual(words[:3], ["one", "two", "three"])
            for thread in "01":
                self.assertEqual([word for word in words[3:] if word[0] == thread], [f"{thread}.{turn:02}" for turn in range(25)])
        self.verify()

    def test_serializable(self):
        """The same in SERIALIZABLE, where PostgreSQL asks for another try."""
        self.at_once(self.new_engine(isolation_level="SERIALIZABLE"), 10, lambda page, *_: setattr(page, "views", page.views + 1))
        with Session(self.engine) as session:
            self.assertEqual(session.get(CrdtPage, 1).views, 30)

    def test_conflict_is_kept(self):
        """Two sessions set a multi-value register without having seen each other: both values are there to choose from."""
        one, mine, two, theirs = self.two()
        mine.state = "mine"
        theirs.state = "theirs"
        two.commit()
        one.commit()
        self.assertEqual(sorted(self.one("SELECT crdt_values(state) FROM page LIMIT 1 OFFSET %s", [i]) for i in (0, 1)), ["mine", "theirs"])
        mine.state = "both"
        one.commit()
        self.assertEqual(self.one("SELECT crdt_is_conflicted(state), state::jsonb FROM page"), (False, "both"))

    def test_several_flushes(self):
        """One transaction writes an attribute several times: each time from what it is then, or steps would count twice."""
        with Session(self.engine) as session:
            page = session.get(CrdtPage, 1)
            for views in (11, 13, 20):
                page.views = views
                session.flush()
            page.tags |= {"c"}
            session.flush()
            page.tags -= {"c"}
            session.commit()
            self.assertEqual((page.views, page.tags), (20, {"a", "b"}))
        new = CrdtPage(id=2, views=1, tags=["x"], title=None, facts={}, steps=[], body="", state=None)
        with Session(self.engine, expire_on_commit=False) as session:
            session.add(new)
            session.flush()
            new.views = 3
            session.flush()
            new.views += 1
            session.commit()
            self.assertEqual(new.views, 4)
            self.db.execute("UPDATE page SET views = views + 10 WHERE id = 2")
            new.views += 1
            session.commit()
            self.assertEqual(new.views, 15)

    def test_rollback(self):
        """What was rolled back is not written again by the next unit of work."""
        with Session(self.engine) as session:
            page = session.get(CrdtPage, 1)
            page.views += 100
            session.flush()
            session.rollback()
            page.views += 1
            with session.begin_nested() as savepoint:
                page.tags |= {"lost"}
                session.flush()
                savepoint.rollback()
            page.tags |= {"kept"}
            session.commit()
            self.assertEqual((page.views, page.tags), (11, {"a", "b", "kept"}))

    def test_written_without_having_been_read(self):
        """A value is assigned to an attribute that is not loaded: it is read first, so that nothing is undone unseen."""
        with Session(self.engine) as session:
            page = session.get(CrdtPage, 1)
            session.commit()
            page.views = 12
            self.db.execute("UPDATE page SET views = views + 5")
            session.commit()
            self.assertEqual(page.views, 17)

    def test_nothing_changed(self):
        """A form that saves what it loaded writes nothing: no row version, no entry in the ledger."""
        before = self.one("SELECT xmin::text FROM page")
        with Session(self.engine) as session:
            page = session.get(CrdtPage, 1)
            page.views = 10
            page.tags = ["b", "a"]
            page.title = {"en": "Hello"}
            page.body = "one two three"
            session.commit()
        self.assertEqual(self.one("SELECT xmin::text FROM page"), before)

    def test_copied_between_rows(self):
        """A value of one row is given to another, and stands in conditions: its state stays where it belongs."""
        with Session(self.engine) as session:
            page = session.get(CrdtPage, 1)
            fresh = CrdtPage(id=2, **{key: getattr(page, key) for key in ("views", "tags", "title", "facts", "steps", "body", "state")})
            session.add(fresh)
            session.commit()
            self.db.execute("UPDATE page SET views = views + 7, tags = tags + 'c', body = 'other' WHERE id = 1")
            session.refresh(page)
            self.db.execute("UPDATE page SET views = views + 1 WHERE id = 2")
            fresh.views, fresh.tags, fresh.body, fresh.facts = page.views, page.tags, page.body, page.facts
            session.commit()
            for key in ("views", "tags", "title", "facts", "steps", "body", "state"):
                with self.subTest(key):
                    self.assertEqual(getattr(fresh, key), getattr(page, key))
                    found = select(CrdtPage.id).where(getattr(CrdtPage, key) == getattr(page, key)).order_by(CrdtPage.id)
                    self.assertEqual(session.scalars(found).all(), [1, 2])
        self.verify()

    def test_none(self):
        """None empties a register; a counter refuses it, and the session can go on after a rollback."""
        with Session(self.engine) as session:
            page = session.get(CrdtPage, 1)
            for title in (None, True, "text", None, {}):
                page.title = page.state = title
                session.commit()
                with self.subTest(title):
                    self.assertEqual((page.title, page.state), (title, title))
            page.views = None
            with self.assertRaises(DBAPIError):
                session.commit()
            session.rollback()
            page.views += 1
            session.commit()
            self.assertEqual(page.views, 11)

    def test_orm_update(self):
        """A bulk UPDATE of the ORM leaves its objects with what is in the row."""
        with Session(self.engine) as session:
            page = session.get(CrdtPage, 1)
            session.execute(update(CrdtPage).where(CrdtPage.views > 5).values(views=CrdtPage.views + 1, tags=["x"]))
            self.assertEqual((page.views, set(page.tags)), (11, {"x"}))
            page.views += 1
            page.tags = set(page.tags) | {"y"}
            session.commit()
            self.assertEqual((page.views, page.tags), (12, {"x", "y"}))

    def test_state_across_requests(self):
        """A form goes to a browser and comes back an hour later: the state goes with it, and nothing is undone."""
        with Session(self.engine) as session:
            page = session.get(CrdtPage, 1)
            form = {"tags": sorted(page.tags), "tags_state": page.tags.state, "views": page.views, "views_state": page.views.state}
        self.db.execute("UPDATE page SET tags = tags + 'meanwhile', views = views + 5")
        with Session(self.engine) as session:
            page = session.get(CrdtPage, 1)
            page.tags = crdt.assign(CrdtPage.tags.type, form["tags_state"], ["a", "form"])
            page.views = crdt.assign(CrdtPage.views.type, form["views_state"], 9)
            session.commit()
            self.assertEqual((page.tags, page.views), ({"a", "form", "meanwhile"}, 14))

    def test_expressions(self):
        """Operators in values and conditions go to the server as such."""
        with Session(self.engine) as session:
            page = session.get(CrdtPage, 1)
            page.views = CrdtPage.views + 1
            page.tags = CrdtPage.tags + "c" - "a"
            session.commit()
            self.assertEqual((page.views, page.tags), (11, {"b", "c"}))
            for condition in (CrdtPage.views > 10, CrdtPage.views == 11, CrdtPage.views.between(11, 12), CrdtPage.views.in_([1, 11]),
                              CrdtPage.tags == ["c", "b"], CrdtPage.tags.bool_op("@>")(["c"]), CrdtPage.tags.bool_op("?")("b"),
                              CrdtPage.title == {"en": "Hello"}, CrdtPage.body == "one two three", CrdtPage.state == "draft",
                              CrdtPage.facts.bool_op("@>")({"n": 1}), CrdtPage.facts.bool_op("?")("n"), CrdtPage.steps == [1, 2]):
                with self.subTest(str(condition)):
                    self.assertEqual(session.scalars(select(CrdtPage.id).where(condition)).all(), [1])
            self.assertEqual(session.execute(select(CrdtPage.views + 1, CrdtPage.views).order_by(CrdtPage.views)).all(), [(12, 11)])

    def test_returning(self):
        """With eager_defaults what was written is read back by RETURNING, without another query."""
        with Session(self.engine) as session:
            page = session.get(EagerPage, 1)
            self.db.execute("UPDATE page SET views = views + 5")
            page.views += 1
            session.flush()
            self.assertEqual(page.__dict__["views"], 16)
            page.views += 1
            session.commit()
            self.assertEqual(page.views, 17)
            session.add_all(EagerPage(id=i, views=i, tags=[str(i)]) for i in range(2, 30))
            session.commit()
            self.assertEqual(session.get(EagerPage, 29).tags, {"29"})

    def test_async(self):
        """Asynchronous sessions keep what others wrote, as the others do; RETURNING saves them from reading anew."""

        async def both():
            engine = create_async_engine(f"postgresql+psycopg:///{self.database}")
            async with AsyncSession(engine, expire_on_commit=False) as one, AsyncSession(engine) as two:
                mine, theirs = await one.get(EagerPage, 1), await two.get(EagerPage, 1)
                mine.views += 1
                mine.tags |= {"mine"}
                theirs.views += 5
                theirs.tags |= {"theirs"}
                await two.commit()
                await one.commit()
                self.assertEqual((mine.views, mine.tags), (16, {"a", "b", "mine", "theirs"}))
            await engine.dispose()

        asyncio.run(both())

    def test_core(self):
        """Core statements give and take plain values."""
        page = CrdtPage.__table__
        with self.engine.begin() as connection:
            connection.execute(insert(page), [{"id": i, "views": i, "tags": {"x", "y"}, "body": "t"} for i in (2, 3)])
            self.assertEqual(
                connection.execute(update(page).where(page.c.id > 1).values(views=page.c.views + 10, tags=["z"])
                                   .returning(page.c.id, page.c.views, page.c.tags)).all(),
                [(2, 12, {"z"}), (3, 13, {"z"})])
            [(views, tags)] = connection.execute(select(page.c.views, page.c.tags).where(page.c.id == 2))
            self.assertTrue(views.state.startswith("12 @v1:"), views.state)
            connection.execute(update(page).where(page.c.id == 2).values(views=page.c.views + 1))
            connection.execute(update(page).where(page.c.id == 2).values(
                views=crdt.assign(page.c.views.type, views.state, 20), tags=crdt.assign(page.c.tags.type, tags.state, [])))
            self.assertEqual(connection.execute(select(page.c.views, page.c.tags).where(page.c.id == 2)).one(), (21, frozenset()))


AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
# For each type a value, and another that is written over it.
VALUES = {
    "g_counter": (3, 8),
    "pn_counter": (5_000_000_000, -7),
    "b_counter": (9, 2),
    "lww_register": ({"a": [1, None]}, "123"),
    "mv_register": (1.5, [True]),
    "or_set": ({"b c", "a"}, {"a", 'q"\\'}),
    "aw_set": ({"ü", "NULL"}, set()),
    "lww_set": (set(), {"x"}),
    "lww_map": ({"k": 1}, {"l": None}),
    "or_map": ({"n": 1, "s": ["a"]}, {"n": 2, "m": {"t": "x"}}),
    "or_cart": ({"apple": 2}, {"apple": 1, "pear": 4}),
    "rga": ([1, "b"], ["b", {"c": 2}]),
    "rga_text": ("an e-mail @v1: address", "{1,2}"),
    "vector_clock": ({}, {}),
    "hlc": (AT, AT.replace(month=2)),
}


class EveryType(OnDatabase):
    sql = f"CREATE TABLE reflected ({EVERY});"

    def test_every_type(self):
        """All fifteen types: the table made by create_all, values written and written over, as ORM attributes."""

        class Base(DeclarativeBase):
            pass

        columns = {name: mapped_column(crdt.TYPES[name], nullable=True) for name in TYPES}
        every = type("Every", (Base,), {
            "__tablename__": "every", "__annotations__": {"id": Mapped[int]} | {name: Mapped[Optional[Any]] for name in TYPES},
            "id": mapped_column(primary_key=True), **columns})
        engine = create_engine(f"postgresql+psycopg:///{self.database}")
        self.addCleanup(engine.dispose)
        with engine.begin() as connection:
            Base.metadata.create_all(connection)
            connection.execute(text("SELECT crdt_track('every')"))
        with Session(engine) as session:
            session.add(every(id=1, **{name: values[0] for name, values in VALUES.items()}))
            session.add(every(id=2))
            session.commit()
            row, empty = session.get(every, 1), session.get(every, 2)
            for name, (first, second) in VALUES.items():
                with self.subTest(name):
                    self.assertIsNone(getattr(empty, name))
                    self.assertEqual(getattr(row, name), first)
                    self.assertTrue(getattr(row, name).state)
                    setattr(row, name, second)
            with warnings.catch_warnings():
                warnings.simplefilter("error", SAWarning)
                session.commit()
            for name, (_, second) in VALUES.items():
                with self.subTest(name):
                    self.assertEqual(getattr(row, name), second)
        self.verify()

    def test_reflection(self):
        """autoload finds the types, so that tools that read the schema know the columns."""
        engine = create_engine(f"postgresql+psycopg:///{self.database}")
        self.addCleanup(engine.dispose)
        table = Table("reflected", MetaData(), autoload_with=engine)
        for name in TYPES:
            self.assertIsInstance(table.c[name].type, crdt.TYPES[name])
