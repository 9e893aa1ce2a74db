"""The front page: what came, how it ended, and how ingest is doing."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from service.fleet_status import fleet_status
from service.web.account import account_of
from service.web.context import Site, UseSite
from service.web.pages import page

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_LAST_TELEGRAMS = 8


@router.get("/")
def overview(request: Request, site: UseSite) -> HTMLResponse:
    """Show the whole page."""
    return page(request, "overview.html", **_state(site))


@router.get("/fragments/overview")
def fragment(request: Request, site: UseSite) -> HTMLResponse:
    """Give the part that the page's script renews every few seconds."""
    return page(request, "_overview.html", **_state(site))


def _state(site: Site) -> dict[str, Any]:
    with site.store.reading() as tx:
        gateways, words = tx.ledger.gateways(), tx.ledger.words()
        _, meters = tx.registry.overview(limit=1)
        telegrams = tx.archive.telegrams(limit=_LAST_TELEGRAMS)
    fleet = fleet_status(gateways, words, site.clock.now(), plans=site.plans())
    return {
        "alarming": [one for one in fleet if one.alarming],
        "gateways": [(row, account_of([row])) for row in gateways],
        "account": account_of(gateways),
        "meters": meters,
        "telegrams": telegrams,
        "ingest": site.ingest_status() if site.ingest_status else None,
    }
