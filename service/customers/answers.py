"""How the customers' side answers: pages with their policy, no copies in caches, faults in their language."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from metering.errors import StoreUnavailable
from service.customers.door import HoursTooOld, NeedsConsent
from service.customers.site import CustomerSite, site_of, words_of
from service.customers.token import Refused
from service.customers.words import LANGUAGES, Words
from service.web.formats import ExactJSON

__all__ = ["fault", "html", "plain"]

_HERE = Path(__file__).parent


@functools.cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def html(request: Request, site: CustomerSite, told: Words, template: str, **values: Any) -> HTMLResponse:
    """Make a page."""
    lang = request.query_params.get("lang", "")
    text = (
        _templates()
        .get_template(template)
        .render(
            t=told,
            site=site,
            root=request.scope.get("root_path", ""),
            languages=LANGUAGES,
            lang=lang,
            **values,
        )
    )
    response = HTMLResponse(text)
    response.headers["Content-Security-Policy"] = _policy(site.embed)
    plain(response)
    return response


def _policy(embed: Sequence[str]) -> str:
    ancestors = " ".join(["'self'", *embed]) if embed else "'none'"
    return (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        f"frame-ancestors {ancestors}"
    )


def plain(response: Response) -> Response:
    """What is a person's own stays in no cache, and no address with a token leaves as a referrer."""
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def fault(request: Request, error: Exception) -> Response:
    """Answer an error: a page for people, problem+json (RFC 9457) for programs."""
    site = site_of(request)
    status, key = _named(error)
    if not _wants_page(request):
        problem = {"title": status.phrase, "status": int(status), "detail": str(error) or status.phrase}
        return plain(ExactJSON(problem, status, media_type="application/problem+json"))
    told = words_of(request, site)
    response = html(request, site, told, "error.html", sentence=told(f"error.{key}"), zone=site.door.zone)
    response.status_code = status
    return response


def _named(error: Exception) -> tuple[HTTPStatus, str]:
    match error:
        case Refused():
            return HTTPStatus.FORBIDDEN, "expired" if error.expired else "invalid"
        case NeedsConsent() | HoursTooOld():
            return HTTPStatus.FORBIDDEN, "asked"
        case StoreUnavailable():
            return HTTPStatus.SERVICE_UNAVAILABLE, "busy"
        case HTTPException():
            return HTTPStatus(error.status_code), "gone"
        case _:
            return HTTPStatus.UNPROCESSABLE_ENTITY, "asked"


def _wants_page(request: Request) -> bool:
    path = request.url.path
    return not (path.endswith(("/data.json", "/data.csv", "/data.xml")) or "/api/" in path)
