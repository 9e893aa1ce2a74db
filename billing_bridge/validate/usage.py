"""R9-R12: how much was used, against what is usual there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from billing_bridge.validate.cases import PeriodCase, Reference, ReferenceKind
from billing_bridge.validate.outcome import NotRun, Passed, Raised, Result, Severity

__all__ = [
    "HighParameters",
    "InactiveParameters",
    "LowParameters",
    "ZeroParameters",
    "high_usage",
    "inactive_usage",
    "low_usage",
    "reference_of",
    "zero_usage",
]

_NO_VOLUME = NotRun("the volume is not known")
_NO_REFERENCE = NotRun("there is no usage on record to compare with")
_NO_TENANCY = NotRun("the service point has no tenancy")


@dataclass(frozen=True, slots=True)
class HighParameters:
    """R9."""

    ratio: Decimal = Decimal("2.0")
    fail_ratio: Decimal = Decimal("4.0")
    """From here on a person must look before it is billed."""
    excess_m3: Decimal = Decimal(5)
    max_estimated: Decimal = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class LowParameters:
    """R10."""

    ratio: Decimal = Decimal("0.4")
    least_m3_per_day: Decimal = Decimal("0.05")
    max_estimated: Decimal = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class ZeroParameters:
    """R11."""

    after: timedelta = timedelta(days=30)
    least_m3_per_day: Decimal = Decimal("0.02")
    max_estimated: Decimal = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class InactiveParameters:
    """R12."""

    allowed_m3: Decimal = Decimal("0.1")


def reference_of(references: Sequence[Reference], max_estimated: Decimal) -> Reference | None:
    """Give the reference to compare with: last year's, else the period before, else the class's."""
    order = list(ReferenceKind)
    usable = [one for one in references if one.estimated <= max_estimated]
    return min(usable, key=lambda one: order.index(one.kind), default=None)


def high_usage(case: PeriodCase, parameters: HighParameters) -> Result:
    """R9: far more per day than usual, and enough of it to matter."""
    if case.volume_m3 is None:
        return _NO_VOLUME
    usual = reference_of(case.references, parameters.max_estimated)
    if usual is None:
        return _NO_REFERENCE
    expected = usual.m3_per_day * case.days
    if case.volume_m3 <= parameters.ratio * expected or case.volume_m3 - expected <= parameters.excess_m3:
        return Passed()
    severity = Severity.FAIL if case.volume_m3 > parameters.fail_ratio * expected else Severity.WARN
    return Raised("Much more was used than usual.", _compared(case.volume_m3, expected, usual), severity)


def low_usage(case: PeriodCase, parameters: LowParameters) -> Result:
    """R10: far less per day than usual."""
    if case.volume_m3 is None:
        return _NO_VOLUME
    if not case.active:
        return _NO_TENANCY
    usual = reference_of(case.references, parameters.max_estimated)
    if usual is None:
        return _NO_REFERENCE
    if usual.m3_per_day <= parameters.least_m3_per_day:
        return NotRun("the usual usage is too small to judge by")
    expected = usual.m3_per_day * case.days
    if case.volume_m3 >= parameters.ratio * expected:
        return Passed()
    return Raised("Much less was used than usual.", _compared(case.volume_m3, expected, usual))


def zero_usage(case: PeriodCase, parameters: ZeroParameters) -> Result:
    """R11: nothing at all where somebody lives: a stopped meter?"""
    if case.volume_m3 is None:
        return _NO_VOLUME
    if not case.active:
        return _NO_TENANCY
    if case.end - case.start < parameters.after:
        return NotRun("the period is too short to judge by")
    usual = reference_of(case.references, parameters.max_estimated)
    if usual is None:
        return _NO_REFERENCE
    if case.volume_m3 != 0 or usual.m3_per_day <= parameters.least_m3_per_day:
        return Passed()
    return Raised("Nothing was used.", _compared(case.volume_m3, usual.m3_per_day * case.days, usual))


def inactive_usage(case: PeriodCase, parameters: InactiveParameters) -> Result:
    """R12: water at a closed service point."""
    if case.active:
        return NotRun("the service point has a tenancy")
    if case.volume_m3 is None:
        return _NO_VOLUME
    if case.volume_m3 <= parameters.allowed_m3:
        return Passed()
    return Raised("Water was used at a closed service point.", {"volume_m3": str(case.volume_m3)})


def _compared(volume: Decimal, expected: Decimal, usual: Reference) -> dict[str, str]:
    return {
        "volume_m3": str(volume),
        "expected_m3": str(expected.quantize(Decimal("0.001"))),
        "reference": usual.kind.value,
        "reference_m3_per_day": str(usual.m3_per_day),
    }
