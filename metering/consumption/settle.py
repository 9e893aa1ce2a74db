"""Which readings to believe: a wrong value is held and outlived, never a floor for those that follow.

Nothing is lost: every reading ends on a line or set aside with its reason.
:mod:`metering.consumption.explain` says how it is decided.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from metering.consumption.explain import Track, cheapest
from metering.consumption.points import WIDE, IndexPoint
from metering.consumption.verdicts import Break, BreakKind, Limits, Reason, SetAside, Settled

__all__ = ["settle"]

_AHEAD = timedelta(days=1)
_ENDS = {BreakKind.RESET, BreakKind.JUMP}
"""What ends a line."""


def settle(points: Iterable[IndexPoint], limits: Limits, *, certain: Collection[IndexPoint] = ()) -> Settled:
    """Sort out what came of one register of one meter.

    Args:
        points: in any order, repeated or not, with contradictions; their carry is found anew.
        limits: of the register.
        certain: those of the points a person vouches for (closing and opening index of an exchange); they
            are kept whatever the others say.

    Returns:
        Lines, breaks, and every reading set aside. The same for any order and repetition of arrival.
    """
    given = tuple(points)
    if not certain and _simply_rises(given, limits):
        return Settled((given,))
    bare = (replace(point, carry=Decimal(0)) if point.carry else point for point in given)
    ordered = sorted(bare, key=lambda point: (point.at, point.value, point.arrived or point.at))
    timely = [point for point in ordered if not _from_the_future(point)]
    distinct, repeated = _without_repeats(timely)
    track = Track.of(distinct, limits, certain)
    kept = cheapest(track)
    lines, breaks = _lines(distinct, kept, track, limits)
    set_aside = [
        *_set_aside(distinct, kept),
        *(SetAside(one, Reason.REPEATED, None, None) for one in repeated),
        *(SetAside(one, Reason.MISTIMED, None, None) for one in ordered if _from_the_future(one)),
    ]
    return Settled(lines, breaks, tuple(sorted(set_aside, key=lambda one: one.point)))


def _simply_rises(points: Sequence[IndexPoint], limits: Limits) -> bool:
    """Whether readings came in order, each by no more than an hour's flow above the one before.

    Such a series costs nothing to explain as it stands, and nearly all are such.
    """
    if not points:
        return False
    most = limits.rate
    before: IndexPoint | None = None
    for point in points:
        if point.carry or (point.arrived is not None and point.at > point.arrived):
            return False
        if before is not None:
            if point.at <= before.at or point.value < before.value:
                return False
            if most is not None and WIDE.subtract(point.value, before.value) > most:
                return False
        before = point
    return True


def _from_the_future(point: IndexPoint) -> bool:
    """Whether it arrived long before it was measured; a wrong zone or summer time is not long."""
    return point.arrived is not None and point.at - point.arrived > _AHEAD


def _without_repeats(ordered: Sequence[IndexPoint]) -> tuple[list[IndexPoint], list[IndexPoint]]:
    distinct: list[IndexPoint] = []
    repeated: list[IndexPoint] = []
    for point in ordered:
        same = distinct and distinct[-1] == point
        (repeated if same else distinct).append(point)
    return distinct, repeated


def _lines(
    points: Sequence[IndexPoint], kept: Sequence[int], track: Track, limits: Limits
) -> tuple[tuple[tuple[IndexPoint, ...], ...], tuple[Break, ...]]:
    """Give the lines, carried over roll-overs, and where the register did not simply go on."""
    lines: list[list[IndexPoint]] = [[points[kept[0]]]] if kept else []
    breaks: list[Break] = []
    carry = Decimal(0)
    for earlier, later in pairwise(kept):
        kind, closing = track.link(earlier, later)[1], lines[-1][-1]
        if kind is not None:
            carry = _carry(carry, kind, limits)
            breaks.append(Break(kind, closing, replace(points[later], carry=carry)))
            if kind in _ENDS:
                lines.append([])
        lines[-1].append(replace(points[later], carry=carry) if carry else points[later])
    return tuple(tuple(line) for line in lines), tuple(breaks)


def _carry(carry: Decimal, kind: BreakKind, limits: Limits) -> Decimal:
    if kind in _ENDS or limits.wraps_at is None:
        return Decimal(0)
    over = kind is BreakKind.ROLL_OVER
    return WIDE.add(carry, limits.wraps_at) if over else WIDE.subtract(carry, limits.wraps_at)


def _set_aside(points: Sequence[IndexPoint], kept: Sequence[int]) -> Iterator[SetAside]:
    believed = set(kept)
    following = 0
    for number, point in enumerate(points):
        if number in believed:
            following += 1
            continue
        before = [points[one] for one in kept[max(following - 2, 0) : following]]
        after = [points[one] for one in kept[following : following + 2]]
        yield SetAside(
            point, _reason(point, before, after), before[-1] if before else None, after[0] if after else None
        )


def _reason(point: IndexPoint, before: Sequence[IndexPoint], after: Sequence[IndexPoint]) -> Reason:
    if any(one.at == point.at for one in (*before[-1:], *after[:1])):
        return Reason.CONTRADICTED
    if not after:
        return Reason.HELD
    if before and before[0].value <= point.value <= after[-1].value:
        return Reason.MISTIMED
    return Reason.OUTLIVED
