"""Whom the operators' pages let in; asked before any page is made."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.operators.book import Role
from service.operators.session import COOKIE
from service.web.context import site_of
from service.web.errors import refusal

__all__ = ["Gatekeeper"]

_OPEN = ("/healthz", "/readyz", "/metrics", "/login", "/language")
_OPEN_BELOW = ("/static/", "/c/")
"""What needs no operator: customers come with tokens of their own."""

_LOOKING = {"GET", "HEAD", "OPTIONS"}
_EVERYBODY = {"/logout"}

_AGAIN = """<!doctype html>
<html><head><meta charset="utf-8"><meta http-equiv="refresh" content="0"><title>Nurt</title></head>
<body></body></html>"""
"""A link on somebody else's page brings no cookie; the same address asked for by a page of ours does."""


class Gatekeeper:
    """ASGI middleware that lets through whom the site's gate knows, and those who need not be known."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with who sent it, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        answer = _stopped(request)
        await (self._app if answer is None else answer)(scope, receive, send)


def _stopped(request: Request) -> Response | None:
    """Give the answer to whoever is not let through."""
    gate, path = site_of(request).gate, _path(request)
    if gate is None or path in _OPEN or path.startswith(_OPEN_BELOW):
        return None
    cookie = request.cookies.get(COOKIE, "")
    person = gate.who(cookie, request.headers)
    request.state.person = person
    if person is None:
        return _unknown(request, asks=gate.asks)
    if request.method not in _LOOKING and not (path in _EVERYBODY or person.role.covers(Role.OPERATOR)):
        return refusal(request, HTTPStatus.FORBIDDEN, f"{person.name} may look, and decide nothing.")
    return None


def _unknown(request: Request, *, asks: bool) -> Response:
    if not asks:
        said = "The proxy in front did not say who this is."
        return refusal(request, HTTPStatus.FORBIDDEN, said)
    if _path(request).startswith("/api/"):
        return refusal(request, HTTPStatus.UNAUTHORIZED, "Sign in at /login first.")
    if request.method not in _LOOKING:
        return RedirectResponse("/login", HTTPStatus.SEE_OTHER)
    if request.headers.get("sec-fetch-site") == "cross-site":
        return HTMLResponse(_AGAIN, headers={"Cache-Control": "no-store"})
    query = f"?{request.url.query}" if request.url.query else ""
    following = quote(f"{_path(request)}{query}", safe="")
    return RedirectResponse(f"/login?next={following}", HTTPStatus.SEE_OTHER)


def _path(request: Request) -> str:
    """Give the path that will be routed; ``request.url`` is made with the Host header, which is anybody's."""
    return str(request.scope["path"])
