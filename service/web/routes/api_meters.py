"""Meters: list with search, one meter."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from metering.meter import MeterId
from service.provenance import kept_of
from service.web.context import UseSite
from service.web.errors import PROBLEMS, NotFound
from service.web.formats import ExactJSON
from service.web.schemas.meters import MeterDetail, MeterOut, MeterPage

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["meters"], responses=PROBLEMS)


@router.get("/meters", response_model=MeterPage)
def list_meters(
    site: UseSite,
    search: Annotated[
        str, Query(max_length=100, description="in identity, label, service point and address")
    ] = "",
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> ExactJSON:
    """List registered meters."""
    with site.store.reading() as tx:
        rows, total = tx.registry.overview(search=search, offset=offset, limit=limit)
        kept = kept_of((row.last_reading for row in rows if row.last_reading), tx)
    return ExactJSON(MeterPage(meters=[MeterOut.of(row, kept) for row in rows], total=total, offset=offset))


@router.get("/meters/{meter_id}", response_model=MeterDetail)
def one_meter(site: UseSite, meter_id: str) -> ExactJSON:
    """Give one meter with its installations and the newest value of each register."""
    meter = MeterId.parse(meter_id)
    with site.store.reading() as tx:
        found = tx.registry.details_of(meter)
        latest = tx.readings.latest(meter)
        last = [found[0].last_reading] if found and found[0].last_reading else []
        kept = kept_of([*latest, *last], tx)
    if found is None:
        raise NotFound(f"meter {meter} is not in the registry")
    return ExactJSON(MeterDetail.of(*found, latest, kept))
