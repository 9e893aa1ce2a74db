"""``nurt config``: what is in force, and whether it can work."""

from __future__ import annotations

import typer

from service.commands.options import Config, settings_in_force

__all__ = ["app"]

app = typer.Typer(help="Look at the settings.", no_args_is_help=True)


@app.command()
def show(config: Config = None) -> None:
    """Print the settings in force as TOML, each with where it was said; secrets are hidden.

    **Examples**

        nurt config show

        NURT_WEB__PORT=8080 nurt config show --config /etc/nurt/nurt.toml
    """
    from service.settings_text import settings_toml

    typer.echo(settings_toml(settings_in_force(config)), nl=False)


@app.command()
def check(config: Config = None) -> None:
    """Check the settings and the files they name; exit code 1 if something is wrong.

    **Examples**

        nurt config check --config /etc/nurt/nurt.toml
    """
    from service.settings_check import check_files

    effective = settings_in_force(config)
    check_files(effective.settings)
    typer.echo(f"{effective.file or 'The defaults'}: good")
