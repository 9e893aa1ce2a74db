"""Counters that should only go up: what the next telegram of a meter tells about those before it.

A message counter (OMS Vol. 2) never repeats under a key, so one that goes back is a replayed telegram, a
meter that was reset, or another device with its address. The access number is eight bits and goes round;
half a turn back is taken as back. Equal numbers are the same transmission heard again, by another gateway or
through a repeater, as long as the bytes agree. Nothing here refuses a telegram: what to do is the caller's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from decoders.telegram import Telegram
from metering.meter import MeterId

__all__ = ["CounterWatch", "Movement", "Seen", "Step", "step"]

_ROUND = 256
_METERS = 100_000


class Movement(StrEnum):
    """How a counter moved from one telegram to the next."""

    FIRST = "first"
    FORWARD = "forward"
    SAME = "same"
    BACK = "back"


class Step(NamedTuple):
    """One step of a counter.

    Attributes:
        counter: ``message`` or ``access``.
        movement: where it went.
        before: the number of the telegram before, ``None`` for the first.
        now: the number of this one.
    """

    counter: str
    movement: Movement
    before: int | None
    now: int

    @property
    def missed(self) -> int:
        """Telegrams between the two that were not heard, if the meter counts each once."""
        if self.movement is not Movement.FORWARD or self.before is None:
            return 0
        gap = self.now - self.before
        return (gap if self.counter == "message" else gap % _ROUND) - 1


@dataclass(frozen=True, slots=True)
class Seen:
    """The numbers of the latest telegram of a meter."""

    message: int | None = None
    access: int | None = None


def step(before: Seen | None, telegram: Telegram) -> Step | None:
    """Compare a telegram with the one before; ``None`` if it has no number to compare.

    The message counter counts where there is one. An access number proves nothing where nothing is encrypted;
    it still shows what was missed.
    """
    if telegram.security.counter is not None:
        return _message(before.message if before else None, telegram.security.counter)
    if telegram.access is not None:
        return _access(before.access if before else None, telegram.access)
    return None


def _message(before: int | None, now: int) -> Step:
    if before is None:
        return Step("message", Movement.FIRST, None, now)
    if now == before:
        return Step("message", Movement.SAME, before, now)
    return Step("message", Movement.FORWARD if now > before else Movement.BACK, before, now)


def _access(before: int | None, now: int) -> Step:
    if before is None:
        return Step("access", Movement.FIRST, None, now)
    gap = (now - before) % _ROUND
    if gap == 0:
        return Step("access", Movement.SAME, before, now)
    return Step("access", Movement.FORWARD if gap < _ROUND // 2 else Movement.BACK, before, now)


class CounterWatch:
    """Remembers the latest numbers of each meter; the meter not heard longest is forgotten first.

    A number that went back is not remembered as the latest: a replayed telegram must not make the next
    genuine one look new by far.

    Args:
        limit: how many meters are remembered.
    """

    def __init__(self, *, limit: int = _METERS) -> None:
        self._limit = limit
        self._seen: dict[MeterId, Seen] = {}

    def see(self, telegram: Telegram) -> Step | None:
        """Compare a telegram with the latest of its meter, and remember it."""
        before = self._seen.pop(telegram.meter, None)
        found = step(before, telegram)
        self._seen[telegram.meter] = _latest(before or Seen(), found)
        if len(self._seen) > self._limit:
            del self._seen[next(iter(self._seen))]
        return found


def _latest(before: Seen, found: Step | None) -> Seen:
    if found is None or found.movement is Movement.BACK:
        return before
    if found.counter == "message":
        return Seen(found.now, before.access)
    return Seen(before.message, found.now)
