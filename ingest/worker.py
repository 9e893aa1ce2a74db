"""The worker: takes arrivals, commits them in batches, and only then lets them be acknowledged."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, repeat
from typing import Protocol

import structlog

from ingest.batching import Batcher, Limits, weight_of
from ingest.inbox import Arrival, Inbox
from ingest.items import Delivery
from metering.errors import KeyringError, StoreError
from metering.ports import Clock

__all__ = ["Accepting", "Progress", "Worker"]

_log = structlog.get_logger(__name__)

_BACK_OFF_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Pauses before a store that is not there is tried again; the last one for ever."""


class Accepting(Protocol):
    """What the worker hands batches to (:class:`ingest.pipeline.Pipeline`)."""

    def accept(self, deliveries: Sequence[Delivery]) -> Sequence[object]:
        """Take a batch; committed when this returns."""
        ...

    def refuse(self, delivery: Delivery, reason: str, sentence: str) -> Sequence[object]:
        """Quarantine a delivery whole; committed when this returns."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """What the worker did so far.

    Attributes:
        received: deliveries taken from the broker.
        batches: batches committed.
        items: items in them.
        commit_s: seconds the last batch took, decoding included.
        commit_total_s: seconds all batches took.
        last_commit_at: when the last batch was committed, UTC.
        oldest_at: when the oldest delivery that is not committed reached us.
        store_available: whether the last attempt to write succeeded.
    """

    received: int = 0
    batches: int = 0
    items: int = 0
    commit_s: float = 0.0
    commit_total_s: float = 0.0
    last_commit_at: datetime | None = None
    oldest_at: datetime | None = None
    store_available: bool = True


class Worker:
    """One thread. ``acknowledge`` is called with arrivals whose effects are durable, from that thread."""

    def __init__(
        self,
        inbox: Inbox,
        pipeline: Accepting,
        acknowledge: Callable[[Sequence[Arrival]], None],
        *,
        clock: Clock,
        limits: Limits | None = None,
    ) -> None:
        self._inbox = inbox
        self._pipeline = pipeline
        self._acknowledge = acknowledge
        self._clock = clock
        self._batch: Batcher[Arrival] = Batcher(limits or Limits())
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ingest-worker", daemon=True)
        self._received = self._batches = self._items = 0
        self._commit_s = self._commit_total_s = 0.0
        self._last_commit_at: datetime | None = None
        self._oldest_at: datetime | None = None
        self._store_available = True

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """Take nothing new, commit and acknowledge what is here; false if ``timeout`` s were not enough.

        What cannot be committed now stays with the broker, unacknowledged.
        """
        self._inbox.close()
        self._stopping.set()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def progress(self) -> Progress:
        """What was done so far."""
        return Progress(
            received=self._received,
            batches=self._batches,
            items=self._items,
            commit_s=self._commit_s,
            commit_total_s=self._commit_total_s,
            last_commit_at=self._last_commit_at,
            oldest_at=self._oldest_at or self._inbox.oldest,
            store_available=self._store_available,
        )

    def _run(self) -> None:
        while True:
            arrival = self._inbox.take(self._batch.wait(time.monotonic()))
            if arrival is not None:
                self._add(arrival)
            drained = self._inbox.closed and not len(self._inbox)
            due = self._batch.wait(time.monotonic()) == 0
            if (due or (drained and len(self._batch))) and not self._commit(self._batch.take()):
                return
            if drained:
                return

    def _add(self, arrival: Arrival) -> None:
        self._oldest_at = self._oldest_at or arrival.delivery.received_at
        self._received += 1
        payload = arrival.delivery.payload
        self._batch.add(arrival, len(payload), time.monotonic(), weight_of(payload))

    def _commit(self, batch: Sequence[Arrival]) -> bool:
        """Commit a batch, however long the store is away; false if it is still away when we stop."""
        for pause in chain(_BACK_OFF_S, repeat(_BACK_OFF_S[-1])):
            if self._try(batch):
                break
            if self._stopping.wait(pause):
                return False
        self._acknowledge(batch)
        self._oldest_at = None
        return True

    def _try(self, batch: Sequence[Arrival]) -> bool:
        started = time.perf_counter()
        try:
            results = self._accept([arrival.delivery for arrival in batch])
        except Exception as away:  # noqa: BLE001  whatever it is: this thread must not end, nor acknowledge
            if self._store_available:
                expected = isinstance(away, StoreError | KeyringError)
                tell = _log.warning if expected else _log.exception
                tell("store.unavailable", error=str(away), waiting=len(batch))
            self._store_available = False
            return False
        if not self._store_available:
            _log.info("store.available", waiting=len(batch))
        self._store_available = True
        self._commit_s = time.perf_counter() - started
        self._commit_total_s += self._commit_s
        self._batches += 1
        self._items += results
        self._last_commit_at = self._clock.now()
        return True

    def _accept(self, deliveries: Sequence[Delivery]) -> int:
        """Give the pipeline a batch; one delivery it fails on must not stop all others for ever."""
        try:
            return len(self._pipeline.accept(deliveries))
        except (StoreError, KeyringError):
            raise
        except Exception:  # noqa: BLE001  a defect of ours, whatever it is: find out which delivery it is
            _log.exception("batch.failed", deliveries=len(deliveries))
            return sum(self._accept_alone(delivery) for delivery in deliveries)

    def _accept_alone(self, delivery: Delivery) -> int:
        try:
            return len(self._pipeline.accept([delivery]))
        except (StoreError, KeyringError):
            raise
        except Exception as defect:  # noqa: BLE001  same; the delivery is kept and told, not retried for ever
            _log.exception("delivery.failed", topic=delivery.topic, payload=delivery.payload[:32].hex())
            sentence = (
                f"this program failed on it ({type(defect).__name__}); it is kept and the failure is logged"
            )
            return len(self._pipeline.refuse(delivery, "internal_error", sentence))
