"""The anomaly scan: whether it comes round, and in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from metering.ports import Clock
from metering.store import SqlStore
from service.checking.line import Line, ok, warning
from service.scanning_turn import standing_of
from service.settings_model import Settings

__all__ = ["scan_lines"]

_MISSED = 3
"""Scans that may be missed before it is told."""


def scan_lines(settings: Settings, store: SqlStore, clock: Clock) -> Iterator[Line]:
    """Look when the last scan was."""
    every = timedelta(minutes=settings.anomaly.every_minutes)
    if not every:
        return
    with store.reading() as view:
        standing = standing_of(view)
    if not standing.began:
        yield ok("scan", "no scan yet; `nurt run` and `nurt ingest` make one a minute after they start")
        return
    now = clock.now()
    began = datetime.fromtimestamp(standing.began, UTC)
    local = began.astimezone(ZoneInfo(settings.ingest.zone))
    took = standing.ended - standing.began
    said = f"last scan at {local:%Y-%m-%d %H:%M}, took {took:.0f} s"
    if now - began > _MISSED * every + timedelta(seconds=took):
        yield warning(
            "scan", f"{said}; one is due every {_minutes(every)}", "does `nurt run` or `nurt ingest` run?"
        )
    elif took > every.total_seconds():
        do = "raise [anomaly] every_minutes, or lower history_days"
        yield warning("scan", f"{said}, longer than the {_minutes(every)} between two", do)
    else:
        yield ok("scan", said)


def _minutes(every: timedelta) -> str:
    return f"{every.total_seconds() / 60:.0f} minutes"
