"""Findings: the list, one with its evidence, and the buttons to judge it."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from anomaly.texts import LANGUAGES, catalogue
from metering.errors import InvalidValue
from metering.finding import Tier
from metering.findings import NEXT, Feedback, FindingState, Wanted
from service.scanning_budget import REASONS
from service.web.context import UseSite, name_of, texts_of
from service.web.errors import NotFound
from service.web.finding_views import judged, language_of, picture_of, view_of
from service.web.pages import page
from service.web.queries import RowNumber

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_PER_PAGE = 50
_LARGEST_FORM = 8192


@router.get("/findings")
def findings(  # noqa: PLR0913, PLR0917  parameters of a query
    request: Request,
    site: UseSite,
    tier: str = "",
    family: Annotated[str, Query(alias="class", max_length=40)] = "",
    state: str = "",
    show: Annotated[str, Query(pattern="^(open|all)?$")] = "",
    lang: str | None = None,
    number: Annotated[int, Query(alias="page", ge=1, le=1_000_000)] = 1,
) -> HTMLResponse:
    """List findings, the open ones first asked for."""
    wanted = Wanted(
        Tier(tier) if tier in set(Tier) else None,
        family,
        FindingState(state) if state in set(FindingState) else None,
        None if show == "all" else True,
    )
    language = language_of(lang, texts_of(request).language)
    with site.store.reading() as tx:
        found, total = tx.findings.wanted(wanted, offset=(number - 1) * _PER_PAGE, limit=_PER_PAGE)
    return page(
        request,
        "findings.html",
        views=[view_of(one, site, language) for one in found],
        total=total,
        wanted=wanted,
        show=show,
        families=sorted({name.partition(".")[0] for name in catalogue()}),
        tiers=list(Tier),
        states=list(FindingState),
        language=language,
        number=number,
        last=max(1, -(-total // _PER_PAGE)),
    )


@router.get("/findings/{number}")
def one_finding(request: Request, site: UseSite, number: RowNumber, lang: str | None = None) -> HTMLResponse:
    """Show one finding: what is known, the picture, what was said of it."""
    language = language_of(lang, texts_of(request).language)
    with site.store.reading() as tx:
        kept = tx.findings.finding(number)
        if kept is None:
            raise NotFound(f"There is no finding {number}.")
        drawn = bool(picture_of(tx, kept, site, language))
        verdicts, notices = tx.findings.verdicts(number), tx.findings.notices(number)
        feedback = tx.findings.feedback().get(kept.finding.family, Feedback(0, 0))
    return page(
        request,
        "finding.html",
        view=view_of(kept, site, language),
        drawn=drawn,
        verdicts=verdicts,
        notices=notices,
        feedback=feedback,
        reasons=REASONS,
        possible=NEXT[kept.state],
        languages=LANGUAGES,
        language=language,
    )


@router.post("/findings/{number}")
async def judge(request: Request, site: UseSite, number: RowNumber) -> Response:
    """Book what the form says, then show the finding again."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise InvalidValue("a verdict comes from these pages, not from another site")
    body = await request.body()
    if len(body) > _LARGEST_FORM:
        raise InvalidValue(f"the form is longer than {_LARGEST_FORM} bytes")
    form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    said = (form.get("state", ""), name_of(request, form.get("by", "")), form.get("reason", ""))
    await run_in_threadpool(judged, site, number, *said)
    return RedirectResponse(f"/findings/{number}", status_code=303)
