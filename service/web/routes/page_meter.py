"""One meter: facts, charts, the same numbers as a table, last telegrams."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse

from decoders.media import medium
from metering.consumption import Step
from metering.errors import InvalidValue
from metering.meter import MeterId
from metering.reading import Register
from service.provenance import is_gone, kept_of
from service.web.charts import consumption_charts, index_charts, marks_in
from service.web.context import UseSite, texts_of
from service.web.errors import NotFound
from service.web.finding_views import open_views
from service.web.history import MAIN_INDEX, is_index, read_history
from service.web.pages import page
from service.web.periods import STEPS, Period, Span

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_LAST_TELEGRAMS = 10
_SIGNAL = timedelta(days=13)


class ChartQuery(BaseModel):
    """What the charts show."""

    span: Span = Span.MONTH
    day: str | None = Field(None, max_length=10)
    step: Step | None = None
    register_key: str = Field(MAIN_INDEX.key, alias="register", max_length=200)


@router.get("/meters/{meter_id}")
def one_meter(
    request: Request,
    site: UseSite,
    meter_id: str,
    query: Annotated[ChartQuery, Query()],
) -> HTMLResponse:
    """Show one meter and one of its registers over a period."""
    meter, shown = MeterId.parse(meter_id), Register.parse(query.register_key)
    today = site.clock.now().astimezone(site.zone).date()
    period = Period.around(query.span, _day(query.day) if query.day else today)
    steps = STEPS[query.span]
    step = query.step if query.step in steps else steps[0]
    with site.store.reading() as tx:
        found = tx.registry.details_of(meter)
        if found is None:
            raise NotFound(f"Meter {meter} is not in the registry.")
        history = read_history(tx, meter, shown, window=period.window(site.zone), step=step, zone=site.zone)
        latest = tx.readings.latest(meter)
        kept = kept_of(latest, tx)
        telegrams = tx.archive.telegrams(meter=meter, limit=_LAST_TELEGRAMS)
        signals = tx.coverage.signal(meter, site.clock.now() - _SIGNAL, site.clock.now())
        findings = open_views(tx, str(meter), site, texts_of(request).language)
        has_key = bool(tx.keyring.have_keys([meter]))
    return page(
        request,
        "meter.html",
        row=found[0],
        installations=found[1],
        medium=found[0].meter.medium or medium(meter),
        has_key=has_key,
        findings=findings,
        latest=latest,
        removed={one.register for one in latest if is_gone(one, kept)},
        telegrams=telegrams,
        signals=signals,
        register=shown,
        counts=is_index(shown),
        period=period,
        spans=list(Span),
        step=step,
        steps=steps,
        history=history,
        consumption=consumption_charts(history, site.zone, texts_of(request)),
        index=index_charts(history, site.zone, texts_of(request)),
        marks=marks_in(history),
    )


def _day(text: str) -> date:
    """Read the day a period is chosen by.

    Raises:
        InvalidValue: not a date of this and the next century's calendars.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError as wrong:
        raise InvalidValue(f"{text!r} is not a date like 2026-01-31") from wrong
    if not 1990 <= day.year < 2200:
        raise InvalidValue(f"{text} is not between 1990 and 2200")
    return day
