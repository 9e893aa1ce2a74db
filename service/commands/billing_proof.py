"""``nurt billing evidence | reconcile``: what an index rests on, and whether all sides say the same."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.options import Config, DryRun, settings_in_force

if TYPE_CHECKING:
    from service.billing_reconcile import Reconciled

__all__ = ["evidence", "preview", "reconcile"]


class Form(StrEnum):
    """How evidence is written."""

    JSON = "json"
    HTML = "html"


def evidence(
    key: Annotated[str, typer.Argument(metavar="KEY", help="br:..., as invoices and status name it.")],
    style: Annotated[Form, typer.Option("--format", help="html is a page to print.")] = Form.JSON,
    config: Config = None,
) -> None:
    """Give everything a billed index rests on, down to the telegrams: for a complaint, or an auditor.

    **Examples**

        nurt billing evidence br:utility:SP1%2Fvolume:2026-09-01..2026-10-01:1

        nurt billing evidence br:utility:SP1%2Fvolume:2026-09-01..2026-10-01:1 --format html > evidence.html
    """
    import orjson

    from metering.clock import SystemClock
    from service.billing_evidence import evidence_of
    from service.billing_evidence_page import printable
    from service.database import prepared_store

    settings = settings_in_force(config).settings
    store = prepared_store(settings.store, SystemClock())
    try:
        with store.reading() as tx:
            pack = evidence_of(tx, settings.billing.target, key)
    finally:
        store.close()
    if style is Form.HTML:
        sys.stdout.write(printable(pack))
        return
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z
    sys.stdout.buffer.write(orjson.dumps(pack, option=options))


def preview(
    service_point: Annotated[str, typer.Argument(help="Whose bill.")],
    config: Config = None,
) -> None:
    """Say what a bill up to now would be: read taken, priced by the billing system; nothing is kept.

    **Examples**

        nurt billing preview SP1
    """
    from metering.clock import SystemClock
    from service.billing_preview import preview as ask
    from service.billing_utility import utility_of
    from service.database import prepared_store
    from service.text_table import text_table

    settings, clock = settings_in_force(config).settings, SystemClock()
    store = prepared_store(settings.store, clock)
    try:
        told = ask(settings, store, clock, utility_of(settings), service_point)
    finally:
        store.close()
    typer.echo(f"{told.read.period.id}: {told.read.volume_m3} m3")
    for line in text_table(told.lines):
        typer.echo(line)
    typer.echo(f"{told.gross} {told.currency} gross; nothing was booked")


def reconcile(
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="As of nurt billing close.")],
    theirs: Annotated[
        Path | None,
        typer.Option("--theirs", help="What the billing system holds, as JSON; fetched if not said."),
    ] = None,
    config: Config = None,
    dry_run: DryRun = False,  # noqa: FBT002  an option
) -> None:
    """Compare what was billed with the billing system, the chart and the meter's last word, to the litre.

    What does not agree becomes a question in `nurt billing exceptions`, and the command ends with 1.

    **Examples**

        nurt billing reconcile 2026-09

        nurt billing reconcile 2026-09 --theirs held.json --dry-run
    """
    from zoneinfo import ZoneInfo

    from metering.clock import SystemClock
    from service.billing import span_of
    from service.billing_nightly import reconciled
    from service.commands.imports import read_file
    from service.database import prepared_store

    settings, clock = settings_in_force(config).settings, SystemClock()
    span = span_of(period, ZoneInfo(settings.ingest.zone))
    raw = read_file(theirs) if theirs else None
    store = prepared_store(settings.store, clock)
    try:
        told = reconciled(settings, store, clock, span, raw, keep=not dry_run)
    finally:
        store.close()
    for what, done in told.items():
        _say(what, done)
    if any(done.found for done in told.values()):
        raise typer.Exit(1)


def _say(what: str, done: Reconciled) -> None:
    typer.echo(f"{what}: {done.compared} reads compared, {len(done.found)} do not agree")
    for one in done.found[:50]:
        typer.echo(f"  {one.what:8} {one.key}: {one.sentence}")
    if len(done.found) > 50:
        typer.echo(f"  and {len(done.found) - 50} more")
