"""The outbox: messages that leave this system, written in the same transaction as what they tell.

::

    put ──> pending ──claim (lease)──> sent ──settle──> delivered
               ^                         │
               │<──── tried again ───────┤
               │                         └────────────> dead ──drop──> dropped
               └──────────────────── replay ──────────────┘

What is sent at least once under a key that never changes is there exactly once at a receiver that knows the
keys it has. Of one aggregate (a register) a message leaves only when all before it are delivered or dropped.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from metering.errors import TelemetryError

__all__ = ["Attempt", "KeyReused", "Message", "Outbox", "OutboxItem", "OutboxState", "Pause"]


class KeyReused(TelemetryError):
    """A key that was used already is to carry another payload; nothing was stored."""

    def __init__(self, target: str, key: str) -> None:
        self.target = target
        self.key = key
        super().__init__(f"{key} was handed to {target} with another content; a change needs a new revision")


class OutboxState(StrEnum):
    """What became of a message."""

    PENDING = "pending"
    """To be sent, or sent and not yet acknowledged."""
    DELIVERED = "delivered"
    DEAD = "dead"
    """Refused, or tried too often: a person decides."""
    DROPPED = "dropped"
    """A person decided that it will not be sent."""


@dataclass(frozen=True, slots=True)
class Message:
    """Something to hand over.

    Attributes:
        target: name of the receiver.
        key: the same for the same thing, for ever; unique per target.
        aggregate: messages of one aggregate arrive in the order they were put.
        payload: the bytes to send.
    """

    target: str
    key: str
    aggregate: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """A message in the outbox.

    Attributes:
        number: order in which it was put.
        target: name of the receiver.
        key: of the message.
        aggregate: of the message.
        payload: the bytes to send.
        sha256: digest of the payload.
        state: what became of it.
        attempt: how often it was claimed since it was put or replayed.
        next_at: not to be sent before, UTC.
        lease_owner: who sends it now; empty if nobody.
        lease_until: when it may be claimed again, UTC.
        error: what went wrong last; empty if nothing.
        receipt: what the receiver calls it; empty until delivered, or if it does not say.
        put_at: UTC.
        settled_at: when it was delivered or dropped, UTC.
    """

    number: int
    target: str
    key: str
    aggregate: str
    payload: bytes
    sha256: bytes
    state: OutboxState
    attempt: int
    next_at: datetime
    lease_owner: str
    lease_until: datetime | None
    error: str
    receipt: str
    put_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sending: when, and what came of it."""

    at: datetime
    outcome: str


@dataclass(frozen=True, slots=True)
class Pause:
    """A target that gets nothing until a person resumes it."""

    target: str
    since: datetime
    reason: str


class Outbox(Protocol):
    """Messages that leave this system."""

    def put(self, messages: Sequence[Message], now: datetime) -> int:
        """Enter messages; one that is there already is entered once. Gives how many were new.

        Raises:
            KeyReused: a key is there with another payload.
        """
        ...

    def claim(
        self, target: str, owner: str, now: datetime, lease: timedelta, limit: int
    ) -> Sequence[OutboxItem]:
        """Take messages that are due, the oldest first, at most one of an aggregate; each counts an attempt.

        Nothing while the target is paused.
        """
        ...

    def settle(self, claimed: OutboxItem, after: OutboxItem, outcome: str, now: datetime) -> bool:
        """Write what came of a claimed message.

        Gives ``False``, and adds nothing but the attempt, if somebody else has claimed it since.
        """
        ...

    def release(self, claimed: Sequence[OutboxItem]) -> None:
        """Give back messages that were claimed and not sent: due as before, the attempt does not count."""
        ...

    def item(self, target: str, key: str) -> OutboxItem | None:
        """Give one message."""
        ...

    def items(
        self, target: str, states: Collection[OutboxState] = (), *, after: int = 0, limit: int = 50
    ) -> Sequence[OutboxItem]:
        """Give messages by number, beginning behind ``after``; in any state if none is named."""
        ...

    def attempts(self, target: str, key: str) -> Sequence[Attempt]:
        """Give how often and with what outcome a message was sent, the earliest first."""
        ...

    def counts(self, target: str) -> Mapping[OutboxState, int]:
        """Give how many messages are in each state."""
        ...

    def next_due(self, target: str) -> datetime | None:
        """Give when the next message may be sent, UTC; ``None`` if none waits."""
        ...

    def replay(self, target: str, key: str, now: datetime) -> bool:
        """Send a dead message again, from its first attempt on. Gives whether it was dead."""
        ...

    def drop(self, target: str, key: str, reason: str, now: datetime) -> bool:
        """Give up a dead message, so that those behind it leave. Gives whether it was dead."""
        ...

    def pause(self, target: str, reason: str, now: datetime) -> None:
        """Send nothing more to a target."""
        ...

    def resume(self, target: str) -> bool:
        """Send to a target again. Gives whether it was paused."""
        ...

    def paused(self, target: str) -> Pause | None:
        """Give why a target gets nothing; ``None`` if it does."""
        ...
