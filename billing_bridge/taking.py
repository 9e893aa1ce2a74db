"""Taking the billing read of a period: at both ends what was booked, read, estimated or projected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from billing_bridge.boundary import Boundary, Dial, Rounding
from billing_bridge.estimate import NoEstimate
from billing_bridge.period import Period
from billing_bridge.read import BillingRead, ReadSegment, Subject
from metering.meter import MeterId

__all__ = ["Booked", "Unbillable", "take_read"]


@dataclass(frozen=True, slots=True)
class Unbillable:
    """Why a period has no billing read yet."""

    subject: Subject
    period: Period
    reason: str


@dataclass(frozen=True, slots=True)
class Booked:
    """Indices that were billed already, by meter and boundary.

    A period opens where the last one closed; one that is taken after the period behind it closes where that
    one opened.
    """

    ends: Mapping[tuple[MeterId, datetime], Boundary] = field(default_factory=dict)
    begins: Mapping[tuple[MeterId, datetime], Boundary] = field(default_factory=dict)

    def after(self, read: BillingRead) -> Booked:
        """Add the indices of a read."""
        closing = {(one.meter, one.closing.at): one.closing for one in read.segments}
        opening = {(one.meter, one.opening.at): one.opening for one in read.segments}
        return Booked({**self.ends, **closing}, {**self.begins, **opening})


def take_read(
    subject: Subject, dials: Sequence[Dial], period: Period, rounding: Rounding, booked: Booked
) -> BillingRead | Unbillable:
    """Take the billing read of a period.

    Args:
        subject: whose.
        dials: the meters that hung there, in any order, without overlap.
        period: which.
        rounding: the utility's.
        booked: what was billed before; empty gives what the reads alone say.
    """
    hung = sorted((one for one in dials if _hung_in(one, period)), key=lambda one: one.segment.since)
    if not hung:
        return Unbillable(subject, period, "no meter hung there")
    segments: list[ReadSegment] = []
    for dial in hung:
        found = _segment_of(dial, period, rounding, booked)
        if isinstance(found, NoEstimate):
            return Unbillable(subject, period, f"{dial.meter}: {found.reason}")
        segments.append(found)
    return BillingRead(subject, period, tuple(segments))


def _hung_in(dial: Dial, period: Period) -> bool:
    until = dial.segment.until
    return dial.segment.since < period.end and (until is None or until > period.start)


def _segment_of(dial: Dial, period: Period, rounding: Rounding, booked: Booked) -> ReadSegment | NoEstimate:
    start = max(period.start, dial.segment.since)
    end = period.end if dial.segment.until is None else min(period.end, dial.segment.until)
    known = booked.ends.get((dial.meter, start))
    opening = dial.rebased(known) if known else dial.boundary(start, rounding)
    if isinstance(opening, NoEstimate):
        return opening
    then = booked.begins.get((dial.meter, end))
    closing = dial.rebased(then) if then else dial.boundary(end, rounding)
    if isinstance(closing, NoEstimate):
        closing = dial.projected(opening, end, rounding)
    if isinstance(closing, NoEstimate):
        return closing
    if closing.line != opening.line:
        return NoEstimate("the register jumped or was reset in this period")
    return ReadSegment(dial.meter, opening, closing, rounding.billing_m3)
