"""When to commit: batches by number, bytes and time. Pure: fed with seconds of a monotonic clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["Batcher", "Limits", "weight_of"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """When a batch is full.

    Attributes:
        most: items in a batch; one delivery may hold more, and is then a batch of its own.
        most_bytes: payload bytes in a batch.
        oldest_s: seconds its first delivery may wait for others.
        quiet_s: seconds without a further delivery after which waiting makes no sense: a broker that sends a
            few at a time (Mosquitto: 20 to an MQTT 3.1.1 client) waits for acknowledgements itself.
    """

    most: int = 1000
    most_bytes: int = 4 << 20
    oldest_s: float = 1.0
    quiet_s: float = 0.02


class Batcher(Generic[T]):
    """Collects one batch."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._items: list[T] = []
        self._bytes = self._weight = 0
        self._first = self._last = 0.0

    def __len__(self) -> int:
        """Give the number of deliveries collected."""
        return len(self._items)

    def add(self, item: T, size: int, now: float, weight: int = 1) -> None:
        """Take one delivery of ``size`` payload bytes that holds about ``weight`` items."""
        if not self._items:
            self._first = now
        self._last = now
        self._items.append(item)
        self._bytes += size
        self._weight += weight

    def wait(self, now: float) -> float | None:
        """Give the seconds until the batch is due, 0 if it is now; ``None`` while it is empty."""
        limits = self._limits
        if not self._items:
            return None
        if self._weight >= limits.most or self._bytes >= limits.most_bytes:
            return 0.0
        due = min(self._first + limits.oldest_s, self._last + limits.quiet_s)
        return max(0.0, due - now)

    def take(self) -> list[T]:
        """Give the batch and begin the next."""
        items, self._items = self._items, []
        self._bytes = self._weight = 0
        return items


def weight_of(payload: bytes) -> int:
    """Say about how many items a payload holds, never too few: objects of JSON, or lines."""
    return max(1, payload.count(b"{"), payload.count(b"\n"))
