"""Readings and consumption of one meter, as JSON and as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from metering.errors import InvalidValue
from metering.meter import MeterId
from metering.ports import Transaction
from metering.reading import Reading, Register
from service.provenance import kept_of
from service.web.context import Site, UseSite
from service.web.errors import PROBLEMS
from service.web.formats import ExactJSON
from service.web.history import History, is_index, read_history
from service.web.queries import (
    WIDEST,
    ConsumptionQuery,
    ReadingsPageQuery,
    ReadingsQuery,
    Window,
    known_meter,
    window,
)
from service.web.schemas.consumption import ConsumptionOut
from service.web.schemas.readings import ReadingOut, ReadingsOut
from service.web.tables import consumption_csv, csv_response, readings_csv

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/meters/{meter_id}", tags=["readings"], responses=PROBLEMS)

_WIDEST_READINGS = timedelta(days=3_700)
_CSV: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/csv": {}},
        "description": "comma-separated values, UTF-8, header in the first row",
    }
}


@router.get("/readings", response_model=ReadingsOut)
def readings(site: UseSite, meter_id: str, query: Annotated[ReadingsPageQuery, Query()]) -> ExactJSON:
    """Give readings of one register by time."""
    asked = window(query, now=site.clock.now(), zone=site.zone, widest=_WIDEST_READINGS)
    with site.store.reading() as tx:
        meter = known_meter(tx, meter_id).meter.id
        found, next_from = _page(tx, meter, Register.parse(query.key), asked, query.limit)
        kept = kept_of(found, tx)
    return ExactJSON(
        ReadingsOut(
            meter_id=str(meter),
            key=query.key,
            since=asked.since,
            until=asked.until,
            readings=[ReadingOut.of(reading, kept) for reading in found],
            next_from=next_from,
        )
    )


@router.get("/readings.csv", response_class=Response, responses=_CSV)
def readings_as_csv(site: UseSite, meter_id: str, query: Annotated[ReadingsQuery, Query()]) -> Response:
    """Give all readings of one register in a period."""
    asked = window(query, now=site.clock.now(), zone=site.zone, widest=_WIDEST_READINGS)
    with site.store.reading() as tx:
        meter = known_meter(tx, meter_id).meter.id
        found = tx.readings.series(meter, Register.parse(query.key), asked.since, asked.until)
    return csv_response(readings_csv(found), f"{meter}-readings")


@router.get("/consumption", response_model=ConsumptionOut)
def consumption(site: UseSite, meter_id: str, query: Annotated[ConsumptionQuery, Query()]) -> ExactJSON:
    """Give the volumes between readings over local hours, days, weeks or months; gaps stay gaps."""
    meter, history = _history(site, meter_id, query)
    return ExactJSON(ConsumptionOut.of(str(meter), history, site.zone))


@router.get("/consumption.csv", response_class=Response, responses=_CSV)
def consumption_as_csv(site: UseSite, meter_id: str, query: Annotated[ConsumptionQuery, Query()]) -> Response:
    """Give the same volumes as a table."""
    meter, history = _history(site, meter_id, query)
    return csv_response(consumption_csv(history, site.zone), f"{meter}-consumption-{query.step}")


def _history(site: Site, meter_id: str, query: ConsumptionQuery) -> tuple[MeterId, History]:
    register = Register.parse(query.key)
    if not is_index(register):
        raise InvalidValue(
            f"register {query.key} does not count up; consumption is the difference of an index"
        )
    asked = window(query, now=site.clock.now(), zone=site.zone, widest=WIDEST[query.step])
    with site.store.reading() as tx:
        meter = known_meter(tx, meter_id).meter.id
        history = read_history(tx, meter, register, window=asked, step=query.step, zone=site.zone)
    return meter, history


def _page(
    tx: Transaction, meter: MeterId, register: Register, asked: Window, limit: int
) -> tuple[Sequence[Reading], datetime | None]:
    """Give a page and where the next begins: values of one moment are never parted."""
    found = tx.readings.series(meter, register, asked.since, asked.until, limit=limit + 1)
    if len(found) <= limit:
        return found, None
    following = found[limit].measured_at
    whole = [reading for reading in found if reading.measured_at < following]
    if whole:
        return whole, following
    instant = timedelta(microseconds=1)
    return tx.readings.series(meter, register, following, following + instant), following + instant
