"""``nurt findings``: what was found, and what people make of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from metering.finding import Tier
from metering.findings import FindingState
from service.commands.anomaly_options import Format, Language
from service.commands.options import Config, settings_in_force

if TYPE_CHECKING:
    from metering.findings import Kept
    from metering.ports import Store

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Look at findings; acknowledge, confirm or dismiss them.")

Number = Annotated[int, typer.Argument(metavar="ID", help="Number of the finding.", min=1)]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who says so.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, in words.")]


@app.callback()
def _group() -> None:
    """Look at findings; acknowledge, confirm or dismiss them."""


@app.command("list")
def list_findings(  # noqa: PLR0913, PLR0917  options of a command
    tier: Annotated[Tier | None, typer.Option(help="Reached at least.")] = None,
    family: Annotated[str, typer.Option("--class", metavar="CLASS", help="leak, burst, backflow, ...")] = "",
    state: Annotated[FindingState | None, typer.Option(help="What people made of them.")] = None,
    meter: Annotated[str, typer.Option(metavar="ID", help="Of this meter or district.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Cleared ones as well.")] = False,  # noqa: FBT002  an option
    limit: Annotated[int, typer.Option(min=1, max=1000, help="So many, the newest first.")] = 50,
    style: Annotated[
        Format, typer.Option("--format", help="text, or one JSON line a finding.")
    ] = Format.TEXT,
    lang: Annotated[Language, typer.Option(help="Language of the sentences.")] = Language.EN,
    config: Config = None,
) -> None:
    """List findings, the one raised last first.

    **Examples**

        nurt findings list --tier notify

        nurt findings list --class leak --all --format jsonl
    """
    from anomaly.texts import catalogue
    from metering.findings import Wanted

    families = sorted({name.partition(".")[0] for name in catalogue()})
    if family and family not in families:
        raise typer.BadParameter(
            f"no class {family!r}; there are {', '.join(families)}", param_hint="--class"
        )
    wanted = Wanted(tier, family, state, None if everything else True, meter)
    with _store(config) as (store, zone):
        with store.reading() as tx:
            found, total = tx.findings.wanted(wanted, limit=limit)
        _print(found, style, lang, zone)
        typer.echo(f"{len(found)} of {total} finding(s)", err=True)


@app.command()
def show(
    number: Number, lang: Annotated[Language, typer.Option()] = Language.EN, config: Config = None
) -> None:
    """Show one finding: its stages, its evidence, and what was said of it.

    **Examples**

        nurt findings show 17
    """
    import orjson

    from service.anomaly_lines import line_of

    with _store(config) as (store, zone), store.reading() as tx:
        kept = tx.findings.finding(number)
        if kept is None:
            raise typer.BadParameter(f"there is no finding {number}", param_hint="ID")
        finding = kept.finding
        line = line_of(finding, finding.stages[-1], lang, zone)
        said = [
            {"state": one.state, "by": one.by, "reason": one.reason, "at": one.at}
            for one in tx.findings.verdicts(number)
        ]
        told = [
            {"channel": one.channel, "tier": one.tier, "state": one.state, "error": one.error}
            for one in tx.findings.notices(number)
        ]
    whole = {"id": kept.id, **line, "state": kept.state, "tenancy": kept.tenancy, "muted": kept.muted}
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    sys.stdout.buffer.write(orjson.dumps({**whole, "verdicts": said, "notices": told}, option=options))


@app.command()
def ack(number: Number, by: By, reason: Reason = "", config: Config = None) -> None:
    """Say that somebody sees to a finding.

    **Examples**

        nurt findings ack 17 --by anna
    """
    _judge(config, number, FindingState.ACKNOWLEDGED, by, reason)


@app.command()
def confirm(number: Number, by: By, reason: Reason = "", config: Config = None) -> None:
    """Say that it was so; this teaches how sure findings of its class are.

    **Examples**

        nurt findings confirm 17 --by anna --reason "toilet valve replaced"
    """
    _judge(config, number, FindingState.CONFIRMED, by, reason)


@app.command()
def dismiss(number: Number, by: By, reason: Reason, config: Config = None) -> None:
    """Say that it was not so; this teaches how sure findings of its class are.

    **Examples**

        nurt findings dismiss 17 --by anna --reason "garden watered at night"
    """
    _judge(config, number, FindingState.DISMISSED, by, reason)


def _judge(config: object, number: int, state: FindingState, by: str, reason: str) -> None:
    from metering.clock import SystemClock
    from metering.findings import Verdict

    with _store(config) as (store, _), store.writing() as tx:
        kept = tx.findings.judge(number, Verdict(state, by, reason, SystemClock().now()))
    typer.echo(f"Finding {kept.id} ({kept.finding.name} of {kept.finding.subject}) is {kept.state}.")


@contextmanager
def _store(config: object) -> Iterator[tuple[Store, ZoneInfo]]:
    from pathlib import Path

    from metering.clock import SystemClock
    from service.database import prepared_store

    settings = settings_in_force(config if isinstance(config, Path) else None).settings
    store = prepared_store(settings.store, SystemClock())
    try:
        yield store, ZoneInfo(settings.ingest.zone)
    finally:
        store.close()


def _print(found: Sequence[Kept], style: Format, lang: str, zone: ZoneInfo) -> None:
    import orjson

    from service.anomaly_lines import line_of, text_of

    for kept in found:
        finding, stage = kept.finding, kept.finding.stages[-1]
        if style is Format.JSONL:
            line = {"id": kept.id, **line_of(finding, stage, lang, zone), "state": kept.state}
            sys.stdout.buffer.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        else:
            sys.stdout.buffer.write(
                f"{kept.id:>6}  {kept.state}  {text_of(finding, stage, lang, zone)}".encode()
            )
    sys.stdout.buffer.flush()
