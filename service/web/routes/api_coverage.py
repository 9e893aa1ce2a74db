"""Coverage, gaps in what gateways sent, meters of others, signal over time."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from service.coverage import WINDOW, coverage_of
from service.web.context import UseSite
from service.web.errors import PROBLEMS
from service.web.formats import ExactJSON
from service.web.queries import known_meter
from service.web.schemas.coverage import (
    CoverageOut,
    GapOut,
    GapsOut,
    SignalOut,
    SignalsOut,
    StrangerOut,
    StrangersOut,
)

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["coverage"], responses=PROBLEMS)

Days = Annotated[int, Query(ge=1, le=400, description="how far back")]


@router.get("/coverage", response_model=CoverageOut)
def coverage(
    site: UseSite, days: Annotated[int, Query(ge=1, le=90, description="window")] = WINDOW.days
) -> ExactJSON:
    """Give the share of registered meters read within the window, by route, district and gateway."""
    with site.store.reading() as tx:
        report = coverage_of(tx, site.clock.now(), timedelta(days=days))
    return ExactJSON(CoverageOut.of(report))


@router.get("/gaps", response_model=GapsOut)
def gaps(
    site: UseSite,
    gateway: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> ExactJSON:
    """List numbers of gateways that never came, the newest gap first."""
    with site.store.reading() as tx:
        found = tx.ledger.gaps(gateway, limit=limit)
    return ExactJSON(GapsOut(gaps=[GapOut.of(gap) for gap in found]))


@router.get("/foreign", response_model=StrangersOut)
def foreign(
    site: UseSite,
    days: Days = 30,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> ExactJSON:
    """List meters that are heard and not registered, most heard first."""
    since = site.clock.now() - timedelta(days=days)
    with site.store.reading() as tx:
        strangers, number = tx.upkeep.strangers(since, offset=offset, limit=limit)
    return ExactJSON(StrangersOut(meters=[StrangerOut.of(one) for one in strangers], total=number))


@router.get("/meters/{meter_id}/signal", response_model=SignalsOut)
def signal(site: UseSite, meter_id: str, days: Days = 30) -> ExactJSON:
    """Give how a meter was heard, by day (UTC) and gateway."""
    now = site.clock.now()
    with site.store.reading() as tx:
        meter = known_meter(tx, meter_id).meter.id
        found = tx.coverage.signal(meter, now - timedelta(days=days), now)
    return ExactJSON(SignalsOut(signals=[SignalOut.of(one) for one in found]))
