"""``nurt anomaly``: leaks and other findings in files of readings, without a database."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from metering.finding import Finding, Tier

if TYPE_CHECKING:
    from anomaly.scan import ScanResult

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Find leaks and other anomalies in files of readings.")


@app.callback()
def _group() -> None:
    """Find leaks and other anomalies in files of readings."""


class Format(StrEnum):
    """Who reads the answer."""

    TEXT = "text"
    JSONL = "jsonl"


class Language(StrEnum):
    """Language of the sentences."""

    EN = "en"
    PL = "pl"
    RO = "ro"


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
) -> None:
    """Judge every meter in a file of cumulative readings.

    Findings go to standard output, in the order they were raised. What could not be judged, and why, goes to
    standard error.

    **Examples**

        nurt anomaly scan readings.parquet --tz Europe/Warsaw --format jsonl
    """
    from anomaly.scan import scan as scan_fleet
    from metering.clock import SystemClock
    from service.anomaly_files import read_facts, read_series

    zone = _zone(tz)
    facts = read_facts(meters) if meters else None
    result = scan_fleet(read_series(file, facts), zone, int(SystemClock().now().timestamp()))
    lines = _json_lines if style is Format.JSONL else _text_lines
    for line in lines(result.findings, tier, lang, zone):
        sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
    _tell_lacking(result)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise typer.BadParameter(f"no time zone {name!r}", param_hint="--tz") from None


def _json_lines(findings: tuple[Finding, ...], tier: Tier, language: str, zone: ZoneInfo) -> Iterator[bytes]:
    import orjson

    from service.anomaly_lines import line_of, told

    for finding, stage in told(findings, tier):
        yield orjson.dumps(line_of(finding, stage, language, zone), option=orjson.OPT_APPEND_NEWLINE)


def _text_lines(findings: tuple[Finding, ...], tier: Tier, language: str, zone: ZoneInfo) -> Iterator[bytes]:
    from anomaly.texts import sentence
    from service.anomaly_lines import told

    for finding, stage in told(findings, tier):
        raised = f"{stage.raised_at.astimezone(zone):%Y-%m-%d %H:%M}"
        state = f"{finding.cleared_at.astimezone(zone):%Y-%m-%d %H:%M}" if finding.cleared_at else "open"
        said = sentence(stage, language, zone)
        yield f"{finding.subject}  {raised} -> {state}  {stage.tier}  {stage.name}\n    {said}\n".encode()


def _tell_lacking(result: ScanResult) -> None:
    from service.anomaly_lines import lacking_lines

    for line in lacking_lines(result.insufficiencies):
        typer.echo(line, err=True)
