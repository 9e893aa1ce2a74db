"""``nurt keys``: meter keys, encrypted at rest under a master key. No key is ever printed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.imports import importing, read_file, tell_mended, told
from service.commands.options import Config, DryRun, settings_in_force

if TYPE_CHECKING:
    from service.imports.keys import KeyRow
    from service.settings_model import Settings

__all__ = ["app"]

app = typer.Typer(help="Look after the meter keys. No key is ever printed.", no_args_is_help=True)

_CHUNK = 500

KeyFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="Table (UTF-8, header row, , or ; separated) or KEM file.")
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Password of the KEM file, on the first line; else it is asked for."),
]
Supposed = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="VERSION-TYPE",
        help="Version and device type, like 1b-16, of meters of a KEM file not registered or heard yet.",
    ),
]

Waiting = Annotated[bool, typer.Option(help="Instead: meters whose telegrams wait for a key, and why.")]


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
def import_(
    file: KeyFile,
    password_file: PasswordFile = None,
    supposed: Supposed = "",
    config: Config = None,
    dry_run: DryRun = False,  # noqa: FBT002  an option
) -> None:
    """Store meter keys: all of a file or none.

    From a table with the columns meter_id and key; optional columns valid_from and valid_to (2026-03-01, or
    with time and offset) say of which telegrams a key is. A key is 32 hexadecimal digits, or 16 for old
    meters with DES; blanks between them do not matter.

    From a Kamstrup KEM or KEM2 file, packed or not. It names meters by serial number: the key goes to each
    meter of that number that is registered or was heard. Faults name meters by their place in the file.

    Telegrams that waited for a key are read at once. Earlier keys of a meter are kept and tried after newer
    ones.

    **Examples**

        nurt keys import keys.csv --dry-run

        nurt keys import keys.csv

        nurt keys import 20260301_DownloadMeters.zip.kem --password-file kem.password
    """
    from service.imports.keys import doubts

    settings = settings_in_force(config).settings
    rows = _rows(file, password_file, supposed, settings)
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


def _rows(file: Path, password_file: Path | None, supposed: str, settings: Settings) -> list[KeyRow]:
    """Read a table or a KEM file, whichever it is."""
    from zoneinfo import ZoneInfo

    from service.imports.kem import identified, read_kem
    from service.imports.kem_container import is_kem
    from service.imports.keys import read_keys
    from service.known_meters import known_meters

    raw = read_file(file)
    if not is_kem(raw):
        return read_keys(raw, str(file), ZoneInfo(settings.ingest.zone))
    meters = read_kem(raw, str(file), _password(password_file))
    known = known_meters(settings.store, {meter.maker for meter in meters})
    return identified(meters, known, supposed, str(file))


def _password(file: Path | None) -> str:
    """Read the password from its file, or have it typed; a command line is seen by others."""
    from metering.errors import SettingsError

    if file is None:
        if not sys.stdin.isatty():
            raise SettingsError("a KEM file has a password; name the file it is in with --password-file")
        return str(typer.prompt("Password of the KEM file", hide_input=True, err=True))
    try:
        return file.read_text(encoding="utf-8-sig").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as wrong:
        reason = getattr(wrong, "strerror", None) or "not UTF-8 text"
        raise SettingsError(f"the password file {file} cannot be read: {reason}") from wrong


@app.command()
def check(config: Config = None) -> None:
    """Look through the stored keys: can each be opened, is one shared, zero, published or a placeholder?

    **Examples**

        nurt keys check
    """
    from metering.clock import SystemClock
    from service.database import existing_store
    from service.key_check import look_through

    store = existing_store(settings_in_force(config).settings.store, SystemClock())
    try:
        with store.reading() as view:
            number, doubts = look_through(view.keyring)
    finally:
        store.close()
    have = "1 meter has keys" if number == 1 else f"{number} meters have keys"
    typer.echo("\n".join([f"{have}, and each can be opened.", *doubts]))


@app.command("list")
def list_(
    meter: Annotated[str, typer.Option(metavar="ID", help="The keys of one meter.")] = "",
    waiting: Waiting = False,  # noqa: FBT002  an option
    config: Config = None,
) -> None:
    """List which meters have keys, and of which telegrams each is. No key is printed.

    Key 1 is the newest and is tried first. Keys beyond the validity told with them are not tried.

    **Examples**

        nurt keys list

        nurt keys list --meter KAM-76348799-1b-16

        nurt keys list --waiting
    """
    from metering.clock import SystemClock
    from metering.meter import MeterId
    from service.database import existing_store
    from service.key_list import keys_told, waiting_told
    from service.text_table import text_table

    store = existing_store(settings_in_force(config).settings.store, SystemClock())
    try:
        with store.reading() as view:
            of_meter = MeterId.parse(meter) if meter else None
            rows = waiting_told(view) if waiting else list(keys_told(view, of_meter))
    finally:
        store.close()
    if not rows:
        none = f"{meter} has no key." if meter else "No meter has a key."
        typer.echo("No telegram waits for a key." if waiting else none)
    for line in text_table(rows):
        typer.echo(line)


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
