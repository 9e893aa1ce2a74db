"""Findings as pages and programs see them: sentence, loss, picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta

from anomaly.plot import evidence_plot
from anomaly.series import MeterFacts
from anomaly.texts import LANGUAGES, sentence
from metering.errors import InvalidValue
from metering.findings import FindingState, Kept, Verdict
from metering.meter import MeterId
from metering.ports import Transaction
from service.anomaly_money import Loss, loss_so_far
from service.scanning_series import CUBIC_METRES, INDEX, series_of
from service.web.context import Site
from service.web.district_views import district_picture
from service.web.errors import NotFound

__all__ = ["FindingView", "judged", "language_of", "open_views", "picture_of", "view_of"]

AROUND = timedelta(days=14)
OF_DISTRICTS = frozenset({"district", "balance"})


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding with what is said of it.

    Attributes:
        kept: the finding.
        said: its sentence.
        loss: what it cost so far, if anything.
        of_meter: whether its subject is a meter.
        of_district: whether it is a district.
    """

    kept: Kept
    said: str
    loss: Loss | None
    of_meter: bool
    of_district: bool = False


def view_of(kept: Kept, site: Site, language: str) -> FindingView:
    """Say a finding in a language."""
    finding = kept.finding
    said = sentence(finding.stages[-1], language, site.zone)
    loss = loss_so_far(finding, site.clock.now(), site.tariff)
    of_district = finding.family in OF_DISTRICTS
    return FindingView(kept, said, loss, _is_meter(finding.subject), of_district)


def language_of(asked: str | None, accepted: str) -> str:
    """Choose the language of sentences: the one asked for, else the first accepted one there is."""
    if asked in LANGUAGES:
        return asked
    names = (part.partition(";")[0].strip().lower()[:2] for part in accepted.split(","))
    return next((name for name in names if name in LANGUAGES), "en")


def picture_of(tx: Transaction, kept: Kept, site: Site, language: str) -> str:
    """Draw a finding over the readings of its meter or the nights of its district; empty if it cannot be."""
    finding = kept.finding
    if not _is_meter(finding.subject):
        is_district = finding.subject in tx.districts.meters()
        return district_picture(tx, finding.subject, site, language, [kept]) if is_district else ""
    since = finding.stages[0].onset - AROUND
    until = (finding.cleared_at or site.clock.now()) + AROUND
    readings = tx.readings.series(MeterId.parse(finding.subject), INDEX, since, until)
    told = [one for one in readings if one.unit == CUBIC_METRES]
    if len(told) < 2:
        return ""
    series = series_of(MeterFacts(finding.subject), told)
    return evidence_plot(finding, series, site.zone, language)


def judged(site: Site, number: int, state: str, by: str, reason: str) -> Kept:
    """Book a verdict.

    Raises:
        NotFound: there is no such finding.
        InvalidValue: not a verdict, or not possible now.
    """
    if state not in set(FindingState):
        raise InvalidValue(f"{state!r} is no verdict: acknowledged, confirmed or dismissed")
    verdict = Verdict(FindingState(state), by.strip(), reason.strip(), site.clock.now().astimezone(UTC))
    with site.store.writing() as tx:
        if tx.findings.finding(number) is None:
            raise NotFound(f"There is no finding {number}.")
        return tx.findings.judge(number, verdict)


def open_views(tx: Transaction, subject: str, site: Site, language: str) -> Sequence[FindingView]:
    """Give the open findings of a meter."""
    return [
        view_of(kept, site, language) for kept in tx.findings.of(subject) if kept.finding.cleared_at is None
    ]


def _is_meter(subject: str) -> bool:
    try:
        MeterId.parse(subject)
    except InvalidValue:
        return False
    return True
