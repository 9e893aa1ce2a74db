"""A customer's consumption over a span: one set of numbers for chart, table, CSV and Green Button.

What the bridge bills from is what the chart shows: the same meters, joined over exchanges by the same
protocols, settled by the same rules. Nothing from outside the tenancy is shown, and nothing is interpolated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from billing_bridge.gather import MARGIN, Place, gather
from billing_bridge.read import BillingRead
from billing_bridge.record import opened
from billing_bridge.utility import Utility
from metering.billing import ReadState
from metering.billing_customers import Tenancy
from metering.consumption import (
    IndexPoint,
    Interval,
    Step,
    boundaries,
    cut,
    joined,
    start_of_day,
    usual_age,
)
from metering.finding import Tier
from metering.findings import FindingState
from metering.meter import MeterId, ServicePoint
from metering.ports import Transaction
from metering.reading import Reading
from service.customers.asked import Asked

__all__ = ["Billed", "Dial", "Event", "Legal", "Stretch", "View", "Volumes", "view"]


class Legal(StrEnum):
    """How a meter's legalization stands."""

    VALID = "valid"
    SOON = "soon"
    """It ends within 90 days."""
    EXPIRED = "expired"
    UNKNOWN = "unknown"


_SOON_DAYS = 90
_SHOWN = ("leak", "burst")
"""Findings about a customer's water; what concerns meters and gateways is for the utility."""

_SAMPLE = timedelta(days=3)
"""Of which it is known how closely a meter is read."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time, UTC, the end exclusive."""

    since: datetime
    until: datetime

    def holds(self, moment: datetime) -> bool:
        """Whether a moment lies within."""
        return self.since <= moment < self.until

    def clipped(self, to: Stretch) -> Stretch | None:
        """Give what of it lies within another one; ``None`` if nothing does."""
        since, until = max(self.since, to.since), min(self.until, to.until)
        return Stretch(since, until) if since < until else None


@dataclass(frozen=True, slots=True)
class Volumes:
    """What passed in a span.

    Attributes:
        stretch: what was asked for, as far as the tenancy goes; ``None`` = no day of it is the customer's.
        intervals: by time; where one is missing nothing is known.
    """

    stretch: Stretch | None
    intervals: tuple[Interval, ...]

    @property
    def within(self) -> tuple[Interval, ...]:
        """Intervals that lie wholly in the span."""
        known = self.stretch
        if known is None:
            return ()
        return tuple(one for one in self.intervals if known.since <= one.start and one.end <= known.until)

    @property
    def total_m3(self) -> Decimal | None:
        """Sum of what lies wholly in the span; ``None`` if nothing does."""
        inside = self.within
        return sum((one.volume for one in inside), Decimal(0)) if inside else None

    @property
    def complete(self) -> bool:
        """Whether the sum is that of the whole span."""
        return self.stretch is not None and self.known_until == self.stretch.until

    @property
    def known_until(self) -> datetime | None:
        """Up to when everything is known from the beginning on; ``None`` if something is missing."""
        inside, known = self.within, self.stretch
        if known is None or not inside or inside[0].start != known.since:
            return None
        joined_up = all(one.end == after.start for one, after in pairwise(inside))
        return inside[-1].end if joined_up else None


@dataclass(frozen=True, slots=True)
class Dial:
    """A meter that hangs or hung there.

    Attributes:
        meter: which.
        since: installed, UTC.
        until: removed, UTC; ``None`` = it hangs there.
        legal_until: last day of its legalization, if it is on record.
        legal: how that stands today.
        latest: its last reading within the tenancy.
    """

    meter: MeterId
    since: datetime
    until: datetime | None
    legal_until: date | None
    legal: Legal
    latest: Reading | None


@dataclass(frozen=True, slots=True)
class Billed:
    """A billing period of the customer's.

    Attributes:
        stretch: the period.
        read: what was billed.
        estimated: whether an index of it was not read.
    """

    stretch: Stretch
    read: BillingRead
    estimated: bool


