"""What validation found between closings, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from metering.billing import ReadState
from metering.checks import Arrived, CheckMark, ClassUsage, Finding, IntervalMark, Moved
from metering.consumption import IndexPoint
from metering.meter import MeterId
from metering.reading import Quality, Register, Way
from metering.store.sql.among import among
from metering.store.sql.schema import (
    billing_reads,
    check_findings,
    check_intervals,
    check_marks,
    class_usage,
    contracts,
    customers,
    installations,
    latest,
    origins,
    pulse_inputs,
    readings,
)
from metering.store.sql.statements import Row, in_chunks, insert_once, replace
from metering.store.sql.symbols import Names

__all__ = ["SqlChecks"]

_BELIEVED = (Quality.RAW.value, Quality.CLOCK_UNSURE.value)
_MARK = tuple(check_marks.c)[1:]
_FOUND = tuple(check_findings.c)[2:]


class SqlChecks:
    """:class:`metering.checks.Checks` on one transaction."""

    def __init__(self, connection: sa.Connection, names: Names) -> None:
        self._connection = connection
        self._names = names

    def moved(self, register: Register, after: int, limit: int, *, everything: bool) -> Sequence[Moved]:
        """Give installed meters behind number ``after`` of which something newer came since their mark."""
        number = self._names.registers.number(register)
        hung = sa.exists(sa.select(installations.c.meter).where(installations.c.meter == latest.c.meter))
        wanted = (
            sa.select(latest.c.meter, latest.c.measured_at, *_MARK)
            .select_from(latest.outerjoin(check_marks, check_marks.c.meter == latest.c.meter))
            .where(latest.c.register == number, latest.c.meter > after, hung)
        )
        if not everything:
            wanted = wanted.where(
                check_marks.c.newest.is_(None) | (check_marks.c.newest != latest.c.measured_at)
            )
        rows = self._connection.execute(wanted.order_by(latest.c.meter).limit(limit)).all()
        meters = self._names.meters.things(row[0] for row in rows)
        return [
            Moved(row[0], meters[row[0]], row[1], _mark(meters[row[0]], row[2:]) if row[2] else None)
            for row in rows
        ]

    def arrived(
        self, meters: Mapping[MeterId, datetime], register: Register, since: datetime
    ) -> Mapping[MeterId, Sequence[Arrived]]:
        """Give states that came after a moment of arrival, per meter, read from ``since`` on; by time."""
        register_number = self._names.registers.number(register)
        meter_of = {number: meter for meter, number in self._names.meters.find(meters).items()}
        found: dict[MeterId, list[Arrived]] = {}
        for chunk in in_chunks(meter_of):
            lined = _lined(register_number, chunk, since)
            oldest = min(meters[meter_of[number]] for number in chunk)
            wanted = sa.select(lined).where(lined.c.received_at > oldest)
            for number, at, value, received, unit, sure, before_at, before in self._connection.execute(
                wanted.order_by(lined.c.meter, lined.c.measured_at, lined.c.value)
            ):
                meter = meter_of[number]
                if received > meters[meter]:
                    earlier = None if before_at is None else IndexPoint(before_at, before)
                    found.setdefault(meter, []).append(
                        Arrived(at, value, unit, received, bool(sure), earlier)
                    )
        return found

    def marks(self, meters: Collection[MeterId]) -> Mapping[MeterId, CheckMark]:
        """Give how far meters were judged; nothing for those that never were."""
        meter_of = {number: meter for meter, number in self._names.meters.find(meters).items()}
        found: dict[MeterId, CheckMark] = {}
        for these in among(self._connection, check_marks.c.meter, meter_of):
            wanted = sa.select(check_marks.c.meter, *_MARK).where(these)
            for row in self._connection.execute(wanted):
                found[meter_of[row[0]]] = _mark(meter_of[row[0]], row[1:])
        return found

    def put_marks(self, marks: Sequence[CheckMark]) -> None:
        """Remember how far meters were judged."""
        numbers = self._names.meters.ensure(one.meter for one in marks)
        replace(self._connection, check_marks, [_mark_row(one, numbers[one.meter]) for one in marks])

    def interval_marks(self, meters: Collection[MeterId]) -> Mapping[MeterId, IntervalMark]:
        """Give how far the intervals of meters were judged; nothing for those that never were."""
        meter_of = {number: meter for meter, number in self._names.meters.find(meters).items()}
        found: dict[MeterId, IntervalMark] = {}
        for these in among(self._connection, check_intervals.c.meter, meter_of):
            wanted = sa.select(check_intervals).where(these)
            for number, step, until in self._connection.execute(wanted):
                found[meter_of[number]] = IntervalMark(meter_of[number], step, until)
        return found

    def put_interval_marks(self, marks: Sequence[IntervalMark]) -> None:
        """Remember how far the intervals of meters were judged."""
        numbers = self._names.meters.ensure(one.meter for one in marks)
        rows: list[Row] = [
            {"meter": numbers[one.meter], "step": one.step, "until": one.until} for one in marks
        ]
        replace(self._connection, check_intervals, rows)

    def keep(self, findings: Sequence[Finding]) -> int:
        """Keep what was raised, the same once. Gives how many were new."""
        numbers = self._names.meters.ensure(one.meter for one in findings)
        rows = [_finding_row(one, numbers[one.meter]) for one in findings]
        return insert_once(self._connection, check_findings, rows)

    def clear(
        self, meters: Collection[MeterId], rules: Collection[str], since: datetime, until: datetime
    ) -> int:
        """Forget what rules raised about ``since <= at < until``: it is asked anew. Gives how many went."""
        gone = 0
        for chunk in in_chunks(self._names.meters.find(meters).values()):
            of = check_findings.c.meter.in_(chunk) & check_findings.c.rule.in_(list(rules))
            within = (check_findings.c.at >= since) & (check_findings.c.at < until)
            gone += self._connection.execute(sa.delete(check_findings).where(of, within)).rowcount
        return gone

    def found(
        self, meters: Collection[MeterId], since: datetime, until: datetime
    ) -> Mapping[MeterId, Sequence[Finding]]:
        """Give what was raised about ``since <= at <= until``, by time and rule."""
        meter_of = {number: meter for meter, number in self._names.meters.find(meters).items()}
        found: dict[MeterId, list[Finding]] = {}
        for these in among(self._connection, check_findings.c.meter, meter_of):
            of = these & check_findings.c.at.between(since, until)
            wanted = sa.select(check_findings.c.meter, *_FOUND).where(of)
            order = (check_findings.c.meter, check_findings.c.at, check_findings.c.rule)
            for row in self._connection.execute(wanted.order_by(*order)):
                found.setdefault(meter_of[row[0]], []).append(_finding(meter_of[row[0]], row[1:]))
        return found

    def page(
        self, *, meters: Collection[MeterId] = (), rule: str = "", before: int | None = None, limit: int = 50
    ) -> Sequence[tuple[int, Finding]]:
        """Give what was raised, newest first, each with its number; ``before`` is one to page on."""
        wanted = sa.select(check_findings)
        if meters:
            numbers = list(self._names.meters.find(meters).values())
            wanted = wanted.where(check_findings.c.meter.in_(numbers))
        if rule:
            wanted = wanted.where(check_findings.c.rule == rule)
        if before is not None:
            wanted = wanted.where(check_findings.c.id < before)
        rows = self._connection.execute(wanted.order_by(check_findings.c.id.desc()).limit(limit)).all()
        meter_of = self._names.meters.things(row[1] for row in rows)
        return [(row[0], _finding(meter_of[row[1]], row[2:])) for row in rows]

    def counts(self, since: datetime) -> Mapping[tuple[str, str], int]:
        """Count what was found since, by rule and severity."""
        what = (check_findings.c.rule, check_findings.c.severity)
        wanted = sa.select(*what, sa.func.count()).where(check_findings.c.found_at >= since).group_by(*what)
        return {(rule, severity): int(n) for rule, severity, n in self._connection.execute(wanted)}

    def values(
        self, meters: Collection[MeterId], register: Register, since: datetime, until: datetime
    ) -> Mapping[MeterId, Sequence[tuple[datetime, Decimal]]]:
        """Give the values of any register, ``since <= t <= until``, by time."""
        number = self._names.registers.number(register)
        found: dict[MeterId, list[tuple[datetime, Decimal]]] = {}
        if number is None:
            return found
        meter_of = {one: meter for meter, one in self._names.meters.find(meters).items()}
        these = (readings.c.register == number) & readings.c.measured_at.between(since, until)
        wanted = sa.select(readings.c.meter, readings.c.measured_at, readings.c.value)
        for mine in among(self._connection, readings.c.meter, meter_of):
            rows = wanted.where(these, mine)
            for meter, at, value in self._connection.execute(
                rows.order_by(readings.c.meter, readings.c.measured_at)
            ):
                found.setdefault(meter_of[meter], []).append((at, value))
        return found

    def ways(
        self, meters: Collection[MeterId], register: Register, since: datetime, until: datetime
    ) -> Mapping[MeterId, Mapping[datetime, Way]]:
        """Give which states did not come by radio, ``since <= t <= until``."""
        meter_of = {one: meter for meter, one in self._names.meters.find(meters).items()}
        found: dict[MeterId, dict[datetime, Way]] = {}
        wired = list(self._connection.scalars(sa.select(origins.c.id).where(origins.c.way == Way.WIRED)))
        asked = set(meter_of) if wired else self._with_pulses(meter_of)
        number = self._names.registers.number(register)
        these = (readings.c.register == number) & readings.c.measured_at.between(since, until)
        wanted = (
            sa.select(readings.c.meter, readings.c.measured_at, origins.c.way)
            .join(origins, origins.c.id == readings.c.origin)
            .where(these, origins.c.way.in_([Way.WIRED.value, Way.PULSE.value]))
        )
        for mine in among(self._connection, readings.c.meter, asked):
            for meter, at, way in self._connection.execute(wanted.where(mine)):
                found.setdefault(meter_of[meter], {})[at] = Way(way)
        return found

    def _with_pulses(self, meters: Collection[int]) -> set[int]:
        found: set[int] = set()
        for these in among(self._connection, pulse_inputs.c.meter, meters):
            found.update(self._connection.scalars(sa.select(pulse_inputs.c.meter).where(these)))
        return found

    def put_usage(self, usage: Sequence[ClassUsage]) -> None:
        """Remember what classes use; the same class and end replaces."""
        rows: list[Row] = [
            {
                "class": one.customer_class,
                "until": one.until,
                "m3_per_day": one.m3_per_day,
                "points": one.points,
            }
            for one in usage
        ]
        replace(self._connection, class_usage, rows)

    def usage(self, before: datetime) -> Mapping[str, ClassUsage]:
        """Give the newest usage of each class of periods that ended up to a moment."""
        wanted = sa.select(class_usage).where(class_usage.c.until <= before).order_by(class_usage.c.until)
        return {row[0]: ClassUsage(*row) for row in self._connection.execute(wanted)}

    def daily_usages(self, since: datetime, until: datetime) -> Mapping[str, Sequence[Decimal]]:
        """Give average daily usages of billed, read periods with ``since < end <= until`` by class, m3."""
        newer = billing_reads.alias("newer")
        same = (newer.c[name] == billing_reads.c[name] for name in ("service_point", "register", "period"))
        billed = ReadState.BILLED.value
        later = sa.select(newer.c.id).where(
            *same, newer.c.revision > billing_reads.c.revision, newer.c.state == billed
        )
        told = sa.func.coalesce(customers.c["class"], "")
        wanted = (
            sa.select(told, billing_reads.c.volume, billing_reads.c.starts, billing_reads.c.ends)
            .select_from(
                billing_reads.outerjoin(contracts, contracts.c.number == billing_reads.c.contract).outerjoin(
                    customers, customers.c.code == contracts.c.customer
                )
            )
            .where(
                billing_reads.c.ends > since,
                billing_reads.c.ends <= until,
                billing_reads.c.state == billed,
                billing_reads.c.actual.is_(True),
                ~sa.exists(later),
            )
        )
        found: dict[str, list[Decimal]] = {}
        for name, volume, starts, ends in self._connection.execute(wanted):
            days = Decimal(int((ends - starts).total_seconds())) / 86_400
            found.setdefault(name, []).append(max(volume, Decimal(0)) / days)
        return found

    def billed_since(self, number: int, limit: int) -> Sequence[tuple[int, str, datetime]]:
        """Give billed reads behind a number: number, service point, end of the period."""
        table = billing_reads
        wanted = sa.select(table.c.id, table.c.service_point, table.c.ends).where(
            table.c.id > number, table.c.state == ReadState.BILLED.value
        )
        rows = self._connection.execute(wanted.order_by(table.c.id).limit(limit))
        return [(row[0], row[1], row[2]) for row in rows]


def _lined(register: int | None, meters: Sequence[int], since: datetime) -> sa.Subquery:
    """Give the states of meters, each with the one before it in time of the same kind."""
    sure = sa.case(((origins.c.unit == "m3") & origins.c.quality.in_(_BELIEVED), 1), else_=0)
    before = [
        sa.func.lag(column, type_=column.type)
        .over(partition_by=(readings.c.meter, sure), order_by=(readings.c.measured_at, readings.c.value))
        .label(name)
        for name, column in (("before_at", readings.c.measured_at), ("before", readings.c.value))
    ]
    return (
        sa.select(
            readings.c.meter,
            readings.c.measured_at,
            readings.c.value,
            readings.c.received_at,
            origins.c.unit,
            sure.label("sure"),
            *before,
        )
        .join(origins, origins.c.id == readings.c.origin)
        .where(readings.c.register == register, readings.c.meter.in_(meters), readings.c.measured_at >= since)
        .subquery()
    )


def _mark(meter: MeterId, row: Sequence[Any]) -> CheckMark:
    newest, arrived, swept, judged, accepted_at, accepted, doubted_at, doubted, doubts, raised = row
    return CheckMark(
        meter,
        newest,
        arrived,
        swept,
        judged,
        None if accepted_at is None else IndexPoint(accepted_at, accepted),
        None if doubted_at is None else IndexPoint(doubted_at, doubted),
        doubts,
        raised,
    )


def _mark_row(one: CheckMark, meter: int) -> Row:
    return {
        "meter": meter,
        "newest": one.newest,
        "arrived": one.arrived,
        "swept": one.swept,
        "judged": one.judged,
        "accepted_at": one.accepted.at if one.accepted else None,
        "accepted": one.accepted.value if one.accepted else None,
        "doubted_at": one.doubted.at if one.doubted else None,
        "doubted": one.doubted.value if one.doubted else None,
        "doubts": one.doubts,
        "raised": one.raised,
    }


def _finding_row(one: Finding, meter: int) -> Row:
    return {
        "meter": meter,
        "register": one.register,
        "rule": one.rule,
        "at": one.at,
        "until": one.until,
        "value": one.value,
        "told": "" if one.value is None else format(one.value, "f"),
        "severity": one.severity,
        "sentence": one.sentence,
        "cim": one.cim,
        "espi": one.espi,
        "evidence": one.evidence,
        "found_at": one.found_at,
    }


def _finding(meter: MeterId, row: Sequence[Any]) -> Finding:
    register, rule, at, until, value, _told, severity, sentence, cim, espi, evidence, found_at = row
    return Finding(
        meter, register, rule, at, until, value, severity, sentence, cim, espi, bytes(evidence), found_at
    )
