"""Emptying the session of a worker that will not come back.

A broker keeps what it gave to a member of a shared subscription for that member, and goes on giving it its
share while it is away (Mosquitto does). When such a session expires, what waits in it is lost. So it is taken
over under its own name: unsubscribed first, that nothing more is given to it; then what waits is taken in as
ever, committed and acknowledged; only then is the session given up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ingest.inbox import Arrival, Inbox
from ingest.mqtt import MqttSettings, Subscriber
from ingest.worker import Accepting, Worker
from metering.ports import Clock

__all__ = ["Left", "retire"]

PATIENCE_S = 30.0
"""Seconds to wait for the broker, or for anything to move."""

_LOOK_S = 0.05
_ANSWER_S = 10.0
_LAST_S = 3.0


@dataclass(frozen=True, slots=True)
class Left:
    """How the emptying ended.

    Attributes:
        taken: deliveries that waited and are taken in.
        empty: nothing waits any more and the session is given up; else it stays as it is.
        why: in words, if it is not empty.
    """

    taken: int
    empty: bool
    why: str = ""


def retire(  # noqa: PLR0913  what it works with, and two listeners
    pipeline: Accepting,
    mqtt: MqttSettings,
    *,
    clock: Clock,
    enough: Callable[[], bool] = lambda: False,
    told: Callable[[int], None] = lambda _taken: None,
    settle: Callable[[], bool] = lambda: True,
) -> Left:
    """Take in what waits for a worker that is gone, and give its session up.

    Args:
        pipeline: takes it in.
        mqtt: the worker's client id; ``former`` names its subscriptions.
        clock: tells when deliveries came.
        enough: asked all the time whether to stop; what is left stays with the broker.
        told: given the deliveries taken so far.
        settle: returns when what is committed is also where else it has to be; false if it is not to be.
    """
    leaving = _Leaving(pipeline, replace(mqtt, leaving=True), clock, settle)
    try:
        why = leaving.empty(enough, told)
    finally:
        leaving.end()
    return Left(leaving.taken, not why, why)


class _Leaving:
    """One session on its way out."""

    def __init__(
        self, pipeline: Accepting, mqtt: MqttSettings, clock: Clock, settle: Callable[[], bool]
    ) -> None:
        inbox = Inbox(2 * mqtt.receive_maximum, 64 << 20)
        self._subscriber = Subscriber(mqtt, inbox, clock=clock)
        self._worker = Worker(inbox, pipeline, self._acknowledge, clock=clock)
        self._settle = settle
        self._moved = threading.Event()
        self._forget = False
        self.taken = 0

    def empty(self, enough: Callable[[], bool], told: Callable[[int], None]) -> str:
        """Take what waits; gives why it did not end well, empty if it did."""
        self._worker.start()
        self._subscriber.start()
        if not self._wait(lambda: self._subscriber.connected, enough):
            return "the broker cannot be reached or refused us"
        while not enough():
            before = self._subscriber.arrived
            if not self._wait(lambda: self.taken == self._subscriber.arrived or self._lost(), enough):
                return "the store does not take what waits"
            told(self.taken)
            if self._lost() or not self._subscriber.asked_again(_ANSWER_S):
                return "the connection was lost; perhaps the worker is alive after all"
            if self._subscriber.arrived == self.taken == before:
                self._forget = True
                return ""
        return "it was interrupted"

    def end(self) -> None:
        """Let go; the session is forgotten only if nothing is left in it."""
        self._worker.stop(_LAST_S)
        self._subscriber.stop(forget=self._forget)

    def _lost(self) -> bool:
        return self._subscriber.connections > 1 or not self._subscriber.connected

    def _acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        if not self._settle():
            return
        self._subscriber.acknowledge(arrivals)
        self.taken += len(arrivals)
        self._moved.set()

    def _wait(self, condition: Callable[[], bool], enough: Callable[[], bool]) -> bool:
        """Wait until it is so; false if nothing moved for too long."""
        end = time.monotonic() + PATIENCE_S
        while not condition():
            if enough() or time.monotonic() > end:
                return False
            if self._moved.wait(_LOOK_S):
                self._moved.clear()
                end = time.monotonic() + PATIENCE_S
        return True
