"""The column types of blockchain_crdt for SQLAlchemy 2, on any driver.

    class Page(Base):
        __tablename__ = "page"
        id: Mapped[int] = mapped_column(primary_key=True)
        views: Mapped[int] = mapped_column(PnCounter)
        tags: Mapped[frozenset[str]] = mapped_column(AwSet)

Attributes hold plain Python values. Each value that was read also carries the
state that it was read with, in `.state`. When the ORM writes a new value over it,
it writes `crdt_assign(state, value)`: "what I read, led to this". So what others
committed between the read and the write stays, in any isolation level.

As with SQLAlchemy's own ARRAY and JSON, lists and dicts that are changed in place
are noticed only under `MutableList.as_mutable(Rga)`, `MutableDict.as_mutable(OrMap)`.
"""

import json
from datetime import datetime
from typing import Any, Optional

from sqlalchemy import ARRAY, BigInteger, DateTime, Integer, Text, bindparam, cast, event, func, inspect
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.ext.mutable import MutableDict, MutableList
from sqlalchemy.orm import Mapper, Session
from sqlalchemy.sql.expression import ClauseElement
from sqlalchemy.sql.operators import custom_op
from sqlalchemy.types import UserDefinedType

# What is read: the plain value with the state beside it.


class _Int(int):
    state: str


class _Float(float):
    state: str


class _Str(str):
    state: str


class _Set(frozenset):
    state: str


class _Time(datetime):
    state: str


class _List(MutableList):
    state: str


class _Dict(MutableDict):
    state: str


def _read(value: Any, state: str) -> Any:
    """The value with its state. JSON's null and booleans cannot carry one."""
    for plain, carrier in ((int, _Int), (float, _Float), (str, _Str), (frozenset, _Set), (list, _List), (dict, _Dict)):
        if isinstance(value, plain) and not isinstance(value, bool):
            value = carrier(value)
            value.state = state
            break
    if isinstance(value, datetime):
        value = _Time.fromisoformat(value.isoformat())
        value.state = state
    return value


class Crdt(UserDefinedType):
    """A column of a CRDT type; use one of the classes below."""

    name: str  # in SQL
    plain: Any  # what a plain value is bound as

    def __init_subclass__(cls) -> None:
        cls.cache_ok = True  # SQLAlchemy looks for it in each class by itself

    def get_col_spec(self, **_: Any) -> str:
        return self.name

    def to_bound(self, value: Any) -> Any:
        """A plain value, as the driver is to send it."""
        return value

    def of_json(self, value: Any) -> Any:
        """A plain value, from its JSON."""
        return value

    def bind_processor(self, dialect):
        return lambda value: None if value is None else self.to_bound(value)

    def bind_expression(self, bindvalue):
        return cast(bindvalue, self.plain)

    def column_expression(self, column):
        # Both at once, so that they belong together. concat() uses the text
        # form, which has the state; a cast to text may give the value alone.
        return func.jsonb_build_array(func.crdt_value(column), func.concat(column), type_=self)

    def result_processor(self, dialect, coltype):
        def process(pair):
            if isinstance(pair, str):
                pair = json.loads(pair)
            if pair is None or pair[0] is None:
                return None
            return _read(self.of_json(pair[0]), pair[1])

        return process

    def coerce_compared_value(self, op, value):
        """What stands beside a column in `Page.views > 5`, `Page.tags + 'x'`."""
        if isinstance(value, str):
            return Text()
        if isinstance(value, int) and isinstance(op, custom_op):
            return Integer()
        return self.plain


class _Counter(Crdt):
    plain = BigInteger()


class _TextSet(Crdt):
    """Read as frozenset; written from any collection of strings."""

    plain = ARRAY(Text)

    def to_bound(self, value):
        return sorted(set(value))

    def of_json(self, value):
        return frozenset(value)

    def compare_values(self, x, y):
        both = (frozenset, set, list, tuple)
        return frozenset(x) == frozenset(y) if isinstance(x, both) and isinstance(y, both) else x == y


class _Json(Crdt):
    plain = JSONB()

    def to_bound(self, value):
        return json.dumps(value)


