"""Readings of the store as the series that detectors judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

import numpy as np

from anomaly.series import MeterFacts, Series
from metering.findings import Mark
from metering.meter import MeterId
from metering.ports import Transaction
from metering.reading import Reading, Register

__all__ = ["VERSION", "Found", "gateways_of", "read_fleet", "series_of"]

VERSION = "1"
"""Of the detectors' state: one higher has every meter judged anew from its readings."""
INDEX = Register("volume")
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
    """

    meter: MeterId
    series: Series
    gateway: str
    mark: Mark


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
            found.append(Found(meter, series_of(told, readings), _gateway(readings), _mark(readings)))
    return found


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
