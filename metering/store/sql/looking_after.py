"""Looking after a database: is it sound, a backup while it runs, a backup put back."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from metering.errors import StoreError, StoreUnavailable
from metering.store.sql.engine import Database
from metering.store.sql.faults import sentence_of
from metering.store.sql.partitions import FIRST, PARTITIONED
from metering.store.sql.schema import (
    SCHEMA,
    accounts,
    counters,
    gateways,
    latest,
    readings,
    receptions,
    spans,
    telegrams,
)
from metering.store.sql.versions import demand_current

__all__ = ["back_up", "check", "old_dates", "put_back"]

_PAGES = 4096
"""Pages copied at a time: writers wait no longer than that takes."""


def check(database: Database) -> list[str]:
    """Look for damage and contradictions; gives a sentence for each kind found, nothing if all is well.

    Raises:
        StoreError: cannot be opened, or has another schema.
    """
    with database.transaction(write=False) as connection:
        demand_current(connection, database.where)
        found = _damage(connection)
        return found or [sentence for sentence, wrong in _CONTRADICTIONS if connection.scalar(wrong)]


def old_dates(database: Database) -> list[str]:
    """Tell what is dated before 2010, on PostgreSQL in partitions of its own: some clock was wrong."""
    found = []
    with database.transaction(write=False) as connection:
        for table in (telegrams, receptions, readings) if connection.dialect.name == "postgresql" else ():
            before = table.c[PARTITIONED[table.name]] < FIRST
            rows = connection.scalar(sa.select(sa.func.count()).select_from(table).where(before))
            if rows:
                found.append(f"{rows} rows of {table.name} are dated before 2010, in {table.name}_old")
    return found


def _damage(connection: sa.Connection) -> list[str]:
    if connection.dialect.name != "sqlite":
        return []
    said = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check(20)")]
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    lost = {f"{len(broken)} rows refer to rows that are not there"} if broken else set()
    return [f"the file is damaged: {one}" for one in said if one != "ok"] + sorted(lost)


def _any(where: sa.Select[Any]) -> sa.Select[Any]:
    return where.limit(1)


_ONE = sa.literal(1)
_ALONE = ~sa.exists().where(receptions.c.telegram == telegrams.c.id)
_OTHERS = ("stored", "duplicate", "held", "foreign", "quarantined")
_CONTRADICTIONS = [
    (
        "a gateway's items do not add up to what came from it",
        _any(
            sa.select(_ONE)
            .select_from(accounts)
            .where(accounts.c.received != sum(accounts.c[one] for one in _OTHERS))
        ),
    ),
    ("a telegram was heard by nobody", _any(sa.select(_ONE).select_from(telegrams).where(_ALONE))),
    (
        "a reception is of a telegram that is not there",
        _any(
            sa.select(_ONE)
            .select_from(receptions)
            .where(~sa.exists().where(telegrams.c.id == receptions.c.telegram))
        ),
    ),
    (
        "a reading names a telegram that never was",
        _any(
            sa.select(_ONE)
            .select_from(readings)
            .where(
                readings.c.telegram
                > sa.select(sa.func.coalesce(sa.func.max(counters.c.value), 0))
                .where(counters.c.name == "telegram")
                .scalar_subquery()
            )
        ),
    ),
    (
        "a held or foreign telegram has readings",
        _any(
            sa.select(_ONE)
            .select_from(telegrams.join(readings, readings.c.telegram == telegrams.c.id))
            .where(telegrams.c.state != "stored")
        ),
    ),
    (
        "the newest time of a register is not that of a reading",
        _any(
            sa.select(_ONE)
            .select_from(latest)
            .where(
                ~sa.exists().where(
                    readings.c.meter == latest.c.meter,
                    readings.c.register == latest.c.register,
                    readings.c.measured_at == latest.c.measured_at,
                )
            )
        ),
    ),
    (
        "a number that came is not in the ledger of numbers",
        _any(
            sa.select(_ONE)
            .select_from(receptions.join(gateways, gateways.c.id == receptions.c.gateway))
            .where(receptions.c.boot.is_not(None))
            .where(
                ~sa.exists().where(
                    spans.c.gateway == receptions.c.gateway,
                    spans.c.boot == receptions.c.boot,
                    spans.c.first <= receptions.c.seq,
                    spans.c.last >= receptions.c.seq,
                )
            )
        ),
    ),
]


def back_up(database: Database, target: Path, told: Callable[[int, int], None] = lambda _d, _a: None) -> int:
    """Copy a SQLite database that may be in use into a new file; gives its size in bytes.

    The copy is one moment's: what is committed meanwhile is in it wholly or not at all.

    Args:
        database: a SQLite file.
        target: must not exist.
        told: given pages done and pages in all.

    Raises:
        StoreError: no SQLite file, the target exists, or the copy is not sound.
        StoreUnavailable: cannot be read or written.
    """
    if database.path is None:
        raise StoreError(f"{database.where} is not a SQLite file; back it up with pg_dump")
    if target.exists():
        raise StoreError(f"{target} exists already and was not touched")
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _copied(database.path, part, told)
        part.replace(target)
    except (sqlite3.Error, OSError) as fault:
        part.unlink(missing_ok=True)
        if isinstance(fault, OSError):
            raise StoreUnavailable(f"the backup {target} cannot be written: {fault.strerror}") from None
        raise sentence_of(fault, database.where) from None
    return target.stat().st_size


def put_back(backup: Path, target: Path) -> None:
    """Put a backup in the place of a database nobody has open; what was there is kept, named ``*.before``.

    Raises:
        StoreError: the backup is not a sound database of ours, or the database is in use.
        StoreUnavailable: a file cannot be written.
    """
    if not backup.exists():
        raise StoreError(f"there is no backup {backup}")
    faults = _sound(backup)
    if faults:
        raise StoreError(f"{backup} is not put back: {faults}")
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            _demand_unused(target)
        part.unlink(missing_ok=True)
        _copied(backup, part, lambda _done, _all: None)
        part.chmod(0o600)
        if target.exists():
            target.replace(target.with_name(f"{target.name}.before"))
        part.replace(target)
    except (sqlite3.Error, OSError) as fault:
        part.unlink(missing_ok=True)
        raise StoreUnavailable(f"{target} cannot be put back: {fault}") from None


def _sound(backup: Path) -> str:
    database = Database(f"sqlite:///{backup}")
    try:
        with database.transaction(write=False) as connection:
            damage = _damage(connection)
            version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    finally:
        database.close()
    if damage:
        return damage[0]
    newer = not str(version).isdecimal() or int(str(version)) > SCHEMA
    return f"its schema {version} is not known to this release" if newer else ""


def _demand_unused(path: Path) -> None:
    """Refuse a database another process has open: only alone may one leave the write-ahead log."""
    connection = sqlite3.connect(path, timeout=1)
    try:
        if connection.execute("PRAGMA journal_mode=DELETE").fetchone()[0] != "delete":
            raise StoreError(f"{path} is in use; stop the service first, nothing was changed")
    except sqlite3.OperationalError:
        raise StoreError(f"{path} is in use; stop the service first, nothing was changed") from None
    finally:
        connection.close()


def _copied(source: Path, target: Path, told: Callable[[int, int], None]) -> None:
    old, new = sqlite3.connect(f"file:{source}?mode=ro", uri=True), sqlite3.connect(target)
    try:
        old.backup(new, pages=_PAGES, progress=lambda _status, left, all_: told(all_ - left, all_))
        if new.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("the copy is damaged")
    finally:
        new.close()
        old.close()
    _sync(target)


def _sync(path: Path) -> None:
    for one in (path, path.parent):
        handle = os.open(one, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
