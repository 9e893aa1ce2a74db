"""``nurt billing close | review | status``: periods closed, looked at again, and how they stand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.options import Config, DryRun, settings_in_force

if TYPE_CHECKING:
    from billing_bridge.bridge import Tally
    from metering.ports import Transaction
    from service.billing import Span
    from service.settings_model import Settings

__all__ = ["close", "review", "status"]

PeriodText = Annotated[
    str, typer.Argument(metavar="PERIOD", help="2026-09: all that end in September; 2026; or DAY..DAY.")
]
Route = Annotated[str | None, typer.Option(help="Only this reading route.", show_default=False)]
Point = Annotated[
    str | None, typer.Option("--service-point", help="Only this service point.", show_default=False)
]
Workers = Annotated[int, typer.Option(min=1, max=64, help="Processes that share the work.")]


def close(  # noqa: PLR0913, PLR0917  the options of the command
    period: PeriodText,
    route: Route = None,
    service_point: Point = None,
    config: Config = None,
    dry_run: DryRun = False,  # noqa: FBT002  an option
    workers: Workers = 1,
) -> None:
    """Close periods: take the reads, ask the rules, put what may be billed into the outbox.

    A period that has its read is left alone, so the same command again does what is left. What a rule stops,
    and what could not be read, waits in `nurt billing exceptions`.

    **Examples**

        nurt billing close 2026-09 --dry-run

        nurt billing close 2026-08 --route R7

        nurt billing close 2026-09-01..2026-10-01 --workers 2
    """
    _run(period, route, service_point, config, dry_run=dry_run, workers=workers, review=False)


def review(  # noqa: PLR0913, PLR0917  the options of the command
    period: PeriodText,
    route: Route = None,
    service_point: Point = None,
    config: Config = None,
    dry_run: DryRun = False,  # noqa: FBT002  an option
    workers: Workers = 1,
) -> None:
    """Look again at what was billed: reads, keys and papers that came late propose corrections.

    A correction stays in its period and waits in `nurt billing exceptions`; nothing is sent before a person
    takes it.

    **Examples**

        nurt billing review 2026-09

        nurt billing review 2026 --dry-run
    """
    _run(period, route, service_point, config, dry_run=dry_run, workers=workers, review=True)


def status(
    period: Annotated[
        str | None,
        typer.Argument(metavar="[PERIOD]", help="As of close; this year if not said.", show_default=False),
    ] = None,
    config: Config = None,
) -> None:
    """Say how periods stand, what waits for a person, and what waits to be sent.

    **Examples**

        nurt billing status

        nurt billing status 2026-09
    """
    from zoneinfo import ZoneInfo

    from metering.clock import SystemClock
    from service.billing import span_of
    from service.database import prepared_store

    settings, clock = settings_in_force(config).settings, SystemClock()
    zone = ZoneInfo(settings.ingest.zone)
    today = clock.now().astimezone(zone).date()
    span = span_of(period or f"{today:%Y}", zone)
    store = prepared_store(settings.store, clock)
    try:
        with store.reading() as tx:
            typer.echo("\n".join(_status(tx, span, settings, today)))
    finally:
        store.close()


def _run(  # noqa: PLR0913  the options of the commands
    period: str,
    route: str | None,
    service_point: str | None,
    config: Path | None,
    *,
    dry_run: bool,
    workers: int,
    review: bool,
) -> None:
    from time import monotonic
    from zoneinfo import ZoneInfo

    from metering.clock import SystemClock
    from service.billing import Run, run, span_of
    from service.commands.imports import told
    from service.database import prepared_store

    settings = settings_in_force(config).settings
    span = span_of(period, ZoneInfo(settings.ingest.zone))
    asked = Run(span, route, service_point, review, dry_run, workers)
    store, clock, begun = prepared_store(settings.store, SystemClock()), SystemClock(), monotonic()
    try:
        with store.reading() as tx:
            count = 1 if service_point else tx.billing.count_service_points(route=route)
        with told(count, "Looking again" if review else "Closing") as progress:
            tally = run(settings, store, clock, asked, progress)
    finally:
        store.close()
    for line in _said(tally, review=review, dry_run=dry_run, seconds=monotonic() - begun):
        typer.echo(line)


def _said(tally: Tally, *, review: bool, dry_run: bool, seconds: float) -> Iterator[str]:
    kept = " (dry run: nothing kept)" if dry_run else ""
    yield f"{tally.looked_at} service points in {seconds:.1f} s{kept}"
    if review:
        yield f"{tally.proposed} corrections proposed" + (_WAITS if tally.proposed else "")
        return
    yield f"{tally.billed} reads billed, {tally.volume_m3} m3; {tally.estimated} of them estimated"
    yield f"{tally.standing} periods had their read already"
    if tally.doubted:
        yield f"{tally.doubted} reads with something raised before the closing: see nurt billing checks"
    if tally.unjudged:
        yield f"{tally.unjudged} reads whose states were not judged yet: nurt billing round comes first"
    waits = tally.held + tally.unbillable
    yield f"{tally.held} held by a rule, {tally.unbillable} without a read" + (_WAITS if waits else "")


_WAITS = ": see nurt billing exceptions"


def _status(tx: Transaction, span: Span, settings: Settings, today: date) -> Iterator[str]:
    from metering.billing import ReadState
    from service.text_table import text_table

    counts = tx.billing.counts(span.since, span.until)
    rows = sorted({(period, route) for route, period, _state in counts})
    table = [
        {"period": period, "route": route or "-"}
        | {state.value: counts.get((route, period, state), 0) for state in ReadState}
        for period, route in rows
    ]
    yield from text_table(table) if table else ["No period that ends in this time was closed."]
    yield ""
    questions = tx.billing.count_exceptions()
    waiting = [
        {"question": kind.value, "state": state.value, "count": n} for (kind, state), n in questions.items()
    ]
    yield from text_table(waiting) if waiting else ["Nothing waits for a person."]
    yield ""
    yield from _readers(tx, today)
    yield from _outbox(tx, settings.billing.target)


def _readers(tx: Transaction, today: date) -> Iterator[str]:
    waiting, late = tx.orders.counts(today)
    yield f"Reading orders: {waiting} open, {late} of them overdue" + (
        ": see nurt billing orders" * bool(late)
    )


def _outbox(tx: Transaction, target: str) -> Iterator[str]:
    counts = tx.outbox.counts(target)
    yield f"Outbox of {target}: " + ", ".join(f"{count} {state.value}" for state, count in counts.items())
    pause = tx.outbox.paused(target)
    if pause is not None:
        yield f"Paused since {pause.since:%Y-%m-%d %H:%MZ}: {pause.reason}. Go on with nurt billing resume."
    due = tx.outbox.next_due(target)
    if due is not None:
        yield f"Next sending: {due:%Y-%m-%d %H:%M:%SZ}"
