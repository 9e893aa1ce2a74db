"""Districts as pages see them: how each stands, its findings, its picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from anomaly.plot_district import district_plot
from anomaly.water_balance import Balance, monthly_balances
from metering.districts import DistrictMeter
from metering.findings import Kept
from metering.ports import Transaction
from service.scanning_districts import DistrictState, read_districts, state_of
from service.web.context import Site

__all__ = ["DistrictView", "balances_of", "district_picture", "districts_of"]

MONTHS = 13
AROUND = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class DistrictView:
    """A district with how it stands.

    Attributes:
        name: its id.
        meters: at its borders.
        customers: meters that hang in it.
        state: what the last scan said.
        findings: of it, the newest first.
    """

    name: str
    meters: Sequence[DistrictMeter]
    customers: int
    state: DistrictState
    findings: Sequence[Kept]

    @property
    def open_findings(self) -> int:
        """How many findings are open."""
        return sum(one.finding.cleared_at is None for one in self.findings)


def districts_of(tx: Transaction) -> list[DistrictView]:
    """Give every district that has border meters, by id."""
    return [
        DistrictView(
            name,
            meters,
            tx.districts.customers(name),
            state_of(tx, name),
            tx.findings.of(name),
        )
        for name, meters in tx.districts.meters().items()
    ]


def district_picture(tx: Transaction, name: str, site: Site, language: str, shown: Sequence[Kept]) -> str:
    """Draw the last months of a district, or those around a finding that is over; empty if none are known."""
    ends = [one.finding.cleared_at for one in shown if one.finding.cleared_at is not None]
    until = (
        min(site.clock.now(), max(ends) + AROUND)
        if ends and len(ends) == len(shown) == 1
        else site.clock.now()
    )
    inflow, use = read_districts(tx, name, until)
    return district_plot(inflow, use, [one.finding for one in shown], site.zone, language)


def balances_of(tx: Transaction, name: str, site: Site) -> Sequence[Balance]:
    """Give the water balance of the last months, newest first; nothing where customers' use is unknown."""
    inflow, use = read_districts(tx, name, site.clock.now())
    if use is None:
        return []
    return list(monthly_balances(inflow, use, site.zone))[-MONTHS:][::-1]
