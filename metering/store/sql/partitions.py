"""Tables PostgreSQL keeps in a partition per month (UTC), made before the first row of a month is written.

::

    telegrams_2026_03   heard_at in March 2026      receptions_2026_03   the same
    readings_2026_03    measured_at in March 2026   *_old                before 2010, whatever a clock said

There is no default partition in which rows could gather unseen: a row without a partition is an error. When
a month is made, the next one is made too, so that ingest seldom has to when a month begins. A partition is
attached, not made in place: that waits for no reader.

SQLite has no partitions; nothing here does anything to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa

__all__ = ["FIRST", "PARTITIONED", "Month", "Partition", "forget_months", "make_room", "partitions"]

PARTITIONED: Mapping[str, str] = {
    "telegrams": "heard_at",
    "receptions": "heard_at",
    "readings": "measured_at",
}
"""Partitioned tables, each with the time that decides."""

FIRST = datetime(2010, 1, 1, tzinfo=UTC)
"""What is dated before lies in one partition, ``*_old``."""

_KNOWN = "nurt_months"
"""What a connection knows to be there, in SQLAlchemy's ``info`` of it."""


class Month(NamedTuple):
    """A month in UTC."""

    year: int
    month: int

    @classmethod
    def of(cls, moment: datetime) -> Month:
        """Give the month of a moment."""
        there = moment.astimezone(UTC)
        return cls(there.year, there.month)

    @property
    def next(self) -> Month:
        """The month after."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def begin(self) -> datetime:
        """Its first moment."""
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    def __str__(self) -> str:
        """Give it as partitions are named, ``2026_03``."""
        return f"{self.year:04}_{self.month:02}"


class Partition(NamedTuple):
    """A partition.

    Attributes:
        table: of which table.
        name: its own.
        month: what is in it; ``None`` = all before 2010.
    """

    table: str
    name: str
    month: Month | None


def make_room(connection: sa.Connection, table: sa.Table, moments: Iterable[datetime]) -> str:
    """Make partitions for rows of these times, as far as they are missing.

    Returns:
        Where to write them: the partition if one holds all, else the table. A row that goes straight to its
        partition spares the server the search for it.
    """
    if connection.dialect.name != "postgresql" or table.name not in PARTITIONED:
        return table.name
    known: set[tuple[str, Month]] = connection.info.setdefault(_KNOWN, set())
    asked = {(one.year, one.month) if one.tzinfo is UTC else tuple(Month.of(one)) for one in moments}
    months = [Month(year, month) for year, month in asked]
    for wanted in months:
        if (table.name, wanted) not in known:
            if wanted.begin >= FIRST:
                _attach(connection, table.name, wanted)
                _attach(connection, table.name, wanted.next)
            known.add((table.name, wanted))
    if len(months) == 1 and months[0].begin >= FIRST:
        return f"{table.name}_{months[0]}"
    return table.name


def forget_months(connection: sa.Connection) -> None:
    """Ask again what is there: a transaction failed, and what it made went with it."""
    connection.info.pop(_KNOWN, None)


def partitions(connection: sa.Connection) -> list[Partition]:
    """Give all partitions, by table and month; none on SQLite."""
    if connection.dialect.name != "postgresql":
        return []
    found = []
    for table in PARTITIONED:
        names = connection.exec_driver_sql(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass ORDER BY 1",
            (table,),
        ).scalars()
        found += [Partition(table, name, _month_in(name.removeprefix(f"{table}_"))) for name in names]
    return found


def _month_in(name: str) -> Month | None:
    year, _, month = name.partition("_")
    return Month(int(year), int(month)) if year.isdecimal() and month.isdecimal() else None


def _attach(connection: sa.Connection, table: str, month: Month) -> None:
    name = f"{table}_{month}"
    if connection.exec_driver_sql("SELECT to_regclass(%s)", (name,)).scalar() is not None:
        return
    connection.exec_driver_sql(f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    connection.exec_driver_sql(
        f"ALTER TABLE {table} ATTACH PARTITION {name}"
        f" FOR VALUES FROM ('{month.begin.isoformat()}') TO ('{month.next.begin.isoformat()}')"
    )
