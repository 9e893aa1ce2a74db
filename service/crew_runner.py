"""Several workers as processes: the parent that keeps them running. It knows nothing of what they do."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import structlog

from metering.clock import SystemClock
from service.crew import Crew
from service.crew_names import demand_shareable
from service.database import prepared_store
from service.settings_check import check_broker_files
from service.settings_model import Settings
from service.signals import LOOK_S, ended_by_signals

__all__ = ["run_crew"]

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
        command: gives the command of a worker by number; it calls :func:`service.worker_runner.run_worker`.
        workers: how many.
        upgrade: bring an older database to this release's schema first.
        announce: told, in lines for people, what runs.

    Raises:
        TelemetryError: they cannot start; nothing has been started then.
    """
    demand_shareable(settings)
    check_broker_files(settings.mqtt)
    with ExitStack() as house:
        prepared_store(settings.store, SystemClock(), upgrade_old=upgrade).close()
        ended = house.enter_context(ended_by_signals())
        crew = Crew(command, workers)
        crew.start()
        house.callback(lambda: _stopped(crew.stop(_LAST_WORKER_S)))
        where = f"{settings.mqtt.host}:{settings.mqtt.broker_port}"
        announce(f"{workers} workers listen to the MQTT broker {where} and share what comes")
        announce("Ctrl-C ends them.")
        while not ended.is_set():
            crew.watch()
            time.sleep(LOOK_S)
        _log.info("service.ending")


def _stopped(clean: bool) -> None:  # noqa: FBT001  says how it went
    if not clean:
        _log.warning("worker.killed", kept="the broker delivers again what was not acknowledged")
