"""Billing: the one queue of questions, one with its evidence and what a person may do, the evidence pack."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any
from urllib.parse import parse_qs

import orjson
from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from billing_bridge.deciding import Action, Operator
from billing_bridge.record import opened
from metering.billing import ExceptionKind, ExceptionState, OpenException
from metering.errors import InvalidValue
from service.billing_evidence import evidence_of
from service.billing_evidence_page import printable
from service.operators.book import Role
from service.web.context import Site, UseSite, demand, name_of
from service.web.errors import NotFound
from service.web.pages import page
from service.web.queries import RowNumber

__all__ = ["router"]

router = APIRouter(include_in_schema=False, prefix="/billing")

_PER_PAGE = 50
_LARGEST_FORM = 8192
_WAITING = [state for state in ExceptionState if not state.settled]


@router.get("/exceptions")
def exceptions(
    request: Request,
    site: UseSite,
    show: Annotated[str, Query(pattern="^(open|all)?$")] = "",
    after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
) -> HTMLResponse:
    """List questions that wait for a person, the oldest first."""
    states = list(ExceptionState) if show == "all" else _WAITING
    with site.store.reading() as tx:
        found = tx.billing.exceptions(states, after=after, limit=_PER_PAGE)
        counts = tx.billing.count_exceptions()
        _waiting, overdue = tx.orders.counts(_today(site))
    differing = sum(n for (kind, _state), n in counts.items() if kind is ExceptionKind.RECONCILIATION)
    following = found[-1].number if len(found) == _PER_PAGE else None
    waiting = sum(counts.values())
    return page(
        request,
        "billing_exceptions.html",
        questions=found,
        following=following,
        show=show,
        after=after,
        waiting=waiting,
        differing=differing,
        overdue=overdue,
    )


@router.get("/exceptions/{number}")
def one_exception(request: Request, site: UseSite, number: RowNumber) -> HTMLResponse:
    """Show one question: what is asked, on what evidence, what was decided, what may be done."""
    with site.store.reading() as tx:
        asked = tx.billing.exception(number)
        if asked is None:
            raise NotFound(f"There is no billing question {number}.")
        row = tx.billing.read(asked.about.read) if asked.about.read else None
        where = asked.about.service_point
        point, order = tx.registry.service_points([where]).get(where), tx.orders.open_at([where]).get(where)
        hung = [one.meter for one in tx.billing.installed_at([where]).get(where, ())]
        found = tx.checks.found(hung, asked.about.starts, asked.about.ends)
    return page(
        request,
        "billing_exception.html",
        asked=asked,
        read=opened(row) if row else None,
        point=point,
        evidence=_flat(orjson.loads(asked.about.evidence)),
        actions=_possible(asked, site),
        order=order,
        today=_today(site),
        between=[one for known in found.values() for one in known][:_PER_PAGE],
    )


@router.post("/exceptions/{number}")
async def decide(request: Request, site: UseSite, number: RowNumber) -> Response:
    """Decide as the form says, then show the question again."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise InvalidValue("a decision comes from these pages, not from another site")
    body = await request.body()
    if len(body) > _LARGEST_FORM:
        raise InvalidValue(f"the form is longer than {_LARGEST_FORM} bytes")
    form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    if form.get("action") == Action.AGREE:
        demand(request, Role.SECOND, "agree to what another one decided")
    form["by"] = name_of(request, form.get("by", ""))
    await run_in_threadpool(_decided, site, number, form)
    return RedirectResponse(f"/billing/exceptions/{number}", status_code=303)


@router.get("/evidence")
def evidence(site: UseSite, key: Annotated[str, Query(max_length=500)]) -> HTMLResponse:
    """Give the evidence of a billed index as a page to print."""
    with site.store.reading() as tx:
        if tx.billing.read(key) is None:
            raise NotFound("There is no such billing read.")
        pack = evidence_of(tx, site.utility.target if site.utility else "cis", key)
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return HTMLResponse(printable(pack), headers=headers)


def _today(site: Site) -> date:
    return site.clock.now().astimezone(site.zone).date()


def _decided(site: Site, number: int, form: dict[str, str]) -> None:
    if site.utility is None:
        raise InvalidValue("billing is not set up in this process")
    action = form.get("action", "")
    if action not in set(Action):
        raise InvalidValue("nobody said what to do: accept, reject, edit, estimate, reader or agree")
    index = _index(form.get("index_m3", "")) if action == Action.EDIT else None
    operator = Operator(site.store, site.utility, site.clock, form.get("by", ""))
    due = _day(form.get("due", "")) if action == Action.READER else None
    operator.decide(number, Action(action), form.get("reason", ""), index_m3=index, due=due)


def _day(text: str) -> date | None:
    """Read the last day of an order; empty is as the settings say."""
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        raise InvalidValue(f"{text[:40]!r} is not a day like 2026-12-31") from None


def _index(text: str) -> Decimal:
    try:
        index = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        index = Decimal("NaN")
    if not index.is_finite() or index < 0:
        raise InvalidValue(f"{text[:40]!r} is not an index like 123.456")
    return index


def _possible(asked: OpenException, site: Site) -> list[Action]:
    """Give what may be done with a question as it stands."""
    if asked.state.settled or site.utility is None:
        return []
    if asked.state is ExceptionState.SECOND:
        return [Action.AGREE, Action.REJECT]
    usual = [Action.REJECT, Action.EDIT, Action.ESTIMATE, Action.READER]
    return [Action.ACCEPT, *usual] if asked.about.read else usual


def _flat(said: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Give evidence as lines of name and value."""
    if isinstance(said, dict):
        return [line for name, value in said.items() for line in _flat(value, f"{prefix} {name}".strip())]
    if isinstance(said, list):
        return [(prefix, str(one)) for one in said]
    return [(prefix, str(said))]
