"""``nurt db``: the database's schema."""

from __future__ import annotations

import typer

from service.commands.options import Config, settings_in_force

__all__ = ["app"]

app = typer.Typer(help="Look after the database.", no_args_is_help=True)


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
