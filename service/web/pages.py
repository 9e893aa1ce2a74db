"""Jinja templates: autoescaped, with the texts, the zone and the present at hand."""

from __future__ import annotations

import functools
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from metering.gateway import condition
from metering.status import names_of
from service.web.context import Site, person_of, site_of, texts_of
from service.web.formats import ago, grouped, hexdump, interval_text, local, most_places, unit_sign
from service.web.i18n import LANGUAGES, Catalogue

__all__ = ["page"]


@functools.cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        grouped=grouped, unit=unit_sign, hexdump=hexdump, places=most_places, flags=names_of
    )
    environment.globals.update(link=_link)
    return environment


def _link(path: str, **query: object) -> str:
    """Give an address with those query values that say something."""
    given = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path


def page(request: Request, template: str, **values: Any) -> HTMLResponse:
    """Make a page or a fragment of one."""
    site = site_of(request)
    now, texts = site.clock.now(), texts_of(request)
    text = (
        _templates()
        .get_template(template)
        .render(
            site=site,
            t=texts,
            own_languages=LANGUAGES,
            here=f"{request.url.path}{'?' if request.url.query else ''}{request.url.query}",
            now=now,
            path=request.url.path,
            person=person_of(request),
            local=functools.partial(_local, site),
            ago=functools.partial(_ago, texts, now),
            condition=functools.partial(condition, now=now),
            stretch=functools.partial(interval_text, zone=site.zone),
            **values,
        )
    )
    headers = {"Cache-Control": "no-cache", "Vary": "Accept-Language, Cookie"}
    return HTMLResponse(text, headers=headers)


def _local(site: Site, moment: datetime, pattern: str = "%Y-%m-%d %H:%M:%S") -> str:
    return local(moment, site.zone, pattern)


def _ago(texts: Catalogue, now: datetime, moment: datetime) -> str:
    return ago(moment, now, texts)
