"""``nurt keys``: meter keys, encrypted at rest under a master key. No key is ever printed."""

from __future__ import annotations

import typer

from service.commands.imports import File, importing, read_file, tell_mended, told
from service.commands.options import Config, DryRun, settings_in_force

__all__ = ["app"]

app = typer.Typer(help="Look after the meter keys. No key is ever printed.", no_args_is_help=True)

_CHUNK = 500


@app.command()
def init(config: Config = None) -> None:
    """Make the master key that meter keys are encrypted under; an existing one is never overwritten.

    Keep a copy of the file apart from the database: without it the stored meter keys are lost.

    **Examples**

        nurt keys init
    """
    from metering.store import create_master_key

    path = settings_in_force(config).settings.store.master_key
    create_master_key(path)
    typer.echo(f"Made {path}, readable by you only. Keep a copy apart from the database.")


@app.command("import")
def import_(file: File, config: Config = None, dry_run: DryRun = False) -> None:  # noqa: FBT002  an option
    """Store meter keys from a table with the columns meter_id and key: all rows or none.

    Telegrams that waited for a key are read at once. Optional columns valid_from and valid_to (2026-03-01, or
    with time and offset) say of which telegrams a key is.

    A key is 32 hexadecimal digits, or 16 for old meters with DES; blanks between them do not matter. Earlier
    keys of a meter are kept and tried after newer ones.

    **Examples**

        nurt keys import keys.csv --dry-run

        nurt keys import keys.csv
    """
    from zoneinfo import ZoneInfo

    from service.imports.keys import doubts, read_keys

    settings = settings_in_force(config).settings
    rows = read_keys(read_file(file), str(file), ZoneInfo(settings.ingest.zone))
    for doubt in doubts(rows):
        typer.echo(f"nurt: {file}: {doubt}", err=True)
    new = 0
    with told(len(rows), "Storing keys") as progress, importing(settings.store, dry_run=dry_run) as tx:
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            new += tx.keyring.put((row.meter, row.key) for row in chunk if not row.dated)
            new += tx.keyring.put_periods((row.meter, row.period) for row in chunk if row.dated)
            progress(len(chunk))
    typer.echo(
        f"{file}: {new} new, {len(rows) - new} known already"
        + (" (dry run: nothing stored)" if dry_run else "")
    )
    if not dry_run:
        tell_mended(settings)


@app.command()
def check(config: Config = None) -> None:
    """Look through the stored keys: can each be opened, is one shared, zero, published or a placeholder?

    **Examples**

        nurt keys check
    """
    from metering.clock import SystemClock
    from service.database import prepared_store
    from service.key_check import look_through

    store = prepared_store(settings_in_force(config).settings.store, SystemClock())
    try:
        with store.reading() as view:
            number, doubts = look_through(view.keyring)
    finally:
        store.close()
    typer.echo("\n".join([f"{number} meters have keys, and each can be opened.", *doubts]))


@app.command("rotate-master")
def rotate_master(config: Config = None) -> None:
    """Make a new master key and encrypt every stored meter key under it.

    It may run beside ingest, be interrupted, and begun again: it goes on where it was. The old master key is
    kept beside the new one, named *.before; destroy it when the backups made under it are gone.

    **Examples**

        nurt keys rotate-master
    """
    from service.key_rotation import rotate

    settings = settings_in_force(config).settings.store
    with told(0, "Encrypting keys anew") as progress:
        done = rotate(settings, progress)
    typer.echo(f"{done} meter keys are encrypted under the new master key {settings.master_key}.")
