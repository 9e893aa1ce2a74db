"""Is a series good enough to judge? If not, a named reason; no detector guesses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from anomaly.gate import DoubtKind, Gated
from anomaly.hours import KNOWN, Ticks
from anomaly.local_time import DAY, HOUR

__all__ = ["Insufficiency", "Reason", "insufficiencies"]

SLOWEST_HOURLY = 1.5 * HOUR
"""Median cadence up to which hours can be judged."""
COARSEST_L = 20.0
"""Register step above which an hour of a household says nothing."""
FEWEST_HOURS = 24
FEWEST_DAYS = 14


class Reason(StrEnum):
    """What a series lacks."""

    NO_READINGS = "no_readings"
    """Not one believable reading."""
    CONTRADICTORY = "contradictory"
    """Its readings contradict each other so often that none can be believed: several meters, one name?"""
    ONE_READING = "one_reading"
    """One reading has no consumption."""
    NO_KNOWN_HOURS = "no_known_hours"
    """Fewer than 24 hours of known flow: all gaps, or only just begun."""
    TOO_SPARSE = "too_sparse"
    """Readings further apart than an hour and a half: no hour can be judged, days may."""
    TOO_FEW_DAYS = "too_few_days"
    """Fewer than 14 days from first to last reading."""
    REGISTER_TOO_COARSE = "register_too_coarse"
    """The register's step is larger than an hour's use: no hour can be judged, days may."""


@dataclass(frozen=True, slots=True)
class Insufficiency:
    """Why something of a meter was not judged.

    Attributes:
        meter: meter id.
        reason: what is missing.
        evidence: the number behind it: readings, hours, seconds, days or litres.
    """

    meter: str
    reason: Reason
    evidence: float


def insufficiencies(gated: Gated, ticks: Ticks, resolution_l: float) -> tuple[Insufficiency, ...]:
    """Name everything this series is not good enough for."""
    meter = gated.facts.meter
    if len(gated) < 2:
        reason = Reason.ONE_READING if len(gated) else Reason.NO_READINGS
        return (*_contradictory(gated), Insufficiency(meter, reason, len(gated)))
    cadence = float(np.median(np.diff(gated.at)))
    days = float(gated.at[-1] - gated.at[0]) / DAY
    known = int((ticks.kind == KNOWN).sum())
    found = (
        (Reason.TOO_SPARSE, cadence > SLOWEST_HOURLY, cadence),
        (Reason.NO_KNOWN_HOURS, known < FEWEST_HOURS, known),
        (Reason.TOO_FEW_DAYS, days < FEWEST_DAYS, days),
        (Reason.REGISTER_TOO_COARSE, resolution_l > COARSEST_L, resolution_l),
    )
    return tuple(Insufficiency(meter, reason, number) for reason, holds, number in found if holds)


def _contradictory(gated: Gated) -> Iterator[Insufficiency]:
    readings = sum(doubt.readings for doubt in gated.doubts if doubt.kind is DoubtKind.CONTRADICTORY)
    if readings:
        yield Insufficiency(gated.facts.meter, Reason.CONTRADICTORY, readings)
