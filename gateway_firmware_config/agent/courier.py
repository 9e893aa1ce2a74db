"""The courier: takes what waits in the spool to the broker, and forgets only what the broker has taken.

Entries go in order, several to a message, several messages on their way at a time. A message the broker did
not take, or took for nobody, leaves its entries in the spool; the courier starts over from the oldest after
a pause, with single messages until one is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import takewhile
from typing import Protocol

import structlog

from gateway_firmware_config.agent.envelope import Entry, payload
from gateway_firmware_config.agent.moment import Moment
from gateway_firmware_config.agent.spool import Spool

__all__ = ["Courier", "Link", "Pace", "Verdict"]

_log = structlog.get_logger(__name__)


class Verdict(Enum):
    """What the broker said of a message."""

    TAKEN = "taken"
    NOBODY = "taken for nobody"
    """No subscriber, not even one that is away: the broker has thrown it away (MQTT 5, reason code 10)."""
    REFUSED = "refused"


class Link(Protocol):
    """The connection to the broker."""

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        ...

    def publish(self, topic: str, message: bytes) -> int:
        """Send with QoS 1; gives the number its verdict will come under."""
        ...

    def verdicts(self) -> list[tuple[int, Verdict]]:
        """Give what the broker has said since the last call; messages are sent anew after a reconnection."""
        ...

    def reconnect(self) -> None:
        """Give this connection up and make another."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How the courier goes.

    Attributes:
        batch: entries to a message at most.
        window: messages on their way at most.
        collect_ms: how long entries are collected for one message; a full one goes at once.
        live_ms: what is older when it is sent is marked as history.
        clock_wait_ms: how long history of unsure time waits for the clock to become right.
        retry_ms: pause after a message that was not taken.
        stuck_ms: a connection on which nothing is acknowledged for so long is given up.
        pack: messages are packed with gzip, for an uplink that is paid by the byte.
    """

    batch: int = 100
    window: int = 10
    collect_ms: int = 0
    live_ms: int = 60_000
    clock_wait_ms: int = 900_000
    retry_ms: int = 15_000
    stuck_ms: int = 90_000
    pack: bool = False


class Courier:
    """Works in rounds; one thread at a time.

    Attributes:
        delivered: entries the broker has taken in this run.
        refused: messages the broker did not take in this run.
    """

    def __init__(self, spool: Spool, link: Link, topic: str, pace: Pace | None = None) -> None:
        self.delivered = 0
        self.refused = 0
        self._spool = spool
        self._link = link
        self._topic = topic
        self._pace = pace or Pace()
        self._on_the_way: dict[int, tuple[int, ...]] = {}
        self._last = 0
        self._window = self._pace.window
        self._start_over = False
        self._not_before_ms = 0
        self._collect_until_ms = 0
        self._started_ms: int | None = None
        self._heard_ms = 0

    def work(self, now: Moment) -> bool:
        """Hear what the broker said, send what fits; whether there is more to do at once.

        Raises:
            StoreUnavailable: the spool cannot be used.
        """
        self._started_ms = now.uptime_ms if self._started_ms is None else self._started_ms
        heard = self._hear(now)
        if heard or not self._on_the_way or not self._link.connected:
            self._heard_ms = now.uptime_ms
        if not self._link.connected:
            return False
        if now.uptime_ms - self._heard_ms > self._pace.stuck_ms:
            _log.warning("broker.stuck", messages=len(self._on_the_way))
            self._heard_ms = now.uptime_ms
            self._link.reconnect()
            return False
        return self._send(now) or heard

    @property
    def waits(self) -> bool:
        """Whether messages are on their way that the broker has not spoken of."""
        return bool(self._on_the_way) and self._link.connected

    # --- from the broker -----------------------------------------------------------------------------

    def _hear(self, now: Moment) -> bool:
        taken: list[int] = []
        for number, verdict in self._link.verdicts():
            ids = self._on_the_way.pop(number, None)
            if ids is None:
                continue
            if verdict is Verdict.TAKEN:
                taken += ids
            else:
                self._not_taken(verdict, now)
        if taken:
            self._spool.remove(taken)
            self.delivered += len(taken)
            self._window = self._pace.window if not self._start_over else 1
        return bool(taken)

    def _not_taken(self, verdict: Verdict, now: Moment) -> None:
        if not self._start_over and self._window > 1:
            _log.warning("broker.not_taken", because=verdict.value, kept="in the spool", topic=self._topic)
        self.refused += 1
        self._start_over = True
        self._not_before_ms = now.uptime_ms + self._pace.retry_ms
        self._window = 1

    # --- to the broker -------------------------------------------------------------------------------

    def _send(self, now: Moment) -> bool:
        if self._start_over:
            if self._on_the_way or now.uptime_ms < self._not_before_ms:
                return False
            self._start_over, self._last = False, 0
        if len(self._on_the_way) >= self._window:
            return False
        entries = self._ripe(self._spool.after(self._last, self._pace.batch), now)
        full = len(entries) == self._pace.batch
        if not entries or (not full and now.uptime_ms < self._collect_until_ms):
            return False
        self._collect_until_ms = now.uptime_ms + self._pace.collect_ms
        history = [self._is_history(entry, now) for entry in entries]
        message = payload(entries, history, pack=self._pace.pack)
        number = self._link.publish(self._topic, message)
        self._on_the_way[number] = tuple(entry.id for entry in entries)
        self._last = entries[-1].id
        return True

    def _ripe(self, entries: Sequence[Entry], now: Moment) -> list[Entry]:
        """Hold back, in order, what has waited and cannot be dated yet, while the clock may still be set."""
        if now.uptime_ms - (self._started_ms or 0) > self._pace.clock_wait_ms:
            return list(entries)
        return list(takewhile(lambda one: not self._may_be_dated(one, now), entries))

    def _may_be_dated(self, entry: Entry, now: Moment) -> bool:
        """Whether an entry has no sure time but may get one; what an earlier start left never will."""
        heard = entry.item.heard
        return not heard.source.trusted and heard.machine == now.machine and self._is_history(entry, now)

    def _is_history(self, entry: Entry, now: Moment) -> bool:
        heard = entry.item.heard
        return heard.machine != now.machine or now.uptime_ms - heard.uptime_ms > self._pace.live_ms
