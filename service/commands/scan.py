"""``nurt scan``: judge the readings in the store."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from metering.errors import InvalidValue, StoreError
from metering.finding import Tier
from service.commands.anomaly_options import Format, Language
from service.commands.options import Config, settings_in_force

if TYPE_CHECKING:
    from metering.meter import MeterId
    from metering.ports import Store
    from service.scanning import ScanReport
    from service.scanning_turn import Standing
    from service.settings_model import Settings

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
    scheduled: Annotated[bool, typer.Option("--scheduled", hidden=True)] = False,  # noqa: FBT002  an option
    config: Config = None,
) -> None:
    """Judge the readings in the store, and keep what is found.

    Only meters of which something new came are judged; stopped halfway, the next scan goes on. Once a day
    all meters are judged together: unusual use, empty homes, silence, districts. With --meter each is judged
    by itself. What is new goes to standard output, the account of the scan to standard error. While the
    running service scans, this waits for nothing and says so.

    **Examples**

        nurt scan

        nurt scan --meter KAM-76348799-1b-16 --format jsonl

        nurt scan --since 2026-01-01 --tier notify
    """
    from metering.clock import SystemClock
    from metering.meter import MeterId
    from service.database import prepared_store
    from service.notices.made import make_teller
    from service.scanning_loop import outcome_of, scanner_of
    from service.scanning_turn import Turn

    settings = settings_in_force(config).settings
    if scheduled:
        _scan_in_turn(settings)
        return
    meters = [MeterId.parse(one) for one in meter or ()]
    clock, zone = SystemClock(), ZoneInfo(settings.ingest.zone)
    if since is not None and since.replace(tzinfo=zone) >= clock.now():
        raise typer.BadParameter(f"{since:%Y-%m-%d} is not over yet", param_hint="--since")
    store = prepared_store(settings.store, clock)
    turn = Turn(store, clock)
    try:
        _demand_known(store, meters)
        if (other := turn.take()) is not None:
            raise StoreError(_busy(other, zone))
        try:
            with _progress() as told:
                report = scanner_of(settings, store, clock, turn).run(
                    meters=meters,
                    since=since.replace(tzinfo=zone).astimezone(UTC) if since else None,
                    told=told,
                )
            if meters:
                turn.give_up()
            else:
                turn.done(None, outcome_of(report))
        except BaseException:
            turn.give_up()
            raise
        for line in _lines(report, style, tier, lang, zone):
            sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
        _tell(report)
        if told_now := make_teller(settings, store, clock).tell():
            typer.echo(f"{told_now} notice(s) sent.", err=True)
    finally:
        store.close()


def _demand_known(store: Store, meters: Sequence[MeterId]) -> None:
    with store.reading() as tx:
        known = tx.registry.meters(meters)
    if unknown := [str(one) for one in meters if one not in known]:
        raise InvalidValue(f"not in the registry: {', '.join(unknown)}; the page /meters shows what is")


def _busy(other: Standing, zone: ZoneInfo) -> str:
    until = f"{datetime.fromtimestamp(other.until, zone):%H:%M:%S}"
    return f"a scan is under way ({other.holder}); try again when it is over, or after {until} if it died"


def _scan_in_turn(settings: Settings) -> None:
    """Scan if it is due, as the process a worker started for it; ends when standard input does."""
    import os
    import threading
    from datetime import timedelta

    import structlog

    from metering.clock import SystemClock
    from service.database import prepared_store
    from service.logs import set_up_logs
    from service.scanning_loop import scan_in_turn, scanner_of
    from service.scanning_turn import Turn

    def end_with_input() -> None:
        while os.read(0, 1024):
            pass
        ended.set()

    set_up_logs(style=settings.logs.format, level=settings.logs.level)
    ended = threading.Event()
    threading.Thread(target=end_with_input, name="parent", daemon=True).start()
    os.nice(5)  # ingest comes first
    clock = SystemClock()
    store = prepared_store(settings.store, clock)
    turn = Turn(store, clock)
    try:
        every = timedelta(minutes=settings.anomaly.every_minutes or 60)
        report = scan_in_turn(lambda: scanner_of(settings, store, clock, turn), turn, every, ended.is_set)
    finally:
        store.close()
    if report is not None:
        log = structlog.get_logger("service.scanning")
        log.info("anomaly.scanned", judged=report.judged, raised=len(report.raised))


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
