"""Indices between two real ones: by the point's own profile, or evenly; never above the later one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from billing_bridge.estimate.estimated import EstimatedIndex, Method, NoEstimate
from metering.consumption import IndexPoint, Interval, Kind
from metering.consumption.points import microseconds

__all__ = ["SHORT_GAP", "fill_gap", "floored", "prorated"]

SHORT_GAP = timedelta(hours=2)
"""Up to here a straight line is as good as anything (California VEE rules)."""

_PROFILE = timedelta(weeks=4)


def floored(number: Fraction, resolution: Decimal) -> Decimal:
    """Give the highest multiple of a step that is not above a number, exact."""
    return int(number // Fraction(resolution)) * resolution


def prorated(
    before: IndexPoint, later: IndexPoint, at: datetime, resolution: Decimal
) -> EstimatedIndex | NoEstimate:
    """Estimate the index at a moment between two real reads, evenly by time."""
    if fault := _not_between(before, later, [at]):
        return fault
    share = Fraction(_span(before.at, at), _span(before.at, later.at))
    method = Method.LINEAR if later.at - before.at <= SHORT_GAP else Method.PRORATION
    return EstimatedIndex(at, _at_share(before, later, share, resolution), method, _ends(before, later))


def fill_gap(  # noqa: PLR0913  two ends, what is missing, and what is known of the point
    before: IndexPoint,
    later: IndexPoint,
    marks: Sequence[datetime],
    *,
    history: Iterable[Interval] = (),
    zone: ZoneInfo,
    resolution: Decimal = Decimal("0.001"),
) -> tuple[EstimatedIndex, ...] | NoEstimate:
    """Estimate the indices at boundaries in a gap whose two ends were read.

    What passed is known; the profile only says how it was spread, so the parts add up exactly.

    Args:
        before: the last read before the gap.
        later: the first one after it, on the same line.
        marks: boundaries in between, UTC, strictly increasing.
        history: the point's intervals; those metered in the four weeks before count.
        zone: whose weekdays and hours.
        resolution: step to which indices are floored, m3.
    """
    if fault := _not_between(before, later, marks):
        return fault
    profile = _profile(history, before.at, zone)
    stretches = list(pairwise([before.at, *marks, later.at]))
    weights = [profile.get(_slot(start, zone)) for start, _end in stretches]
    known = [weight for weight in weights if weight is not None]
    if later.at - before.at <= SHORT_GAP or len(known) < len(weights) or not any(known):
        single = (prorated(before, later, mark, resolution) for mark in marks)
        return tuple(one for one in single if isinstance(one, EstimatedIndex))
    amounts = [weight * _span(*stretch) for weight, stretch in zip(known, stretches, strict=True)]
    return tuple(_spread(before, later, marks, amounts, resolution))


def _spread(
    before: IndexPoint,
    later: IndexPoint,
    marks: Sequence[datetime],
    amounts: Sequence[Fraction],
    resolution: Decimal,
) -> Iterator[EstimatedIndex]:
    total = sum(amounts)
    passed = Fraction(0)
    for mark, amount in zip(marks, amounts, strict=False):  # the last amount leads to the later read
        passed += amount
        index = _at_share(before, later, passed / total, resolution)
        yield EstimatedIndex(mark, index, Method.PROFILE, _ends(before, later))


def _profile(history: Iterable[Interval], until: datetime, zone: ZoneInfo) -> dict[tuple[int, int], Fraction]:
    """Give the mean rate per weekday and hour; backflow counts as nothing."""
    slots: dict[tuple[int, int], list[Fraction]] = {}
    for one in history:
        if one.kind is Kind.METERED and until - _PROFILE <= one.start and one.end <= until:
            rate = Fraction(max(one.volume, Decimal(0))) / _span(one.start, one.end)
            slots.setdefault(_slot(one.start, zone), []).append(rate)
    return {slot: sum(rates, Fraction(0)) / len(rates) for slot, rates in slots.items()}


def _slot(moment: datetime, zone: ZoneInfo) -> tuple[int, int]:
    local = moment.astimezone(zone)
    return local.weekday(), local.hour


def _at_share(before: IndexPoint, later: IndexPoint, share: Fraction, resolution: Decimal) -> Decimal:
    opening, closing = Fraction(before.total), Fraction(later.total)
    # The floor must not fall below the read before, which may be finer than the resolution.
    return max(before.total, floored(opening + (closing - opening) * share, resolution))


def _not_between(before: IndexPoint, later: IndexPoint, marks: Sequence[datetime]) -> NoEstimate | None:
    if later.total < before.total:
        return NoEstimate("the later index is lower than the one before")
    ordered = [before.at, *marks, later.at]
    if not marks or any(one >= other for one, other in pairwise(ordered)):
        return NoEstimate("the moment does not lie between the two reads")
    return None


def _span(start: datetime, end: datetime) -> int:
    return microseconds(end) - microseconds(start)


def _ends(before: IndexPoint, later: IndexPoint) -> dict[str, str]:
    return {
        "before": f"{before.total} at {before.at.isoformat()}",
        "later": f"{later.total} at {later.at.isoformat()}",
    }
