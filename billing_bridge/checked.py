"""What was judged between closings, looked up at the closing: outcomes of states and of intervals.

A billing read carries an outcome of every rule: those of the period are asked then, those of arrival and of
intervals were asked in rounds before and are only looked up. A rule that did not judge all of the period says
so. A failed state matters to the bill where an end of the period rests on it; elsewhere it is told. Intervals
never hold a bill, which rests on indices.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache

import orjson

from billing_bridge.boundary import Boundary, How
from billing_bridge.quality import Cim, Espi
from billing_bridge.read import BillingRead
from billing_bridge.utility import Utility
from billing_bridge.validate import Outcome, Reference, ReferenceKind, Severity, Verdict
from billing_bridge.validate.registry import ARRIVAL, INTERVALS
from billing_bridge.validate.rule import passed
from metering.checks import CheckMark, ClassUsage, Finding, IntervalMark
from metering.consumption import IndexPoint
from metering.meter import MeterId
from metering.ports import Transaction
from metering.reading import Way
from metering.status import STATUS, StatusFlag

__all__ = ["Checked", "Log", "alarms", "checked_at", "class_reference", "log_of", "looked_up", "standing_of"]

_DAY = timedelta(days=1)
_NOT_YET = "its states were not judged up to here yet: `nurt run` does, or `nurt billing round`"
_DAYS_NOT_YET = "its days were not judged up to here yet: `nurt run` does, or `nurt billing round`"
_SELDOM = "the meter is read too seldom for intervals: at least once a day is needed"
_NOT_HOURLY = "it needs a state an hour, and this meter is read by the day"
_NO_STATE = "no end of this period rests on a state that came from the meter"
_DOUBTS = StatusFlag.BATTERY | StatusFlag.REMOVAL | StatusFlag.TAMPER | StatusFlag.MAGNET
_DOUBTS |= StatusFlag.REVERSE | StatusFlag.FAULT
"""What a meter can say of itself that casts doubt on what it counts; leaks and dry pipes do not."""
_BEFORE = frozenset([*(rule.id for rule in ARRIVAL), *(rule.id for rule in INTERVALS)])
_WAYS = {Way.PULSE: How.PULSE, Way.WIRED: How.WIRED}


@dataclass(frozen=True, slots=True)
class Log:
    """What the meter's own log says passed, and what its index can say at most and at least.

    Attributes:
        volume_m3: by the log, between the due dates nearest to the ends of the period.
        least_m3: by the states around those dates.
        most_m3: likewise.
    """

    volume_m3: Decimal
    least_m3: Decimal
    most_m3: Decimal

    @property
    def index_delta_m3(self) -> Decimal:
        """What of the possible is nearest to the log."""
        return min(max(self.volume_m3, self.least_m3), self.most_m3)


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of some meters besides their states.

    Attributes:
        marks: how far their states were judged.
        intervals: how far their intervals were.
        findings: what was raised about either.
        flags: what they said of themselves.
        logs: values of their own log by due date, m3.
        ways: states that did not come by radio.
        usage: what classes of customers use.
    """

    marks: Mapping[MeterId, CheckMark] = field(default_factory=dict)
    intervals: Mapping[MeterId, IntervalMark] = field(default_factory=dict)
    findings: Mapping[MeterId, Sequence[Finding]] = field(default_factory=dict)
    flags: Mapping[MeterId, Sequence[tuple[datetime, Decimal]]] = field(default_factory=dict)
    logs: Mapping[MeterId, Sequence[tuple[datetime, Decimal]]] = field(default_factory=dict)
    ways: Mapping[MeterId, Mapping[datetime, How]] = field(default_factory=dict)
    usage: Mapping[str, ClassUsage] = field(default_factory=dict)


def checked_at(
    tx: Transaction, utility: Utility, meters: Collection[MeterId], since: datetime, until: datetime
) -> Checked:
    """Fetch what was judged, and what else is told of meters, over a span."""
    ways = tx.checks.ways(meters, utility.register, since, until)
    own = replace(utility.register, storage=1)
    return Checked(
        marks=tx.checks.marks(meters),
        intervals=tx.checks.interval_marks(meters),
        findings=tx.checks.found(meters, since, until),
        flags=tx.checks.values(meters, STATUS, since, until),
        logs=tx.checks.values(meters, own, since, until),
        ways={meter: {at: _WAYS[way] for at, way in known.items()} for meter, known in ways.items()},
        usage=tx.checks.usage(until),
    )


def looked_up(read: BillingRead, checked: Checked) -> tuple[Outcome, ...]:
    """Give the outcomes of arrival and interval rules for a read, one each."""
    return (*_arrivals(read, checked), *_intervals(read, checked))


def standing_of(read: BillingRead) -> tuple[bool, bool]:
    """Say whether anything was raised before the closing, and whether the states were not judged yet."""
    before = [one for one in read.outcomes if one.rule in _BEFORE]
    raised = any(one.verdict is Verdict.RAISED for one in before)
    return raised, any(one.sentence == _NOT_YET for one in before)


# --- states --------------------------------------------------------------------------------------


def _arrivals(read: BillingRead, checked: Checked) -> Iterator[Outcome]:
    ends = [end for part in read.segments for end in (part.opening, part.closing) if end.how.own]
    reason = _not_judged(read, ends, checked)
    raised = _by_rule(read, checked)
    anchors = {(end.anchor.at, end.anchor.value) for end in ends}
    for rule in ARRIVAL:
        found = raised.get(rule.id)
        if found:
            yield _of_states(rule.id, found, anchors)
        else:
            yield _not_run(rule.id, reason) if reason else passed(rule.id)


