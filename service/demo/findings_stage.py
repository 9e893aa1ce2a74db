"""The demo's scan: the leak of the history is found, and stands on the pages, a few seconds after."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from metering.errors import TelemetryError
from metering.ports import Clock, Store
from service.anomaly_settings import AnomalySettings
from service.demo.town import ZONE
from service.scanning import Scanner

__all__ = ["judging"]

_BOOKED_S = 5.0
"""Seconds the last items of the history have to be booked."""
_LAST_S = 3.0


@contextmanager
def judging(store: Store, clock: Clock, settle: Callable[[float], bool]) -> Iterator[None]:
    """Judge the history beside the block, once it is booked."""
    ended = threading.Event()

    def judge() -> None:
        settle(_BOOKED_S)
        with suppress(TelemetryError):  # the demo may end, and its store close, before the scan does
            Scanner(store, clock, ZONE, AnomalySettings()).run(ended=ended.is_set)

    thread = threading.Thread(target=judge, name="anomaly", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_LAST_S)
