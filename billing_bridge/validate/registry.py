"""Every rule there is, in the order in which it is asked. Numbers are defaults, not a standard's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from billing_bridge.quality import Cim
from billing_bridge.validate import arrival, closing, customer, intervals, usage
from billing_bridge.validate.cases import Arrival, IntervalCase, PeriodCase
from billing_bridge.validate.customer import CustomerCase
from billing_bridge.validate.outcome import Outcome, Severity, Verdict
from billing_bridge.validate.rule import NoParameters, Policy, Rule, apply

__all__ = [
    "ARRIVAL",
    "CUSTOMER",
    "INTERVALS",
    "PERIOD",
    "STAGES",
    "validate_arrival",
    "validate_customer",
    "validate_intervals",
    "validate_period",
]

_NONE = NoParameters()

ARRIVAL: tuple[Rule[Arrival, Any], ...] = (
    Rule(
        "R1",
        "duplicate",
        "The same register and moment twice: an equal value counts once, of two values the first is kept.",
        Severity.FAIL,
        Cim.REJECTED,
        arrival.duplicate,
        _NONE,
    ),
    Rule(
        "R2",
        "clock",
        "A state from the future, from before the installation, or from a device whose clock is wrong.",
        Severity.FAIL,
        Cim.CLOCK_ERROR,
        arrival.clock,
        arrival.ClockParameters(),
    ),
    Rule(
        "R3",
        "identity",
        "The meter did not hang at this service point at that time.",
        Severity.FAIL,
        Cim.SUSPECT,
        arrival.identity,
        _NONE,
    ),
    Rule(
        "R4",
        "unit and digits",
        "Another unit than the register's, or more digits than the dial has.",
        Severity.FAIL,
        Cim.OUT_OF_RANGE,
        arrival.unit_and_digits,
        _NONE,
    ),
    Rule(
        "R5",
        "register decrease",
        "The register fell, and neither roll-over nor exchange explains it; a small fall is reverse flow.",
        Severity.FAIL,
        Cim.REVERSE_ROTATION,
        arrival.decrease,
        arrival.DecreaseParameters(),
    ),
    Rule(
        "R6",
        "roll-over",
        "The register began anew at zero: the volume goes on by its digits.",
        Severity.INFO,
        Cim.OVERFLOW,
        arrival.roll_over,
        arrival.RollOverParameters(),
    ),
    Rule(
        "R8",
        "physical capacity",
        "More than the meter can pass: Q4 times the hours since the state before.",
        Severity.FAIL,
        Cim.OUT_OF_RANGE,
        arrival.physical_capacity,
        arrival.CapacityParameters(),
    ),
)
"""Cheap: asked of every state as it arrives."""

PERIOD: tuple[Rule[PeriodCase, Any], ...] = (
    Rule(
        "R7",
        "meter exchange",
        "Both indices of an exchange must be on its protocol.",
        Severity.FAIL,
        Cim.CONFIGURATION_CHANGED,
        closing.meter_exchange,
        _NONE,
    ),
    Rule(
        "R9",
        "high usage",
        "Much more per day than in the same period last year (else the period before, else the class).",
        Severity.WARN,
        Cim.USAGE_ABOVE_PERCENT,
        usage.high_usage,
        usage.HighParameters(),
    ),
    Rule(
        "R10",
        "low usage",
        "Much less per day than usual.",
        Severity.WARN,
        Cim.USAGE_BELOW_PERCENT,
        usage.low_usage,
        usage.LowParameters(),
    ),
    Rule(
        "R11",
        "zero usage",
        "Nothing was used for a month where somebody lives.",
        Severity.WARN,
        Cim.ZERO_USAGE,
        usage.zero_usage,
        usage.ZeroParameters(),
    ),
    Rule(
        "R12",
        "inactive usage",
        "Water was used at a closed service point.",
        Severity.FAIL,
        Cim.INACTIVE_USAGE,
        usage.inactive_usage,
        usage.InactiveParameters(),
    ),
    Rule(
        "R13",
        "prolonged estimation",
        "Estimated for too many periods in a row, or too long without an actual read: send a reader.",
        Severity.WARN,
        Cim.ESTIMATED,
        closing.prolonged_estimation,
        closing.ProlongedParameters(),
    ),
    Rule(
        "R14",
        "device alarm",
        "Tamper, reverse flow, sensor or battery: the device complained since the last read.",
        Severity.WARN,
        Cim.DIAGNOSTICS,
        closing.device_alarm,
        _NONE,
    ),
    Rule(
        "R15",
        "sum check",
        "The intervals do not add up to the difference of the indices.",
        Severity.FAIL,
        Cim.VALIDATION,
        closing.sum_check,
        closing.SumParameters(),
    ),
    Rule(
        "R16",
        "boundary window",
        "There is no read near enough to an end of the period: it is estimated.",
        Severity.ESTIMATE,
        Cim.KNOWN_MISSING,
        closing.boundary_window,
        closing.WindowParameters(),
    ),
    Rule(
        "R17",
        "verification expired",
        "The legalization had expired on the day of the closing read; a sub-meter is then not deducted.",
        Severity.WARN,
        Cim.SUSPECT,
        closing.verification_expired,
        _NONE,
    ),
    Rule(
        "R18",
        "main and sub-meters",
        "The meters behind a meter passed more than it did.",
        Severity.WARN,
        Cim.VALIDATION,
        closing.main_and_subs,
        closing.MainAndSubsParameters(),
    ),
)
"""Asked when a period closes."""

CUSTOMER: tuple[Rule[CustomerCase, Any], ...] = (
    Rule(
        "R19",
        "self-reading",
        "A customer's state: in its window, once, not below what was booked or sent, not far above.",
        Severity.FAIL,
        Cim.CUSTOMER_READ,
        customer.customer_state,
        customer.CustomerParameters(),
    ),
)
"""Asked of what customers enter."""

INTERVALS: tuple[Rule[IntervalCase, Any], ...] = (
    Rule(
        "I1",
        "gap",
        "An interval is missing: it is estimated for charts, never for alarms.",
        Severity.ESTIMATE,
        Cim.KNOWN_MISSING,
        intervals.gap,
        _NONE,
    ),
    Rule(
        "I2",
        "spike",
        "One interval is far above the third highest.",
        Severity.WARN,
        Cim.OUT_OF_RANGE,
        intervals.spike,
        intervals.SpikeParameters(),
    ),
    Rule(
        "I3",
        "negative interval",
        "More came back than went through.",
        Severity.FAIL,
        Cim.OUT_OF_RANGE,
        intervals.negative_interval,
        _NONE,
    ),
    Rule(
        "I4",
        "interval size",
        "An interval is shorter or longer than its step; days of 23 and 25 hours are right.",
        Severity.FAIL,
        Cim.PARTIAL_INTERVAL,
        intervals.interval_size,
        _NONE,
    ),
    Rule(
        "I5",
        "continuous flow",
        "Water ran in every hour of a day: perhaps a leak; the customer is told.",
        Severity.INFO,
        Cim.SUSPECT,
        intervals.continuous_flow,
        intervals.FlowParameters(),
    ),
)
"""Asked of interval volumes."""

STAGES: Mapping[str, tuple[Rule[Any, Any], ...]] = {
    "arrival": ARRIVAL,
    "period": PERIOD,
    "customer": CUSTOMER,
    "intervals": INTERVALS,
}


def validate_arrival(case: Arrival, policy: Policy, customer_class: str = "") -> tuple[Outcome, ...]:
    """Ask every rule of a state that arrived. A roll-over (R6) is no decrease (R5)."""
    outcomes = [apply(rule, case, policy, customer_class) for rule in ARRIVAL]
    if any(one.rule == "R6" and one.verdict is Verdict.RAISED for one in outcomes):
        rolled = Outcome("R5", Verdict.NOT_RUN, sentence="the register rolled over, see R6")
        outcomes = [rolled if one.rule == "R5" else one for one in outcomes]
    return tuple(outcomes)


def validate_period(case: PeriodCase, policy: Policy, customer_class: str = "") -> tuple[Outcome, ...]:
    """Ask every rule of a period that closes."""
    return tuple(apply(rule, case, policy, customer_class) for rule in PERIOD)


def validate_customer(case: CustomerCase, policy: Policy, customer_class: str = "") -> tuple[Outcome, ...]:
    """Ask every rule of what a customer entered."""
    return tuple(apply(rule, case, policy, customer_class) for rule in CUSTOMER)


def validate_intervals(case: IntervalCase, policy: Policy, customer_class: str = "") -> tuple[Outcome, ...]:
    """Ask every rule of interval volumes."""
    return tuple(apply(rule, case, policy, customer_class) for rule in INTERVALS)
