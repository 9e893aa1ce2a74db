"""``nurt districts``: which meters count what flows into a district, and how it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.imports import File, importing, read_file
from service.commands.options import Config, DryRun, settings_in_force

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metering.districts import DistrictMeter
    from metering.ports import Transaction

__all__ = ["app"]

app = typer.Typer(help="Look after district metered areas.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Look after district metered areas."""


@app.command("import")
def import_(file: File, config: Config = None, dry_run: DryRun = False) -> None:  # noqa: FBT002  an option
    """Record the meters at the borders of districts: all rows or none; the same file again changes nothing.

    Columns: district (as in the column of `nurt meters import`), meter_id (a registered meter), direction
    (in or out). Optional: register (volume, or volume+backward for a register of its own), valid_from and
    valid_to (2026-03-01: local midnight; or with time and offset). Customers' meters are in a district by
    their service points. The nightly scan sums up hours and judges them: `nurt scan` does so now.

    **Examples**

        nurt districts import borders.csv --dry-run

        nurt districts import borders.csv
    """
    from zoneinfo import ZoneInfo

    from service.imports.districts import demand_known, read_districts

    settings = settings_in_force(config).settings
    rows = read_districts(read_file(file), str(file), ZoneInfo(settings.ingest.zone))
    meters = [row.meter for row in rows]
    with importing(settings.store, dry_run=dry_run) as transaction:
        demand_known(rows, transaction.registry.meters({one.meter for one in meters}), str(file))
        before = {one for known in transaction.districts.meters().values() for one in known}
        transaction.districts.put_meters(meters)
    new = len(set(meters) - before)
    names = len({one.district for one in meters})
    typer.echo(
        f"{file}: {new} new or changed, {len(meters) - new} as before, in {names} district(s)"
        + (" (dry run: nothing stored)" if dry_run else "")
    )


@app.command("list")
def list_(config: Config = None) -> None:
    """List districts: border meters, customers' meters, usual inflow and the smallest leak that shows.

    **Examples**

        nurt districts list
    """
    from metering.clock import SystemClock
    from service.database import prepared_store

    store = prepared_store(settings_in_force(config).settings.store, SystemClock())
    try:
        with store.reading() as tx:
            borders = tx.districts.meters()
            for name, meters in borders.items():
                typer.echo(_line(tx, name, meters))
        typer.echo(f"{len(borders)} district(s)", err=True)
    finally:
        store.close()


@app.command()
def remove(
    name: Annotated[str, typer.Argument(metavar="DISTRICT", help="Id of the district.")],
    config: Config = None,
) -> None:
    """Forget a district's border meters and its hours; meters, readings and findings stay.

    **Examples**

        nurt districts remove north
    """
    from metering.clock import SystemClock
    from metering.errors import InvalidValue
    from service.database import prepared_store

    store = prepared_store(settings_in_force(config).settings.store, SystemClock())
    try:
        with store.writing() as tx:
            gone = tx.districts.remove_meters(name)
        if not gone:
            raise InvalidValue(f"there is no district {name}; `nurt districts list` shows which there are")
    finally:
        store.close()
    typer.echo(f"{name}: {gone} border meter(s) forgotten")


def _line(tx: Transaction, name: str, meters: Sequence[DistrictMeter]) -> str:
    from service.anomaly_lines import flow_text
    from service.scanning_districts import state_of

    state, customers = state_of(tx, name), tx.districts.customers(name)
    into = sum(one.sign > 0 for one in meters)
    line = f"{name}  {into} meter(s) in, {len(meters) - into} out, {customers} customers' meters"
    if state.detectable_lps is None:
        return f"{line}; not judged: {state.lacking}"
    net = "less customers' use" if state.net else "inflow only"
    inflow = flow_text(state.inflow_lps) if state.inflow_lps is not None else "unknown inflow"
    return f"{line}; {inflow} ({net}); leaks from {flow_text(state.detectable_lps)} show within five nights"
