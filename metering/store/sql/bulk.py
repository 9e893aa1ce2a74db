"""Many rows into PostgreSQL at once: by COPY where telegrams come in, else as one array per column.

COPY knows no ON CONFLICT. So rows that may be there already are copied into a temporary table, which has no
index and is not logged, and go on from there in one statement of the same transaction. That takes the server
half as long again. So rows of which none should be there are copied straight to their place behind a
savepoint; if one is there all the same, they go the long way, and so do the next batches.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.sql.dml import Insert

from metering.store.sql.partitions import PARTITIONED, make_room
from metering.store.sql.wire import arrays, for_copy

if TYPE_CHECKING:
    from metering.store.sql.statements import Columns

__all__ = ["Load", "copy", "copy_once", "copy_straight", "forget_stages", "insert_arrays"]

_DIALECT = psycopg.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's

_STAGES = "nurt_stages"
"""Temporary tables of a connection, each with the transaction that used it last, in SQLAlchemy's ``info``."""

_DOUBTS = "nurt_doubts"
"""How many batches of a table still go the long way, same place."""
_DOUBTED = 16

_UNIQUE_VIOLATION = "23505"

_INSERT = re.compile(r"(INSERT INTO .+?) VALUES \((.+?)\)( ON CONFLICT .*)?", re.DOTALL)


class Load(NamedTuple):
    """Rows for COPY.

    Attributes:
        table: where to.
        names: of the columns.
        rows: values as the driver takes them.
        moments: those that decide the month, of all rows; of tables without months, none.
    """

    table: sa.Table
    names: Sequence[str]
    rows: Sequence[tuple[Any, ...]]
    moments: Iterable[datetime] = ()

    @classmethod
    def of(cls, table: sa.Table, columns: Columns) -> Load:
        """Make rows of columns."""
        values = [for_copy(table.c[name].type, column) for name, column in columns.items()]
        return cls(table, tuple(columns), list(zip(*values, strict=True)), _moments(table, columns))


def copy(connection: sa.Connection, load: Load) -> int:
    """Copy rows that are surely new; gives how many."""
    return _copied(connection, load, make_room(connection, load.table, load.moments))


def copy_straight(connection: sa.Connection, load: Load) -> int:
    """Copy rows that are new as far as the caller knows; gives how many were."""
    doubts: dict[str, int] = connection.info.setdefault(_DOUBTS, {})
    name = load.table.name
    if doubts.get(name):
        doubts[name] -= 1
        return copy_once(connection, load)
    room = make_room(connection, load.table, load.moments)
    connection.exec_driver_sql("SAVEPOINT nurt_copy")
    try:
        count = _copied(connection, load, room)
    except Exception as fault:
        if getattr(fault, "sqlstate", None) != _UNIQUE_VIOLATION:
            raise
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT nurt_copy")
        doubts[name] = _DOUBTED
        return copy_once(connection, load)
    connection.exec_driver_sql("RELEASE SAVEPOINT nurt_copy")
    return count


def copy_once(connection: sa.Connection, load: Load) -> int:
    """Copy rows, leaving out those whose key is there already; gives how many were new."""
    room = make_room(connection, load.table, load.moments)
    stage = _stage(connection, load)
    _copied(connection, load, stage)
    names = _names(load)
    moved = f"INSERT INTO {room} ({names}) SELECT {names} FROM {stage} ON CONFLICT DO NOTHING"  # noqa: S608  names of ours
    return connection.exec_driver_sql(moved).rowcount


def insert_arrays(connection: sa.Connection, statement: Insert, columns: Columns) -> int:
    """Execute an INSERT with all its rows in one statement; gives how many rows it wrote."""
    table = statement.table
    if not isinstance(table, sa.Table):
        raise TypeError(statement)
    make_room(connection, table, _moments(table, columns))
    text, names = _array_form(statement, tuple(columns))
    said = arrays([table.c[name] for name in names], [columns[name] for name in names])
    return connection.exec_driver_sql(text, tuple(said)).rowcount


def forget_stages(connection: sa.Connection) -> None:
    """Make temporary tables anew: a transaction failed, and those it made went with it."""
    connection.info.pop(_STAGES, None)


@lru_cache(maxsize=64)
def _array_form(statement: Insert, names: tuple[str, ...]) -> tuple[str, list[str]]:
    """Compile: text, and the columns in the order of its parameters."""
    text = str(statement.compile(dialect=_DIALECT, column_keys=list(names)))
    parts = _INSERT.fullmatch(text)
    if parts is None:
        raise ValueError(text)
    order = re.findall(r"%\((\w+)\)s", parts[2])
    casts = ", ".join(f"%s::{_kind(statement.table.c[name])}[]" for name in order)
    return f"{parts[1]} SELECT * FROM unnest({casts}){parts[3] or ''}", order  # noqa: S608  names of ours


def _kind(column: sa.Column[Any]) -> str:
    return column.type.compile(dialect=_DIALECT).partition(" COLLATE")[0]


def _moments(table: sa.Table, columns: Columns) -> Sequence[datetime]:
    return columns[PARTITIONED[table.name]] if table.name in PARTITIONED else ()


def _stage(connection: sa.Connection, load: Load) -> str:
    """Give an empty temporary table with the same columns."""
    used: dict[str, object] = connection.info.setdefault(_STAGES, {})
    table = load.table.name
    stage, now = f"stage_{table}", connection.get_transaction()
    if stage not in used:
        connection.exec_driver_sql(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {stage} ON COMMIT DELETE ROWS"  # noqa: S608  names of ours
            f" AS SELECT {_names(load)} FROM {table} WITH NO DATA"
        )
    elif used[stage] is now:
        connection.exec_driver_sql(f"TRUNCATE {stage}")
    used[stage] = now
    return stage


def _copied(connection: sa.Connection, load: Load, into: str) -> int:
    driver: Any = connection.connection.driver_connection
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY {into} ({_names(load)}) FROM STDIN (FORMAT BINARY)") as writer,
    ):
        writer.set_types([_kind(load.table.c[name]).lower() for name in load.names])
        write = writer.write_row
        for row in load.rows:
            write(row)
    return len(load.rows)


def _names(load: Load) -> str:
    return ", ".join(f'"{name}"' for name in load.names)
