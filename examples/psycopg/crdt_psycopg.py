"""The states of blockchain_crdt in psycopg 3, as bytes, there and back.

    register(connection)
    with connection.cursor(binary=True) as cursor:
        [state] = cursor.execute("SELECT tags FROM page WHERE id = 1").fetchone()
        cursor.execute("UPDATE copy SET tags = %s WHERE id = 1", [state])

Not needed for plain values: read those by a cast, `tags::text[]`, and write them
as they are. A state is what to keep as the base of `crdt_assign`, or to carry from
one database into another.
"""

from dataclasses import dataclass

from psycopg import AsyncConnection, BaseConnection, Connection
from psycopg.adapt import Dumper, Loader
from psycopg.pq import Format
from psycopg.types import TypeInfo

TYPES = (
    "g_counter", "pn_counter", "b_counter", "lww_register", "mv_register", "or_set", "aw_set", "lww_set",
    "lww_map", "or_map", "or_cart", "rga", "rga_text", "vector_clock", "hlc",
)


@dataclass(frozen=True)
class State:
    """The state of a value: bytes that only the extension reads. Equal states are equal bytes."""

    data: bytes


# One class for each type, since psycopg chooses by the class what it tells the server.
STATES: dict[str, type[State]] = {name: type(name, (State,), {}) for name in TYPES}


def register(connection: Connection) -> None:
    """Makes binary cursors return states, and parameters take them: cursors of this connection made afterwards."""
    for name in TYPES:
        _register(connection, name, TypeInfo.fetch(connection, name))


async def register_async(connection: AsyncConnection) -> None:
    """The same for an AsyncConnection."""
    for name in TYPES:
        _register(connection, name, await TypeInfo.fetch(connection, name))


def _register(connection: BaseConnection, name: str, info: TypeInfo | None) -> None:
    if info is None:
        raise LookupError(f"no type {name} here: CREATE EXTENSION blockchain_crdt, or set search_path")
    # The number of the type differs between databases.
    info.register(connection)
    connection.adapters.register_loader(info.oid, _loader(STATES[name]))
    connection.adapters.register_dumper(STATES[name], _dumper(info.oid))


def _loader(state: type[State]) -> type[Loader]:
    class StateLoader(Loader):
        format = Format.BINARY

        def load(self, data):
            return state(bytes(data))

    return StateLoader


def _dumper(type_oid: int) -> type[Dumper]:
    class StateDumper(Dumper):
        format = Format.BINARY
        oid = type_oid

        def dump(self, obj):
            return obj.data

    return StateDumper
