"""Which way of reading counts at the end of a period, and why.

=====================================================  ==========================================
a radio or pulse read is near, and people say the same  the meter's own read
a radio or pulse read is near, and people differ        the meter's own read; told, a person looks
none is near                                            a reader's visit, else the customer's state
=====================================================  ==========================================

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

__all__ = ["Arbitrated", "Arbitration", "State", "arbitrate"]

_ORDER = (How.READER, How.CUSTOMER)
_ENDLESS = timedelta.max


@dataclass(frozen=True, slots=True)
class State:
    """What a person read.

    Attributes:
        at: UTC.
        value: m3.
        how: reader or customer.
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


def arbitrate(
    points: Sequence[IndexPoint],
    states: Iterable[State],
    ends: Iterable[datetime],
    how: How,
    settings: Arbitration,
) -> Arbitrated:
    """Decide between the meter's own reads and what people read.

    Args:
        points: the meter's own reads, by time.
        states: what people read, taken over.
        ends: of periods, UTC.
        how: the way of the meter's own reads, for the ruling.
        settings: the utility's.
    """
    told = sorted(states, key=lambda one: (one.at, _ORDER.index(one.how)))
    if not told:
        return Arbitrated(points, {})
    wrong = tuple(one for one in told if not _fits(points, one, settings.tolerance_m3))
    rulings: list[Ruling] = []
    used: dict[datetime, State] = {}
    for end in ends:
        near = [one for one in told if abs(one.at - end) <= settings.manual]
        if near:
            ruling, counts = _rule(points, near, end, how, settings, wrong)
            rulings.append(ruling)
            if counts is not None:
                used[counts.at] = counts
    joined = [*points, *(IndexPoint(one.at, one.value) for one in used.values())]
    return Arbitrated(sorted(joined), {at: one.how for at, one in used.items()}, tuple(rulings), wrong)


def _rule(  # noqa: PLR0913, PLR0917  one decision, everything it looks at
    points: Sequence[IndexPoint],
    near: Sequence[State],
    end: datetime,
    how: How,
    settings: Arbitration,
    wrong: Sequence[State],
) -> tuple[Ruling, State | None]:
    others = tuple(str(one) for one in near)
    if _nearest(points, end) <= settings.radio:
        differing = any(one in wrong for one in near)
        why = "a person's state contradicts it: somebody must look" if differing else "people say the same"
        return Ruling(end, how.value, f"The meter's own read is near; {why}.", others), None
    best = min(near, key=lambda one: (_ORDER.index(one.how), abs(one.at - end)))
    why = f"The meter sent nothing within {settings.radio / timedelta(hours=1):g} h"
    rest = tuple(str(one) for one in near if one is not best)
    return Ruling(end, best.how.value, f"{why}; a {best.how.value}'s state is at hand.", rest), best


def _nearest(points: Sequence[IndexPoint], end: datetime) -> timedelta:
    after = bisect_left(points, end, key=_at)
    around = points[max(after - 1, 0) : after + 1]
    return min((abs(one.at - end) for one in around), default=_ENDLESS)


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
