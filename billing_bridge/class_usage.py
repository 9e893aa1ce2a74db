"""What customers of a class usually use: the median of what was billed, where enough were."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from zoneinfo import ZoneInfo

from metering.checks import ClassUsage
from metering.consumption import start_of_day
from metering.ports import Transaction

__all__ = ["COHORT", "class_medians"]

COHORT = 10
"""Fewer periods tell more of neighbours than of a class."""
BACK = timedelta(days=62)
_LITRE_A_DAY = Decimal("0.000001")


def class_medians(tx: Transaction, zone: ZoneInfo, now: datetime) -> list[ClassUsage]:
    """Take the medians of the periods that ended in the two months up to the begin of this one.

    Only periods that were read at both ends count.
    """
    until = start_of_day(now.astimezone(zone).date().replace(day=1), zone)
    return [
        ClassUsage(name, until, median(daily).quantize(_LITRE_A_DAY), len(daily))
        for name, daily in sorted(tx.checks.daily_usages(until - BACK, until).items())
        if len(daily) >= COHORT
    ]
