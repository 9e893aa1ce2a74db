"""What SQLAlchemy keeps in two dialects though both spell it alike, and lists too long for one statement."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import UpdateBase

from metering.store.sql import bulk
from metering.store.sql.partitions import PARTITIONED
from metering.store.sql.types import FreeText, Moment

__all__ = [
    "Columns",
    "Row",
    "execute_columns",
    "execute_many",
    "given",
    "in_chunks",
    "insert",
    "insert_columns",
    "insert_new_rows",
    "insert_once",
    "insert_rows",
    "replace",
    "select_among",
]

T = TypeVar("T")

Row = dict[str, Any]
"""One row to be written: column name to value."""

Columns = Mapping[str, Sequence[Any]]
"""Rows to be written, all alike: column name to the values of that column in all rows."""

_Convert = Callable[[Sequence[Any]], Sequence[Any]]

_DRIVER = sqlite.dialect()

_CHUNK = 500
"""Values per IN list: with three columns each still far below the 32,766 parameters of SQLite."""


def insert(dialect: str, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """Give the INSERT of a database (``sqlite`` or ``postgresql``), which knows ON CONFLICT."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def insert_once(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> int:
    """Insert rows, leaving out those whose key is there already; gives how many were new."""
    return execute_many(connection, _once(table, connection.dialect.name), rows)


@lru_cache
def _once(table: sa.Table, dialect: str) -> sqlite.Insert | postgresql.Insert:
    return insert(dialect, table).on_conflict_do_nothing()


def execute_many(connection: sa.Connection, statement: UpdateBase, rows: Sequence[Row]) -> int:
    """Execute a statement for each row, all with the same columns; gives how many rows it changed.

    SQLite's driver gets whole columns converted at once: row by row, SQLAlchemy takes longer to prepare a
    batch than SQLite to store it.
    """
    if not rows:
        return 0
    return execute_columns(connection, statement, {name: [row[name] for row in rows] for name in rows[0]})


def execute_columns(connection: sa.Connection, statement: UpdateBase, columns: Columns) -> int:
    """Execute a statement for each row of a table given by columns; gives how many rows it changed."""
    if not next(iter(columns.values()), ()):
        return 0
    if connection.dialect.name == "postgresql":
        if isinstance(statement, sa.Insert):
            return bulk.insert_arrays(connection, statement, columns)
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return connection.execute(statement, rows, execution_options={"preserve_rowcount": True}).rowcount
    text, parameters = _driver_form(statement, tuple(columns))
    values = (columns[name] if convert is None else convert(columns[name]) for name, convert in parameters)
    return connection.exec_driver_sql(text, list(zip(*values, strict=True))).rowcount


def insert_columns(connection: sa.Connection, table: sa.Table, columns: Columns) -> int:
    """Insert rows given by columns, leaving out those whose key is there already; gives how many were new."""
    if (
        connection.dialect.name == "postgresql"
        and table.name in PARTITIONED
        and next(iter(columns.values()), ())
    ):
        return bulk.copy_once(connection, bulk.Load.of(table, columns))
    return execute_columns(connection, _once(table, connection.dialect.name), columns)


def insert_rows(connection: sa.Connection, load: bulk.Load, *, expected_new: bool = False) -> int:
    """Insert rows whose values are as the driver takes them; otherwise as :func:`insert_columns`.

    Args:
        connection: in a transaction.
        load: the rows.
        expected_new: hardly ever is one of them there already; PostgreSQL then takes them quicker.
    """
    if not load.rows:
        return 0
    if connection.dialect.name == "postgresql":
        return (bulk.copy_straight if expected_new else bulk.copy_once)(connection, load)
    return _execute_rows(connection, _once(load.table, "sqlite"), load)


def insert_new_rows(connection: sa.Connection, load: bulk.Load) -> int:
    """Insert rows that are surely not there yet, as the driver takes them; gives how many."""
    if not load.rows:
        return 0
    if connection.dialect.name == "postgresql":
        return bulk.copy(connection, load)
    return _execute_rows(connection, _plain(load.table), load)


