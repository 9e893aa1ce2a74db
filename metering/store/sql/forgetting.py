"""Readings and details that go: exactly those told, and the newest times found anew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from metering.store.sql.heads import void_signposts
from metering.store.sql.schema import details, latest, readings
from metering.store.sql.statements import Row, execute_many

__all__ = ["forget_details", "forget_readings", "refresh_latest"]


def forget_readings(connection: sa.Connection, keys: Sequence[Row]) -> None:
    """Delete readings by their key: meter, register, time and value."""
    _forget(connection, readings, keys)
    refresh_latest(connection, ((key["meter"], key["register"]) for key in keys))


def forget_details(connection: sa.Connection, keys: Sequence[Row]) -> None:
    """Delete details by all they say; those without telegram are never taken away."""
    _forget(connection, details, keys)


def refresh_latest(connection: sa.Connection, pairs: Iterable[tuple[int, int]]) -> None:
    """Find the newest times of registers anew, where readings went away."""
    rows = [{"m": meter, "r": register} for meter, register in set(pairs)]
    if not rows:
        return
    this = (latest.c.meter == sa.bindparam("m")) & (latest.c.register == sa.bindparam("r"))
    those = (readings.c.meter == sa.bindparam("m")) & (readings.c.register == sa.bindparam("r"))
    if execute_many(connection, sa.delete(latest).where(this & ~sa.exists().where(those)), rows):
        void_signposts(connection)
    newest = sa.select(sa.func.max(readings.c.measured_at)).where(those).scalar_subquery()
    connection.execute(sa.update(latest).where(this).values(measured_at=newest), rows)


def _forget(connection: sa.Connection, table: sa.Table, keys: Sequence[Row]) -> None:
    if not keys:
        return
    names = tuple(keys[0])
    same = (table.c[name] == sa.bindparam(f"key_{name}", type_=table.c[name].type) for name in names)
    rows = [{f"key_{name}": key[name] for name in names} for key in keys]
    execute_many(connection, sa.delete(table).where(*same), rows)
