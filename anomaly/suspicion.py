"""A suspicion of unwanted flow at one meter, from its first sign to its end, and what one tick says of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from anomaly.levels import CHANNELS
from anomaly.local_time import HOUR
from metering.finding import Stage

__all__ = ["Case", "Sign", "is_like", "onset_of", "opened"]

NOT_LARGER, NOT_SMALLER = 2, 2
"""Levels a flow may have risen or sunk to be the same come back: a drip is no burst come back."""
KEPT_HOURS = 96

_LEVEL = np.array(CHANNELS)


@dataclass(frozen=True, slots=True)
class Sign:
    """What one tick says about one meter.

    Attributes:
        at: when it was known, UTC seconds.
        flow: L/h, if known.
        ratio: score over threshold of each channel.
        age: hours since each score was zero, at most 255.
        ticks: of this meter so far.
        before: gives the known flows of the last so many ticks, oldest first, this one included.
    """

    at: int
    flow: float | None
    ratio: NDArray[np.float32]
    age: NDArray[np.uint8]
    ticks: int
    before: Callable[[int], Sequence[float]]


@dataclass(slots=True)
class Case:
    """A suspicion from its first sign to its end."""

    onset: int
    channel: int
    flows: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT_HOURS))
    stages: list[Stage] = field(default_factory=list)
    told_at: int | None = None
    calm: int = 0
    cleared_at: int | None = None
    returns: list[int] = field(default_factory=list)
    grown_to: str | None = None

    @property
    def level(self) -> int:
        """Level of its channel."""
        return int(_LEVEL[self.channel])


def opened(sign: Sign, channel: int) -> Case:
    """Begin a case about one channel, with the flows since its score was zero."""
    case = Case(onset_of(sign, channel), channel)
    before = sign.before(min(int(sign.age[channel]) + 1, KEPT_HOURS))
    case.flows.extend(before[:-1] if sign.flow is not None else before)
    return case


def is_like(case: Case, past: Case) -> bool:
    """Whether a case is about as much water as a past one."""
    return past.level - NOT_SMALLER <= case.level <= past.level + NOT_LARGER


def onset_of(sign: Sign, channel: int) -> int:
    """Give when a channel's score was last zero, UTC seconds."""
    return sign.at - int(sign.age[channel]) * HOUR