def _not_judged(read: BillingRead, ends: Sequence[Boundary], checked: Checked) -> str:
    if not ends:
        return _NO_STATE
    for part in read.segments:
        mark = checked.marks.get(part.meter)
        last = part.closing.anchor.at if part.closing.how.own else part.opening.anchor.at
        if mark is None or mark.newest < last:
            return _NOT_YET
    return ""


def _by_rule(read: BillingRead, checked: Checked) -> Mapping[str, Sequence[Finding]]:
    """Give what was raised between the opening and the closing of each meter, both included."""
    found: dict[str, list[Finding]] = {}
    for part in read.segments:
        first = min(part.opening.at, part.opening.anchor.at)
        last = max(part.closing.at, part.closing.anchor.at)
        for one in checked.findings.get(part.meter, ()):
            if first <= one.at <= last:
                found.setdefault(one.rule, []).append(one)
    return found


def _of_states(
    rule: str, found: Sequence[Finding], anchors: Collection[tuple[datetime, Decimal | None]]
) -> Outcome:
    carried = [one for one in found if (one.at, one.value) in anchors]
    worst = max(carried or found, key=lambda one: _WEIGHT[Severity(one.severity)])
    severity = Severity(worst.severity)
    if not carried and severity is Severity.FAIL:
        severity = Severity.WARN
    where = "an end of the period rests on it" if carried else "no end of the period rests on it"
    told = {
        **orjson.loads(worst.evidence),
        "at": worst.at.isoformat(),
        "states": str(len(found)),
        "bill": where,
    }
    return Outcome(rule, Verdict.RAISED, severity, worst.sentence, Cim(worst.cim), Espi(worst.espi), told)


_WEIGHT = {one: n for n, one in enumerate((Severity.INFO, Severity.ESTIMATE, Severity.WARN, Severity.FAIL))}


# --- intervals -----------------------------------------------------------------------------------


def _intervals(read: BillingRead, checked: Checked) -> Iterator[Outcome]:
    last = read.segments[-1]
    mark = checked.intervals.get(last.meter)
    raised = _by_rule(read, checked)
    reason = _DAYS_NOT_YET if mark is None or mark.until < last.closing.at else "" if mark.step else _SELDOM
    for rule in INTERVALS:
        found = raised.get(rule.id)
        if found:
            yield _of_intervals(rule.id, found)
        elif reason or (rule.id == "I5" and mark is not None and mark.step == "day"):
            yield _not_run(rule.id, reason or _NOT_HOURLY)
        else:
            yield passed(rule.id)


def _of_intervals(rule: str, found: Sequence[Finding]) -> Outcome:
    worst = max(found, key=lambda one: _WEIGHT[Severity(one.severity)])
    severity = Severity.WARN if worst.severity == Severity.FAIL else Severity(worst.severity)
    until = worst.until or worst.at
    spans = {"spans": str(len(found)), "first": f"{worst.at.isoformat()}/{until.isoformat()}"}
    told = {**orjson.loads(worst.evidence), **spans}
    return Outcome(rule, Verdict.RAISED, severity, worst.sentence, Cim(worst.cim), Espi(worst.espi), told)


@cache
def _not_run(rule: str, reason: str) -> Outcome:
    return Outcome(rule, Verdict.NOT_RUN, sentence=reason)


# --- what the rules of the period are told -------------------------------------------------------


def alarms(read: BillingRead, checked: Checked) -> tuple[str, ...] | None:
    """Give the alarms the meters raised in a period; ``None`` if they have no way to tell any."""
    if all(end.how is How.PULSE for part in read.segments for end in (part.opening, part.closing)):
        return None
    told = StatusFlag(0)
    for part in read.segments:
        for at, number in checked.flags.get(part.meter, ()):
            if part.opening.at < at <= part.closing.at:
                told |= StatusFlag(int(number)) & _DOUBTS
    return tuple(sorted(one.name.lower() for one in told if one.name))


def log_of(read: BillingRead, checked: Checked, points: Sequence[IndexPoint]) -> Log | None:
    """Give what the meter's own log says of a period; ``None`` if it does not speak of both ends."""
    if len(read.segments) != 1:
        return None
    part = read.segments[0]
    known = checked.logs.get(part.meter, ())
    first, last = _due(known, part.opening.at), _due(known, part.closing.at)
    if first is None or last is None or first[0] >= last[0]:
        return None
    begin, end = _between(points, first[0]), _between(points, last[0])
    if begin is None or end is None:
        return None
    (low, high), (lowest, highest) = begin, end
    return Log(last[1] - first[1], lowest - high, highest - low)


def _due(known: Sequence[tuple[datetime, Decimal]], at: datetime) -> tuple[datetime, Decimal] | None:
    near = [one for one in known if abs(one[0] - at) <= _DAY]
    return min(near, key=lambda one: abs(one[0] - at), default=None)


def _between(points: Sequence[IndexPoint], due: datetime) -> tuple[Decimal, Decimal] | None:
    """Give the states around a due date; a date alone may mean the begin or the end of its day."""
    before = [one.value for one in points if one.at <= due]
    after = [one.value for one in points if one.at >= due + _DAY]
    return (before[-1], after[0]) if before and after and before[-1] <= after[0] else None


def class_reference(checked: Checked, utility: Utility, customer_class: str) -> Reference | None:
    """Give what customers of a class use: the median of what was billed, else what the settings say."""
    known = checked.usage.get(customer_class)
    usual = known.m3_per_day if known else utility.class_usage.get(customer_class)
    return None if usual is None else Reference(ReferenceKind.CLASS_MEDIAN, usual)
