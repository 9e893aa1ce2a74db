"""``nurt anomaly``: leaks and other findings in files of readings, without a database."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from metering.finding import Finding, Tier
from service.commands.anomaly_districts import districts
from service.commands.anomaly_options import Format, Language, meters_bar, zone_named

if TYPE_CHECKING:
    from anomaly.scan import ScanResult
    from anomaly.series import Series

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Find leaks and other anomalies in files of readings.")


@app.callback()
def _group() -> None:
    """Find leaks and other anomalies in files of readings."""


app.command()(districts)


@app.command()
def scan(  # noqa: PLR0913, PLR0917  options of a command
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="meter_id, ts_utc, index_l [, seq]; .parquet or .csv",
        ),
    ],
    tz: Annotated[str, typer.Option(metavar="ZONE", help="Local time of the meters.")] = "UTC",
    meters: Annotated[
        Path | None,
        typer.Option(
            metavar="META",
            exists=True,
            dir_okay=False,
            help="meter_id [, class, q3_m3h, digits, resolution_l]; .parquet or .csv",
        ),
    ] = None,
    tier: Annotated[Tier, typer.Option(help="Lowest tier to tell.")] = Tier.NOTIFY,
    style: Annotated[
        Format, typer.Option("--format", help="text for people; jsonl gives one line a finding.")
    ] = Format.TEXT,
    lang: Annotated[Language, typer.Option(help="Language of the sentences.")] = Language.EN,
    plots: Annotated[
        Path | None,
        typer.Option(metavar="DIR", file_okay=False, help="Draw each finding told as an SVG file in DIR."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Judge in N processes of this machine (Dask).")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDR", help="Judge on the Dask cluster at ADDR, e.g. tcp://host:8786."),
    ] = None,
) -> None:
    """Judge every meter in a file of cumulative readings.

    Findings go to standard output, in the order they were raised. What could not be judged, and why, goes to
    standard error.

    **Examples**

        nurt anomaly scan readings.parquet --tz Europe/Warsaw --format jsonl

        nurt anomaly scan readings.csv --meters meters.csv --lang pl --plots plots

        nurt anomaly scan fleet.parquet --workers 4
    """
    from service.anomaly_files import read_facts, read_series
    from service.anomaly_lines import told

    zone = zone_named(tz)
    facts = read_facts(meters) if meters else None
    fleet = list(read_series(file, facts))
    readings = sum(map(len, fleet))
    with meters_bar(readings) as judged:
        result = _judged(fleet, zone, workers, scheduler, judged)
    lines = _json_lines if style is Format.JSONL else _text_lines
    for line in lines(result.findings, tier, lang, zone):
        sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
    _tell_lacking(result)
    number = len(told(result.findings, tier))
    typer.echo(
        f"{len(fleet):,} meter(s), {readings:,} readings: {number:,} finding(s) from {tier} on", err=True
    )
    if plots is not None:
        _draw(plots, result, fleet, (tier, lang, zone))


def _judged(
    fleet: list[Series],
    zone: ZoneInfo,
    workers: int | None,
    scheduler: str | None,
    judged: Callable[[int], None],
) -> ScanResult:
    from anomaly.scan import parts_of, put_together, scan_part
    from metering.clock import SystemClock

    now = int(SystemClock().now().timestamp())
    if workers is None and scheduler is None:
        done = []
        for part in parts_of(fleet):
            done.append(scan_part(part, zone, now))
            judged(sum(map(len, part)))
        return put_together(done)
    from service.anomaly_cluster import cluster, scan_on

    with cluster(workers, scheduler) as client:
        return scan_on(client, fleet, zone, now)


def _draw(
    folder: Path, result: ScanResult, fleet: list[Series], wanted: tuple[Tier, Language, ZoneInfo]
) -> None:
    from service.anomaly_lines import told
    from service.anomaly_plots import write_plots

    tier, language, zone = wanted
    meters = {series.facts.meter: series for series in fleet}
    number = write_plots(folder, told(result.findings, tier), meters, zone, language)
    typer.echo(f"{number} plot(s) in {folder}", err=True)


def _json_lines(findings: tuple[Finding, ...], tier: Tier, language: str, zone: ZoneInfo) -> Iterator[bytes]:
    import orjson

    from service.anomaly_lines import line_of, told

    for finding, stage in told(findings, tier):
        yield orjson.dumps(line_of(finding, stage, language, zone), option=orjson.OPT_APPEND_NEWLINE)


def _text_lines(findings: tuple[Finding, ...], tier: Tier, language: str, zone: ZoneInfo) -> Iterator[bytes]:
    from service.anomaly_lines import text_of, told

    for finding, stage in told(findings, tier):
        yield text_of(finding, stage, language, zone).encode()


def _tell_lacking(result: ScanResult) -> None:
    from service.anomaly_lines import lacking_lines

    for line in lacking_lines(result.insufficiencies):
        typer.echo(line, err=True)
