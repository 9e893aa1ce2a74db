"""What goes after its time, in sentences: ``nurt db retention``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ingest.upkeep import Forgotten, forget, forgettable
from metering.ports import Clock
from metering.store.sql.engine import Database
from metering.store.sql.retention import Expired, Kept, drop, expired, months_before
from service.commands.imports import told
from service.database import existing_store
from service.settings_model import Settings, StoreSettings
from service.taking_in import keeping_of

__all__ = ["foreign_gone", "months_gone"]


def foreign_gone(settings: Settings, clock: Clock, *, dry_run: bool) -> str:
    """Delete what nobody registered in time; says how many telegrams, counter states and values."""
    keeping = keeping_of(settings.ingest)
    store = existing_store(settings.store, clock)
    try:
        if keeping.foreign is None:
            return 'No foreign telegrams go: [ingest] foreign = "store" reads all meters like our own.'
        if dry_run:
            with store.reading() as view:
                would = forgettable(view, clock.now() - keeping.foreign)
            return f"{_counted(would)} would go (dry run: nothing deleted)."
        return f"{_counted(forget(store, clock, keeping))} went."
    finally:
        store.close()


def months_gone(settings: Settings, clock: Clock, *, dry_run: bool) -> Iterator[str]:
    """Delete months past their time; says for each table what went."""
    kept = _kept(settings.store, clock.now())
    if kept == Kept():
        yield "No months go: neither [store] telegrams_months nor readings_months is set."
        return
    database = Database(settings.store.database)
    try:
        found = expired(database, kept)
        if not dry_run:
            with told(sum(one.rows for one in found), "Deleting") as progress:
                found = drop(database, kept, progress)
    finally:
        database.close()
    for one in found:
        yield _sentence(one, dry_run=dry_run)


def _counted(some: Forgotten) -> str:
    return (
        f"{some.telegrams} foreign telegrams, and {some.unclaimed} counter states and decoded values"
        " of devices nobody registered,"
    )


def _kept(store: StoreSettings, now: datetime) -> Kept:
    telegrams, readings = store.telegrams_months, store.readings_months
    return Kept(
        None if telegrams is None else months_before(now, telegrams),
        None if readings is None else months_before(now, readings),
    )


def _sentence(gone: Expired, *, dry_run: bool) -> str:
    parts = f", partitions {', '.join(gone.partitions)}" if gone.partitions else ""
    went = "would go" if dry_run else "went"
    rest = " (dry run: nothing deleted)" if dry_run else ""
    return f"{gone.rows} rows of {gone.table} before {gone.before:%Y-%m} {went}{parts}{rest}."
