"""R1-R6 and R8: what one state can be told from, as it arrives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from billing_bridge.validate.cases import Arrival
from billing_bridge.validate.outcome import NotRun, Passed, Raised, Result, Severity
from billing_bridge.validate.rule import NoParameters
from metering.consumption.points import microseconds

__all__ = [
    "CapacityParameters",
    "ClockParameters",
    "DecreaseParameters",
    "RollOverParameters",
    "clock",
    "decrease",
    "duplicate",
    "identity",
    "physical_capacity",
    "roll_over",
    "unit_and_digits",
]

_FIRST = NotRun("there is no earlier state to compare with")
_HOUR = 3_600_000_000
"""Microseconds."""
_Q4_PER_Q3 = Decimal("1.25")
"""ISO 4064-1, 4.1.3."""


@dataclass(frozen=True, slots=True)
class ClockParameters:
    """R2."""

    future: timedelta = timedelta(minutes=5)
    drift: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class DecreaseParameters:
    """R5."""

    reverse_m3: Decimal = Decimal("0.010")
    """Falls up to this are water that ran back."""


@dataclass(frozen=True, slots=True)
class RollOverParameters:
    """R6."""

    from_share: Decimal = Decimal("0.9")
    to_share: Decimal = Decimal("0.1")
    q3_m3h: Decimal = Decimal("2.5")


@dataclass(frozen=True, slots=True)
class CapacityParameters:
    """R8."""

    q3_m3h: Decimal = Decimal("2.5")
    """Where the meter's own is not known."""


def duplicate(case: Arrival, _parameters: NoParameters) -> Result:
    """R1: the same register and moment twice."""
    if case.same_moment is None:
        return Passed()
    told = {"at": case.at.isoformat(), "kept": str(case.same_moment), "came": str(case.value)}
    if case.same_moment == case.value:
        return Raised("The same state came once more; it counts once.", told, Severity.INFO)
    return Raised("Two states of one moment; the first one is kept.", told, Severity.FAIL)


def clock(case: Arrival, parameters: ClockParameters) -> Result:
    """R2: a time that cannot be."""
    told = {"at": case.at.isoformat(), "now": case.now.isoformat()}
    if case.at > case.now + parameters.future:
        return Raised("The state is from the future.", told)
    if case.clock_drift is not None and abs(case.clock_drift) > parameters.drift:
        drift = {**told, "drift_s": str(int(case.clock_drift.total_seconds()))}
        return Raised("The clock of the device is wrong.", drift)
    hung = [one for one in case.installations or () if one.meter == case.meter]
    if hung and case.at < min(one.valid_from for one in hung):
        return Raised("The state is from before the meter was installed.", told)
    return Passed()


def identity(case: Arrival, _parameters: NoParameters) -> Result:
    """R3: is this the meter of this service point, at that time?"""
    if case.installations is None:
        return NotRun("where the meter hangs was not asked")
    there = any(
        one.meter == case.meter
        and one.service_point == case.service_point
        and one.valid_from <= case.at
        and (one.valid_to is None or case.at <= one.valid_to)
        for one in case.installations
    )
    if there:
        return Passed()
    told = {"meter": str(case.meter), "service_point": case.service_point, "at": case.at.isoformat()}
    return Raised("This meter did not hang at this service point then.", told)


def unit_and_digits(case: Arrival, _parameters: NoParameters) -> Result:
    """R4: the register's unit, and no more digits than its dial has."""
    told = {"value": str(case.value), "unit": case.unit, "registered_unit": case.registered_unit}
    if case.unit != case.registered_unit:
        return Raised("The unit is not that of the register.", told)
    if case.digits is not None and not 0 <= case.value < Decimal(10) ** case.digits:
        return Raised("The dial cannot show this state.", {**told, "digits": str(case.digits)})
    return Passed()


def decrease(case: Arrival, parameters: DecreaseParameters) -> Result:
    """R5: a register that fell, where no exchange explains it; whether it rolled over is R6."""
    if case.earlier is None:
        return _FIRST
    fall = case.earlier - case.value
    if fall <= 0 or case.exchanged:
        return Passed()
    told = {"earlier": str(case.earlier), "value": str(case.value), "fall_m3": str(fall)}
    if fall <= parameters.reverse_m3:
        return Raised("A little water ran back; nothing was used.", told, Severity.WARN)
    return Raised("The state is lower than the one before.", told)


def roll_over(case: Arrival, parameters: RollOverParameters) -> Result:
    """R6: the register began anew at zero."""
    if case.earlier is None:
        return _FIRST
    if case.digits is None:
        return NotRun("how many digits the dial has is not known")
    delta = _wrapped(case, parameters)
    if delta is None or case.exchanged:
        return Passed()
    told = {"earlier": str(case.earlier), "value": str(case.value), "delta_m3": str(delta)}
    return Raised("The register began anew at zero.", told)


def physical_capacity(case: Arrival, parameters: CapacityParameters) -> Result:
    """R8: more than the pipe can carry (Q4 times the hours)."""
    if case.earlier is None or case.earlier_at is None:
        return _FIRST
    if case.exchanged:
        return NotRun("another meter hung there before")
    delta = case.value - case.earlier
    most = _capacity(case, case.q3_m3h or parameters.q3_m3h)
    if delta <= most:
        return Passed()
    told = {"delta_m3": str(delta), "possible_m3": str(most), "since": case.earlier_at.isoformat()}
    return Raised("More than the meter can pass.", told)


def _wrapped(case: Arrival, parameters: RollOverParameters) -> Decimal | None:
    """Give what passed if the register rolled over, as far as digits, shares and pipe allow it."""
    if case.earlier is None or case.earlier_at is None or case.digits is None:
        return None
    whole = Decimal(10) ** case.digits
    delta = case.value - case.earlier + whole
    near = case.earlier >= parameters.from_share * whole and case.value <= parameters.to_share * whole
    q3 = case.q3_m3h or parameters.q3_m3h
    return delta if near and delta <= _capacity(case, q3) else None


def _capacity(case: Arrival, q3_m3h: Decimal) -> Decimal:
    """Q4 times the hours since the state before."""
    if case.earlier_at is None:
        return Decimal(0)
    return _Q4_PER_Q3 * q3_m3h * (microseconds(case.at) - microseconds(case.earlier_at)) / _HOUR
