"""The database, the keys in it, and who takes telegrams in."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa

from ingest.roster import Member, members_of
from metering.errors import TelemetryError
from metering.ports import Clock
from metering.store import SqlStore
from service.checking.line import Line, fault, ok, warning
from service.settings_model import StoreSettings

__all__ = ["master_key_lines", "newest", "server_clock", "store_lines", "telegram_lines", "worker_lines"]

_LONG = timedelta(hours=1)


def store_lines(store: SqlStore, settings: StoreSettings) -> Iterator[Line]:
    """Look whether the database can be written and has this release's tables."""
    path = store.database.path
    if path is not None and not path.exists():
        yield warning("database", f"{store.database.where} does not exist yet", "`nurt db upgrade` makes it")
        return
    try:
        store.check()
    except TelemetryError as wrong:
        yield fault("database", str(wrong), "see [store] in the settings")
        return
    kind = "SQLite" if settings.database.startswith("sqlite") else "PostgreSQL"
    yield ok("database", f"{store.database.where} can be written; {kind}, schema {store.schema()}")


def master_key_lines(store: SqlStore, settings: StoreSettings) -> Iterator[Line]:
    """Look whether the meter keys can be used, and whether others could read what opens them."""
    file = settings.master_key
    try:
        with store.reading() as view:
            view.keyring.check()
    except TelemetryError as wrong:
        yield fault("master key", str(wrong), "put the right file back from where its copy is kept")
        return
    if not file.exists():
        yield warning("master key", f"there is no {file}", "`nurt keys init`, before keys are imported")
    elif file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield warning("master key", f"{file} can be read by others", f"chmod 600 {file}")
    else:
        yield ok("master key", f"{file} opens the meter keys there are")


def worker_lines(store: SqlStore, now: datetime) -> Iterator[Line]:
    """Look who takes telegrams in, who is late, and for whom the broker keeps what nobody fetches."""
    with store.reading() as view:
        members = members_of(view)
    here = [one for one in members if one.here(now)]
    for one in here:
        if one.late:
            said = f"{one.name} has something {one.load.oldest_s:.0f} s old that is not stored yet"
            yield warning("workers", said, "see its log; is the database slow or away, or too much coming?")
    for one in members:
        if one not in here:
            yield _missing(one, alone=not here)
    if here:
        yield ok("workers", f"{len(here)} run: {', '.join(one.name for one in here)}")
    elif not members:
        yield warning("workers", "none has run on this database yet", "start `nurt run` or `nurt ingest`")


def _missing(worker: Member, *, alone: bool) -> Line:
    said = f"{worker.name} on {worker.host} is not there since {worker.seen:%Y-%m-%d %H:%M} UTC"
    if alone:
        return warning("workers", said, "start it again; the broker keeps what comes meanwhile")
    do = f"start it again, or `nurt workers retire {worker.name}`: its share waits at the broker"
    return warning("workers", said, do)


def telegram_lines(store: SqlStore, clock: Clock) -> Iterator[Line]:
    """Look when anything came last."""
    last, now = newest(store), clock.now()
    if last is None:
        yield warning("telegrams", "none came yet", "see `nurt listen`, and docs/adapters.md for topics")
    elif now - last > _LONG:
        hours = (now - last).total_seconds() / 3600
        yield warning("telegrams", f"the last came {hours:.0f} hours ago", "see gateways and broker")
    else:
        yield ok("telegrams", f"the last came {max(0, (now - last).total_seconds()):.0f} s ago")


def newest(store: SqlStore) -> datetime | None:
    """Give when a gateway was heard last, UTC."""
    with store.reading() as view:
        heard = [row.last_heard for row in view.ledger.gateways() if row.last_heard is not None]
    return max(heard, default=None)


def server_clock(store: SqlStore) -> datetime | None:
    """Give what the database server's clock says; ``None`` if the database is a file."""
    if store.database.path is not None:
        return None
    with store.database.transaction(write=False) as connection:
        told: datetime | None = connection.scalar(sa.text("SELECT clock_timestamp()"))
    return told
