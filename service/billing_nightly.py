"""The nightly round: late reads reviewed, books compared, questions asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from billing_bridge.bridge import BATCH
from billing_bridge.review import Review
from metering.meter import ServicePoint
from metering.ports import Clock, Store
from service.billing import Span
from service.billing_inbox import fetch_held
from service.billing_reconcile import (
    Reconciled,
    ask,
    compare_books,
    compare_ourselves,
    settle_agreed,
    theirs_of,
)
from service.billing_rounds import Rounds
from service.billing_self_reading import SelfReadings
from service.billing_utility import utility_of
from service.settings_model import Settings

__all__ = ["Night", "due", "night_round", "reconciled"]


def reconciled(  # noqa: PLR0913  what is compared, and with what
    settings: Settings, store: Store, clock: Clock, span: Span, raw: bytes | None, *, keep: bool
) -> Mapping[str, Reconciled]:
    """Compare with the billing system and with ourselves.

    Args:
        settings: in force.
        store: open.
        clock: the present.
        span: which periods.
        raw: what the billing system holds; ``None`` = it is fetched if there is an inbox URL.
        keep: ask a person about what does not agree.

    Raises:
        BadList: what the billing system gave is no list of reads.
        BadAnswer: it gives none.
    """
    utility = utility_of(settings)
    told: dict[str, Reconciled] = {}
    held = raw if raw is not None else fetch_held(settings.billing, clock)
    if held is not None:
        theirs = theirs_of(held)
        told[f"with {utility.target}"] = compare_books(store, utility, theirs, span.since, span.until)
    ours = compare_ourselves(store, utility, span.since, span.until, clock.now())
    told["with chart and meter"] = ours
    if keep:
        for done in told.values():
            ask(store, clock, done)
        settle_agreed(store, clock, ours)
    return told


_BACK = timedelta(days=62)
"""Periods that ended so long ago are looked at every night: two months."""


@dataclass(frozen=True, slots=True)
class Night:
    """What a night's round did.

    Attributes:
        accepted: customers' states taken over, of windows that closed.
        proposed: corrections proposed.
        compared: reads compared with the billing system, the chart and the meter.
        differing: those that do not agree; each is a question for a person.
    """

    accepted: int
    proposed: int
    compared: int
    differing: int


def due(settings: Settings, now: datetime, last: datetime | None) -> bool:
    """Say whether the night's round is to be made: once a local day, from the hour of the settings on."""
    hour = settings.billing.nightly_hour
    local = now.astimezone(ZoneInfo(settings.ingest.zone))
    if hour is None or local.hour < hour:
        return False
    return last is None or last.astimezone(local.tzinfo).date() < local.date()


def night_round(settings: Settings, store: Store, clock: Clock) -> Night:
    """Take over due states, review what was billed in two months, reconcile it, judge what came late.

    Raises:
        StoreUnavailable: what was done by then stays done; the next round does the rest.
        BadAnswer: the billing system gives no list; the review is done all the same.
    """
    now, utility = clock.now(), utility_of(settings)
    accepted = SelfReadings(store, settings, clock).accept_due()
    span = Span(now - _BACK, now)
    review, proposed = Review(store, utility, clock), 0
    for points in _billed_points(store, span):
        proposed += review.look(points, span.since, span.until).proposed
    told = reconciled(settings, store, clock, span, None, keep=True)
    compared = sum(one.compared for one in told.values())
    Rounds(settings, store, clock).run(everything=True)
    return Night(accepted, proposed, compared, sum(len(one.found) for one in told.values()))


def _billed_points(store: Store, span: Span) -> Iterator[list[ServicePoint]]:
    """Give the service points that were billed in a span, some hundred at a time."""
    after, seen = "", set[str]()
    while True:
        with store.reading() as tx:
            page = tx.billing.reads_ending(span.since, span.until, after=after, limit=BATCH)
            fresh = {one.service_point for one in page} - seen
            points = list(tx.registry.service_points(fresh).values())
        if points:
            yield points
        if not page:
            return
        after, seen = page[-1].key, {one.service_point for one in page[-50:]}
