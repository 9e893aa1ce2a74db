"""The bounded room between the network thread and the worker."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime

from ingest.items import Delivery

__all__ = ["Arrival", "Inbox"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery and what acknowledges it.

    Attributes:
        delivery: the message.
        connection: on which connection it came, counted from 1; packet ids mean nothing on any other.
        packet: MQTT packet id.
        qos: quality of service it came with; 0 is never acknowledged.
    """

    delivery: Delivery
    connection: int = 0
    packet: int = 0
    qos: int = 0


class Inbox:
    """Holds arrivals in order, at most so many and so many bytes.

    A full inbox makes the network thread wait, and so, through TCP, the broker. MQTT 5 comes to that only
    for large messages, since the receive maximum is smaller than the inbox. An MQTT 3.1.1 broker knows no
    such limit. While the thread waits it sends no pings: after one and a half keep-alives the broker closes
    the connection, keeps what is not acknowledged and delivers it again. Slow, but nothing is lost.
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._waiting: deque[Arrival] = deque()
        self._bytes = 0
        self._closed = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        """Give the number of arrivals waiting."""
        return len(self._waiting)

    def put(self, arrival: Arrival) -> bool:
        """Add an arrival, waiting for room; false, and nothing added, once the inbox is closed."""
        size = len(arrival.delivery.payload)
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._has_room(size))
            if self._closed:
                return False
            self._waiting.append(arrival)
            self._bytes += size
            self._changed.notify_all()
            return True

    def take(self, timeout: float | None) -> Arrival | None:
        """Give the next arrival; ``None`` after ``timeout`` seconds, or once closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed, timeout)
            if not self._waiting:
                return None
            arrival = self._waiting.popleft()
            self._bytes -= len(arrival.delivery.payload)
            self._changed.notify_all()
            return arrival

    def close(self) -> None:
        """Take nothing more; what waits can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """Whether nothing more is taken."""
        return self._closed

    @property
    def oldest(self) -> datetime | None:
        """When the arrival that waits longest reached us."""
        with self._changed:
            return self._waiting[0].delivery.received_at if self._waiting else None

    def _has_room(self, size: int) -> bool:
        """Whether it fits; a message larger than the whole room fits into an empty one."""
        return not self._waiting or (
            len(self._waiting) < self._most and self._bytes + size <= self._most_bytes
        )
