"""The crew: several worker processes of one machine, started, watched and ended by their parent.

A worker that dies is started again, later each time it dies soon; meanwhile the broker keeps its share. The
parent does nothing else: workers agree on nothing but the database.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

__all__ = ["Crew"]

_log = structlog.get_logger(__name__)

_PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Before a worker that died is started again; the last one for ever."""

_STEADY_S = 60.0
"""A worker that ran so long did not die of its start."""


@dataclass(slots=True)
class _Worker:
    """One of them.

    Attributes:
        number: from 1.
        process: ``None`` while it is not to run yet.
        since: when it was started, or is to be; seconds of the monotonic clock.
        deaths: in a row.
    """

    number: int
    process: subprocess.Popen[bytes] | None = None
    since: float = 0.0
    deaths: int = 0


@dataclass(slots=True)
class Crew:
    """Keeps workers running.

    Attributes:
        command: gives the command of a worker by number. It ends in order when its standard input does: so no
            worker outlives its parent, however that ends.
        size: how many.
    """

    command: Callable[[int], Sequence[str]]
    size: int
    _workers: list[_Worker] = field(default_factory=list)

    def start(self) -> None:
        """Start all; returns at once."""
        self._workers = [_Worker(number) for number in range(1, self.size + 1)]
        for worker in self._workers:
            self._start(worker)

    def watch(self) -> None:
        """Look once: tell and count who died, start again whose pause is over."""
        for worker in self._workers:
            if worker.process is None:
                if time.monotonic() >= worker.since:
                    self._start(worker)
            elif (code := worker.process.poll()) is not None:
                self._note_death(worker, code)

    def stop(self, seconds: float) -> bool:
        """End all in order; what is left after so many seconds is killed. False if that was needed."""
        running = [one.process for one in self._workers if one.process and one.process.poll() is None]
        for process in running:
            if process.stdin:
                process.stdin.close()
        end, clean = time.monotonic() + seconds, True
        for process in running:
            try:
                process.wait(max(0.01, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                clean = False
        return clean

    @property
    def processes(self) -> Sequence[int]:
        """Process ids of those that run, by number."""
        return [one.process.pid for one in self._workers if one.process]

    def _start(self, worker: _Worker) -> None:
        # a session of its own: Ctrl-C on the terminal is for the parent, which then ends them in order
        worker.process = subprocess.Popen(  # noqa: S603  our own program
            self.command(worker.number), stdin=subprocess.PIPE, start_new_session=True
        )
        worker.since = time.monotonic()
        _log.info("worker.started", worker=worker.number, process=worker.process.pid)

    def _note_death(self, worker: _Worker, code: int) -> None:
        steady = time.monotonic() - worker.since > _STEADY_S
        worker.deaths = 1 if steady else worker.deaths + 1
        pause = _PAUSES_S[min(worker.deaths, len(_PAUSES_S)) - 1]
        how = {"signal": -code} if code < 0 else {"code": code}
        _log.error("worker.died", worker=worker.number, **how, again_in_s=pause, deaths=worker.deaths)
        if worker.process and worker.process.stdin:
            worker.process.stdin.close()
        worker.process, worker.since = None, time.monotonic() + pause
