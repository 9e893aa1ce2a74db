"""Hand-over: what a receiver's answer makes of a message, and the relay that sends.

True "exactly once" between two systems does not exist. A message is sent at least once under a key that
never changes, in order within its register, and a receiver that knows the keys it has books it once.

::

    accepted, key and digest as sent    delivered
    accepted, something else            tried again: a receiver that lies is not believed
    busy, no answer, a fault of theirs  tried again, later and later, then dead
    refused                             dead: a person looks
    gone                                the target is paused; nothing is lost
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from billing_bridge.read import BillingRead
from metering.outbox import Message, OutboxItem, OutboxState
from metering.ports import Clock, Store

__all__ = [
    "SCHEDULE",
    "Accepted",
    "Answer",
    "Gone",
    "Refused",
    "Relay",
    "Step",
    "Target",
    "TryLater",
    "enter",
    "message_of",
    "next_step",
]

SCHEDULE = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""Pauses between attempts: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h (Standard Webhooks 1.0.0)."""

_JITTER = 0.1
"""Pauses are lengthened by up to this share, so that a thousand messages do not come back at once."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The receiver has it.

    Attributes:
        key: which message it says it has.
        sha256: digest of what it says it has; ``None`` if it does not say.
        receipt: what it calls it.
        told: its words, for the record.
    """

    key: str
    sha256: bytes | None = None
    receipt: str = ""
    told: str = "accepted"


@dataclass(frozen=True, slots=True)
class TryLater:
    """It did not work this time: busy, a fault of theirs, no answer."""

    told: str
    after: timedelta | None = None
    """What the receiver asked for (Retry-After)."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The receiver will never take it as it is."""

    told: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The receiver wants nothing any more."""

    told: str


Answer = Accepted | TryLater | Refused | Gone


class Target(Protocol):
    """Somebody who takes messages."""

    @property
    def name(self) -> str:
        """Under which messages are put for it."""
        ...

    def send(self, item: OutboxItem) -> Answer:
        """Send one message and give the answer; a receiver that cannot be reached is :class:`TryLater`."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """What an answer makes of a message.

    Attributes:
        item: as it is to be written.
        outcome: for the record of attempts.
        pause: why the target is to be paused; ``None`` if it is not.
    """

    item: OutboxItem
    outcome: str
    pause: str | None = None


def message_of(read: BillingRead, target: str) -> Message:
    """Give the message that hands a billing read over; its register is its aggregate."""
    return Message(target, read.key, read.subject.key, read.payload())


def next_step(item: OutboxItem, answer: Answer, now: datetime, jitter: float) -> Step:
    """Say what becomes of a claimed message.

    Args:
        item: as claimed.
        answer: what the receiver said.
        now: UTC.
        jitter: 0 to 1, by chance.
    """
    free = replace(item, lease_owner="", lease_until=None)
    match answer:
        case Accepted() if lie := _lie(item, answer):
            return _again(free, TryLater(lie), now, jitter)
        case Accepted():
            done = replace(free, state=OutboxState.DELIVERED, error="", settled_at=now)
            return Step(replace(done, receipt=answer.receipt), answer.told)
        case TryLater():
            return _again(free, answer, now, jitter)
        case Refused():
            return Step(replace(free, state=OutboxState.DEAD, error=answer.told), answer.told)
        case Gone():
            return Step(replace(free, next_at=now, error=answer.told), answer.told, pause=answer.told)


def _lie(item: OutboxItem, answer: Accepted) -> str:
    if answer.key != item.key:
        return f"acknowledged {answer.key!r} instead"
    if answer.sha256 is not None and answer.sha256 != item.sha256:
        return "acknowledged another content"
    return ""


def _again(item: OutboxItem, answer: TryLater, now: datetime, jitter: float) -> Step:
    if item.attempt > len(SCHEDULE):
        told = f"{answer.told}; given up after {item.attempt} attempts"
        return Step(replace(item, state=OutboxState.DEAD, error=told), told)
    wait = SCHEDULE[item.attempt - 1] * (1 + _JITTER * jitter)
    at = now + max(wait, answer.after or wait)
    return Step(replace(item, next_at=at, error=answer.told), answer.told)


class Relay:
    """Sends what waits for one target. Several may run: leases keep them off one another.

    Killed between sending and settling, the lease runs out and the message is sent once more under its key.
    """

    def __init__(  # noqa: PLR0913  what it works with, by name
        self,
        *,
        store: Store,
        target: Target,
        clock: Clock,
        owner: str,
        chance: Callable[[], float],
        lease: timedelta = timedelta(minutes=2),
        batch: int = 50,
        senders: int = 1,
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            store: where the outbox is.
            target: who takes the messages.
            clock: the present.
            owner: name of this relay, unique among those that run.
            chance: gives a number from 0 to 1.
            lease: longer than a batch can take to send.
            batch: messages claimed at once, and answers settled in one transaction.
            senders: messages under way at once; no two of one register are.
        """
        self._store = store
        self._target = target
        self._clock = clock
        self._owner = owner
        self._chance = chance
        self._lease = lease
        self._batch = batch
        self._pool = ThreadPoolExecutor(senders, "billing-send") if senders > 1 else None

    def run_once(self) -> int:
        """Send what is due now; gives how many answers were settled.

        Raises:
            StoreUnavailable: what was sent meanwhile is sent again when its lease has run out.
        """
        claimed = self._claimed()
        steps: list[tuple[OutboxItem, Step]] = []
        for item, answer in self._answers(claimed):
            step = next_step(item, answer, self._clock.now(), self._chance())
            steps.append((item, step))
            if step.pause is not None and self._pool is None:
                break
        return self._settle(steps, claimed[len(steps) :]) if steps else 0

    def close(self) -> None:
        """Let go of the threads that send."""
        if self._pool is not None:
            self._pool.shutdown()

    def _answers(self, items: Sequence[OutboxItem]) -> Iterator[tuple[OutboxItem, Answer]]:
        if self._pool is None:
            yield from ((item, self._target.send(item)) for item in items)
        else:
            yield from zip(items, self._pool.map(self._target.send, items), strict=True)

    def _claimed(self) -> Sequence[OutboxItem]:
        with self._store.writing() as tx:
            return tx.outbox.claim(
                self._target.name, self._owner, self._clock.now(), self._lease, self._batch
            )

    def _settle(self, steps: Sequence[tuple[OutboxItem, Step]], unsent: Sequence[OutboxItem]) -> int:
        """Write all answers of a batch at once: killed before, they are asked for again under their keys."""
        now = self._clock.now()
        with self._store.writing() as tx:
            for reason in [step.pause for _item, step in steps if step.pause is not None]:
                tx.outbox.pause(self._target.name, reason, now)
            tx.outbox.release(unsent)
            return sum(tx.outbox.settle(item, step.item, step.outcome, now) for item, step in steps)


def enter(store: Store, reads: Iterable[BillingRead], target: str, now: datetime) -> int:
    """Put billing reads into the outbox; those that a person must look at stay out. Gives how many were new.

    Raises:
        KeyReused: a read was handed over with another content: it needs a new revision.
    """
    messages = [message_of(read, target) for read in reads if not read.blocked]
    with store.writing() as tx:
        return tx.outbox.put(messages, now)
