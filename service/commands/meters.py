"""``nurt meters``: the meters the utility owns."""

from __future__ import annotations

import typer

from service.commands.imports import File, importing, read_file, tell_mended, told
from service.commands.options import Config, DryRun, settings_in_force

__all__ = ["app"]

app = typer.Typer(help="Look after the registry of meters.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Look after the registry of meters."""


@app.command("import")
def import_(file: File, config: Config = None, dry_run: DryRun = False) -> None:  # noqa: FBT002  an option
    """Register meters from a table: all rows or none; the same file again changes nothing.

    Columns: meter_id, or manufacturer, serial, version and device_type. Optional: label, medium, model,
    service_point, address, district, route, installed_from (2026-03-01: local midnight; or with time and
    offset). For pulse meters: gateway, channel, litres_per_pulse (litres), start_count, start_index_m3 (m3).
    For meters whose values come decoded: device (a DevEUI, a serial number), behind gateway or behind any.

    **Examples**

        nurt meters import meters.csv --dry-run

        nurt meters import meters.csv
    """
    from datetime import UTC
    from zoneinfo import ZoneInfo

    from metering.clock import SystemClock
    from service.imports.meters import read_meters
    from service.imports.register import register

    settings = settings_in_force(config).settings
    zone = ZoneInfo(settings.ingest.zone)
    local = SystemClock().now().astimezone(zone)
    today = local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    rows = read_meters(read_file(file), str(file), zone=zone, today=today)
    with (
        told(len(rows), "Registering meters") as progress,
        importing(settings.store, dry_run=dry_run) as transaction,
    ):
        ports = (transaction.registry, transaction.devices)
        summary = register(*ports, rows, str(file), today=today, progress=progress)
    typer.echo(
        f"{file}: {summary.new} new, {summary.changed} changed, {summary.same} as before"
        + (" (dry run: nothing stored)" if dry_run else "")
    )
    if not dry_run:
        tell_mended(settings)