class GCounter(_Counter):
    name = "g_counter"


class PnCounter(_Counter):
    name = "pn_counter"


class BCounter(_Counter):
    name = "b_counter"


class LwwRegister(_Json):
    name = "lww_register"


class MvRegister(_Json):
    name = "mv_register"


class OrSet(_TextSet):
    name = "or_set"


class AwSet(_TextSet):
    name = "aw_set"


class LwwSet(_TextSet):
    name = "lww_set"


class LwwMap(_Json):
    name = "lww_map"


class OrMap(_Json):
    name = "or_map"


class OrCart(_Json):
    name = "or_cart"


class Rga(_Json):
    name = "rga"


class RgaText(Crdt):
    name = "rga_text"
    plain = Text()


class VectorClock(_Json):
    name = "vector_clock"


class Hlc(Crdt):
    name = "hlc"
    plain = DateTime(timezone=True)

    def of_json(self, value):
        return datetime.fromisoformat(value)


TYPES = {
    type_.name: type_
    for type_ in (GCounter, PnCounter, BCounter, LwwRegister, MvRegister, OrSet, AwSet, LwwSet,
                  LwwMap, OrMap, OrCart, Rga, RgaText, VectorClock, Hlc)
}
# Table(..., autoload_with=engine) finds them.
ischema_names.update(TYPES)


class _State(UserDefinedType):
    """A state in its text form: sent as a literal, not as text, which a register
    would take for its value."""

    cache_ok = True

    def __init__(self, name: str):
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        return self.name


def assign(type_: Crdt, state: Optional[str], value: Any) -> ClauseElement:
    """SQL for: the state that was read, led to this plain value.

    The ORM does this by itself within a session. Call it for a state that comes
    from elsewhere, such as a form that was sent to a browser:

        page.tags = assign(Page.tags.type, form["tags_state"], form["tags"])
    """
    new = cast(bindparam(None, value, type_), type_)
    if not state or value is None:
        return new
    return func.crdt_assign(cast(bindparam(None, state, _State(type_.name)), type_), new, type_=type_)


def _crdt_columns(mapper: Mapper) -> list[tuple[str, Crdt]]:
    columns = mapper.__dict__.get("_crdt_columns")
    if columns is None:
        columns = [(p.key, p.columns[0].type) for p in mapper.column_attrs if isinstance(p.columns[0].type, Crdt)]
        mapper.__dict__["_crdt_columns"] = columns
    return columns


@event.listens_for(Mapper, "mapper_configured")
def _read_before_write(mapper: Mapper, class_: type) -> None:
    """A column that is written is read first, so that there is a state to start from."""
    for key, _ in _crdt_columns(mapper):
        event.listen(getattr(class_, key), "set", lambda *_: None, active_history=True)


@event.listens_for(Session, "before_flush")
def _write_over_what_was_read(session: Session, context: Any, instances: Any) -> None:
    for item in session.dirty:
        row = inspect(item)
        for key, type_ in _crdt_columns(row.mapper):
            history = row.attrs[key].history
            if not history.added or history.added[0] is None:
                continue
            new = history.added[0]
            if isinstance(new, ClauseElement) or hasattr(new, "__clause_element__"):
                continue
            # Changed in place, a value is its own predecessor.
            old = history.deleted[0] if history.deleted else new
            state = getattr(old, "state", None)
            if state:
                # The ORM takes expressions for values, and reads the attribute anew
                # afterwards. Past the events of a set: MutableDict refuses them.
                row.dict[key] = assign(type_, state, new)


@event.listens_for(Session, "after_flush")
def _note_inserted(session: Session, context: Any) -> None:
    context.attributes["crdt_inserted"] = [
        (item, [key for key, _ in _crdt_columns(inspect(item).mapper)]) for item in session.new
    ]


@event.listens_for(Session, "after_flush_postexec")
def _read_inserted_anew(session: Session, context: Any) -> None:
    """What was inserted has a state now."""
    for item, keys in context.attributes.pop("crdt_inserted", ()):
        if keys and item in session:
            session.expire(item, keys)
