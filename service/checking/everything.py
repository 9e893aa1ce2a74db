"""All checks, in the order things depend on one another."""

from __future__ import annotations

from collections.abc import Iterator

from metering.errors import TelemetryError
from metering.ports import Clock
from metering.store import SqlStore
from service.checking.billing import billing_lines
from service.checking.broker import broker_lines
from service.checking.keeping import (
    master_key_lines,
    newest,
    server_clock,
    store_lines,
    telegram_lines,
    worker_lines,
)
from service.checking.line import Line, State, fault
from service.checking.machine import clock_lines, disk_lines
from service.checking.scanning import scan_lines
from service.checking.series import series_lines
from service.database import open_store
from service.settings_model import Settings

__all__ = ["check_everything"]


def check_everything(settings: Settings, clock: Clock) -> Iterator[Line]:
    """Look at machine, database and broker; a line for each thing, as soon as it is known."""
    yield from disk_lines(settings.store.data)
    try:
        store = open_store(settings.store, clock)
    except TelemetryError as wrong:
        yield fault("database", str(wrong), "see [store] in the settings")
    else:
        try:
            yield from _kept(settings, store, clock)
        finally:
            store.close()
    yield from broker_lines(settings.mqtt, clock)


def _kept(settings: Settings, store: SqlStore, clock: Clock) -> Iterator[Line]:
    lines = list(store_lines(store, settings.store))
    yield from lines
    if lines[0].state is not State.OK:
        yield from clock_lines(clock.now(), newest=None, server=None)
        return
    yield from clock_lines(clock.now(), newest=newest(store), server=server_clock(store))
    yield from master_key_lines(store, settings.store)
    yield from worker_lines(store, clock.now())
    yield from telegram_lines(store, clock)
    yield from scan_lines(settings, store, clock)
    yield from billing_lines(settings, store, clock)
    yield from series_lines(settings.series, store)
