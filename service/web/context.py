"""What every route needs: the store, the clock, the zone and the texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, cast
from zoneinfo import ZoneInfo

from fastapi import Depends, Request

from billing_bridge.utility import Utility
from metering.ports import Clock, Store
from service.anomaly_money import Tariff
from service.fleet_source import NO_PLANS, Plans
from service.web.i18n import Catalogue

__all__ = ["IngestStatus", "Site", "UseSite", "site_of"]


@dataclass(frozen=True, slots=True)
class IngestStatus:
    """How ingest is doing in this process.

    Attributes:
        connected: to the broker, now.
        queue_depth: deliveries waiting for a batch.
        oldest_unacked_s: age of the oldest delivery not acknowledged yet, seconds; 0 if there is none.
        received: deliveries since the process began.
        batches: batches committed since the process began.
        last_commit_at: UTC; ``None`` before the first commit.
        stores_available: whether the last attempt to write, to the series store as well, succeeded.
    """

    connected: bool
    queue_depth: int
    oldest_unacked_s: float
    received: int
    batches: int
    last_commit_at: datetime | None
    stores_available: bool = True


@dataclass(frozen=True, slots=True)
class Site:
    """One web application's own things.

    Attributes:
        store: where everything is.
        clock: the present.
        ingest_status: asks how ingest is doing; ``None`` if no ingest runs in this process.
        zone: the utility's local calendar.
        title: name on the pages.
        texts: words on the pages.
        plans: asks what is planned for the gateways.
        tariff: price of water, if one is set.
        utility: what is set for billing; ``None`` = nothing is decided here.
    """

    store: Store
    clock: Clock
    ingest_status: Callable[[], IngestStatus] | None
    zone: ZoneInfo
    title: str
    texts: Catalogue
    plans: Callable[[], Plans] = lambda: NO_PLANS
    tariff: Tariff | None = None
    utility: Utility | None = None


def site_of(request: Request) -> Site:
    """Give the site a request belongs to."""
    return cast("Site", request.app.state.site)


UseSite = Annotated[Site, Depends(site_of)]
"""A route's parameter that is given the site."""