@dataclass(frozen=True, slots=True)
class Event:
    """Something to be marked on the chart.

    Attributes:
        at: UTC.
        kind: ``exchange``, or the name of a finding: ``leak.continuous``.
        until: end of it, UTC; ``None`` = a moment, or it goes on.
    """

    at: datetime
    kind: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class View:
    """All that is shown of a span.

    Attributes:
        asked: what was asked for.
        whole: the asked span, UTC, whoever lived there.
        volumes: what passed.
        behind: what passed in the span it is compared with; ``None`` = it is not.
        dials: the meters, by begin.
        billed: billing periods that touch the span, by time.
        events: marks, by time.
    """

    asked: Asked
    whole: Stretch
    volumes: Volumes
    behind: Volumes | None
    dials: tuple[Dial, ...]
    billed: tuple[Billed, ...]
    events: tuple[Event, ...]


def view(  # noqa: PLR0913  whose, what, and how it is reckoned
    tx: Transaction,
    utility: Utility,
    point: ServicePoint,
    tenancies: Sequence[Tenancy],
    asked: Asked,
    *,
    zone: ZoneInfo,
    now: datetime,
) -> View:
    """Give what a customer is shown.

    Args:
        tx: a consistent view of the store.
        utility: its billing settings.
        point: the service point.
        tenancies: the customer's at this point.
        asked: the span.
        zone: of the utility.
        now: UTC.
    """
    reckoning = _Reckoning(tx, utility, point, tenancies, zone, now)
    whole = reckoning.stretch(asked.first, asked.last)
    place = reckoning.place(whole, asked.step)
    behind = asked.behind
    return View(
        asked=asked,
        whole=whole,
        volumes=reckoning.volumes(place, whole, asked.step),
        behind=reckoning.compared(behind, asked.step) if behind else None,
        dials=tuple(reckoning.dials(place)),
        billed=tuple(reckoning.billed(place, whole)),
        events=tuple(reckoning.events(place, whole)),
    )


