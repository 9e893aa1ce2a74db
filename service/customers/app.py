"""The customers' pages and their data: an application of its own, mounted below ``/c``.

::

    /c/TOKEN              the chart, for people and for frames of the utility's portal
    /c/TOKEN/data.json    the same numbers; .csv, .xml (Green Button)
    /c/TOKEN/state        a state of the dial told by the customer
    /c/api/consumption    the same JSON, token as Authorization: Bearer
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from billing_bridge.self_reading import Answer, Channel
from metering.consumption import Interval, Step
from metering.errors import InvalidValue, TelemetryError
from service.customers.addresses import address, around, finer
from service.customers.answers import fault, html, plain
from service.customers.asked import Asked, Compare, Shape, asked_for
from service.customers.door import Guest, HoursTooOld, NeedsConsent
from service.customers.drawing import draw, event_name, looks_in, says
from service.customers.files import as_csv, as_data, as_green_button, look_of
from service.customers.site import CustomerSite, site_of, words_of
from service.customers.token import Refused
from service.customers.view import View
from service.customers.words import LANGUAGES, Words
from service.web.formats import ExactJSON, most_places
from service.web.periods import STEPS, Span

__all__ = ["customer_app"]

_HERE = Path(__file__).parent
_ASKED = ("span", "day", "first", "last", "step", "compare", "shape")
_MOST_FORM = 4096


def customer_app(site: CustomerSite) -> FastAPI:
    """Make the application."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.site = site
    app.add_exception_handler(TelemetryError, fault)
    app.add_exception_handler(HTTPException, fault)
    app.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")
    app.add_api_route("/api/consumption", _bearer)
    app.add_api_route("/{token}", _page)
    app.add_api_route("/{token}/data.json", _json)
    app.add_api_route("/{token}/data.csv", _csv)
    app.add_api_route("/{token}/data.xml", _xml)
    app.add_api_route("/{token}/consent", _consent, methods=["POST"])
    app.add_api_route("/{token}/state", _state)
    app.add_api_route("/{token}/state", _tell, methods=["POST"])
    return app


# --- what is asked --------------------------------------------------------------------------------


def _asked(request: Request, site: CustomerSite) -> Asked:
    unknown = request.query_params.keys() - {*_ASKED, "lang"}
    if unknown:
        raise InvalidValue(
            f"nothing is known of {min(unknown)[:40]!r}; there are {', '.join(_ASKED)} and lang"
        )
    today = site.now().astimezone(site.door.zone).date()
    return asked_for(today, **{name: request.query_params.get(name, "") for name in _ASKED})


# --- answers --------------------------------------------------------------------------------------


def _page(request: Request, token: str) -> Response:
    site = site_of(request)
    guest = site.door.open(token)
    told, asked = words_of(request, site, guest), _asked(request, site)
    hint = ""
    try:
        shown = site.door.show(guest, asked, "page")
    except (NeedsConsent, HoursTooOld) as refused:
        hint = (
            told("consent.needed")
            if isinstance(refused, NeedsConsent)
            else told("consent.old", months=refused.months)
        )
        asked = replace(asked, step=Step.DAY)
        shown = site.door.show(guest, asked, "page")
    return html(request, site, told, "chart.html", **_chart(request, site, guest, shown, told), hint=hint)


def _chart(request: Request, site: CustomerSite, guest: Guest, shown: View, told: Words) -> dict[str, Any]:
    asked, zone = shown.asked, site.door.zone
    to = functools.partial(address, request, asked)
    STEPS[asked.span] if asked.span else Step

    def inside(start: datetime, end: datetime) -> str:
        return finer(to, asked, start.astimezone(zone), end.astimezone(zone), hours=guest.agreed)

    return {
        "guest": guest,
        "view": shown,
        "asked": asked,
        "to": to,
        "drawings": draw(shown, told, zone, inside),
        "looks": looks_in(shown),
        "look_of": look_of,
        "says": functools.partial(says, words=told, zone=zone),
        "event_name": functools.partial(event_name, words=told),
        "summary": _summary(shown, told, zone),
        "behind_summary": _behind_summary(shown, told),
        "spans": list(Span),
        "steps": [
            step
            for step in (STEPS[asked.span] if asked.span else Step)
            if step is not Step.HOUR or guest.agreed
        ],
        "compares": list(Compare),
        "shapes": list(Shape),
        "around": functools.partial(around, to, asked),
        "zone": zone,
        "last_day": asked.last - timedelta(days=1),
        "all_steps": [step for step in Step if step is not Step.HOUR or guest.agreed],
        "query": f"?{request.url.query}" if request.url.query else "",
        "self_path": f"{request.scope.get('root_path', '')}/{guest_token(request)}",
        "places": most_places(number for one in shown.volumes.intervals for number in _numbers(one)),
    }


def _numbers(one: Interval) -> tuple[Decimal, ...]:
    return one.volume, one.opening.value, one.closing.value


