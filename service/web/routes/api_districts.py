"""Districts for programs: how each stands, and its hours."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from metering.errors import InvalidValue
from service.web.context import UseSite
from service.web.district_views import districts_of
from service.web.errors import PROBLEMS, NotFound
from service.web.formats import ExactJSON
from service.web.queries import moment
from service.web.schemas.districts import DistrictOut, DistrictPage, HourOut, HoursOut

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["districts"], responses=PROBLEMS)

_WIDEST = timedelta(days=400)
_USUAL = timedelta(days=7)
Name = Annotated[str, Query(max_length=200, description="id of the district")]
Time = Annotated[str | None, Query(max_length=40)]


@router.get("/districts", response_model=DistrictPage)
def list_districts(site: UseSite) -> ExactJSON:
    """List the districts that have border meters."""
    with site.store.reading() as tx:
        views = districts_of(tx)
    return ExactJSON(DistrictPage(districts=[DistrictOut.of(one) for one in views]))


@router.get("/district-hours", response_model=HoursOut)
def hours(
    site: UseSite,
    name: Name,
    since: Annotated[Time, Query(alias="from")] = None,
    until: Annotated[Time, Query(alias="to")] = None,
) -> ExactJSON:
    """Give the hours of a district, at most 400 days at a time; the last seven days if nothing is asked."""
    end = site.clock.now() if until is None else moment(until, site.zone)
    begin = end - _USUAL if since is None else moment(since, site.zone)
    if begin >= end or end - begin > _WIDEST:
        raise InvalidValue(f"`from` must be before `to`, at most {_WIDEST.days} days")
    with site.store.reading() as tx:
        if name not in tx.districts.meters():
            raise NotFound(f"there is no district {name}")
        found = tx.districts.hours(name, begin, end)
    return ExactJSON(HoursOut(name=name, hours=[HourOut.of(one) for one in found]))
