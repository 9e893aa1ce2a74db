"""Whose finding it is: the tenancy of the day it was raised on, never the next tenant's."""

from __future__ import annotations

from metering.errors import InvalidValue
from metering.finding import Finding
from metering.meter import MeterId
from metering.ports import Transaction

__all__ = ["tenancy_at"]


def tenancy_at(tx: Transaction, finding: Finding) -> str:
    """Give the contract whose tenancy a finding fell into when it was raised; empty if nobody's is known."""
    raised = finding.stages[0].raised_at
    try:
        meter = MeterId.parse(finding.subject)
    except InvalidValue:
        return ""
    hung = tx.registry.installations([meter]).get(meter, ())
    point = next(
        (
            one.service_point
            for one in hung
            if one.valid_from <= raised and (one.valid_to is None or raised < one.valid_to)
        ),
        None,
    )
    if point is None:
        return ""
    tenancies = tx.customers.tenancies_at([point]).get(point, ())
    return next((one.contract for one in tenancies if one.holds_at(raised)), "")