def _summary(shown: View, told: Words, zone: ZoneInfo) -> str:
    total = shown.volumes.total_m3
    if shown.volumes.stretch is None:
        return told("page.other_tenancy")
    if total is None:
        return told("sum.none")
    volume = told.cubic_metres(total)
    if shown.volumes.complete:
        return told("sum.complete", volume=volume)
    until = shown.volumes.known_until
    if until is None:
        return told("sum.part", volume=volume)
    return told("sum.so_far", volume=volume, until=told.moment(until, zone))


def _behind_summary(shown: View, told: Words) -> str:
    behind, days = shown.behind, shown.asked.behind
    if behind is None or days is None or behind.total_m3 is None:
        return ""
    period = told.days(*days, shown.asked.span)
    return told("sum.behind", period=period, volume=told.cubic_metres(behind.total_m3))


def _json(request: Request, token: str) -> Response:
    return _data(request, token)


def _bearer(request: Request) -> Response:
    """Give the data to a portal's server."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer":
        raise Refused
    return _data(request, token.strip())


def _data(request: Request, token: str) -> Response:
    site = site_of(request)
    guest = site.door.open(token)
    shown = site.door.show(guest, _asked(request, site), "json")
    return plain(ExactJSON(as_data(guest.point, shown, site.door.zone)))


def _csv(request: Request, token: str) -> Response:
    site = site_of(request)
    guest = site.door.open(token)
    shown = site.door.show(guest, _asked(request, site), "csv")
    body = as_csv(shown, words_of(request, site, guest), site.door.zone)
    return _file(body, "text/csv; charset=utf-8", shown, "csv")


def _xml(request: Request, token: str) -> Response:
    site = site_of(request)
    guest = site.door.open(token)
    shown = site.door.show(guest, _asked(request, site), "green button")
    told = words_of(request, site, guest)
    body = as_green_button(guest.point, shown, told, zone=site.door.zone, now=site.now())
    return _file(body, "application/atom+xml; charset=utf-8", shown, "xml")


def _file(body: bytes, kind: str, shown: View, suffix: str) -> Response:
    name = f"water-{shown.asked.first}-{shown.asked.step.value}.{suffix}"
    response = Response(body, media_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return plain(response)


async def _consent(request: Request, token: str) -> Response:
    said = await _form(request)
    return await run_in_threadpool(_agree, request, token, said.get("given", ""))


def _agree(request: Request, token: str, given: str) -> Response:
    site = site_of(request)
    guest = site.door.open(token)
    if given not in {"yes", "no"}:
        raise InvalidValue("given is yes or no")
    site.door.agree(guest, given=given == "yes")
    query = f"?{request.url.query}" if request.url.query else ""
    return plain(RedirectResponse(f"../{token}{query}", HTTPStatus.SEE_OTHER))


def _state(request: Request, token: str) -> Response:
    site = site_of(request)
    return _state_page(request, site, site.door.open(token))


async def _tell(request: Request, token: str) -> Response:
    said = await _form(request)
    return await run_in_threadpool(_take, request, token, said.get("state", ""))


def _take(request: Request, token: str, typed: str) -> Response:
    site = site_of(request)
    guest = site.door.open(token)
    if site.readings is None:
        raise InvalidValue("states are not taken here")
    by = guest.customer.code if guest.customer else guest.claims.contract
    taken = site.readings.enter(guest.point.id, typed, by=by, channel=Channel.WEB)
    told = words_of(request, site, guest)
    if taken.entry.answer is Answer.RECEIVED and taken.entry.value is not None:
        said = told("state.received", state=told.number(taken.entry.value))
        return _state_page(request, site, guest, received=said)
    page = _state_page(request, site, guest, refused=taken.entry.sentence(told.language), typed=typed[:40])
    page.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    return page


def _state_page(request: Request, site: CustomerSite, guest: Guest, **said: str) -> HTMLResponse:
    told, zone = words_of(request, site, guest), site.door.zone
    history = [
        one
        for one in (site.readings.history(guest.point.id) if site.readings else ())
        if any(mine.holds_at(one.entered_at) for mine in guest.tenancies)
        and one.channel not in {"visit", "reader"}
    ]
    values: dict[str, Any] = {"received": "", "refused": "", "typed": "", **said}
    lang = request.query_params.get("lang", "")
    return html(
        request, site, told, "state.html", guest=guest, history=list(reversed(history)), zone=zone,
        back=f"../{guest_token(request)}" + (f"?lang={lang}" if lang in LANGUAGES else ""), **values,
    )  # fmt: skip


def guest_token(request: Request) -> str:
    """Give the token in an address."""
    return str(request.path_params["token"])


async def _form(request: Request) -> Mapping[str, str]:
    """Read a form.

    Raises:
        InvalidValue: too large, or not text.
    """
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_FORM:
            raise InvalidValue("the form is larger than such a form can be")
    try:
        said = parse_qs(body.decode("utf-8"), max_num_fields=20)
    except ValueError:
        raise InvalidValue("the form is not readable") from None
    return {name: values[-1] for name, values in said.items()}
