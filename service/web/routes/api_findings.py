"""Findings for programs, and verdicts on them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from metering.finding import Tier
from metering.findings import FindingState, Wanted
from service.web.context import UseSite, name_of
from service.web.errors import PROBLEMS, NotFound
from service.web.finding_views import judged, language_of, picture_of, view_of
from service.web.formats import ExactJSON
from service.web.queries import RowNumber
from service.web.schemas.findings import FindingOut, FindingPage, VerdictIn, VerdictOut

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["findings"], responses=PROBLEMS)

Lang = Annotated[str, Query(pattern="^(en|pl|ro)$", description="language of the sentences")]


@router.get("/findings", response_model=FindingPage)
def list_findings(  # noqa: PLR0913, PLR0917  parameters of a query
    site: UseSite,
    tier: Annotated[Tier | None, Query(description="reached at least")] = None,
    family: Annotated[str, Query(alias="class", max_length=40)] = "",
    state: FindingState | None = None,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    subject: Annotated[str, Query(max_length=200)] = "",
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    lang: Lang = "en",
) -> ExactJSON:
    """List findings, the one raised last first."""
    wanted = Wanted(tier, family, state, is_open, subject)
    with site.store.reading() as tx:
        found, total = tx.findings.wanted(wanted, offset=offset, limit=limit)
    views = [FindingOut.of(view_of(one, site, lang)) for one in found]
    return ExactJSON(FindingPage(findings=views, total=total))


@router.get("/findings/{number}", response_model=FindingOut)
def one_finding(site: UseSite, number: RowNumber, lang: Lang = "en") -> ExactJSON:
    """Give one finding with its stages and evidence."""
    with site.store.reading() as tx:
        kept = tx.findings.finding(number)
    if kept is None:
        raise NotFound(f"there is no finding {number}")
    return ExactJSON(FindingOut.of(view_of(kept, site, lang)))


@router.get("/findings/{number}/evidence.svg", response_class=Response)
def picture(site: UseSite, number: RowNumber, lang: Annotated[str | None, Query()] = None) -> Response:
    """Draw a finding over the readings of its meter."""
    with site.store.reading() as tx:
        kept = tx.findings.finding(number)
        drawn = picture_of(tx, kept, site, language_of(lang, "")) if kept else ""
    if not drawn:
        raise NotFound(f"there is no picture of finding {number}")
    return Response(drawn, media_type="image/svg+xml", headers={"Cache-Control": "no-cache"})


@router.post("/findings/{number}/verdicts", response_model=FindingOut)
def judge(request: Request, site: UseSite, number: RowNumber, verdict: VerdictIn) -> ExactJSON:
    """Acknowledge, confirm or dismiss a finding."""
    kept = judged(site, number, verdict.state, name_of(request, verdict.by), verdict.reason)
    return ExactJSON(FindingOut.of(view_of(kept, site, "en")))


@router.get("/findings/{number}/verdicts", response_model=list[VerdictOut])
def verdicts(site: UseSite, number: RowNumber) -> list[VerdictOut]:
    """Give what was said of a finding, in order."""
    with site.store.reading() as tx:
        return [VerdictOut.of(one) for one in tx.findings.verdicts(number)]
