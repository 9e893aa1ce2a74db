"""Districts: the list, and one with its night flow, its water balance and its findings."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, Response

from service.web.context import UseSite, texts_of
from service.web.district_views import balances_of, district_picture, districts_of
from service.web.errors import NotFound
from service.web.finding_views import language_of, view_of
from service.web.pages import page

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_LONGEST = 200
_SHOWN = 20


@router.get("/districts")
def districts(request: Request, site: UseSite) -> HTMLResponse:
    """List the districts that have border meters."""
    with site.store.reading() as tx:
        views = districts_of(tx)
    return page(request, "districts.html", views=views)


@router.get("/district-night.svg")
def picture(
    site: UseSite, name: Annotated[str, Query(max_length=_LONGEST)], lang: str | None = None
) -> Response:
    """Draw a district's nights and days."""
    with site.store.reading() as tx:
        drawn = district_picture(tx, name, site, language_of(lang, ""), tx.findings.of(name)[:_SHOWN])
    if not drawn:
        raise NotFound(f"There is no picture of district {name}.")
    return Response(drawn, media_type="image/svg+xml", headers={"Cache-Control": "no-cache"})


@router.get("/districts/{name:path}")
def one_district(request: Request, site: UseSite, name: str, lang: str | None = None) -> HTMLResponse:
    """Show one district: nights, balance, findings, border meters."""
    language = language_of(lang, texts_of(request).language)
    with site.store.reading() as tx:
        view = next((one for one in districts_of(tx) if one.name == name), None)
        if view is None:
            raise NotFound(f"There is no district {name}.")
        drawn = bool(district_picture(tx, name, site, language, ()))
        balances = balances_of(tx, name, site)
    return page(
        request,
        "district.html",
        view=view,
        drawn=drawn,
        balances=balances,
        findings=[view_of(one, site, language) for one in view.findings[:_SHOWN]],
        language=language,
    )
