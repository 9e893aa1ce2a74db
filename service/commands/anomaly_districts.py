"""``nurt anomaly districts``: leaks between the district meter and the customers."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from metering.finding import Finding, Tier
from service.commands.anomaly_options import Format, Language, zone_named

if TYPE_CHECKING:
    from anomaly.district import District
    from anomaly.district_scan import DistrictResult

__all__ = ["districts"]


def districts(  # noqa: PLR0913, PLR0917  options of a command
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", exists=True, dir_okay=False, help="dma, ts_utc, inflow_lps; .parquet or .csv"
        ),
    ],
    calendar: Annotated[
        Path | None,
        typer.Option(
            metavar="CALENDAR",
            exists=True,
            dir_okay=False,
            help="date (or ts, local), holiday; .parquet or .csv. Times with a zone also set the local time.",
        ),
    ] = None,
    customers: Annotated[
        Path | None,
        typer.Option(
            metavar="USE",
            exists=True,
            dir_okay=False,
            help="dma, ts_utc, use_lps: what the meters of all customers say; it is taken off the inflow.",
        ),
    ] = None,
    tz: Annotated[str | None, typer.Option(metavar="ZONE", help="Local time of the districts.")] = None,
    tier: Annotated[Tier, typer.Option(help="Lowest tier to tell.")] = Tier.NOTIFY,
    limits: Annotated[  # noqa: FBT002  an option of a command
        bool, typer.Option("--limits", help="Give the smallest leak each district would show, not findings.")
    ] = False,
    balance: Annotated[  # noqa: FBT002  an option of a command
        bool,
        typer.Option("--balance", help="Give the water balance by month, not findings; needs --customers."),
    ] = False,
    coverage: Annotated[
        float, typer.Option(min=0.01, max=1.0, help="Share of all consumption the customers' meters count.")
    ] = 1.0,
    style: Annotated[
        Format, typer.Option("--format", help="text for people; jsonl gives one line a finding.")
    ] = Format.TEXT,
    lang: Annotated[Language, typer.Option(help="Language of the sentences.")] = Language.EN,
) -> None:
    """Judge the inflow of every district night by night.

    Findings go to standard output, in the order they were raised. What could not be judged, and the smallest
    leak each district would show within five nights, go to standard error.

    **Examples**

        nurt anomaly districts inflow.parquet --calendar calendar.parquet --format jsonl

        nurt anomaly districts inflow.csv --tz Europe/Warsaw --limits

        nurt anomaly districts inflow.csv --customers use.csv --coverage 0.95 --balance
    """
    from anomaly.district_scan import scan_districts
    from anomaly.water_balance import customers_exceed
    from service.anomaly_lines import told
    from service.district_files import Calendar, read_calendar, read_flows

    days = read_calendar(calendar) if calendar else Calendar()
    zone = zone_named(tz) if tz else days.zone or ZoneInfo("UTC")
    flows = read_flows(file, "inflow_lps")
    use = {one.dma: one for one in read_flows(customers, "use_lps")} if customers else {}
    if balance:
        if customers is None:
            raise typer.BadParameter("needs --customers", param_hint="--balance")
        lines = _balance_lines(
            [(one, use[one.dma]) for one in flows if one.dma in use], zone, coverage, style
        )
    else:
        result = scan_districts([_net(one, use, coverage) for one in flows], zone, days.holidays)
        _tell_missing(result)
        exceeding = [
            finding
            for one in flows
            if one.dma in use
            for finding in customers_exceed(one, use[one.dma], zone, coverage)
        ]
        lines = (
            _limit_lines(result, style)
            if limits
            else _finding_lines((*result.findings, *exceeding), style, tier, lang, zone)
        )
        if not limits:
            _tell_limits(result)
            number = len(told((*result.findings, *exceeding), tier))
            typer.echo(f"{len(flows)} district(s): {number} finding(s) from {tier} on", err=True)
    for line in lines:
        sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def _balance_lines(
    pairs: Sequence[tuple[District, District]], zone: ZoneInfo, coverage: float, style: Format
) -> Iterator[bytes]:
    import orjson

    from anomaly.water_balance import monthly_balances
    from service.anomaly_lines import balance_line_of, balance_text

    for inflow, use in pairs:
        for one in monthly_balances(inflow, use, zone, coverage):
            if style is Format.JSONL:
                yield orjson.dumps(balance_line_of(one), option=orjson.OPT_APPEND_NEWLINE)
            else:
                yield f"{balance_text(one)}\n".encode()


def _net(inflow: District, use: dict[str, District], coverage: float) -> District:
    """Take off what customers are known to use: what is left is leakage and what no meter saw."""
    known = use.get(inflow.dma)
    return inflow.less(known, coverage) if known else inflow


def _finding_lines(
    findings: Sequence[Finding], style: Format, tier: Tier, lang: str, zone: ZoneInfo
) -> Iterator[bytes]:
    import orjson

    from service.anomaly_lines import district_line_of, text_of, told

    for finding, stage in told(findings, tier):
        if style is Format.JSONL:
            line = district_line_of(finding, stage, lang, zone)
            yield orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
        else:
            yield text_of(finding, stage, lang, zone).encode()


def _limit_lines(result: DistrictResult, style: Format) -> Iterator[bytes]:
    import orjson

    from service.anomaly_lines import limit_line_of, limit_text

    for limit in result.limits:
        if style is Format.JSONL:
            yield orjson.dumps(limit_line_of(limit), option=orjson.OPT_APPEND_NEWLINE)
        else:
            yield f"{limit_text(limit)}\n".encode()


def _tell_limits(result: DistrictResult) -> None:
    from service.anomaly_lines import limit_text

    for limit in result.limits:
        typer.echo(limit_text(limit), err=True)


def _tell_missing(result: DistrictResult) -> None:
    from service.anomaly_lines import lacking_lines

    for line in lacking_lines(result.insufficiencies, "district"):
        typer.echo(line, err=True)
