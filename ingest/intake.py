"""The whole of ingest as one thing to start, stop and look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ingest.batching import Limits
from ingest.inbox import Arrival, Inbox
from ingest.mqtt import MqttSettings, Subscriber
from ingest.pipeline import Pipeline
from ingest.roster import Load, Roster
from ingest.upkeep import Upkeep
from ingest.worker import Worker
from metering.ports import Clock

__all__ = ["Intake", "IntakeStatus", "Settling"]

_LAST_STEP_S = 0.3
"""Seconds upkeep has to end the transaction it is in, after the last batch."""

_ROOM_BYTES = 64 << 20
"""Most payload bytes that wait in memory."""


@dataclass(frozen=True, slots=True)
class IntakeStatus:
    """A moment's view for metrics and readiness.

    Attributes:
        connected: whether the broker is there.
        subscribed: whether it has our subscriptions.
        connections: connections since the start; more than one = it was lost.
        store_available: whether the last attempt to write succeeded.
        queue_depth: deliveries that wait for the worker.
        oldest_unacked_s: age of the oldest delivery that is not committed, seconds; 0 if there is none.
        received: deliveries since the start.
        items: items committed since the start.
        batches: batches committed since the start.
        commit_s: seconds the last batch took.
        commit_total_s: seconds all batches took.
        last_commit_at: when, UTC.
    """

    connected: bool
    subscribed: bool
    connections: int
    store_available: bool
    queue_depth: int
    oldest_unacked_s: float
    received: int
    items: int
    batches: int
    commit_s: float
    commit_total_s: float
    last_commit_at: datetime | None


class Settling(Protocol):
    """Another store that has to have what was committed before it is acknowledged."""

    @property
    def available(self) -> bool:
        """Whether the last attempt to write there succeeded."""
        ...

    def start(self) -> None:
        """Begin; returns at once."""
        ...

    def settle(self) -> bool:
        """Return when it has all that is committed so far; false if it is told to end before."""
        ...

    def stop(self) -> None:
        """Wait for nothing any more."""
        ...


class Intake:
    """Broker -> inbox -> worker -> pipeline. Starts without broker and store; both may come later."""

    def __init__(  # noqa: PLR0913  the parts it is made of
        self,
        pipeline: Pipeline,
        mqtt: MqttSettings,
        *,
        clock: Clock,
        limits: Limits | None = None,
        upkeep: Upkeep | None = None,
        roster: Roster | None = None,
        settling: Settling | None = None,
    ) -> None:
        self._clock = clock
        self._upkeep = upkeep
        self._roster = roster
        self._settling = settling
        # Twice what an MQTT 5 broker may have under way: it then never makes the network thread wait.
        self._inbox = Inbox(2 * mqtt.receive_maximum, _ROOM_BYTES)
        self._subscriber = Subscriber(mqtt, self._inbox, clock=clock)
        self._worker = Worker(self._inbox, pipeline, self._acknowledge, clock=clock, limits=limits)

    def start(self) -> None:
        """Begin; returns at once."""
        if self._settling:
            self._settling.start()
        self._worker.start()
        self._subscriber.start()
        if self._roster:
            self._roster.start(lambda: self._subscriber.subscribed, self._load)
        if self._upkeep:
            self._upkeep.start()

    def stop(self, timeout: float = 4.0) -> bool:
        """Commit and acknowledge what is here, then disconnect; false if ``timeout`` s were not enough."""
        if self._upkeep:
            self._upkeep.end()
        done = self._worker.stop(timeout)
        if self._settling:
            self._settling.stop()
        self._subscriber.stop()
        if self._roster:
            self._roster.stop(_LAST_STEP_S)
        kept = self._upkeep.stop(_LAST_STEP_S) if self._upkeep else True
        return done and kept

    def _acknowledge(self, batch: Sequence[Arrival]) -> None:
        """Acknowledge what is committed, once it is also where else it has to be."""
        if self._settling is None or self._settling.settle():
            self._subscriber.acknowledge(batch)

    def _load(self) -> Load:
        status = self.status
        return Load(status.queue_depth, round(status.oldest_unacked_s, 3), status.received, status.items)

    @property
    def status(self) -> IntakeStatus:
        """How it goes."""
        progress = self._worker.progress
        oldest = progress.oldest_at
        age = (self._clock.now() - oldest).total_seconds() if oldest else 0.0
        return IntakeStatus(
            connected=self._subscriber.connected,
            subscribed=self._subscriber.subscribed,
            connections=self._subscriber.connections,
            store_available=progress.store_available and (self._settling is None or self._settling.available),
            queue_depth=len(self._inbox),
            oldest_unacked_s=max(0.0, age),
            received=progress.received,
            items=progress.items,
            batches=progress.batches,
            commit_s=progress.commit_s,
            commit_total_s=progress.commit_total_s,
            last_commit_at=progress.last_commit_at,
        )
