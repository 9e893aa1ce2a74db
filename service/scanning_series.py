"""Readings of the store as the series that detectors judge."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

import numpy as np

from anomaly.battery import BatteryReports
from anomaly.falling import Circumstances
from anomaly.flags import LATCHED, Flag, FlagReport, hand_flags_at
from anomaly.series import MeterFacts, Series
from metering.columns import RegisterColumns
from metering.findings import FindingState, Mark
from metering.meter import MeterId
from metering.ports import Transaction
from metering.reading import Reading, Register
from metering.status import STATUS, StatusFlag

__all__ = [
    "BORDER_Q3_M3H",
    "VERSION",
    "Found",
    "gateways_of",
    "marks_of",
    "read_fleet",
    "series_from",
    "series_of",
]

VERSION = "2"
"""Of the detectors' state: one higher has every meter judged anew from its readings."""
INDEX = Register("volume")
BACKWARD = Register("volume", qualifiers=("backward",))
BATTERY = Register("remaining_battery_life")
BATTERY_SHARE = Register("battery_pct")
_DAYS = {"d": 1.0, "month": 30.44, "year": 365.25}
LITRES = 1000
CUBIC_METRES = "m3"
BORDER_Q3_M3H = 1000.0
"""Bound of what a meter at a district's border can count where its Q3 is not registered."""

_FLAGS = {
    StatusFlag.BATTERY: Flag.BATTERY,
    StatusFlag.REMOVAL: Flag.REMOVAL,
    StatusFlag.TAMPER: Flag.TAMPER,
    StatusFlag.MAGNET: Flag.MAGNET,
    StatusFlag.DRY: Flag.DRY,
    StatusFlag.REVERSE: Flag.REVERSE,
    StatusFlag.LEAK: Flag.LEAK,
    StatusFlag.BURST: Flag.BURST,
    StatusFlag.FAULT: Flag.FAULT,
}
NOTHING_ELSE = Circumstances()
_JUDGED = (FindingState.CONFIRMED, FindingState.DISMISSED)


@dataclass(frozen=True, slots=True)
class Found:
    """What the store holds of one meter.

    Attributes:
        meter: whose.
        series: its readings in the order they arrived.
        gateway: the one that brought most of the last ones; empty if none did.
        mark: how far a scan of it comes.
        battery: what it said of its battery; ``None`` if it says nothing.
        flags: what it said of itself, telegram by telegram, from the first flag on.
        judged: when people said what a latched flag was, UTC seconds, by flag.
        circumstances: what else may explain a fall of its index.
    """

    meter: MeterId
    series: Series
    gateway: str
    mark: Mark
    battery: BatteryReports | None = None
    flags: Sequence[FlagReport] = ()
    judged: Mapping[str, Sequence[int]] = field(default_factory=dict)
    circumstances: Circumstances = NOTHING_ELSE


def read_fleet(
    tx: Transaction,
    marks: Mapping[MeterId, Mark],
    since: datetime,
    until: datetime,
    borders: Collection[MeterId] = (),
) -> list[Found]:
    """Read the main index of the marked meters, and what else they say; ``borders`` are not customers'."""
    meters = list(marks)
    facts, counted = tx.customers.meter_facts(meters), tx.columns.registers(meters)
    found = []
    for meter in meters:
        index = tx.columns.of(meter, INDEX, CUBIC_METRES, since, until)
        if not len(index):
            continue
        known = facts.get(meter)
        told = MeterFacts(
            str(meter),
            q3_m3h=float(known.q3_m3h)
            if known and known.q3_m3h
            else BORDER_Q3_M3H
            if meter in borders
            else None,
            digits=known.digits if known else None,
        )
        found.append(_found(tx, (meter, told, counted[meter], marks[meter]), index, (since, until)))
    return found


def _found(
    tx: Transaction,
    about: tuple[MeterId, MeterFacts, Collection[Register], Mark],
    index: RegisterColumns,
    time: tuple[datetime, datetime],
) -> Found:
    meter, facts, counted, mark = about
    status = tx.columns.of(meter, STATUS, "", *time) if STATUS in counted else None
    flags = _reports(index, status) if status is not None and len(status) else []
    backward = tx.columns.of(meter, BACKWARD, CUBIC_METRES, *time) if BACKWARD in counted else None
    battery = _battery(tx, meter, counted, time)
    judged = _verdicts(tx, meter) if flags else {}
    return Found(
        meter,
        series_from(facts, index),
        _gateway(index),
        mark,
        battery,
        flags,
        judged,
        Circumstances(
            flagged_at=hand_flags_at(flags), backward_at=_rises(backward) if backward is not None else ()
        ),
    )


