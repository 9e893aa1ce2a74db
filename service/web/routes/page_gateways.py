"""Gateways: who brings the readings, and what became of what they brought."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from service.coverage import WINDOW
from service.fleet_status import read_status
from service.web.account import account_of
from service.web.context import UseSite
from service.web.pages import page

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_GAPS = 50


@router.get("/gateways")
def gateways(request: Request, site: UseSite) -> HTMLResponse:
    """Show how every gateway is that is planned or was ever heard, and what each brought."""
    plans = site.plans()
    with site.store.reading() as tx:
        rows = tx.ledger.gateways()
        gaps = tx.ledger.gaps(limit=_GAPS)
        fleet = read_status(tx, site.clock.now(), plans)
    return page(
        request,
        "gateways.html",
        fleet=fleet,
        plans_trouble=plans.trouble,
        days=WINDOW.days,
        gateways=[(row, account_of([row])) for row in rows],
        gaps=gaps,
    )
