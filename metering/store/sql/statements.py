"""What SQLAlchemy keeps in two dialects though both spell it alike, and lists too long for one statement."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

__all__ = ["Row", "in_chunks", "insert", "insert_once", "replace", "select_among"]

T = TypeVar("T")

Row = dict[str, Any]
"""One row to be written: column name to value."""

_CHUNK = 500
"""Values per IN list: with three columns each still far below the 32,766 parameters of SQLite."""


def insert(connection: sa.Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """Give this database's INSERT, which knows ON CONFLICT."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def insert_once(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> int:
    """Insert rows, leaving out those whose key is there already; gives how many were new."""
    if not rows:
        return 0
    statement = insert(connection, table).on_conflict_do_nothing()
    return connection.execute(statement, rows, execution_options={"preserve_rowcount": True}).rowcount


def replace(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert rows; where the primary key is there already, the other columns are replaced."""
    if not rows:
        return
    statement = insert(connection, table)
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


def in_chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """Cut values into lists short enough for one statement."""
    rest = iter(values)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk
