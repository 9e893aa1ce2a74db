"""The parent of a crew: a program of its own, which knows only how to start processes, watch and end them.

What was needed to look at settings and database is let go of when it takes the place of the command: so it
costs a fifth of a worker's memory.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from typing import NoReturn

import structlog

from service.crew import Crew
from service.logs import set_up_logs
from service.signals import LOOK_S, ended_by_signals

__all__ = ["become"]

_log = structlog.get_logger("service.supervisor")

_LAST_WORKER_S = 4.5
"""Seconds the workers have for their last batch and their goodbye to the broker."""


def become(command: Sequence[str], workers: int, *, style: str, level: str) -> NoReturn:
    """Turn this process into the parent of a crew; does not return.

    Args:
        command: of a worker, but for its number, which is added at the end.
        workers: how many.
        style: of the log, as :func:`service.logs.set_up_logs` takes it.
        level: least that is said.
    """
    task = json.dumps({"command": list(command), "workers": workers, "style": style, "level": level})
    os.execv(sys.executable, [sys.executable, "-m", __name__, task])  # noqa: S606  our own program


def _watch(command: Sequence[str], workers: int) -> None:
    with ended_by_signals() as ended:
        crew = Crew(lambda number: (*command, str(number)), workers)
        crew.start()
        while not ended.is_set():
            crew.watch()
            time.sleep(LOOK_S)
        _log.info("service.ending")
        if not crew.stop(_LAST_WORKER_S):
            _log.warning("worker.killed", kept="the broker delivers again what was not acknowledged")


if __name__ == "__main__":
    said = json.loads(sys.argv[1])
    set_up_logs(style=said["style"], level=said["level"])
    _watch(said["command"], said["workers"])
