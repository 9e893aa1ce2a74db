"""One place where errors become answers: problem+json (RFC 9457) for programs, a page for people."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from metering.errors import InvalidValue, KeyringError, StoreUnavailable, TelemetryError
from service.web.context import Forbidden
from service.web.formats import ExactJSON
from service.web.headers import SECURITY_HEADERS
from service.web.pages import page

__all__ = ["PROBLEMS", "NotFound", "Problem", "add_error_handlers", "refusal"]


class NotFound(TelemetryError):
    """What was asked for is not here."""


class Fault(BaseModel):
    """One wrong value of a request."""

    where: str = Field(description="which parameter, `query.limit`")
    sentence: str


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = Field(description="one sentence for people")
    errors: list[Fault] = Field(default=[], description="wrong values of the request, one by one")


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "model": Problem,
        "description": HTTPStatus(status).phrase,
        "content": {"application/problem+json": {}},
    }
    for status in (404, 422, 503)
}
"""What the API can answer besides success, for its description."""

_UNPROCESSABLE = HTTPStatus(422)
_STATUS: Sequence[tuple[type[TelemetryError], HTTPStatus]] = (
    (NotFound, HTTPStatus.NOT_FOUND),
    (Forbidden, HTTPStatus.FORBIDDEN),
    (InvalidValue, _UNPROCESSABLE),
    (StoreUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (KeyringError, HTTPStatus.SERVICE_UNAVAILABLE),
)


def add_error_handlers(app: FastAPI) -> None:
    """Make every error of the application an answer of one shape."""
    app.add_exception_handler(TelemetryError, _telemetry_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(Exception, _fault_of_ours)


def refusal(request: Request, status: HTTPStatus, detail: str) -> Response:
    """Answer a request that is not let through."""
    return _answer(request, _problem(status, detail))


def _answer(request: Request, problem: Problem, headers: dict[str, str] | None = None) -> Response:
    if request.url.path.startswith("/api/") or request.url.path in {"/readyz", "/healthz", "/metrics"}:
        return ExactJSON(problem, problem.status, headers, "application/problem+json")
    response = page(request, "error.html", problem=problem)
    response.status_code = problem.status
    return response


def _problem(status: HTTPStatus, detail: str, errors: list[Fault] | None = None) -> Problem:
    return Problem(title=status.phrase, status=status, detail=detail, errors=errors or [])


def _telemetry_error(request: Request, error: Exception) -> Response:
    status = next((s for kind, s in _STATUS if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)
    return _answer(request, _problem(status, str(error)))


def _http_error(request: Request, error: Exception) -> Response:
    status = HTTPStatus(error.status_code if isinstance(error, HTTPException) else 500)
    details = {404: "There is nothing at this address.", 405: "This address cannot be used that way."}
    headers = dict(getattr(error, "headers", None) or {})
    return _answer(request, _problem(status, details.get(status, status.description)), headers)


def _invalid_request(request: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    faults = [Fault(where=".".join(map(str, fault["loc"])), sentence=fault["msg"]) for fault in found]
    detail = "; ".join(f"{fault.where}: {fault.sentence}" for fault in faults)
    return _answer(request, _problem(_UNPROCESSABLE, detail, faults))


def _fault_of_ours(request: Request, error: Exception) -> Response:  # noqa: ARG001  Starlette gives the error; it is logged by the server, never shown
    # This one is answered outside all middleware, so it brings the security headers itself.
    problem = _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here; the log says what.")
    response = _answer(request, problem)
    response.headers.update(SECURITY_HEADERS)
    return response
