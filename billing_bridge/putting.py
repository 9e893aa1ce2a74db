"""The read a person asks for: an index they put, or an estimate that leaves the suspect reads out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from billing_bridge.boundary import Boundary, Dial, How, Rounding
from billing_bridge.estimate import NoEstimate
from billing_bridge.gather import Place, gather
from billing_bridge.judge import newest, next_revision, ruled
from billing_bridge.period import Period
from billing_bridge.read import BillingRead, ReadSegment
from billing_bridge.record import opened
from billing_bridge.taking import Booked, Unbillable, take_read
from billing_bridge.utility import Utility
from metering.billing import NewException, ReadState
from metering.ports import Transaction

__all__ = ["Refused", "estimated", "place_of", "put"]

_HISTORY = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why it cannot be so."""

    reason: str


def place_of(
    tx: Transaction, utility: Utility, about: NewException, now: datetime
) -> tuple[Place, Mapping[str, Place]]:
    """Fetch what is known of the service point a question is about."""
    known = tx.registry.service_points([about.service_point])
    places = gather(tx, utility, known.values(), about.starts - _HISTORY, max(about.ends, now), judging=now)
    return places[about.service_point], places


def put(
    place: Place, about: NewException, utility: Utility, others: Mapping[str, Place], index: Decimal
) -> BillingRead | Refused:
    """Give the read that closes at an index a person puts.

    The index is one of the dial, of the meter that hangs there at the end of the period; below the opening
    one it is taken as rolled over only if the dial can.
    """
    period, dials, rounding = _asked(place, about, utility)
    if period is None:
        return Refused("the calendar has no such period any more")
    hung = [one for one in dials if one.segment.hangs_at(period.end) and one.segment.since < period.end]
    if not hung:
        return Refused("no meter hangs there at the end of the period")
    last = max(hung, key=lambda one: one.segment.since)
    opening = _opening(last, period, rounding, place)
    if isinstance(opening, NoEstimate):
        return Refused(f"the index at the start of the period is not known: {opening.reason}")
    total = _total(opening, index, last)
    if total is None:
        return Refused(f"{index} m3 is below the {opening.index} m3 at the start of the period")
    closing = Boundary(period.end, total, index, How.EDITED, opening.anchor, line=opening.line)
    earlier = _before(place, [one for one in dials if one is not last], period, rounding)
    if isinstance(earlier, Refused):
        return earlier
    parts = (*earlier, ReadSegment(last.meter, opening, closing, rounding.billing_m3))
    read = BillingRead(place.subject(utility), period, parts, revision=next_revision(place, period))
    return ruled(read, place, dials, period, utility, others)


def estimated(
    place: Place, about: NewException, utility: Utility, others: Mapping[str, Place]
) -> BillingRead | Refused:
    """Give the read estimated from the reads outside the period: those within it are not believed."""
    period, dials, rounding = _asked(place, about, utility)
    if period is None:
        return Refused("the calendar has no such period any more")
    without = [_without(one, period) for one in dials]
    taken = take_read(place.subject(utility), without, period, rounding, _booked(place))
    if isinstance(taken, Unbillable):
        return Refused(taken.reason)
    named = replace(taken, revision=next_revision(place, period))
    return ruled(named, place, dials, period, utility, others)


def _asked(
    place: Place, about: NewException, utility: Utility
) -> tuple[Period | None, tuple[Dial, ...], Rounding]:
    periods = place.periods(utility, about.starts, about.ends)
    period = next((one for one in periods if one.id == about.period), None)
    dials, rounding, _rulings, _contradictions = place.dials(utility, (about.starts, about.ends))
    return period, dials, rounding


def _without(dial: Dial, period: Period) -> Dial:
    """Leave out what was read within the period, its end included; protocols stay."""
    points = [
        one
        for one in dial.segment.points
        if one.at <= period.start or one.at > period.end + timedelta(days=1)
    ]
    return replace(dial, segment=replace(dial.segment, points=points))


def _opening(dial: Dial, period: Period, rounding: Rounding, place: Place) -> Boundary | NoEstimate:
    start = max(period.start, dial.segment.since)
    known = _booked(place).ends.get((dial.meter, start))
    return dial.rebased(known) if known else dial.boundary(start, rounding)


def _total(opening: Boundary, index: Decimal, dial: Dial) -> Decimal | None:
    """Give the total of an index on the opening's line; ``None`` if it lies below it."""
    wraps = dial.segment.limits.wraps_at
    if index >= opening.index:
        return opening.total + index - opening.index
    near = wraps is not None and opening.index >= wraps * 9 / 10 and index <= wraps / 10
    return opening.total + index + wraps - opening.index if near and wraps is not None else None


def _before(
    place: Place, dials: list[Dial], period: Period, rounding: Rounding
) -> tuple[ReadSegment, ...] | Refused:
    """Give the segments of meters that were removed within the period."""
    gone = [one for one in dials if one.segment.until is not None and period.start < one.segment.until]
    parts: list[ReadSegment] = []
    for dial in sorted(gone, key=lambda one: one.segment.since):
        if dial.segment.since >= period.end or dial.segment.until is None:
            continue
        opening = _opening(dial, period, rounding, place)
        closing = dial.boundary(min(dial.segment.until, period.end), rounding)
        if isinstance(opening, NoEstimate) or isinstance(closing, NoEstimate):
            return Refused(f"{dial.meter}: its indices in this period are not known")
        parts.append(ReadSegment(dial.meter, opening, closing, rounding.billing_m3))
    return tuple(parts)


def _booked(place: Place) -> Booked:
    booked = Booked()
    for row in newest(place.reads, ReadState.BILLED).values():
        booked = booked.after(opened(row))
    return booked
