"""Several workers as processes: everything looked at, before the parent takes over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

from metering.clock import SystemClock
from service.crew_names import demand_shareable
from service.database import prepared_store
from service.settings_check import check_broker_files
from service.settings_model import Settings
from service.supervisor import become

__all__ = ["run_crew"]


def run_crew(
    settings: Settings,
    command: Sequence[str],
    workers: int,
    *,
    upgrade: bool = False,
    announce: Callable[[str], None] = lambda _line: None,
) -> NoReturn:
    """Run several workers as processes until a signal ends them: cleanly; a second one at once.

    Args:
        settings: in force.
        command: of a worker, but for its number; it calls :func:`service.worker_runner.run_worker`.
        workers: how many.
        upgrade: bring an older database to this release's schema first.
        announce: told, in lines for people, what runs.

    Raises:
        TelemetryError: they cannot start; nothing has been started then.
    """
    demand_shareable(settings)
    check_broker_files(settings.mqtt)
    prepared_store(settings.store, SystemClock(), upgrade_old=upgrade).close()
    where = f"{settings.mqtt.host}:{settings.mqtt.broker_port}"
    announce(f"{workers} workers listen to the MQTT broker {where} and share what comes")
    announce("Ctrl-C ends them.")
    become(command, workers, style=settings.logs.format, level=settings.logs.level)
