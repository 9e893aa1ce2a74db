"""``nurt billing round | checks``: what came judged between closings, and what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.options import Config, settings_in_force

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from metering.checks import Finding
    from metering.meter import MeterId
    from metering.ports import Transaction
    from service.billing_rounds import RoundReport

__all__ = ["checks", "round_"]


_ALL = "All meters, 62 days back: also what came late for silent ones."


class Form(StrEnum):
    """Who reads the list."""

    TEXT = "text"
    JSONL = "jsonl"


def round_(
    all_: Annotated[bool, typer.Option("--all", help=_ALL)] = False,  # noqa: FBT002  an option
    config: Config = None,
) -> None:
    """Judge what came since the last round, and compare what changed with bill, chart and meter.

    `nurt run` does it by itself ([billing] round_minutes). Stopped halfway, the next round goes on. Ends with
    1 if something billed does not agree; `nurt billing exceptions` has the questions.

    **Examples**

        nurt billing round

        nurt billing round --all
    """
    from metering.clock import SystemClock
    from metering.errors import InvalidValue
    from service.billing_rounds import Rounds
    from service.database import prepared_store

    settings, clock = settings_in_force(config).settings, SystemClock()
    store = prepared_store(settings.store, clock)
    try:
        with _progress() as told:
            report = Rounds(settings, store, clock).run(everything=all_, told=told)
    finally:
        store.close()
    if report is None:
        raise InvalidValue("another process is making a round just now; it does the same work")
    for line in _said(report):
        typer.echo(line)
    if report.differing:
        raise typer.Exit(1)


def checks(  # noqa: PLR0913, PLR0917  options of a command
    service_point: Annotated[
        str | None, typer.Option("--service-point", help="Only meters that hang or hung there.")
    ] = None,
    rule: Annotated[str, typer.Option(help="Only this rule: R8, I5, ...")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most, the newest first.")] = 50,
    days: Annotated[int, typer.Option(min=1, max=3660, help="The counts are of so many days.")] = 30,
    style: Annotated[Form, typer.Option("--format", help="jsonl gives one line each.")] = Form.TEXT,
    config: Config = None,
) -> None:
    """List what the rules of arrival (R1-R6, R8) and of intervals (I1-I5) raised, the newest first.

    Every state up to the last round was asked; what is not here passed.

    **Examples**

        nurt billing checks

        nurt billing checks --service-point SP1 --rule R8

        nurt billing checks --format jsonl --limit 1000
    """
    import sys
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    import orjson

    from metering.clock import SystemClock
    from service.database import prepared_store

    settings, clock = settings_in_force(config).settings, SystemClock()
    store = prepared_store(settings.store, clock)
    try:
        with store.reading() as tx:
            meters = _meters_at(tx, service_point)
            found = [one for _number, one in tx.checks.page(meters=meters, rule=rule.upper(), limit=limit)]
            counts = tx.checks.counts(clock.now() - timedelta(days=days))
    finally:
        store.close()
    if style is Form.JSONL:
        for one in found:
            sys.stdout.buffer.write(orjson.dumps(_data(one), option=orjson.OPT_APPEND_NEWLINE))
        return
    for line in _listed(found, counts, days, ZoneInfo(settings.ingest.zone)):
        typer.echo(line)


def _meters_at(tx: Transaction, service_point: str | None) -> list[MeterId]:
    from metering.errors import InvalidValue

    if service_point is None:
        return []
    hung = tx.billing.installed_at([service_point]).get(service_point, ())
    if not hung:
        raise InvalidValue(f"no meter hangs or hung at service point {service_point[:60]!r}")
    return [one.meter for one in hung]


def _data(one: Finding) -> dict[str, object]:
    import orjson

    return {
        "meter": str(one.meter),
        "register": one.register,
        "rule": one.rule,
        "at": one.at,
        "until": one.until,
        "value": None if one.value is None else str(one.value),
        "severity": one.severity,
        "sentence": one.sentence,
        "quality": one.cim,
        "espi": one.espi,
        "evidence": orjson.loads(one.evidence),
        "found_at": one.found_at,
    }


def _listed(
    found: list[Finding], counts: Mapping[tuple[str, str], int], days: int, zone: ZoneInfo
) -> Iterator[str]:
    from service.text_table import text_table

    rows = [
        {
            "rule": one.rule,
            "severity": one.severity,
            "meter": one.meter,
            "at": one.at.astimezone(zone).isoformat(timespec="minutes"),
            "index": "" if one.value is None else one.value,
            "quality": one.cim,
            "what": one.sentence,
        }
        for one in found
    ]
    yield from text_table(rows) if rows else ["Nothing was raised."]
    told = ", ".join(f"{rule} {severity} {count}" for (rule, severity), count in sorted(counts.items()))
    yield f"Raised in the last {days} days: {told or 'nothing'}"


def _said(report: RoundReport) -> Iterator[str]:
    arrivals, days = report.arrivals, report.intervals
    yield f"{arrivals.judged} states of {arrivals.meters} meters judged, {arrivals.raised} outcomes raised"
    yield f"{days.spans} days and weeks of {days.points} service points judged, {days.raised} outcomes raised"
    yield f"{report.compared} billed periods compared with chart and meter, {report.differing} do not agree"
    if report.agreed:
        yield f"{report.agreed} questions closed: they agree again"
    if report.classes:
        yield f"usual usage of {report.classes} classes of customers taken anew"


@contextmanager
def _progress() -> Iterator[Callable[[str, int], None]]:
    """Show how far it is, on a terminal."""
    import sys

    from rich.console import Console
    from rich.progress import Progress, TaskID

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        tasks: dict[str, TaskID] = {}

        def told(what: str, done: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(f"{what.capitalize()}", total=None)
            bar.advance(tasks[what], done)

        yield told
