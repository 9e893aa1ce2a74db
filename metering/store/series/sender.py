"""From the SQL store's queue to the series store: before the acknowledgement, and by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

import structlog

from metering.errors import StoreError
from metering.reading import Reading
from metering.store.series.lines import Key, key_of, points_of
from metering.store.series.target import Removal, SeriesTarget
from metering.store.sql.series_queue import SeriesQueue

__all__ = ["Sender"]

_log = structlog.get_logger(__name__)

_PORTION = 10_000
"""Changes per round."""

_PAUSES_S = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Before a series store that is away is tried again; the last one for ever."""


class Sender:
    """Sends what the queue holds. What was sent and not booked, because of a crash, is sent again."""

    def __init__(self, queue: SeriesQueue, target: SeriesTarget, *, every_s: float = 2.0) -> None:
        self._queue = queue
        self._target = target
        self._every_s = every_s
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="series", daemon=True)
        self._available = True

    @property
    def available(self) -> bool:
        """Whether the last attempt to send succeeded."""
        return self._available

    def start(self) -> None:
        """Begin to send by itself what is not waited for: readings healed, replayed, moved."""
        self._thread.start()

    def stop(self, timeout: float = 1.0) -> None:
        """End, and let go of the series store; who waits in :meth:`settle` is told that it failed."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
        self._target.close()

    def settle(self) -> bool:
        """Return when all that is committed so far is in the series store; false if that is to end before."""
        tries = 0
        while not self._try():
            if self._ending.wait(_PAUSES_S[min(tries, len(_PAUSES_S) - 1)]):
                return False
            tries += 1
        return True

    def drain(self) -> int:
        """Send all that is committed so far; gives how many changes.

        Raises:
            StoreError: either store; what was not sent stays in the queue.
        """
        until = self._queue.last()
        if not until:
            return 0
        number = 0
        with self._queue.turn():
            while (portion := self._queue.portion(until, _PORTION)).ids:
                send(self._queue, self._target, portion.gone, portion.readings)
                self._queue.sent(portion.ids)
                number += len(portion.ids)
        return number

    def _try(self) -> bool:
        try:
            self.drain()
        except StoreError as away:
            if self._available:
                _log.warning("series.unavailable", error=str(away))
            self._available = False
            return False
        except Exception:  # noqa: BLE001  whatever it is: what waits is not sent, so nothing is acknowledged
            if self._available:
                _log.exception("series.failed")
            self._available = False
            return False
        if not self._available:
            _log.info("series.available")
        self._available = True
        return True

    def _run(self) -> None:
        while not self._ending.wait(self._every_s):
            self._try()


def send(queue: SeriesQueue, target: SeriesTarget, gone: Sequence[Key], standing: Sequence[Reading]) -> None:
    """Bring the series store to what stands at some keys."""
    if gone:
        target.remove(gone)
        if target.removal is Removal.REBUILD:
            standing = _once([*standing, *_whole(queue, gone)])
    target.write(list(points_of(standing)))


def _whole(queue: SeriesQueue, gone: Iterable[Key]) -> Iterable[Reading]:
    registers = {(key.meter, key.register): key for key in gone}
    for key in registers.values():
        yield from queue.of_register(key)


def _once(standing: Iterable[Reading]) -> list[Reading]:
    return list({(key_of(reading), reading.value): reading for reading in standing}.values())
