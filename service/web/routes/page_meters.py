"""The meter list."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from service.web.context import UseSite
from service.web.pages import page

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_PER_PAGE = 50


@router.get("/meters")
def meters(
    request: Request,
    site: UseSite,
    search: Annotated[str, Query(max_length=100)] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=1_000_000)] = 1,
) -> HTMLResponse:
    """List meters, a page at a time."""
    with site.store.reading() as tx:
        rows, total = tx.registry.overview(
            search=search.strip(), offset=(number - 1) * _PER_PAGE, limit=_PER_PAGE
        )
    last = max(1, -(-total // _PER_PAGE))
    return page(
        request, "meters.html", rows=rows, total=total, search=search.strip(), number=number, last=last
    )
