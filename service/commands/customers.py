"""``nurt customers``: secrets of portals, links for trying out, who looked, what was agreed to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.options import Config, settings_in_force

if TYPE_CHECKING:
    from service.settings_model import Settings

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="What customers see: portals' secrets, links, looks, consents.")

Contract = Annotated[str, typer.Argument(help="Number of the contract.")]


@app.command()
def key(
    portal: Annotated[str, typer.Argument(help="Name of the portal: a-z 0-9 _ -")], config: Config = None
) -> None:
    """Make a secret for a portal that embeds our pages, and put it into [customers] key_file.

    It is shown once. The portal signs tokens with it; docs/customer-charts.md says how, in a few lines.
    A second name for the same portal lets it change its secret without a pause.

    **Examples**

        nurt customers key ebok
    """
    from metering.errors import SettingsError
    from service.customers.token import new_secret, read_secrets

    path = _key_file(settings_in_force(config).settings)
    secret = new_secret()
    if path.exists() and portal in read_secrets(path).by_name:
        raise SettingsError(f"{path} has a secret of {portal} already; choose another name to change it")
    _append(path, f"{portal} {secret}\n")
    read_secrets(path)
    typer.echo(f"{path} has a secret of {portal} now. For the portal, shown once:\n{secret}")


@app.command()
def link(
    contract: Contract,
    service_point: Annotated[str, typer.Argument(help="Whose consumption.")],
    portal: Annotated[str, typer.Option(help="Whose secret signs it; the first one if not said.")] = "",
    minutes: Annotated[int, typer.Option("--minutes", min=1, max=1440, help="How long it is valid.")] = 60,
    config: Config = None,
) -> None:
    """Make a link as a portal would, to see what its customer sees.

    **Examples**

        nurt customers link U-104 SP-7 --minutes 15
    """
    from datetime import timedelta

    from metering.clock import SystemClock
    from service.customers.token import Claims, mint, read_secrets

    settings = settings_in_force(config).settings
    secrets = read_secrets(_key_file(settings))
    now = SystemClock().now()
    who = portal or next(iter(secrets.by_name))
    token = mint(Claims(who, contract, service_point, now, now + timedelta(minutes=minutes)), secrets)
    typer.echo(f"http://{settings.web.host}:{settings.web.port}/c/{token}")


@app.command()
def looks(
    contract: Contract,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 50,
    config: Config = None,
) -> None:
    """List who was shown a customer's consumption, the newest first. Times are UTC.

    **Examples**

        nurt customers looks U-104
    """
    from metering.clock import SystemClock
    from service.database import prepared_store
    from service.text_table import text_table

    store = prepared_store(settings_in_force(config).settings.store, SystemClock())
    try:
        with store.reading() as tx:
            found, agreed = tx.access.looks(contract, limit=limit), tx.access.consents(contract)
    finally:
        store.close()
    rows = [
        {
            "at": f"{one.at:%Y-%m-%d %H:%M:%S}",
            "portal": one.by,
            "what": one.what,
            "service_point": one.service_point,
            "from": f"{one.since:%Y-%m-%d %H:%M}",
            "to": f"{one.until:%Y-%m-%d %H:%M}",
            "by": one.step,
        }
        for one in found
    ]
    for line in text_table(rows) if rows else ["Nobody looked."]:
        typer.echo(line)
    for one in agreed:
        said = "agreed to" if one.given else "took back"
        typer.echo(f"{one.at:%Y-%m-%d %H:%M} {said} {one.kind} values ({one.by}, text {one.text})")


def _key_file(settings: Settings) -> Path:
    from metering.errors import SettingsError

    path = settings.customers.key_file
    if path is None:
        raise SettingsError("[customers] key_file is not set: the file secrets of portals are kept in")
    return path


def _append(path: Path, line: str) -> None:
    import os

    from metering.errors import SettingsError

    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(number, "a", encoding="utf-8") as file:
            file.write(line)
    except OSError as wrong:
        raise SettingsError(f"{path} cannot be written: {wrong.strerror}") from wrong