def _execute_rows(connection: sa.Connection, statement: UpdateBase, load: bulk.Load) -> int:
    text, parameters = _driver_form(statement, tuple(load.names))
    if [name for name, _ in parameters] != list(load.names):
        raise ValueError(load.names)  # the values stand in the order of the table
    return connection.exec_driver_sql(text, list(load.rows)).rowcount


@lru_cache
def _plain(table: sa.Table) -> sa.Insert:
    return sa.insert(table)


@lru_cache(maxsize=64)
def _driver_form(
    statement: UpdateBase, names: tuple[str, ...]
) -> tuple[str, list[tuple[str, _Convert | None]]]:
    """Compile for SQLite's driver: text, and each parameter with its name and what converts it, if any."""
    compiled = statement.compile(dialect=_DRIVER, column_keys=list(names))
    columns: list[tuple[str, _Convert | None]] = []
    for name in compiled.positiontup or ():  # one name may stand at several places
        kind = compiled.binds[name].type
        convert = kind.dialect_impl(_DRIVER).bind_processor(_DRIVER)
        columns.append((name, None if convert is None else _column_by(kind, convert)))
    return str(compiled), columns


def _column_by(kind: sa.types.TypeEngine[Any], convert: Callable[[Any], Any]) -> _Convert:
    """Convert whole columns; equal texts and the same time, which come again and again, once."""
    if isinstance(kind, FreeText):
        return lambda values: list(map({one: convert(one) for one in set(values)}.__getitem__, values))
    if not isinstance(kind, Moment):
        return lambda values: list(map(convert, values))

    def moments(values: Sequence[Any]) -> list[Any]:
        keys = list(map(id, values))
        known = {key: convert(value) for key, value in dict(zip(keys, values, strict=True)).items()}
        return list(map(known.__getitem__, keys))

    return moments


def replace(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert rows; where the primary key is there already, the other columns are replaced."""
    if not rows:
        return
    statement = insert(connection.dialect.name, table)
    said = {
        column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key
    }
    connection.execute(statement.on_conflict_do_update(index_elements=table.primary_key, set_=said), rows)


def select_among(
    connection: sa.Connection,
    wanted: sa.Select[Any],
    key: Sequence[sa.ColumnElement[Any]],
    values: Sequence[Sequence[Any]],
) -> list[sa.Row[Any]]:
    """Select rows whose key of several columns is among the values (numbers and texts).

    SQLite scans the whole table for ``(a, b, c) IN (...)``; it uses the index when it joins the values, which
    come as one JSON text, so that the statement is compiled once however many they are.
    """
    if connection.dialect.name == "postgresql":
        tuples = sa.tuple_(*key)
        return [
            row for chunk in in_chunks(values) for row in connection.execute(wanted.where(tuples.in_(chunk)))
        ]
    asked = sa.func.json_each(json.dumps(list(values))).table_valued("value", name="asked")
    same = (column == sa.func.json_extract(asked.c.value, f"$[{place}]") for place, column in enumerate(key))
    return list(connection.execute(wanted.join(asked, sa.and_(*same))))


def given(
    connection: sa.Connection, columns: Sequence[sa.ColumnElement[Any]], values: Sequence[Sequence[Any]]
) -> tuple[sa.FromClause, Sequence[sa.ColumnElement[Any]]]:
    """Give values (numbers and texts, at most one chunk of them) as something to join, and its columns."""
    if connection.dialect.name == "postgresql":
        named = [sa.column(f"v{place}", one.type) for place, one in enumerate(columns)]
        rows = sa.values(*named, name="given").data([tuple(value) for value in values])
        return rows, list(rows.c)
    each = sa.func.json_each(json.dumps(list(values))).table_valued("value", name="given")
    return each, [sa.func.json_extract(each.c.value, f"$[{place}]") for place in range(len(columns))]


def in_chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """Cut values into lists short enough for one statement."""
    rest = iter(values)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk
