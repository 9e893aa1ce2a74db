"""The rules of intervals, asked day by day once a day is over: what passed hour by hour, or day by day.

A meter read at least hourly is judged over each local day, in hours; one read at least daily over each week
from Monday, in days; one read more seldom has no intervals. What comes late has its days judged anew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median
from zoneinfo import ZoneInfo

from billing_bridge.arriving import BLOCK, Late, finding_of
from billing_bridge.gather import Place, whom_at
from billing_bridge.utility import Utility
from billing_bridge.validate import IntervalCase, Verdict, validate_intervals
from billing_bridge.validate.registry import INTERVALS
from metering.checks import Finding, IntervalMark
from metering.consumption import (
    IndexPoint,
    Interval,
    Kind,
    Step,
    boundaries,
    cut,
    joined,
    start_of_day,
    usual_age,
)
from metering.meter import MeterId, ServicePoint
from metering.ports import Clock, Store, Transaction

__all__ = ["FIRST", "RULES", "SETTLES", "IntervalTally", "Intervals"]

RULES = tuple(rule.id for rule in INTERVALS)
SETTLES = timedelta(hours=6)
"""So long after its end a day waits for what is still on its way."""
FIRST = timedelta(days=35)
"""The first time, so many days are judged."""
_HOURLY, _DAILY = timedelta(minutes=65), timedelta(hours=26)
_BEFORE = timedelta(days=1)
_SEVEN = timedelta(days=7)


@dataclass(slots=True)
class IntervalTally:
    """What a round over intervals did.

    Attributes:
        points: service points looked at.
        spans: days and weeks judged.
        raised: outcomes kept.
    """

    points: int = 0
    spans: int = 0
    raised: int = 0


@dataclass(slots=True)
class _Found:
    findings: list[Finding] = field(default_factory=list)
    marks: list[IntervalMark] = field(default_factory=list)
    cleared: list[tuple[MeterId, datetime, datetime]] = field(default_factory=list)
    spans: int = 0


class Intervals:
    """Judges the intervals of service points."""

    def __init__(
        self,
        store: Store,
        utility: Utility,
        clock: Clock,
        hold: Callable[[Transaction], None] = lambda _tx: None,
    ) -> None:
        """Prepare; nothing is read. ``hold`` is called in each transaction that writes."""
        self._hold = hold
        self._store = store
        self._utility = utility
        self._clock = clock
        self._zone = utility.rounding.zone

    def over(self, now: datetime) -> date:
        """Give the day up to which days are over, itself not included."""
        return (now - SETTLES).astimezone(self._zone).date()

    def run(
        self,
        points: Sequence[ServicePoint],
        since: date,
        until: date,
        told: Callable[[int], None] = lambda _points: None,
    ) -> IntervalTally:
        """Judge the days ``since <= day < until`` of some service points.

        Raises:
            StoreUnavailable: nothing of this batch is kept.
        """
        found = _Found()
        begin, end = start_of_day(since, self._zone), start_of_day(until, self._zone)
        with self._store.reading() as tx:
            places = _places(tx, self._utility, points, begin - _SEVEN - _BEFORE, end + _BEFORE)
        now = self._clock.now()
        for place in places:
            self._place(place, since, until, now, found)
        with self._store.writing() as tx:
            self._hold(tx)
            for meter, first, last in found.cleared:
                tx.checks.clear([meter], RULES, first, last)
            raised = tx.checks.keep(found.findings)
            tx.checks.put_interval_marks(found.marks)
        told(len(points))
        return IntervalTally(len(points), found.spans, raised)

    def again(self, late: Collection[Late], upto: date) -> IntervalTally:
        """Judge anew the days into which something came late, as far as they were judged before."""
        tally = IntervalTally()
        weeks: dict[tuple[date, date], set[MeterId]] = {}
        for one in late:
            first, last = _weeks_around(one, self._zone)
            first = max(first, upto - FIRST)
            if first < min(last, upto):
                weeks.setdefault((first, min(last, upto)), set()).add(one.meter)
        for (first, last), meters in weeks.items():
            for points in self._where(meters):
                done = self.run(points, first, last)
                tally.points += done.points
                tally.spans += done.spans
                tally.raised += done.raised
        return tally

    def _where(self, meters: Collection[MeterId]) -> Iterator[list[ServicePoint]]:
        with self._store.reading() as tx:
            hung = tx.registry.installations(meters)
            ids = sorted({one.service_point for known in hung.values() for one in known})
            found = list(tx.registry.service_points(ids).values())
        yield from (found[at : at + BLOCK] for at in range(0, len(found), BLOCK))

    def _place(self, place: Place, since: date, until: date, now: datetime, found: _Found) -> None:
        for installed in place.installed:
            points = place.points.get(installed.meter, ())
            begin, end = start_of_day(since, self._zone), start_of_day(until, self._zone)
            if installed.valid_from >= end or (installed.valid_to or end) <= begin:
                continue
            step = _step(points)
            if step is None and installed.valid_to is None and points and points[-1].at < begin:
                step = _step([one for one in points if one.at >= points[-1].at - _SEVEN])
            found.marks.append(IntervalMark(installed.meter, step.value if step else "", end))
            if step is not None:
                spans = [
                    one
                    for one in _spans(since, until, step, self._zone)
                    if installed.valid_from <= one[0]
                    and one[1] <= (installed.valid_to or one[1])
                    and points[0].at < one[1]  # before its first state nothing was to come
                ]
                self._spans(place, installed.meter, step, spans, now, found)

    def _spans(  # noqa: PLR0913, PLR0917  one meter and all that is found
        self,
        place: Place,
        meter: MeterId,
        step: Step,
        spans: Sequence[tuple[datetime, datetime]],
        now: datetime,
        found: _Found,
    ) -> None:
        if not spans:
            return
        lines = _lines(place, self._utility, meter)
        customer_class = _class_of(place, spans[-1][0])
        every = boundaries(spans[0][0], spans[-1][1], step, self._zone)
        pieces = [one for line in lines for one in cut(line, every, max_age=usual_age(line, step))]
        register = self._utility.register.key
        found.cleared.append((meter, spans[0][0], spans[-1][1]))
        for first, last in spans:
            found.spans += 1
            marks = [one for one in every if first <= one <= last]
            case = IntervalCase(marks, _within(pieces, first, last))
            for told in validate_intervals(case, self._utility.policy, customer_class):
                if told.verdict is Verdict.RAISED:
                    found.findings.append(finding_of(meter, register, told, now, span=(first, last)))


def _places(
    tx: Transaction, utility: Utility, points: Sequence[ServicePoint], since: datetime, until: datetime
) -> list[Place]:
    """Fetch what the lines of service points are made of, and no more."""
    installed = tx.billing.installed_at([one.id for one in points])
    meters = [one.meter for hung in installed.values() for one in hung]
    readings = tx.billing.index_points(meters, utility.register, since, until)
    facts, protocols = tx.customers.meter_facts(meters), tx.customers.protocols(meters)
    whom = whom_at(tx, [one.id for one in points])
    return [
        Place(
            one,
            installed=installed.get(one.id, ()),
            points=readings,
            facts=facts,
            protocols=protocols,
            whom=whom.get(one.id, ()),
        )
        for one in points
    ]


def _within(pieces: Sequence[Interval], first: datetime, last: datetime) -> list[Interval]:
    """Give what touches a span; what is left of the hours at the ends of a gap belongs to the gap."""
    touching = [one for one in pieces if one.start < last and one.end > first]
    gaps = any(one.kind is Kind.GAP for one in touching)
    return [one for one in touching if not (gaps and one.kind is Kind.PARTIAL)]


def _lines(place: Place, utility: Utility, meter: MeterId) -> Sequence[Sequence[IndexPoint]]:
    dials, *_ = place.dials(utility, ())
    return joined(dial.segment for dial in dials if dial.meter == meter).lines


def _class_of(place: Place, moment: datetime) -> str:
    held = [one.customer for one in place.whom if one.tenancy.holds_at(moment)]
    return held[-1].customer_class if held and held[-1] is not None else ""


def _step(points: Sequence[IndexPoint]) -> Step | None:
    """Give the step a meter is read closely enough for; ``None`` = none, or too little came to tell."""
    if len(points) < 3:
        return None
    usual = timedelta(seconds=median((after.at - one.at).total_seconds() for one, after in pairwise(points)))
    return Step.HOUR if usual <= _HOURLY else Step.DAY if usual <= _DAILY else None


def _spans(since: date, until: date, step: Step, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """Give the days, or the weeks that ended in them, as spans in UTC."""
    ends = (since + timedelta(days=n + 1) for n in range((until - since).days))
    if step is Step.HOUR:
        days = [(end - timedelta(days=1), end) for end in ends]
    else:
        days = [(end - _SEVEN, end) for end in ends if end.weekday() == 0]
    return [(start_of_day(first, zone), start_of_day(last, zone)) for first, last in days]


def _weeks_around(late: Late, zone: ZoneInfo) -> tuple[date, date]:
    """Give the Mondays around what came late."""
    first, last = late.since.astimezone(zone).date(), late.until.astimezone(zone).date()
    begin = first - timedelta(days=first.weekday() + (7 if first.weekday() == 0 else 0))
    return begin, last + timedelta(days=7 - last.weekday())
