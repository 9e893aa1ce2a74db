"""Telegrams: list, and one with every byte explained."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from metering.meter import MeterId
from metering.ports import TelegramState
from service.provenance import no_longer_kept
from service.web.context import UseSite
from service.web.errors import PROBLEMS, NotFound
from service.web.explained import explain
from service.web.formats import ExactJSON
from service.web.queries import Before, RowNumber
from service.web.schemas.readings import ReadingOut
from service.web.schemas.telegrams import TelegramDetail, TelegramOut, TelegramPage

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["telegrams"], responses=PROBLEMS)


@router.get("/telegrams", response_model=TelegramPage)
def list_telegrams(
    site: UseSite,
    meter: Annotated[str | None, Query(max_length=60, description="meter id")] = None,
    state: TelegramState | None = None,
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> ExactJSON:
    """List telegrams, newest first."""
    of_meter = None if meter is None else MeterId.parse(meter)
    with site.store.reading() as tx:
        found = tx.archive.telegrams(meter=of_meter, state=state, before=before, limit=limit)
    following = found[-1].id if len(found) == limit else None
    return ExactJSON(TelegramPage(telegrams=[TelegramOut.of(one) for one in found], next_before=following))


@router.get("/telegrams/{number}", response_model=TelegramDetail)
def one_telegram(site: UseSite, number: RowNumber) -> ExactJSON:
    """Give one telegram with its receptions and what every byte means."""
    with site.store.reading() as tx:
        telegram = tx.archive.telegram(number)
        if telegram is None:
            raise NotFound(no_longer_kept(number, tx) or f"there is no telegram {number}")
        readings, _ = tx.readings.of_telegram(number)
        meter = tx.registry.meters([telegram.meter]).get(telegram.meter)
        found = explain(telegram, tx.keyring, meter.model if meter else None)
    return ExactJSON(
        TelegramDetail.of(telegram, found, [ReadingOut.of(reading, {number}) for reading in readings])
    )
