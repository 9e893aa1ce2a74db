"""A database copied whole into another, verified by counts and checksums.

Both have this release's schema. Rows go in the order of foreign keys, some thousands per statement, values
through the column types, so that each stands in its database's own form. Checksums are over the values, not
over that form: a row is its canonical text, a table the sum of its rows' digests, whatever their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa

from metering.errors import StoreError
from metering.store.sql.engine import Database
from metering.store.sql.schema import metadata, series_queue
from metering.store.sql.statements import execute_many
from metering.store.sql.versions import demand_current

__all__ = ["TableSum", "copy", "sums"]

_CHUNK = 5000
_QUEUE = series_queue
_SPACE = 1 << 128


@dataclass(frozen=True, slots=True)
class TableSum:
    """What a table holds: rows, and a checksum over their values that does not depend on their order."""

    table: str
    rows: int
    checksum: str


def copy(
    source: Database, target: Database, told: Callable[[str, int], None] = lambda _t, _r: None
) -> list[TableSum]:
    """Copy every row of a database into an empty one, in one transaction; gives what was verified.

    Args:
        source: read in one consistent view; may be in use.
        target: of the same schema, without rows.
        told: given table and number of rows copied, now and then.

    Raises:
        StoreError: the target is not empty, or does not hold the same afterwards; nothing is kept then.
    """
    with source.transaction(write=False) as old, target.transaction(write=True) as new:
        demand_current(old, source.where)
        demand_current(new, target.where)
        _demand_empty(new, target.where)
        for table in metadata.sorted_tables:
            for rows in _pages(old, table):
                execute_many(
                    new, sa.insert(table), [_freed(row) for row in rows] if table is _QUEUE else rows
                )
                told(table.name, len(rows))
        _set_sequences(new)
        before, after = sums(old), sums(new)
        if before != after:
            wrong = [one.table for one, other in zip(before, after, strict=True) if one != other]
            raise StoreError(f"{target.where} does not hold the same in {', '.join(wrong)}; nothing was kept")
    return after


def sums(connection: sa.Connection) -> list[TableSum]:
    """Count and sum up every table but the queue, to which a database may add what it sees copied."""
    return [_sum(connection, table) for table in metadata.sorted_tables if table is not _QUEUE]


def _sum(connection: sa.Connection, table: sa.Table) -> TableSum:
    rows = total = 0
    for page in _pages(connection, table):
        rows += len(page)
        total += sum(int.from_bytes(blake2b(_canonical(row), digest_size=16).digest()) for row in page)
    return TableSum(table.name, rows, f"{total % _SPACE:032x}")


def _canonical(row: dict[str, Any]) -> bytes:
    return "\x1f".join(f"{name}={_text(value)}" for name, value in row.items()).encode(
        "utf-8", "surrogatepass"
    )


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)


def _pages(connection: sa.Connection, table: sa.Table) -> Iterator[list[dict[str, Any]]]:
    options = {"stream_results": True, "yield_per": _CHUNK}
    result = connection.execute(sa.select(table), execution_options=options)
    for page in result.mappings().partitions(_CHUNK):
        yield [dict(row) for row in page]


def _freed(row: dict[str, Any]) -> dict[str, Any]:
    """Leave out the number of a row: the other database gives its own."""
    return {name: value for name, value in row.items() if name != "id"}


def _demand_empty(connection: sa.Connection, where: str) -> None:
    for table in metadata.sorted_tables:
        if connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first():
            raise StoreError(f"{where} holds rows in {table.name} already; copy into an empty database")


def _set_sequences(connection: sa.Connection) -> None:
    """Let PostgreSQL go on numbering behind the highest number copied; SQLite does by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None and column.server_default is None:
            name = f"'{table.name}'"
            connection.exec_driver_sql(
                f"SELECT setval(seq, (SELECT GREATEST(MAX({column.name}), 1) FROM {table.name}))"  # noqa: S608  names of ours
                f" FROM (SELECT pg_get_serial_sequence({name}, '{column.name}') AS seq) AS one"
                f" WHERE seq IS NOT NULL"
            )
