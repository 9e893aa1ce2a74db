"""``nurt keys``: meter keys, encrypted at rest under a master key. No key is ever printed."""

from __future__ import annotations

import typer

from service.commands.imports import File, importing, read_file, told
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

    A key is 32 hexadecimal digits, or 16 for old meters with DES; blanks between them do not matter. Earlier
    keys of a meter are kept and tried after newer ones.

    **Examples**

        nurt keys import keys.csv --dry-run

        nurt keys import keys.csv
    """
    from service.imports.keys import doubts, read_keys

    store = settings_in_force(config).settings.store
    rows = read_keys(read_file(file), str(file))
    for doubt in doubts(rows):
        typer.echo(f"nurt: {file}: {doubt}", err=True)
    new = 0
    with told(len(rows), "Storing keys") as progress, importing(store, dry_run=dry_run) as transaction:
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            new += transaction.keyring.put((row.meter, row.key) for row in chunk)
            progress(len(chunk))
    typer.echo(
        f"{file}: {new} new, {len(rows) - new} known already"
        + (" (dry run: nothing stored)" if dry_run else "")
    )
