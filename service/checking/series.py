"""The series store, if there is one, and what waits to be sent to it."""

from __future__ import annotations

from collections.abc import Iterator

from metering.errors import TelemetryError
from metering.store import SqlStore
from metering.store.sql.series_queue import SeriesQueue
from service.checking.line import Line, fault, ok, warning
from service.series import target_of
from service.settings_series import SeriesSettings

__all__ = ["series_lines"]

_MANY = 100_000
"""Changes that wait: some batches' worth; ingest takes no more than one before they are sent."""


def series_lines(settings: SeriesSettings, store: SqlStore) -> Iterator[Line]:
    """Look whether the series store can be reached, and whether it is behind."""
    queue = SeriesQueue(store.database)
    if settings.kind is None:
        if queue.enabled():
            yield warning(
                "series store",
                f"none is set, but {queue.waiting()} changes are noted for one",
                "set [series] again, or run `nurt db forward --off`",
            )
        return
    try:
        target = target_of(settings)
        try:
            target.check()
        finally:
            target.close()
    except TelemetryError as wrong:
        yield fault("series store", str(wrong), "ingest acknowledges nothing until it is there")
        return
    yield _line(target.where, queue)


def _line(where: str, queue: SeriesQueue) -> Line:
    if not queue.enabled():
        begin = "`nurt db forward` sends what is in the database; ingest what comes"
        return warning("series store", f"{where} is there, but nothing is noted for it yet", begin)
    waiting = queue.waiting()
    if waiting > _MANY:
        behind = f"{where} is there, but {waiting} changes wait for it"
        return warning("series store", behind, "start ingest, or run `nurt db forward`")
    return ok("series store", f"{where} is there; {waiting} changes wait for it")
