"""What is older than a utility keeps: telegrams with their receptions and details, and readings.

Whole months go. PostgreSQL drops partitions: at once, however much is in them. SQLite deletes rows, some
thousands per transaction, so that ingest hardly waits, and may be interrupted.

A series store keeps the readings that go here; since when they are here is a mark.

A reading stays when its telegram goes: on SQLite it then names none, on PostgreSQL the number of one that is
no longer there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from metering.store.sql.engine import Database
from metering.store.sql.forgetting import refresh_latest
from metering.store.sql.heads import void_signposts
from metering.store.sql.partitions import PARTITIONED, Month, Partition, forget_months, partitions
from metering.store.sql.schema import details, latest, marks, readings, receptions, telegrams
from metering.store.sql.series_triggers import unnoted
from metering.store.sql.statements import in_chunks, replace

__all__ = ["READINGS_SINCE", "Expired", "Kept", "drop", "expired", "months_before"]

READINGS_SINCE = "readings.since"
"""Mark: the time before which readings were dropped."""

_CHUNK = 2000
"""Rows deleted per transaction on SQLite."""

_LAST_HEARD = timedelta(days=1)
"""How long after its first a last reception of a telegram may be; none takes a minute."""


@dataclass(frozen=True, slots=True)
class Kept:
    """From when on things are kept, the begin of a month in UTC; ``None`` = for ever.

    Attributes:
        telegrams: telegrams, their receptions and details.
        readings: readings; not later than ``telegrams``.
    """

    telegrams: datetime | None = None
    readings: datetime | None = None


@dataclass(frozen=True, slots=True)
class Expired:
    """What goes.

    Attributes:
        table: of which table.
        rows: how many.
        before: all that is dated before, UTC.
        partitions: that are dropped; none on SQLite.
    """

    table: str
    rows: int
    before: datetime
    partitions: Sequence[str] = ()


def months_before(now: datetime, months: int) -> datetime:
    """Give the begin of the month so many months ago: that one and all later ones are kept."""
    there = Month.of(now)
    number = there.year * 12 + there.month - 1 - months
    return Month(number // 12, number % 12 + 1).begin


def expired(database: Database, kept: Kept) -> list[Expired]:
    """Say what :func:`drop` would take away."""
    with database.transaction(write=False) as connection:
        parts = partitions(connection)
        return [_counted(connection, table, before, parts) for table, before in _cuts(kept)]


def drop(database: Database, kept: Kept, told: Callable[[int], None] = lambda _rows: None) -> list[Expired]:
    """Take away what is older than is kept; gives what went.

    Args:
        database: may be in use.
        kept: from when on.
        told: given the number of rows gone, now and then.
    """
    gone = expired(database, kept)
    for one in gone:
        if one.partitions:
            _drop_partitions(database, one)
            told(one.rows)
    if kept.telegrams is not None:
        _forget_telegrams(database, kept.telegrams, told)
    if kept.readings is not None:
        _forget_readings(database, kept.readings, told)
    return gone


def _cuts(kept: Kept) -> list[tuple[sa.Table, datetime]]:
    cuts = [(telegrams, kept.telegrams), (receptions, kept.telegrams), (readings, kept.readings)]
    return [(table, before) for table, before in cuts if before is not None]


def _counted(
    connection: sa.Connection, table: sa.Table, before: datetime, parts: Sequence[Partition]
) -> Expired:
    names = [
        one.name
        for one in parts
        if one.table == table.name and (one.month is None or one.month.next.begin <= before)
    ]
    older = table.c[PARTITIONED[table.name]] < before
    rows: int = connection.execute(sa.select(sa.func.count()).select_from(table).where(older)).scalar_one()
    return Expired(table.name, rows, before, names)


def _drop_partitions(database: Database, gone: Expired) -> None:
    for name in gone.partitions:
        with database.transaction(write=True) as connection:
            if name.endswith("_old"):  # takes in whatever is dated wrongly: it stays, empty
                connection.exec_driver_sql(f"TRUNCATE {name}")
            else:
                connection.exec_driver_sql(f"DROP TABLE {name}")
            forget_months(connection)


# --- telegrams -----------------------------------------------------------------------------------


def _forget_telegrams(database: Database, before: datetime, told: Callable[[int], None]) -> None:
    while numbers := _oldest(database, before):
        with database.transaction(write=True) as connection:
            for chunk in in_chunks(numbers):
                _forget(connection, chunk)
        told(len(numbers))
    with database.transaction(write=True) as connection:
        _forget_rest(connection, before)


def _oldest(database: Database, before: datetime) -> Sequence[int]:
    """Find some that go; in a view, for finding none takes a walk over the whole table."""
    oldest = sa.select(telegrams.c.id).where(telegrams.c.heard_at < before).limit(_CHUNK)
    with database.transaction(write=False) as connection:
        return connection.scalars(oldest).all()


def _forget(connection: sa.Connection, numbers: Sequence[int]) -> None:
    """Delete telegrams and what hangs on them."""
    connection.execute(sa.update(readings).where(readings.c.telegram.in_(numbers)).values(telegram=None))
    for table in (details, receptions):
        connection.execute(sa.delete(table).where(table.c.telegram.in_(numbers)))
    connection.execute(sa.delete(telegrams).where(telegrams.c.id.in_(numbers)))


def _forget_rest(connection: sa.Connection, before: datetime) -> None:
    """Delete what dropped partitions leave behind: details, and receptions of the minutes after midnight."""
    if connection.dialect.name != "postgresql":
        return
    here = sa.exists().where(telegrams.c.id == receptions.c.telegram)
    late = receptions.c.heard_at.between(before, before + _LAST_HEARD)
    connection.execute(sa.delete(receptions).where(late, ~here))
    there = sa.exists().where(telegrams.c.id == details.c.telegram)
    old: list[Any] = [details.c.telegram.is_not(None), details.c.measured_at < before + _LAST_HEARD]
    connection.execute(sa.delete(details).where(*old, ~there))


# --- readings ------------------------------------------------------------------------------------


def _forget_readings(database: Database, before: datetime, told: Callable[[int], None]) -> None:
    """Delete readings register by register: they lie together so."""
    with database.transaction(write=False) as connection:
        asked = sa.select(latest.c.meter, latest.c.register).order_by(latest.c.meter, latest.c.register)
        pairs = connection.execute(asked).all() if connection.dialect.name == "sqlite" else []
    for chunk in in_chunks(pairs):
        with database.transaction(write=True) as connection, unnoted(connection):
            told(sum(_forget_register(connection, meter, register, before) for meter, register in chunk))
    with database.transaction(write=True) as connection:
        old = sa.select(latest.c.meter, latest.c.register).where(latest.c.measured_at < before)
        refresh_latest(connection, [(meter, register) for meter, register in connection.execute(old)])
        void_signposts(connection)
        replace(connection, marks, [{"name": READINGS_SINCE, "value": before.isoformat()}])


def _forget_register(connection: sa.Connection, meter: int, register: int, before: datetime) -> int:
    this = (readings.c.meter == meter) & (readings.c.register == register)
    return connection.execute(sa.delete(readings).where(this, readings.c.measured_at < before)).rowcount