def _battery(
    tx: Transaction, meter: MeterId, counted: Collection[Register], time: tuple[datetime, datetime]
) -> BatteryReports | None:
    """Give the life or charge left; units other than those of EN 13757-3 say nothing."""
    for unit, days in _DAYS.items() if BATTERY in counted else ():
        told = tx.columns.of(meter, BATTERY, unit, *time)
        if len(told):
            return BatteryReports(told.at, told.value * days)
    if BATTERY_SHARE in counted:
        told = tx.columns.of(meter, BATTERY_SHARE, "%", *time)
        if len(told):
            return BatteryReports(told.at, told.value, unit="percent")
    return None


def _reports(index: RegisterColumns, status: RegisterColumns) -> list[FlagReport]:
    """Give the flags of each telegram from the first one that had any: one without says that all is well."""
    said = dict(zip(status.telegram.tolist(), status.value.astype(np.int64).tolist(), strict=True))
    first = int(status.at[0])
    at = {telegram: moment for telegram, moment in _pairs(index) if moment >= first} | dict(_pairs(status))
    return [FlagReport(moment, _flags_of(said.get(telegram, 0)), telegram) for telegram, moment in at.items()]


def _pairs(columns: RegisterColumns) -> Iterator[tuple[int, int]]:
    pairs = zip(columns.telegram.tolist(), columns.at.tolist(), strict=True)
    return (pair for pair in pairs if pair[0] >= 0)


def _flags_of(number: int) -> frozenset[Flag]:
    return frozenset(flag for bit, flag in _FLAGS.items() if number & bit)


def _verdicts(tx: Transaction, meter: MeterId) -> Mapping[str, Sequence[int]]:
    said: dict[str, list[int]] = {}
    for kept in tx.findings.of(str(meter)):
        if kept.state in _JUDGED and kept.finding.family in LATCHED:
            verdicts = [one for one in tx.findings.verdicts(kept.id) if one.state in _JUDGED]
            said.setdefault(kept.finding.family, []).append(int(verdicts[0].at.timestamp()))
    return {flag: sorted(moments) for flag, moments in said.items()}


def _rises(columns: RegisterColumns) -> tuple[int, ...]:
    return tuple(columns.at[1:][np.diff(columns.value) > 0].tolist())


def series_from(facts: MeterFacts, index: RegisterColumns) -> Series:
    """Make the series of one meter of columns in m3; order of arrival, equal arrivals by time."""
    order = np.lexsort((index.at, index.arrived))
    return Series.arrived(facts, index.at[order], np.round(index.value[order] * LITRES, 4))


def series_of(facts: MeterFacts, readings: Sequence[Reading]) -> Series:
    """Make the series of one meter of exact readings; order of arrival, equal arrivals by time."""
    ordered = sorted(readings, key=lambda one: (one.received_at, one.measured_at))
    at = np.array([int(one.measured_at.timestamp()) for one in ordered], np.int64)
    litres = np.array([float(one.value * LITRES) for one in ordered], np.float64)
    return Series.arrived(facts, at, litres)


def gateways_of(found: Sequence[Found]) -> Mapping[str, str]:
    """Give the gateway that brings each meter, where one does."""
    return {str(one.meter): one.gateway for one in found if one.gateway}


def _gateway(index: RegisterColumns) -> str:
    number = np.bincount(index.gateway[-100:], minlength=len(index.gateways))
    names = [
        (int(-count), name) for count, name in zip(number, index.gateways, strict=True) if name and count
    ]
    return min(names)[1] if names else ""


def marks_of(
    tx: Transaction, meters: Collection[MeterId], since: datetime, until: datetime
) -> Mapping[MeterId, Mark]:
    """Tell how far a scan of each of some meters would come, without reading them; nothing for silent ones.

    A latched flag that somebody judged since the last scan makes another mark.
    """
    opened = tx.findings.open_of([str(meter) for meter in meters])
    judged = {one.finding.subject for one in opened if one.finding.family in LATCHED and one.state in _JUDGED}
    digests = tx.columns.digests(meters, (INDEX, STATUS, BACKWARD), since, until)
    return {
        meter: Mark(
            VERSION,
            one.values,
            one.until,
            one.arrived,
            blake2b(f"{one.text} {str(meter) in judged}".encode(), digest_size=12).hexdigest(),
        )
        for meter, one in digests.items()
    }
