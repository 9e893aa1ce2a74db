"""Readings of the store as the series that detectors judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import numpy as np

from anomaly.battery import BatteryReports
from anomaly.series import MeterFacts, Series
from metering.findings import Mark
from metering.meter import MeterId
from metering.ports import Transaction
from metering.reading import Reading, Register

__all__ = ["VERSION", "Found", "gateways_of", "read_fleet", "series_of"]

VERSION = "1"
"""Of the detectors' state: one higher has every meter judged anew from its readings."""
INDEX = Register("volume")
BACKWARD = Register("volume", qualifiers=("backward",))
BATTERY = Register("remaining_battery_life")
_DAYS = {"d": 1.0, "month": 30.44, "year": 365.25}
LITRES = 1000
CUBIC_METRES = "m3"


@dataclass(frozen=True, slots=True)
class Found:
    """What the store holds of one meter.

    Attributes:
        meter: whose.
        series: its readings in the order they arrived.
        gateway: the one that brought most of them; empty if none did.
        mark: how far a scan of it comes.
        battery: what it said of its battery; ``None`` if it says nothing.
        backward_at: when its backflow register rose, UTC seconds.
    """

    meter: MeterId
    series: Series
    gateway: str
    mark: Mark
    battery: BatteryReports | None = None
    backward_at: tuple[int, ...] = ()


def read_fleet(tx: Transaction, meters: Collection[MeterId], since: datetime, until: datetime) -> list[Found]:
    """Read the main index of some meters."""
    known = tx.customers.meter_facts(meters)
    found = []
    for meter in meters:
        readings = [one for one in tx.readings.series(meter, INDEX, since, until) if one.unit == CUBIC_METRES]
        if readings:
            facts = known.get(meter)
            told = MeterFacts(
                str(meter),
                q3_m3h=float(facts.q3_m3h) if facts and facts.q3_m3h else None,
                digits=facts.digits if facts else None,
            )
            one = Found(meter, series_of(told, readings), _gateway(readings), _mark(readings))
            found.append(replace(one, **_besides(tx, meter, since, until)))
    return found


def _besides(tx: Transaction, meter: MeterId, since: datetime, until: datetime) -> dict[str, Any]:
    """Read what else a meter counts, as far as it does."""
    counted = {register for register, _unit in tx.readings.registers(meter)}
    told: dict[str, Any] = {}
    if BATTERY in counted:
        told["battery"] = _battery(tx.readings.series(meter, BATTERY, since, until))
    if BACKWARD in counted:
        told["backward_at"] = _rises(tx.readings.series(meter, BACKWARD, since, until))
    return told


def _battery(readings: Sequence[Reading]) -> BatteryReports | None:
    """Give days of life left; other units than those of EN 13757-3 say nothing."""
    told = [one for one in readings if one.unit in _DAYS]
    at = np.array([int(one.measured_at.timestamp()) for one in told], np.int64)
    left = np.array([float(one.value) * _DAYS[one.unit] for one in told], np.float64)
    return BatteryReports(at, left) if told else None


def _rises(readings: Sequence[Reading]) -> tuple[int, ...]:
    return tuple(
        int(after.measured_at.timestamp())
        for before, after in pairwise(readings)
        if after.value > before.value
    )


def series_of(facts: MeterFacts, readings: Sequence[Reading]) -> Series:
    """Make the series of one meter; order of arrival, equal arrivals by time."""
    ordered = sorted(readings, key=lambda one: (one.received_at, one.measured_at))
    at = np.array([int(one.measured_at.timestamp()) for one in ordered], np.int64)
    litres = np.array([float(one.value * LITRES) for one in ordered], np.float64)
    return Series.arrived(facts, at, litres)


def gateways_of(found: Sequence[Found]) -> Mapping[str, str]:
    """Give the gateway that brings each meter, where one does."""
    return {str(one.meter): one.gateway for one in found if one.gateway}


def _gateway(readings: Sequence[Reading]) -> str:
    brought = Counter(one.provenance.gateway for one in readings[-100:] if one.provenance.gateway)
    return brought.most_common(1)[0][0] if brought else ""


def _mark(readings: Sequence[Reading]) -> Mark:
    newest = max(one.received_at for one in readings)
    digest = blake2b(digest_size=12)
    for one in readings:
        digest.update(f"{one.measured_at.timestamp()} {one.value} {one.received_at.timestamp()}\n".encode())
    return Mark(VERSION, len(readings), readings[-1].measured_at, newest, digest.hexdigest())
