"""Words: by which method an index or a volume was estimated, and how good that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from billing_bridge.quality import Cim, Espi

__all__ = ["EstimatedIndex", "Method", "NoEstimate", "Projection", "Settings"]


class Method(StrEnum):
    """How an estimate was made; its name goes with every number it gives."""

    PROFILE = "profile"
    """Between two real indices, spread by the point's own hours of the last weeks."""
    LINEAR = "linear"
    """Between two real indices, evenly: a gap of two hours at most."""
    PRORATION = "proration"
    """Between two real indices, evenly: over a longer gap."""
    THREE_MONTHS_BEFORE = "three months before"
    """Daily mean of the three months before (Poland: Dz.U. 2018/472; some operators in Romania)."""
    SAME_PERIOD_LAST_YEAR = "same period last year"
    """Volume of the same local dates a year before (Poland: Dz.U. 2018/472)."""
    MONTHLY_MEAN_LAST_YEAR = "monthly mean of last year"
    """A twelfth of the last calendar year, times the months (Poland: Dz.U. 2018/472)."""
    YEAR_BEFORE = "year before"
    """Daily mean of the year before (operators in Romania)."""
    REFERENCE_DAYS = "reference days"
    """For each local day the mean of up to four days of the same weekday before."""
    ANY_HISTORY = "any history"
    """Daily mean of whatever is on record (operators in Romania)."""
    NORM = "norm"
    """The norm of usage (Poland: act of 7 June 2001, art. 27; Romania: order 29/N/1993)."""

    @property
    def espi(self) -> Espi:
        """ESPI QualityOfReading."""
        if self in {Method.PROFILE, Method.REFERENCE_DAYS}:
            return Espi.ESTIMATED_REFERENCE_DAY
        if self in {Method.LINEAR, Method.PRORATION}:
            return Espi.ESTIMATED_LINEAR
        return Espi.PROJECTED

    @property
    def cim(self) -> Cim:
        """IEC 61968-9 code."""
        return Cim.ESTIMATED


@dataclass(frozen=True, slots=True)
class Settings:
    """What a utility chooses.

    Attributes:
        projections: methods where no later read is known, in the order in which they are tried.
        norm_m3_per_day: for :attr:`Method.NORM`; ``None`` = there is none.
        resolution_m3: step to which an estimated index is floored.
        least_history_days: how many days :attr:`Method.ANY_HISTORY` needs at least.
    """

    projections: tuple[Method, ...] = ()
    norm_m3_per_day: Decimal | None = None
    resolution_m3: Decimal = Decimal("0.001")
    least_history_days: int = 7


@dataclass(frozen=True, slots=True)
class EstimatedIndex:
    """An index between two real ones.

    Attributes:
        at: UTC.
        total: on the line, m3; between the totals of the two real indices.
        method: how it was made.
        evidence: the two real indices.
    """

    at: datetime
    total: Decimal
    method: Method
    evidence: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Projection:
    """A volume where no later read is known: what the law lets a utility bill meanwhile.

    Attributes:
        volume_m3: floored to the resolution.
        method: how it was made.
        evidence: what it was made of.
    """

    volume_m3: Decimal
    method: Method
    evidence: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NoEstimate:
    """Why nothing can be estimated."""

    reason: str
