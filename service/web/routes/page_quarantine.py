"""What could not be read, byte for byte, with the reason."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from service.web.context import UseSite
from service.web.errors import NotFound
from service.web.pages import page
from service.web.queries import Before, RowNumber

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_PER_PAGE = 50
_SHOWN = 4096
"""More bytes of one item than this are for a program to look at."""


@router.get("/quarantine")
def quarantine(request: Request, site: UseSite, before: Before = None) -> HTMLResponse:
    """List quarantined items, newest first."""
    with site.store.reading() as tx:
        items = tx.ledger.quarantined(before=before, limit=_PER_PAGE)
    following = items[-1].id if len(items) == _PER_PAGE else None
    return page(request, "quarantine.html", items=items, before=before, following=following)


@router.get("/quarantine/{number}")
def one_quarantined(request: Request, site: UseSite, number: RowNumber) -> HTMLResponse:
    """Show one quarantined item."""
    with site.store.reading() as tx:
        item = tx.ledger.quarantined_item(number)
    if item is None:
        raise NotFound(f"There is no quarantined item {number}.")
    return page(request, "quarantined.html", item=item, shown=_SHOWN)
