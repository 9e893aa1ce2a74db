"""``nurt db``: schema, soundness, backups, what goes after its days, moving to another database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.options import Config, DryRun, settings_in_force
from service.commands.series import check_series, forward

if TYPE_CHECKING:
    from metering.store.sql.engine import Database

__all__ = ["app"]

BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")]
TargetUrl = Annotated[
    str, typer.Argument(metavar="URL", help="postgresql://user@host/name or sqlite:////path/nurt.db")
]

Series = Annotated[bool, typer.Option(help="Compare with the series store, if there is one.")]

app = typer.Typer(help="Look after the database.", no_args_is_help=True)
app.command()(forward)


@app.command()
def upgrade(config: Config = None) -> None:
    """Bring the database to this release's schema, in one transaction; a missing one is made.

    Make a backup first. A database written by a newer release is refused and not touched.

    **Examples**

        nurt db upgrade --config /etc/nurt/nurt.toml
    """
    from metering.store import upgrade as upgrade_database

    before, after = upgrade_database(settings_in_force(config).settings.store.database)
    if before == after:
        typer.echo(f"Schema {after}: nothing to do.")
    else:
        typer.echo(f"Schema {after}: " + (f"upgraded from {before}." if before else "made."))


@app.command()
def version(config: Config = None) -> None:
    """Print the number of the database's schema; 0 if there is none yet.

    **Examples**

        nurt db version
    """
    from service.database import version_of

    typer.echo(version_of(settings_in_force(config).settings.store))


@app.command()
def check(config: Config = None, series: Series = True) -> None:  # noqa: FBT002  an option
    """Look for damage and contradictions; exit code 1 if there are any. It may run beside ingest.

    With a series store in the settings, the readings of both are compared, month by month: how many there
    are, their checksums, and how many differ.

    **Examples**

        nurt db check

        nurt db check --no-series
    """
    from metering.errors import StoreError
    from metering.store.sql.looking_after import check as look
    from metering.store.sql.looking_after import old_dates

    settings = settings_in_force(config).settings
    with _opened(config) as database:
        found, notes = look(database), old_dates(database)
        where = database.where
    for sentence in found:
        typer.echo(f"nurt: {where}: {sentence}", err=True)
    if found:
        raise StoreError(f"{where}: {len(found)} kinds of faults")
    typer.echo(f"{where}: sound, and nothing in it contradicts itself.")
    for note in notes:
        typer.echo(f"{note}: a clock was wrong then.")
    if series and settings.series.kind and not check_series(settings):
        raise StoreError("the series store differs; `nurt db forward --differing` sends what is to be sent")


@app.command()
def backup(file: BackupFile, config: Config = None) -> None:
    """Copy the SQLite database into a new file while the service runs: the state of one moment.

    Keep the master key's copy elsewhere: without it the meter keys in the backup cannot be used, and with it
    beside them they are not protected.

    **Examples**

        nurt db backup /var/backups/nurt-2026-03-01.db
    """
    from metering.store.sql.looking_after import back_up

    with _opened(config) as database:
        size = back_up(database, file)
    typer.echo(f"{file}: {size / 1e6:.1f} MB, sound.")


@app.command()
def restore(file: BackupFile, config: Config = None) -> None:
    """Put a backup in the place of the SQLite database. Stop the service first.

    What was there is kept beside it, named *.before. A backup of an older release is put back as it is; run
    `nurt db upgrade` then. One made before the master key was changed needs the master key of then.

    **Examples**

        nurt db restore /var/backups/nurt-2026-03-01.db
    """
    from metering.clock import SystemClock
    from metering.errors import StoreError, TelemetryError
    from metering.store.sql.engine import Database
    from metering.store.sql.looking_after import put_back
    from service.database import existing_store

    settings = settings_in_force(config).settings.store
    database = Database(settings.database)
    path = database.path
    database.close()
    if path is None:
        raise StoreError("only a SQLite database is restored so; use pg_restore")
    there = path.exists()
    put_back(file, path)
    before = f"; what was there is kept as {path}.before" if there else ""
    typer.echo(f"{path} holds what {file} holds{before}.")
    try:
        existing_store(settings, SystemClock()).close()
    except TelemetryError as wrong:
        typer.echo(f"nurt: it cannot be used yet: {wrong}", err=True)


@app.command()
def retention(config: Config = None, dry_run: DryRun = False) -> None:  # noqa: FBT002  an option
    """Delete what was kept long enough: what nobody registered came from, and months past their time.

    Telegrams of meters not registered, and counter states and values of devices not registered, go after
    [ingest] foreign_days; ingest does that by itself, and the telegrams stay counted. Whole months of
    telegrams and readings go after [store] telegrams_months and readings_months, only here, and only if these
    are set. PostgreSQL drops their partitions. It may run beside ingest. Readings say afterwards that their
    telegram was removed.

    **Examples**

        nurt db retention --dry-run

        nurt db retention
    """
    from metering.clock import SystemClock
    from service.retention import foreign_gone, months_gone

    settings, clock = settings_in_force(config).settings, SystemClock()
    typer.echo(foreign_gone(settings, clock, dry_run=dry_run))
    for sentence in months_gone(settings, clock, dry_run=dry_run):
        typer.echo(sentence)


@app.command("copy")
def copy_(target: TargetUrl, config: Config = None) -> None:
    """Copy the whole database into an empty one, SQLite to PostgreSQL or back, and verify it.

    Rows are counted and summed up on both sides; if anything differs, nothing is kept. End the service,
    or what comes meanwhile is not in the copy. A password is better kept in ~/.pgpass than in the address.

    **Examples**

        nurt db copy postgresql://nurt@db/nurt
    """
    from metering.store import upgrade as upgrade_database
    from metering.store.sql.copying import copy
    from metering.store.sql.engine import Database
    from service.commands.imports import told
    from service.database import demand_database

    demand_database(settings_in_force(config).settings.store)
    upgrade_database(target)
    other = Database(target)
    try:
        with _opened(config) as database, told(1 << 30, "Copying") as progress:
            sums = copy(database, other, lambda _table, rows: progress(rows))
        for one in sums:
            typer.echo(f"{one.table:<16} {one.rows:>12} rows  {one.checksum}")
        typer.echo(f"{other.where} holds the same.")
    finally:
        other.close()


@contextmanager
def _opened(config: Path | None) -> Iterator[Database]:
    from metering.store.sql.engine import Database
    from service.database import demand_database

    settings = settings_in_force(config).settings.store
    demand_database(settings)
    database = Database(settings.database)
    try:
        yield database
    finally:
        database.close()
