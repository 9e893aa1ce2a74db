"""A street as operators see it: bills taken, and questions of every kind that wait for one of them."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from street import NEW, Street, at

from metering.meter import MeterId
from service.operators.book import Role

PASSWORD = "correct horse battery"
PEOPLE = {"anna.kowal": Role.OPERATOR, "jan.lis": Role.SECOND, "ola.bak": Role.READER}
SILENT = MeterId("SEN", "11223344", "68", "07")
"""Its last word was in February."""


def bill(street: Street) -> None:
    """Bill January to March: usual use, then far too much; a silent meter; a state that contradicts."""
    street.house(route="R1", legal=at(1, 31).date())
    street.tenant("U-104", at(1, year=2025))
    street.house("SP2", NEW, route="R1")
    street.tenant("U-105", at(1, year=2025), point="SP2")
    street.house("SP3", SILENT, route="R2")
    street.tenant("U-106", at(1, year=2025), point="SP3")
    _daily(street, ("100", "109", "118", "126"))
    _daily(street, ("20", "29", "38", "230"), NEW)
    street.sends((at(1), "501"), (at(2), "507.2"), (at(2, 11), "509"), meter=SILENT)
    street.tells(at(2, hour=9), "409", channel="web")
    for month in (1, 2, 3):
        street.close(at(month), at(month + 1))


def _daily(street: Street, months: tuple[str, ...], meter: MeterId | None = None) -> None:
    """Send a read a day, evenly between the indices at the beginnings of months from January on."""
    told = []
    for number, (first, last) in enumerate(pairwise(months), 1):
        begin, end = at(number), at(number + 1)
        days = round((end - begin) / timedelta(days=1))
        step = (float(last) - float(first)) / days
        told += [(begin + day * timedelta(days=1), f"{float(first) + day * step:.3f}") for day in range(days)]
    told.append((at(len(months)), months[-1]))
    street.sends(*told, **({"meter": meter} if meter else {}))
