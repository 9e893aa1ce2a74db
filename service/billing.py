"""Billing runs: which periods a person means, batch by batch, in one process or in several."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from multiprocessing import get_context
from zoneinfo import ZoneInfo

from billing_bridge.bridge import Bridge, Tally, batches
from billing_bridge.estimate.history import same_day
from billing_bridge.review import Review
from billing_bridge.utility import Utility
from metering.clock import FixedClock
from metering.consumption import start_of_day
from metering.errors import InvalidValue
from metering.meter import ServicePoint
from metering.ports import Clock, Store
from metering.resting import collector_rests
from service.billing_utility import utility_of
from service.database import open_store
from service.settings_model import Settings

__all__ = ["Run", "Span", "run", "span_of", "utility_of"]

_FORMS = (
    (re.compile(r"(\d{4})", re.ASCII), 12),
    (re.compile(r"(\d{4})-(\d{2})", re.ASCII), 1),
)
_RANGE = re.compile(r"(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})", re.ASCII)
_AHEAD = 4
"""Batches handed to each process before one is done."""


@dataclass(frozen=True, slots=True)
class Span:
    """Periods with ``since < end <= until`` are meant, UTC."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """What is to be done.

    Attributes:
        span: which periods.
        route: reading route; ``None`` = all.
        service_point: only this one; ``None`` = all.
        review: look again at what was billed, instead of closing.
        dry_run: keep nothing.
        workers: processes.
    """

    span: Span
    route: str | None = None
    service_point: str | None = None
    review: bool = False
    dry_run: bool = False
    workers: int = 1


def span_of(text: str, zone: ZoneInfo) -> Span:
    """Read which periods are meant: those that end in a year, a month, or between two days.

    Raises:
        InvalidValue: ``2026``, ``2026-09`` or ``2026-09-01..2026-10-01`` is expected.
    """
    try:
        first, last = _days(text.strip())
    except ValueError:
        said = text[:40]
        raise InvalidValue(
            f"{said!r} is not a period; write 2026-09 (all that end in September), 2026,"
            " or 2026-09-01..2026-10-01"
        ) from None
    return Span(start_of_day(first, zone), start_of_day(last, zone))


def _days(text: str) -> tuple[date, date]:
    for form, months in _FORMS:
        if match := form.fullmatch(text):
            first = date(int(match[1]), int(match[2]) if match.lastindex == 2 else 1, 1)
            return first, same_day(first, months)
    match = _RANGE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    first, last = date.fromisoformat(match[1]), date.fromisoformat(match[2])
    if first >= last:
        raise ValueError(text)
    return first, last


def run(
    settings: Settings, store: Store, clock: Clock, asked: Run, told: Callable[[int], None] = lambda _n: None
) -> Tally:
    """Close or review, batch by batch.

    Args:
        settings: in force.
        store: open.
        clock: the present; with several processes all share the moment of the begin.
        asked: what to do.
        told: given how many service points were looked at, batch by batch.

    Raises:
        InvalidValue: there is no such route or service point.
        StoreUnavailable: what was done by then stays done; the same again does the rest.
    """
    tally = Tally()
    for one in _tallies(settings, store, clock, asked):
        tally.add(one)
        told(one.looked_at)
    return tally


def _tallies(settings: Settings, store: Store, clock: Clock, asked: Run) -> Iterator[Tally]:
    wanted = _batches(store, asked)
    if asked.workers == 1:
        yield from (_one(store, utility_of(settings), clock, asked, points) for points in wanted)
        return
    # spawned: a process that is forked would share the database's connections with this one
    with ProcessPoolExecutor(
        asked.workers, get_context("spawn"), _begin, (settings, asked, clock.now())
    ) as pool:
        waiting: list[Future[Tally]] = [
            pool.submit(_work, one) for one in islice(wanted, asked.workers * _AHEAD)
        ]
        while waiting:
            yield waiting.pop(0).result()
            waiting += [pool.submit(_work, one) for one in islice(wanted, 1)]


def _batches(store: Store, asked: Run) -> Iterator[list[ServicePoint]]:
    if asked.service_point is not None:
        with store.reading() as tx:
            found = tx.registry.service_points([asked.service_point])
        if not found:
            raise InvalidValue(f"there is no service point {asked.service_point[:60]!r}")
        yield list(found.values())
        return
    if asked.route is not None:
        with store.reading() as tx:
            routes = tx.billing.routes()
        if asked.route not in routes:
            known = ", ".join(one or "''" for one in routes[:10]) or "none"
            raise InvalidValue(f"there is no route {asked.route[:60]!r} with meters; there are: {known}")
    yield from batches(store, route=asked.route)


def _one(store: Store, utility: Utility, clock: Clock, asked: Run, points: list[ServicePoint]) -> Tally:
    work = Review(store, utility, clock).look if asked.review else Bridge(store, utility, clock).close
    with collector_rests():
        return work(points, asked.span.since, asked.span.until, dry_run=asked.dry_run)


# --- in a process of its own ---------------------------------------------------------------------

_here: list[tuple[Store, Utility, Clock, Run]] = []
"""What a worker process works with; one entry once it has begun."""


def _begin(settings: Settings, asked: Run, now: datetime) -> None:
    clock = FixedClock(now)
    _here.append((open_store(settings.store, clock), utility_of(settings), clock, asked))


def _work(points: list[ServicePoint]) -> Tally:
    return _one(*_here[0], points)
