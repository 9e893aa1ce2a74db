"""Telegrams: list by state or meter, and one with every byte explained."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from metering.meter import MeterId
from metering.ports import TelegramState
from service.provenance import no_longer_kept
from service.web.context import UseSite
from service.web.errors import NotFound
from service.web.explained import explain
from service.web.pages import page
from service.web.queries import Before, RowNumber

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_PER_PAGE = 50


@router.get("/telegrams")
def telegrams(
    request: Request,
    site: UseSite,
    state: TelegramState | None = None,
    meter: Annotated[str | None, Query(max_length=60)] = None,
    before: Before = None,
) -> HTMLResponse:
    """List telegrams, newest first."""
    of_meter = MeterId.parse(meter) if meter else None
    with site.store.reading() as tx:
        found = tx.archive.telegrams(meter=of_meter, state=state, before=before, limit=_PER_PAGE)
    following = found[-1].id if len(found) == _PER_PAGE else None
    return page(
        request,
        "telegrams.html",
        telegrams=found,
        state=state,
        states=list(TelegramState),
        meter=of_meter,
        before=before,
        following=following,
    )


@router.get("/telegrams/{number}")
def one_telegram(request: Request, site: UseSite, number: RowNumber) -> HTMLResponse:
    """Show what each byte of a telegram means."""
    with site.store.reading() as tx:
        telegram = tx.archive.telegram(number)
        if telegram is None:
            raise NotFound(no_longer_kept(number, tx) or f"There is no telegram {number}.")
        readings, details = tx.readings.of_telegram(number)
        meter = tx.registry.meters([telegram.meter]).get(telegram.meter)
        found = explain(telegram, tx.keyring, meter.model if meter else None)
    return page(
        request,
        "telegram.html",
        telegram=telegram,
        readings=readings,
        details=details,
        registered=meter is not None,
        found=found,
    )
