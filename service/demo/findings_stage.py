"""The demo's scan: the leaks of a house and of a district are found, and stand on the pages soon after."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from metering.errors import TelemetryError
from metering.ports import Clock, Store
from service.anomaly_settings import AnomalySettings
from service.demo.districts_stage import plant_districts
from service.demo.town import ZONE
from service.scanning import Scanner

__all__ = ["judging"]

_BOOKED_S = 5.0
"""Seconds the last items of the history have to be booked."""
_LAST_S = 3.0


@contextmanager
def judging(store: Store, clock: Clock, settle: Callable[[float], bool], seed: int = 1) -> Iterator[None]:
    """Judge the history beside the block, once it is booked."""
    ended = threading.Event()

    def judge() -> None:
        settle(_BOOKED_S)
        with suppress(TelemetryError):  # the demo may end, and its store close, before the scan does
            plant_districts(store, seed, clock.now())
            Scanner(store, clock, ZONE, AnomalySettings()).run(ended=ended.is_set)

    thread = threading.Thread(target=judge, name="anomaly", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_LAST_S)
