"""Coverage: who is read, who hears whom, which meters hang on one gateway alone; meters of others."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from service.coverage import WINDOW, coverage_of
from service.web.context import UseSite
from service.web.pages import page

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_PER_PAGE = 50
_STRANGERS = timedelta(days=30)


@router.get("/coverage")
def coverage(
    request: Request, site: UseSite, days: Annotated[int, Query(ge=1, le=90)] = WINDOW.days
) -> HTMLResponse:
    """Show which share of the meters is read."""
    with site.store.reading() as tx:
        report = coverage_of(tx, site.clock.now(), timedelta(days=days))
    return page(request, "coverage.html", report=report, days=days)


@router.get("/foreign")
def foreign(
    request: Request, site: UseSite, offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0
) -> HTMLResponse:
    """List meters that are heard and not registered."""
    since = site.clock.now() - _STRANGERS
    with site.store.reading() as tx:
        strangers, number = tx.upkeep.strangers(since, offset=offset, limit=_PER_PAGE)
    following = offset + _PER_PAGE if offset + _PER_PAGE < number else None
    return page(
        request,
        "foreign.html",
        strangers=strangers,
        number=number,
        days=_STRANGERS.days,
        following=following,
        offset=offset,
    )
