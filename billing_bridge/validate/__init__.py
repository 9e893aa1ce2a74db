"""Validation: rules R1-R19 on states and periods, I1-I5 on intervals; pure, each with its evidence.

A rule is a function of what it is asked about and its parameters; :mod:`.registry` lists them with meaning,
severity and quality code. A rule that cannot judge says why it did not run.
"""

from billing_bridge.validate.cases import (
    Arrival,
    IntervalCase,
    PeriodCase,
    Reference,
    ReferenceKind,
    SubMeter,
)
from billing_bridge.validate.customer import CustomerCase
from billing_bridge.validate.line import Judged, Line, judge_states
from billing_bridge.validate.outcome import Outcome, Severity, Verdict
from billing_bridge.validate.registry import (
    STAGES,
    validate_arrival,
    validate_customer,
    validate_intervals,
    validate_period,
)
from billing_bridge.validate.rule import Policy, Rule

__all__ = [
    "STAGES",
    "Arrival",
    "CustomerCase",
    "IntervalCase",
    "Judged",
    "Line",
    "Outcome",
    "PeriodCase",
    "Policy",
    "Reference",
    "ReferenceKind",
    "Rule",
    "Severity",
    "SubMeter",
    "Verdict",
    "judge_states",
    "validate_arrival",
    "validate_customer",
    "validate_intervals",
    "validate_period",
]
