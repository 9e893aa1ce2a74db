"""R19: a state that a customer entered, against what is known of the register.

Windows and the sentence a customer reads are :mod:`billing_bridge.self_reading`; this is the judgement.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from billing_bridge.validate.outcome import Passed, Raised, Result

__all__ = ["CustomerCase", "CustomerParameters", "customer_state"]


@dataclass(frozen=True, slots=True)
class CustomerCase:
    """A state that a customer entered.

    Attributes:
        value: as entered, m3.
        at: when it was read, UTC.
        opens: when the window opened, UTC; ``None`` = it is always open.
        closes: when it closes, UTC, exclusive.
        booked: index of the last billing read; ``None`` = never billed.
        radio: last index the meter itself sent before ``at``; ``None`` = none.
        settled: a state of this window was accepted already.
    """

    value: Decimal
    at: datetime
    opens: datetime | None = None
    closes: datetime | None = None
    booked: Decimal | None = None
    radio: Decimal | None = None
    settled: bool = False


@dataclass(frozen=True, slots=True)
class CustomerParameters:
    """R19."""

    above_radio_m3: Decimal = Decimal(1)
    """How far the customer may be above what the meter sent."""


def customer_state(case: CustomerCase, parameters: CustomerParameters) -> Result:
    """R19: in its window, once, and neither below what was booked or sent nor far above."""
    told = {"value": str(case.value), "at": case.at.isoformat()}
    if (case.opens and case.at < case.opens) or (case.closes and case.at >= case.closes):
        return Raised("Outside the window for states.", told)
    if case.settled:
        return Raised("A state of this window was accepted already.", told)
    if case.booked is not None and case.value < case.booked:
        return Raised("Lower than the last booked index.", {**told, "booked": str(case.booked)})
    if case.radio is None:
        return Passed()
    return _against_radio(
        case.value, case.radio, parameters.above_radio_m3, {**told, "radio": str(case.radio)}
    )


def _against_radio(value: Decimal, radio: Decimal, above: Decimal, told: dict[str, str]) -> Result:
    if value < _whole_as(value, radio):
        return Raised("Lower than what the meter sent.", told)
    if value > radio + above:
        return Raised("Far above what the meter sent.", told)
    return Passed()


def _whole_as(entered: Decimal, radio: Decimal) -> Decimal:
    """Whoever enters whole cubic metres reads the black digits only: compare with those."""
    return radio // 1 if entered == entered.to_integral_value() else radio
