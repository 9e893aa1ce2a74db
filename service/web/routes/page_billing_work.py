"""Billing between closings: where readers are to go, and what the rules of arrival and of intervals found."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from metering.orders import OrderState
from service.web.context import UseSite
from service.web.pages import page

__all__ = ["router"]

router = APIRouter(include_in_schema=False, prefix="/billing")

_PER_PAGE = 50
_NUMBER = Query(ge=0, le=2**63 - 1)


@router.get("/orders")
def orders(
    request: Request,
    site: UseSite,
    show: Annotated[str, Query(pattern="^(open|all)?$")] = "",
    after: Annotated[int, _NUMBER] = 0,
) -> HTMLResponse:
    """List reading orders, the oldest first; overdue ones say so."""
    states = list(OrderState) if show == "all" else [OrderState.OPEN]
    today = site.clock.now().astimezone(site.zone).date()
    with site.store.reading() as tx:
        found = tx.orders.orders(states, after=after, limit=_PER_PAGE)
        waiting, overdue = tx.orders.counts(today)
    return page(
        request,
        "billing_orders.html",
        orders=found,
        today=today,
        waiting=waiting,
        overdue=overdue,
        show=show,
        after=after,
        following=found[-1].number if len(found) == _PER_PAGE else None,
    )


@router.get("/checks")
def checks(request: Request, site: UseSite, before: Annotated[int | None, _NUMBER] = None) -> HTMLResponse:
    """List what was raised between closings, the newest first."""
    with site.store.reading() as tx:
        found = tx.checks.page(before=before, limit=_PER_PAGE)
    return page(
        request,
        "billing_checks.html",
        found=[one for _number, one in found],
        before=before,
        following=found[-1][0] if len(found) == _PER_PAGE else None,
    )
