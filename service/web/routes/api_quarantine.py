"""What could not be read."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from service.web.context import UseSite
from service.web.errors import PROBLEMS, NotFound
from service.web.formats import ExactJSON
from service.web.queries import Before, RowNumber
from service.web.schemas.quarantine import QuarantineOut, QuarantinePage

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["quarantine"], responses=PROBLEMS)


@router.get("/quarantine", response_model=QuarantinePage)
def list_quarantine(
    site: UseSite, before: Before = None, limit: Annotated[int, Query(ge=1, le=100)] = 50
) -> ExactJSON:
    """List quarantined items, newest first."""
    with site.store.reading() as tx:
        items = tx.ledger.quarantined(before=before, limit=limit)
    following = items[-1].id if len(items) == limit else None
    return ExactJSON(QuarantinePage(items=[QuarantineOut.of(item) for item in items], next_before=following))


@router.get("/quarantine/{number}", response_model=QuarantineOut)
def one_quarantined(site: UseSite, number: RowNumber) -> ExactJSON:
    """Give one quarantined item, byte for byte."""
    with site.store.reading() as tx:
        item = tx.ledger.quarantined_item(number)
    if item is None:
        raise NotFound(f"there is no quarantined item {number}")
    return ExactJSON(QuarantineOut.of(item))
