"""``nurt billing take-in``: invoices, balances and payments from files."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.options import Config, DryRun, settings_in_force

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

__all__ = ["take_in"]

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...", help=".xml (KSeF FA(3), UBL 2.1), .pdf beside it, .csv (balances, payments)."
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--complete-until",
        metavar="TIME",
        help="High-water mark: up to then nothing is missing; a date or a time with its offset.",
        show_default=False,
    ),
]


def take_in(files: Files, until: Until = None, config: Config = None, dry_run: DryRun = False) -> None:  # noqa: FBT002  an option
    """Take in what the billing system says of customers: invoices, balances, payments. All files or none.

    The same file again changes nothing. Nothing is computed from it: customers are shown what it says.
    Tables have the columns customer, as_of, amount, currency (balances) or payment_id, customer, paid_on,
    amount, currency (payments).

    **Examples**

        nurt billing take-in balances.csv --complete-until 2026-11-01

        nurt billing take-in 1234563218-20260403-0A1B2C3D4E5F-7C.xml 1234563218-20260403-0A1B2C3D4E5F-7C.pdf

        nurt billing take-in invoices/*.xml --dry-run
    """
    from zoneinfo import ZoneInfo

    from metering.clock import SystemClock
    from service.billing_documents import documents_in
    from service.billing_documents import take_in as keep
    from service.commands.imports import importing

    settings = settings_in_force(config).settings
    zone, source = ZoneInfo(settings.ingest.zone), settings.billing.target
    mark = _moment(until, zone) if until else None
    messages = documents_in(files, source, zone)
    with importing(settings.store, dry_run=dry_run) as tx:
        taken = keep(tx, messages, source, SystemClock().now())
        if mark is not None:
            tx.accounts.put_mark(source, "files", mark)
    would = "would be new; nothing was changed" if dry_run else "new"
    typer.echo(f"{taken.documents} documents in {len(files)} files, {taken.new} {would}.")


def _moment(text: str, zone: ZoneInfo) -> datetime:
    from service.imports.cells import when
    from service.imports.table import Faults, Row

    faults = Faults("--complete-until")
    moment = when(Row(1, {"TIME": text}), "TIME", zone, faults)
    if moment is None:
        raise typer.BadParameter(faults.found[0].sentence, param_hint="--complete-until")
    return moment
