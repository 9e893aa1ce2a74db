"""Several workers as processes: the parent that keeps them running, and one of them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import structlog

from metering.clock import SystemClock
from service.crew import Crew
from service.crew_names import as_worker, demand_shareable
from service.database import prepared_store
from service.lifetime import (
    LAST_BATCH_S,
    LOOK_S,
    clearing_of,
    ended_by_signals,
    intake_of,
    settle_memory,
    stopped,
    wait_for,
)
from service.settings_check import check_broker_files
from service.settings_model import Settings

__all__ = ["run_crew", "run_worker"]

_log = structlog.get_logger(__name__)

_LAST_WORKER_S = 4.5
"""Seconds the workers of a crew have for that, their own goodbye to the broker included."""


def run_crew(
    settings: Settings,
    command: Callable[[int], Sequence[str]],
    workers: int,
    *,
    upgrade: bool = False,
    announce: Callable[[str], None] = lambda _line: None,
) -> None:
    """Run several workers as processes until a signal ends them: cleanly; a second one at once.

    Args:
        settings: in force.
        command: gives the command of a worker by number; it calls :func:`run_worker`.
        workers: how many.
        upgrade: bring an older database to this release's schema first.
        announce: told, in lines for people, what runs.

    Raises:
        TelemetryError: they cannot start; nothing has been started then.
    """
    demand_shareable(settings)
    check_broker_files(settings.mqtt)
    clock = SystemClock()
    with ExitStack() as house:
        store = prepared_store(settings.store, clock, upgrade_old=upgrade)
        house.callback(store.close)
        ended = house.enter_context(ended_by_signals())
        house.enter_context(clearing_of(settings, store, clock, workers))
        crew = Crew(command, workers)
        crew.start()
        house.callback(lambda: stopped(crew.stop(_LAST_WORKER_S)))
        where = f"{settings.mqtt.host}:{settings.mqtt.broker_port}"
        announce(f"{workers} workers listen to the MQTT broker {where} and share what comes")
        announce("Ctrl-C ends them.")
        while not ended.is_set():
            crew.watch()
            time.sleep(LOOK_S)
        _log.info("service.ending")


def run_worker(settings: Settings, number: int) -> None:
    """Run one worker of a crew until its standard input ends, or a signal ends it.

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
        wait_for(ended)


def _end_with_input(ended: threading.Event) -> None:
    while os.read(0, 1024):
        pass
    ended.set()
