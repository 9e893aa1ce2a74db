"""Who is read and who hears whom, put together for the page, the API and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from metering.ports import Transaction
from metering.upkeep import GatewayCoverage, Grouping, Lonely, Silent, Success

__all__ = ["PATIENCE", "TARGET", "WINDOW", "CoverageReport", "coverage_of"]

WINDOW = timedelta(days=3)
"""Within which a meter must have been read."""
TARGET = 0.985
"""Share of meters that should be read within the window: what tenders for fixed networks ask for."""
PATIENCE = 5
"""Intervals of its own a meter may stay unheard before it counts as silent."""


@dataclass(frozen=True, slots=True)
class CoverageReport:
    """Coverage within a window.

    Attributes:
        window: how far back.
        target: share that should be read.
        routes: per reading route.
        districts: per district metered area.
        gateways: per gateway.
        lonely: meters only one gateway hears.
        silent: meters unheard for longer than their rhythm allows.
    """

    window: timedelta
    target: float
    routes: Sequence[Success]
    districts: Sequence[Success]
    gateways: Sequence[GatewayCoverage]
    lonely: Sequence[Lonely]
    silent: Sequence[Silent]

    @property
    def whole(self) -> Success:
        """All registered meters."""
        return Success("", sum(one.meters for one in self.routes), sum(one.read for one in self.routes))

    @property
    def share(self) -> float | None:
        """Read-success rate; ``None`` without meters."""
        return self.share_of(self.whole)

    @staticmethod
    def share_of(group: Success | GatewayCoverage) -> float | None:
        """Read-success rate of a group; ``None`` without meters."""
        return group.read / group.meters if group.meters else None


def coverage_of(
    transaction: Transaction, now: datetime, window: timedelta = WINDOW, limit: int = 50
) -> CoverageReport:
    """Read the coverage; lists of single meters hold at most ``limit``."""
    coverage, since = transaction.coverage, now - window
    return CoverageReport(
        window=window,
        target=TARGET,
        routes=coverage.success(Grouping.ROUTE, since),
        districts=coverage.success(Grouping.DISTRICT, since),
        gateways=coverage.by_gateway(since),
        lonely=coverage.lonely(since, limit=limit),
        silent=coverage.silent(now, PATIENCE, limit=limit),
    )
