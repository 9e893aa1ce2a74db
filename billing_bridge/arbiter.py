"""Which way of reading counts at the end of a period, and why.

=======================================================  ========================================
radio, wire or pulses are near, and people say the same  the meter's own read
radio, wire or pulses are near, and people differ        the meter's own read; told, a person looks
none is near                                             a reader's visit, else the customer's state
=======================================================  ========================================

People say the same if their index lies between the meter's reads around it, give or take a tolerance. What a
person told is never mixed into a line it contradicts: a wrong state must not make good reads look wrong.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from billing_bridge.boundary import How
from billing_bridge.read import Ruling
from metering.consumption import IndexPoint

__all__ = ["Arbitrated", "Arbitration", "State", "arbitrate", "told_by"]

_ENDLESS = timedelta.max
_NAMES = {
    How.RADIO: "by radio",
    How.WIRED: "over the wire",
    How.PULSE: "from its pulses",
    How.METER: "",
    How.VISIT: "a reader's visit",
    How.READER: "a reader's visit",
    How.WEB: "the customer's state by web",
    How.PHONE: "the customer's state by phone",
    How.EMAIL: "the customer's state by e-mail",
    How.PHOTO: "the customer's state with a photo",
    How.CUSTOMER: "the customer's state",
}
_CHANNELS = {"reader": How.VISIT}
"""As states of before name it."""


def told_by(channel: str) -> How:
    """Give the way a state came that a person told.

    Args:
        channel: ``visit``, ``web``, ``phone``, ``e-mail`` or ``photo``; of before also ``reader``.
    """
    known = _CHANNELS.get(channel)
    return known or (How(channel) if channel in set(How) else How.CUSTOMER)


@dataclass(frozen=True, slots=True)
class State:
    """What a person read.

    Attributes:
        at: UTC.
        value: m3.
        how: by a visit, or which way the customer told it.
    """

    at: datetime
    value: Decimal
    how: How

    def __str__(self) -> str:
        """Say it in one breath."""
        return f"{self.how.value} {self.value} m3 at {self.at.isoformat()}"


@dataclass(frozen=True, slots=True)
class Arbitration:
    """What a utility sets.

    Attributes:
        radio: how far from the end of a period the meter's own read may be.
        manual: how far a person's may be.
        tolerance_m3: by how much a person's state may leave the meter's own reads.
    """

    radio: timedelta = timedelta(days=1)
    manual: timedelta = timedelta(days=3)
    tolerance_m3: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Arbitrated:
    """What counts.

    Attributes:
        points: the meter's own reads, and those states that count beside them.
        ways: how those states came, by their time.
        rulings: one per end at which several ways met or only people read.
        contradictions: states that leave the meter's own reads by more than the tolerance.
    """

    points: Sequence[IndexPoint]
    ways: Mapping[datetime, How]
    rulings: tuple[Ruling, ...] = ()
    contradictions: tuple[State, ...] = ()


def arbitrate(  # noqa: PLR0913  both sides, and how to decide between them
    points: Sequence[IndexPoint],
    states: Iterable[State],
    ends: Iterable[datetime],
    how: How,
    settings: Arbitration,
    *,
    ways: Mapping[datetime, How] | None = None,
) -> Arbitrated:
    """Decide between the meter's own reads and what people read.

    Args:
        points: the meter's own reads, by time.
        states: what people read, taken over.
        ends: of periods, UTC.
        how: the way of the meter's own reads, for the ruling.
        settings: the utility's.
        ways: the way of those of them that came otherwise, by their time.
    """
    told = sorted(states, key=lambda one: (one.at, not one.how.visit))
    if not told:
        return Arbitrated(points, {})
    wrong = tuple(one for one in told if not _fits(points, one, settings.tolerance_m3))
    rulings: list[Ruling] = []
    used: dict[datetime, State] = {}
    for end in ends:
        near = [one for one in told if abs(one.at - end) <= settings.manual]
        if near:
            nearest = _nearest(points, end)
            own = None if nearest is None else (ways or {}).get(nearest.at, how)
            away = _ENDLESS if nearest is None else abs(nearest.at - end)
            ruling, counts = _rule(near, end, own if away <= settings.radio else None, settings, wrong)
            rulings.append(ruling)
            if counts is not None:
                used[counts.at] = counts
    joined = [*points, *(IndexPoint(one.at, one.value) for one in used.values())]
    return Arbitrated(sorted(joined), {at: one.how for at, one in used.items()}, tuple(rulings), wrong)


def _rule(
    near: Sequence[State], end: datetime, own: How | None, settings: Arbitration, wrong: Sequence[State]
) -> tuple[Ruling, State | None]:
    """Decide one end.

    Args:
        near: what people read near it.
        end: UTC.
        own: the way of the meter's own read near it; ``None`` = there is none.
        settings: the utility's.
        wrong: what contradicts the meter's own reads.
    """
    others = tuple(str(one) for one in near)
    if own is not None:
        differing = any(one in wrong for one in near)
        why = "a person's state contradicts it: somebody must look" if differing else "people say the same"
        read = f"The meter's own read {_NAMES[own]}".rstrip()
        return Ruling(end, own.value, f"{read} is near; {why}.", others), None
    best = min(near, key=lambda one: (not one.how.visit, abs(one.at - end)))
    why = f"The meter sent nothing within {settings.radio / timedelta(hours=1):g} h"
    rest = tuple(str(one) for one in near if one is not best)
    return Ruling(end, best.how.value, f"{why}; {_NAMES[best.how]} is at hand.", rest), best


def _nearest(points: Sequence[IndexPoint], end: datetime) -> IndexPoint | None:
    after = bisect_left(points, end, key=_at)
    around = points[max(after - 1, 0) : after + 1]
    return min(around, key=lambda one: abs(one.at - end), default=None)


def _fits(points: Sequence[IndexPoint], state: State, tolerance: Decimal) -> bool:
    """Whether a state lies between the meter's own reads around it."""
    after = bisect_right(points, state.at, key=_at)
    low = points[after - 1].value if after else None
    high = points[after].value if after < len(points) else None
    if low is not None and high is not None and high < low:
        return True  # the register rolled over or was exchanged there: it cannot be told
    return (low is None or state.value >= low - tolerance) and (
        high is None or state.value <= high + tolerance
    )


def _at(point: IndexPoint) -> datetime:
    return point.at
