"""What late or re-sent data changed, so that nothing made from the older state goes stale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from metering.consumption.points import WIDE
from metering.consumption.volumes import Interval

__all__ = ["Difference", "differences"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A stretch that is no longer cut as it was.

    Attributes:
        was: its intervals then, in order; empty where nothing was known.
        now: its intervals now, in order; empty where nothing is known any more.
    """

    was: tuple[Interval, ...]
    now: tuple[Interval, ...]

    @property
    def start(self) -> datetime:
        """UTC."""
        return min(one.start for one in (*self.was[:1], *self.now[:1]))

    @property
    def end(self) -> datetime:
        """UTC, exclusive."""
        return max(one.end for one in (*self.was[-1:], *self.now[-1:]))

    @property
    def volume(self) -> Decimal:
        """How much more is known to have passed than before, exact; 0 where only the shape changed."""
        return WIDE.subtract(_sum(self.now), _sum(self.was))


def differences(was: Sequence[Interval], now: Sequence[Interval]) -> tuple[Difference, ...]:
    """Compare two cuts of the same register at the same boundaries.

    Args:
        was: the intervals of an earlier state, by time, without overlap.
        now: those of a later state, likewise.

    Returns:
        The stretches that differ in times, kind, or the indices at their ends, each as short as the two
        cuts allow; by time. Empty if nothing changed.
    """
    return tuple(_stretches(_only_in(was, now), _only_in(now, was)))


def _only_in(these: Sequence[Interval], others: Sequence[Interval]) -> list[Interval]:
    known = {_said(one) for one in others}
    return [one for one in these if _said(one) not in known]


def _said(one: Interval) -> tuple[object, ...]:
    """What an interval says; not its carry, which moves with every roll-over found before it."""
    ends = ((point.at, point.value) for point in (one.opening, one.closing))
    return (one.start, one.end, one.kind, one.volume, *ends)


def _stretches(was: Sequence[Interval], now: Sequence[Interval]) -> Iterator[Difference]:
    """Group intervals of both sides that overlap one another."""
    marked = sorted(
        [(one.start, one.end, 0, one) for one in was] + [(one.start, one.end, 1, one) for one in now],
        key=lambda row: row[:3],
    )
    sides: tuple[list[Interval], list[Interval]] = ([], [])
    reach: datetime | None = None
    for start, end, side, one in marked:
        if reach is not None and start >= reach:
            yield Difference(tuple(sides[0]), tuple(sides[1]))
            sides = ([], [])
            reach = None
        sides[side].append(one)
        reach = end if reach is None else max(reach, end)
    if reach is not None:
        yield Difference(tuple(sides[0]), tuple(sides[1]))


def _sum(intervals: Sequence[Interval]) -> Decimal:
    total = Decimal(0)
    for one in intervals:
        total = WIDE.add(total, one.volume)
    return total