@dataclass(frozen=True, slots=True)
class _Reckoning:
    tx: Transaction
    utility: Utility
    point: ServicePoint
    tenancies: Sequence[Tenancy]
    zone: ZoneInfo
    now: datetime

    def stretch(self, first: date, last: date) -> Stretch:
        return Stretch(start_of_day(first, self.zone), start_of_day(last, self.zone))

    def mine(self, whole: Stretch) -> Stretch | None:
        """Give what of a span is the customer's; of two tenancies with a pause between them the later."""
        found = [
            clipped
            for one in self.tenancies
            if (clipped := whole.clipped(Stretch(one.valid_from, one.valid_to or whole.until)))
        ]
        return found[-1] if found else None

    def place(self, whole: Stretch, step: Step) -> Place:
        """Give what is known; for volumes by day or more, readings at the edges of days will do."""
        days = boundaries(whole.since - MARGIN, whole.until + MARGIN, Step.DAY, self.zone)
        found = gather(
            self.tx,
            self.utility,
            [self.point],
            whole.since,
            whole.until,
            days=() if step is Step.HOUR else days,
        )
        return found[self.point.id]

    def lines(self, place: Place) -> tuple[tuple[IndexPoint, ...], ...]:
        dials, *_ = place.dials(self.utility, ())
        return joined(dial.segment for dial in dials).lines

    def volumes(self, place: Place, whole: Stretch, step: Step) -> Volumes:
        mine = self.mine(whole)
        if mine is None:
            return Volumes(None, ())
        lines = self.lines(place)
        marks = sorted({*boundaries(whole.since, whole.until, step, self.zone), mine.since, mine.until})
        oldest = None if step is Step.HOUR else self._usual(place, lines, step)
        found = [
            one
            for line in lines
            for one in cut(line, marks, max_age=usual_age(line, step) if oldest is None else oldest)
        ]
        inside = (one for one in found if one.start < mine.until and one.end > mine.since)
        return Volumes(mine, tuple(sorted(inside, key=lambda one: one.start)))

    def _usual(self, place: Place, lines: Sequence[Sequence[IndexPoint]], step: Step) -> timedelta | None:
        """Give how old a reading may be at a boundary: by how closely they came in the last days.

        The edges of days alone would look as if the meter was read a few times a day.
        """
        last = max((line[-1].at for line in lines if line), default=None)
        if last is None:
            return None
        meters = [one.meter for one in place.installed if one.valid_from <= last][-1:]
        found = self.tx.billing.index_points(meters, self.utility.register, last - _SAMPLE, last)
        return min((usual_age(points, step) for points in found.values() if len(points) > 2), default=None)

    def compared(self, days: tuple[date, date], step: Step) -> Volumes:
        whole = self.stretch(*days)
        if self.mine(whole) is None:
            return Volumes(None, ())
        return self.volumes(self.place(whole, step), whole, step)

    def dials(self, place: Place) -> Iterator[Dial]:
        for one in place.installed:
            if any(_meets(one.valid_from, one.valid_to, tenancy) for tenancy in self.tenancies):
                until = place.legal_until(one.meter)
                yield Dial(
                    one.meter,
                    one.valid_from,
                    one.valid_to,
                    until,
                    self._legal(until),
                    self._latest(one.meter),
                )

    def _legal(self, until: date | None) -> Legal:
        if until is None:
            return Legal.UNKNOWN
        left = (until - self.now.astimezone(self.zone).date()).days
        return Legal.EXPIRED if left < 0 else Legal.SOON if left < _SOON_DAYS else Legal.VALID

    def _latest(self, meter: MeterId) -> Reading | None:
        """Give the newest reading, if it is of the customer's time there."""
        for one in self.tx.readings.latest(meter):
            if one.register == self.utility.register:
                return one if any(tenancy.holds_at(one.measured_at) for tenancy in self.tenancies) else None
        return None

    def billed(self, place: Place, whole: Stretch) -> Iterator[Billed]:
        mine = {one.contract for one in self.tenancies}
        newest = {one.period: one for one in place.reads if one.state is ReadState.BILLED}
        for one in sorted(newest.values(), key=lambda read: read.starts):
            stretch = Stretch(one.starts, one.ends)
            held = one.contract in mine if one.contract else self.mine(stretch) == stretch
            if held and stretch.clipped(whole):
                yield Billed(stretch, opened(one), not one.actual)

    def events(self, place: Place, whole: Stretch) -> Iterator[Event]:
        mine = self.mine(whole)
        if mine is None:
            return
        found = [
            Event(one.valid_from, "exchange")
            for one in place.installed[1:]
            if mine.since <= one.valid_from < mine.until
        ]
        found += [event for one in place.installed for event in self._noticed(one.meter, mine)]
        yield from sorted(found, key=lambda event: event.at)

    def _noticed(self, meter: MeterId, mine: Stretch) -> Iterator[Event]:
        """Give what was found of this customer's water; never what concerns the time of another."""
        contracts = {one.contract for one in self.tenancies}
        for kept in self.tx.findings.of(str(meter)):
            stage = kept.finding.at_tier(Tier.NOTIFY)
            if stage is None or kept.state is FindingState.DISMISSED or kept.finding.family not in _SHOWN:
                continue
            theirs = kept.tenancy not in contracts if kept.tenancy else not mine.holds(stage.raised_at)
            if theirs or stage.onset >= mine.until or (kept.finding.cleared_at or mine.until) <= mine.since:
                continue
            yield Event(max(stage.onset, mine.since), kept.finding.name, kept.finding.cleared_at)


def _meets(since: datetime, until: datetime | None, tenancy: Tenancy) -> bool:
    return (tenancy.valid_to is None or since < tenancy.valid_to) and (
        until is None or until > tenancy.valid_from
    )
