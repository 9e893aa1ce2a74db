"""The meters of one service point one after another, and registers that count backwards.

::

    old meter   ──────o────o────o─x closing index
                                  │ exchange
    new meter         opening index x──o────o────o──

A segment is one meter at a service point from..to. Where one follows the other without a pause and the
closing and the opening index are both known, the totals go on over the exchange and the sum holds across
it. Where an index is missing, what passed around the exchange is unknown and a new line begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from metering.consumption.points import WIDE, IndexPoint
from metering.consumption.settle import settle
from metering.consumption.verdicts import Break, BreakKind, Limits, Reason, SetAside, Settled

__all__ = ["Segment", "joined", "netted"]


@dataclass(frozen=True, slots=True)
class Segment:
    """One meter at a service point.

    Attributes:
        points: what came of its register, in any order.
        limits: what its register can do.
        since: when it was installed, UTC.
        until: when it was removed, UTC; ``None`` = it hangs there.
        opening: index when it was installed, from the protocol; ``None`` = not written down.
        closing: index when it was removed, likewise.
    """

    points: Sequence[IndexPoint]
    limits: Limits
    since: datetime
    until: datetime | None = None
    opening: Decimal | None = None
    closing: Decimal | None = None

    @property
    def certain(self) -> tuple[IndexPoint, ...]:
        """The indices of the protocol, as readings."""
        both = ((self.since, self.opening), (self.until, self.closing))
        return tuple(IndexPoint(at, value) for at, value in both if at is not None and value is not None)

    def hangs_at(self, moment: datetime) -> bool:
        """Whether the meter hung there then, both ends included."""
        return self.since <= moment and (self.until is None or moment <= self.until)


def joined(segments: Iterable[Segment]) -> Settled:
    """Settle the meters of one service point and join them to as few lines as the protocols allow.

    A reading from before or after its meter's time there (from the workshop, from the van) does not count.

    Args:
        segments: in any order; they do not overlap.
    """
    in_order = sorted(segments, key=lambda one: one.since)
    whole = Settled(())
    previous: Segment | None = None
    for segment in in_order:
        whole = _append(whole, _settled(segment), _continues(previous, segment))
        previous = segment
    return whole


def _settled(segment: Segment) -> Settled:
    outside = [point for point in segment.points if not segment.hangs_at(point.at)]
    inside = [point for point in segment.points if segment.hangs_at(point.at)] if outside else segment.points
    certain = segment.certain
    found = settle([*certain, *inside] if certain else inside, segment.limits, certain=certain)
    if not outside:
        return found
    foreign = [SetAside(point, Reason.NOT_INSTALLED, None, None) for point in outside]
    return replace(found, set_aside=tuple(sorted([*found.set_aside, *foreign], key=lambda one: one.point)))


def _continues(previous: Segment | None, segment: Segment) -> bool:
    return (
        previous is not None
        and previous.until == segment.since
        and previous.closing is not None
        and segment.opening is not None
    )


def _append(whole: Settled, more: Settled, continues: bool) -> Settled:  # noqa: FBT001  one of two ways
    set_aside = (*whole.set_aside, *more.set_aside)
    if not whole.lines or not more.lines:
        return Settled((*whole.lines, *more.lines), (*whole.breaks, *more.breaks), set_aside)
    closing, opening = whole.lines[-1][-1], more.lines[0][0]
    if not continues:
        exchange = Break(BreakKind.OPEN_EXCHANGE, closing, opening)
        lines = (*whole.lines, *more.lines)
        return Settled(lines, (*whole.breaks, exchange, *more.breaks), set_aside)
    carry = WIDE.subtract(closing.total, opening.total)
    first = tuple(_carried(point, carry) for point in more.lines[0])
    exchange = Break(BreakKind.EXCHANGE, closing, first[0])
    # At the moment of the exchange the two totals are equal; the new meter's index stands for both.
    lines = (*whole.lines[:-1], (*whole.lines[-1][:-1], *first), *more.lines[1:])
    on_first_line = {point.at for point in first}
    breaks = (_carried_break(one, carry) if one.closing.at in on_first_line else one for one in more.breaks)
    return Settled(lines, (*whole.breaks, exchange, *breaks), set_aside)


def _carried(point: IndexPoint, carry: Decimal) -> IndexPoint:
    return replace(point, carry=WIDE.add(point.carry, carry))


def _carried_break(one: Break, carry: Decimal) -> Break:
    """Carry a break's ends with their line; after a reset or jump another line begins."""
    ends = {BreakKind.RESET, BreakKind.JUMP}
    opening = one.opening if one.kind in ends else _carried(one.opening, carry)
    return Break(one.kind, _carried(one.closing, carry), opening)


def netted(forward: Sequence[IndexPoint], backward: Sequence[IndexPoint]) -> tuple[IndexPoint, ...]:
    """Take what came back off what went through, where a meter counts both on registers of their own.

    Args:
        forward: one line of the register that counts forward.
        backward: one line of the register that counts backflow.

    Returns:
        Forward total minus backward total at every moment both were read: a line like any other. Its
        volumes are net; those of ``forward`` alone are what is billed unless the utility nets.
    """
    return tuple(_differences(forward, {point.at: point for point in backward}))


def _differences(forward: Sequence[IndexPoint], backward: dict[datetime, IndexPoint]) -> Iterator[IndexPoint]:
    for point in forward:
        back = backward.get(point.at)
        if back is not None:
            yield IndexPoint(point.at, WIDE.subtract(point.total, back.total), arrived=point.arrived)
