"""The scan and its notices beside the running service."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from zoneinfo import ZoneInfo

import structlog

from metering.errors import TelemetryError
from metering.ports import Clock, Store
from service.notices.made import channel_names, make_teller
from service.notices.teller import Teller
from service.scanning import Scanner
from service.settings_model import Settings

__all__ = ["watching"]

_log = structlog.get_logger(__name__)

FIRST_AFTER_S = 60.0
"""Seconds after the start before the first scan: what waited at the broker comes first."""
LOOK_S = 20.0
"""Seconds between two looks for notices that are due."""
LAST_S = 5.0


@contextmanager
def watching(settings: Settings, store: Store, clock: Clock) -> Iterator[None]:
    """Scan now and then, and send what is due, for as long as the block lasts; nothing if that is off.

    Raises:
        SettingsError: a secret of the notices cannot be read.
    """
    if not settings.anomaly.every_minutes:
        yield
        return
    teller = make_teller(settings, store, clock)
    zone, channels = ZoneInfo(settings.ingest.zone), channel_names(settings.notices)
    scanner = Scanner(store, clock, zone, settings.anomaly, channels)
    ended = threading.Event()
    every = settings.anomaly.every_minutes * 60.0
    thread = threading.Thread(
        target=_watch, args=(scanner, teller, every, ended), name="anomaly", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(LAST_S)


def _watch(scanner: Scanner, teller: Teller, every_s: float, ended: threading.Event) -> None:
    due = monotonic() + min(FIRST_AFTER_S, every_s)
    while not ended.wait(min(LOOK_S, max(due - monotonic(), 0.0))):
        try:
            if monotonic() >= due:
                due = monotonic() + every_s
                report = scanner.run(ended=ended.is_set)
                _log.info("anomaly.scanned", judged=report.judged, raised=len(report.raised))
            teller.tell()
        except TelemetryError as wrong:
            _log.warning("anomaly.not_scanned", reason=str(wrong))
        except Exception:  # noqa: BLE001  the loop outlives any fault of one scan; the log has it
            _log.exception("anomaly.failed")
