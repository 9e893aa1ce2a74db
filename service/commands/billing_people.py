"""``nurt billing import | self-reading | visits | visited``: customers, what they tell, what readers find."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.commands.imports import File
from service.commands.options import Config, DryRun, settings_in_force
from service.imports.billing_tables import What

__all__ = ["import_", "self_reading", "visited", "visits"]

Route = Annotated[str | None, typer.Option(help="Only this reading route.", show_default=False)]


def import_(
    what: Annotated[What, typer.Argument(help="Which table.")],
    file: File,
    config: Config = None,
    dry_run: DryRun = False,  # noqa: FBT002  an option
) -> None:
    """Take a table in: all rows or none; the same file again changes nothing.

    tenancies: customer, contract, service_point, valid_from; optional valid_to, name, class, language, email,
    tariff. deductions: service_point, sub, valid_from; optional valid_to. meters: meter_id; optional digits,
    q3_m3h (m3/h), legal_until. protocols: meter_id, service_point, event (installed, removed), at, index_m3
    (m3); optional by, reference. logs: meter_id, at, index_m3 (m3): read out of the meters' own memory,
    for the sum check (R15).

    A file with any fault changes nothing; each fault is told with its row and column.

    **Examples**

        nurt billing import tenancies tenancies.csv --dry-run

        nurt billing import protocols exchanges.csv

        nurt billing import logs readout.csv
    """
    from zoneinfo import ZoneInfo

    from service.commands.imports import importing, read_file
    from service.imports.billing import import_billing

    settings = settings_in_force(config).settings
    raw = read_file(file)
    with importing(settings.store, dry_run=dry_run) as tx:
        count = import_billing(tx, what, raw, str(file), ZoneInfo(settings.ingest.zone))
    typer.echo(f"{file}: {count} rows taken in" + (" (dry run: nothing stored)" if dry_run else ""))


def self_reading(  # noqa: PLR0913, PLR0917  the options of the command
    service_point: Annotated[str, typer.Argument(help="Whose dial.")],
    state: Annotated[str, typer.Argument(help="What the customer told, as told: 409 or 409,2")],
    by: Annotated[str, typer.Option("--by", help="The customer's code, or the clerk's name.")],
    channel: Annotated[str, typer.Option(help="web, phone, e-mail or photo.")] = "phone",
    photo: Annotated[str, typer.Option(help="Reference of a photo.")] = "",
    language: Annotated[str, typer.Option(help="Of the sentence if it is refused: pl, ro, en.")] = "en",
    accept: Annotated[bool, typer.Option("--accept", help="Take it over at once.")] = False,  # noqa: FBT002  an option
    config: Config = None,
) -> None:
    """Enter a customer's state: judged, kept as evidence whatever comes of it, and told why if refused.

    **Examples**

        nurt billing self-reading SP1 409 --by "A. Kos" --channel phone --language pl
    """
    from billing_bridge.self_reading import LANGUAGES, Answer, Channel
    from metering.clock import SystemClock
    from metering.errors import InvalidValue
    from service.billing_self_reading import SelfReadings
    from service.database import prepared_store

    if channel not in set(Channel):
        raise InvalidValue(f"--channel {channel!r} is none of {', '.join(Channel)}")
    if language not in LANGUAGES:
        raise InvalidValue(f"--language {language!r} is none of {', '.join(LANGUAGES)}")
    settings, clock = settings_in_force(config).settings, SystemClock()
    store = prepared_store(settings.store, clock)
    try:
        book = SelfReadings(store, settings, clock)
        taken = book.enter(service_point, state, by=by, channel=Channel(channel), photo=photo)
        received = taken.entry.answer is Answer.RECEIVED
        accepted = accept and received and book.accept(taken.number)
    finally:
        store.close()
    if not received:
        raise InvalidValue(taken.entry.sentence(language))
    typer.echo(f"Received for {taken.window}, number {taken.number}" + ("; taken over" if accepted else ""))


def visits(
    route: Route = None,
    to: Annotated[Path | None, typer.Option("--to", help="File; standard output if not said.")] = None,
    asked: Annotated[bool, typer.Option("--asked", help="Only where a reader is asked for.")] = False,  # noqa: FBT002  an option
    config: Config = None,
) -> None:
    """Write the route of a reader as CSV, each dial with its last index.

    **Examples**

        nurt billing visits --route R7 --to r7.csv

        nurt billing visits --asked
    """
    from metering.clock import SystemClock
    from service.billing_utility import utility_of
    from service.billing_visits import route_csv
    from service.database import prepared_store

    settings = settings_in_force(config).settings
    store = prepared_store(settings.store, SystemClock())
    try:
        text = route_csv(store, utility_of(settings), route=route, asked_only=asked, clock=SystemClock())
    finally:
        store.close()
    if to is None:
        typer.echo(text, nl=False)
        return
    to.write_text(text, encoding="utf-8", newline="")
    typer.echo(f"{to}: {text.count(chr(10)) - 1} dials")


def visited(
    file: File, by: Annotated[str, typer.Option("--by", help="The reader's name.")], config: Config = None
) -> None:
    """Take in what a reader found: all rows or none; each index counts at once.

    Columns: service_point, meter_id, index_m3 (m3), read_at (with offset); others of the route are ignored.

    **Examples**

        nurt billing visited r7.csv --by "M. Bak"
    """
    from zoneinfo import ZoneInfo

    from metering.clock import SystemClock
    from service.billing_utility import utility_of
    from service.billing_visits import take_visits
    from service.commands.imports import read_file
    from service.database import prepared_store

    settings, clock = settings_in_force(config).settings, SystemClock()
    raw = read_file(file)
    store = prepared_store(settings.store, clock)
    try:
        zone, utility = ZoneInfo(settings.ingest.zone), utility_of(settings)
        count = take_visits(store, utility, zone, raw, str(file), by=by, clock=clock)
    finally:
        store.close()
    typer.echo(f"{file}: {count} new states")
