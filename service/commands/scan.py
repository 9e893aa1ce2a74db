"""``nurt scan``: judge the readings in the store."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from metering.finding import Tier
from service.commands.anomaly_options import Format, Language
from service.commands.options import Config, settings_in_force

if TYPE_CHECKING:
    from service.scanning import ScanReport

__all__ = ["scan"]


def scan(  # noqa: PLR0913, PLR0917  options of a command
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Rebuild state from readings from this day on; else as [anomaly] history_days says.",
            show_default=False,
        ),
    ] = None,
    meter: Annotated[
        list[str] | None,
        typer.Option("--meter", metavar="ID", help="Judge this meter only; may be given several times."),
    ] = None,
    tier: Annotated[Tier, typer.Option(help="Lowest tier to tell here; all are kept.")] = Tier.SUSPECT,
    style: Annotated[
        Format, typer.Option("--format", help="text for people; jsonl gives one line a finding.")
    ] = Format.TEXT,
    lang: Annotated[Language, typer.Option(help="Language of the sentences.")] = Language.EN,
    config: Config = None,
) -> None:
    """Judge the readings in the store, and keep what is found.

    Only meters of which something new came are judged; stopped halfway, the next scan goes on. What is new
    goes to standard output, the account of the scan to standard error.

    **Examples**

        nurt scan

        nurt scan --meter KAM-76348799-1b-16 --format jsonl

        nurt scan --since 2026-01-01 --tier notify
    """
    from metering.clock import SystemClock
    from metering.meter import MeterId
    from service.database import prepared_store
    from service.notices.made import channel_names, make_teller
    from service.scanning import Scanner

    settings = settings_in_force(config).settings
    clock, zone = SystemClock(), ZoneInfo(settings.ingest.zone)
    store = prepared_store(settings.store, clock)
    try:
        with _progress() as told:
            channels = channel_names(settings.notices)
            report = Scanner(store, clock, zone, settings.anomaly, channels).run(
                meters=[MeterId.parse(one) for one in meter or ()],
                since=since.replace(tzinfo=zone).astimezone(UTC) if since else None,
                told=told,
            )
        for line in _lines(report, style, tier, lang, zone):
            sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
        _tell(report)
        if told_now := make_teller(settings, store, clock).tell():
            typer.echo(f"{told_now} notice(s) sent.", err=True)
    finally:
        store.close()


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Show how far it is, on a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("Meters judged", total=None)
        yield lambda done, whole: bar.update(task, completed=done, total=whole)


def _lines(report: ScanReport, style: Format, tier: Tier, lang: str, zone: ZoneInfo) -> Iterator[bytes]:
    import orjson

    from service.anomaly_lines import line_of, text_of

    for one in report.raised:
        finding, stage = one.kept.finding, one.kept.finding.stages[-1]
        if stage.tier.rank < tier.rank:
            continue
        if style is Format.JSONL:
            line = {"id": one.kept.id, **line_of(finding, stage, lang, zone)}
            yield orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
        else:
            yield text_of(finding, stage, lang, zone).encode()


def _tell(report: ScanReport) -> None:
    from service.anomaly_lines import lacking_lines

    for line in lacking_lines(report.insufficiencies):
        typer.echo(line, err=True)
    raised, closed = len(report.raised), report.closed
    typer.echo(
        f"{report.judged} of {report.meters} meters judged: {raised} new or grown, {closed} closed.", err=True
    )
