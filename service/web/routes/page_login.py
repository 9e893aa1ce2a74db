"""Signing in and out, and choosing a language."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from metering.errors import InvalidValue
from service.operators.gate import SessionGate, WrongPassword
from service.operators.session import COOKIE
from service.web.context import LANGUAGE_COOKIE, Site, UseSite
from service.web.errors import NotFound
from service.web.i18n import LANGUAGES
from service.web.pages import page

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_LARGEST_FORM = 4096
_YEAR_S = 365 * 86_400


@router.get("/login")
def login(
    request: Request, site: UseSite, following: Annotated[str, Query(alias="next", max_length=2000)] = ""
) -> Response:
    """Ask who it is."""
    _gate(site)
    return page(request, "login.html", following=_here(following), wrong=False, wait_s=0, name="")


@router.post("/login")
async def sign_in(request: Request, site: UseSite) -> Response:
    """Let somebody in, or say that name or password is wrong."""
    _own(request)
    form = await _form(request)
    return await run_in_threadpool(_signed_in, request, _gate(site), form)


@router.post("/logout")
def sign_out(request: Request, site: UseSite) -> Response:
    """End the session."""
    _own(request)
    _gate(site).sign_out(request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


@router.post("/language")
async def language(
    request: Request, following: Annotated[str, Query(alias="next", max_length=4000)] = ""
) -> Response:
    """Remember the language somebody chose, and show the page again."""
    _own(request)
    form = await _form(request)
    if form.get("to") not in LANGUAGES:
        raise InvalidValue(f"there is no such language here; there are {', '.join(LANGUAGES)}")
    answer = RedirectResponse(_within(following), HTTPStatus.SEE_OTHER)
    answer.set_cookie(LANGUAGE_COOKIE, form["to"], max_age=_YEAR_S, httponly=True, samesite="lax")
    return answer


def _signed_in(request: Request, gate: SessionGate, form: dict[str, str]) -> Response:
    name, following = form.get("name", ""), _here(form.get("next", ""))
    address = request.client.host if request.client else ""
    try:
        cookie = gate.sign_in(name, form.get("password", ""), address)
    except WrongPassword as wrong:
        seconds = -int(-wrong.wait.total_seconds() // 1)
        said = {"following": following, "wrong": True, "wait_s": seconds, "name": name[:60]}
        answer: Response = page(request, "login.html", **said)
        answer.status_code = HTTPStatus.TOO_MANY_REQUESTS if seconds else HTTPStatus.UNAUTHORIZED
        if seconds:
            answer.headers["Retry-After"] = str(seconds)
        return answer
    answer = RedirectResponse(following, HTTPStatus.SEE_OTHER)
    answer.set_cookie(
        COOKIE,
        cookie,
        max_age=int(gate.lasting.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=gate.https or request.url.scheme == "https",
    )
    return answer


async def _form(request: Request) -> dict[str, str]:
    body = await request.body()
    if len(body) > _LARGEST_FORM:
        raise InvalidValue(f"the form is longer than {_LARGEST_FORM} bytes")
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


def _gate(site: Site) -> SessionGate:
    if not isinstance(site.gate, SessionGate):
        raise NotFound("Nobody signs in here.")
    return site.gate


def _own(request: Request) -> None:
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise InvalidValue("one signs in and out on these pages, not from another site")


def _here(address: str) -> str:
    """Give an address to go on to after signing in."""
    return "/" if address.startswith("/log") else _within(address)


def _within(address: str) -> str:
    """Give an address of these pages; anything else becomes the first page."""
    ours = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if ours else "/"
