"""One worker of a crew, as a process."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from contextlib import ExitStack

from metering.clock import SystemClock
from service.crew_names import as_worker
from service.database import prepared_store
from service.lifetime import LAST_BATCH_S, clearing_of, intake_of, settle_memory, stopped
from service.scanning_loop import watching
from service.settings_model import Settings
from service.signals import ended_by_signals, wait_for

__all__ = ["run_worker"]


def run_worker(settings: Settings, number: int, workers: int, scanning: Sequence[str] = ()) -> None:
    """Run one worker of a crew until its standard input ends, or a signal ends it.

    Args:
        settings: of the crew.
        number: which it is, from 1; the first also listens to last wills, and retires what was left behind.
        workers: how many there are.
        scanning: command that scans when it is due; the first worker runs it, in a process of its own.

    Raises:
        TelemetryError: it cannot start.
    """
    clock = SystemClock()
    with ExitStack() as house:
        store = prepared_store(settings.store, clock)
        house.callback(store.close)
        ended = house.enter_context(ended_by_signals(patient=True))
        threading.Thread(target=_end_with_input, args=(ended,), name="parent", daemon=True).start()
        intake = intake_of(as_worker(settings, number), store, clock, last_words=number == 1)
        settle_memory()
        intake.start()
        house.callback(lambda: stopped(intake.stop(LAST_BATCH_S)))
        if number == 1:
            house.enter_context(clearing_of(settings, store, clock, workers))
            house.enter_context(watching(settings, store, clock, scanning))
        wait_for(ended)


def _end_with_input(ended: threading.Event) -> None:
    while os.read(0, 1024):
        pass
    ended.set()
