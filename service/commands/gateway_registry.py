"""``nurt gateway add``, ``list``, ``remove``, ``rotate-password``: which gateways there are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metering.errors import SettingsError
from service.text_table import text_table

if TYPE_CHECKING:
    from service.fleet_registry import FleetPlace

__all__ = ["add", "list_", "remove", "rotate_password"]

FleetFile = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="The gateways there are, gateways.toml.")
]
Folder = Annotated[
    Path,
    typer.Option("--to", metavar="FOLDER", help="Where rendered files and passwords are.", file_okay=False),
]
Name = Annotated[str, typer.Argument(help="The gateway's name.")]
_FLEET, _FOLDER = Path("gateways.toml"), Path("gateways")


def add(  # noqa: PLR0913  one parameter for each option
    name: Name,
    *,
    profile: Annotated[str, typer.Option(help="What it is; nurt gateway profiles lists them.")],
    board: Annotated[
        str | None, typer.Option(help="Its board, for profiles that have boards.", show_default=False)
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="An option of its profile; repeatable.", show_default=False),
    ] = None,
    meter: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="A meter it is told of; repeatable.", show_default=False),
    ] = None,
    broker: Annotated[
        str | None,
        typer.Option(
            metavar="HOST[:PORT]", help="The broker, when gateways.toml is begun.", show_default=False
        ),
    ] = None,
    tls: Annotated[bool, typer.Option(help="Whether that broker has TLS.")] = True,
    config: FleetFile = _FLEET,
    to: Folder = _FOLDER,
) -> None:
    """Add a gateway: its table in gateways.toml, a password, its rights at the broker, its files.

    The password is shown once and kept as a hash, for Mosquitto.

    **Examples**

        nurt gateway add roof --profile agent --option receivers=im871a:/dev/ttyUSB0 --broker mqtt.example.org

        nurt gateway add loft --profile esphome-wmbus --board xiao-s3
    """
    from service.fleet_registry import NewGateway, broker_section

    place = _place(config, to)
    if broker and config.exists():
        raise SettingsError(f"{config} is there and says where the broker is; leave --broker out")
    options = [*(option or ()), *([f"board={board}"] if board else [])]
    added = place.add(
        NewGateway(name, profile, meter or (), options), broker_section(broker, tls=tls) if broker else ""
    )
    typer.echo(f"{name}: {profile}, revision 1, in {config}")
    typer.echo(f"Its password at the broker, shown once: {added.password}")
    typer.echo(f"It belongs to: {added.goes_to}")
    for path in added.files:
        typer.echo(path)
    typer.echo(f"{to / 'mosquitto'} goes to the broker: then reload Mosquitto.")


def list_(
    config: FleetFile = _FLEET,
    to: Folder = _FOLDER,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """List the gateways gateways.toml names.

    **Examples**

        nurt gateway list
    """
    place = _place(config, to)
    known = place.with_password()
    rows: list[dict[str, Any]] = [
        {
            "gateway": name,
            "profile": plan.profile,
            "board": plan.options.get("board"),
            "revision": plan.revision,
            "meters": len(plan.meters),
            "password": name in known,
        }
        for name, plan in sorted(place.fleet().gateway.items())
    ]
    typer.echo(json.dumps(rows) if as_json else "\n".join(text_table(rows)) or f"{config}: no gateway yet")


def remove(name: Name, config: FleetFile = _FLEET, to: Folder = _FOLDER) -> None:
    """Take a gateway out of gateways.toml, and its password and rights from the broker's files.

    Its folder stays, and so does everything it ever brought.

    **Examples**

        nurt gateway remove roof
    """
    _place(config, to).remove(name)
    typer.echo(
        f"{name} is no gateway any more. {to / 'mosquitto'} goes to the broker: then reload Mosquitto."
    )


def rotate_password(
    name: Annotated[str, typer.Argument(help="The gateway, or the name the service logs in with.")],
    config: FleetFile = _FLEET,
    to: Folder = _FOLDER,
) -> None:
    """Give a gateway, or the service, a new password at the broker: shown once, kept as a hash.

    **Examples**

        nurt gateway rotate-password roof
    """
    place = _place(config, to)
    typer.echo(place.rotate(name))
    typer.echo(f"{place.passwords} goes to the broker: then reload Mosquitto.", err=True)


def _place(config: Path, to: Path) -> FleetPlace:
    from service.fleet_registry import FleetPlace

    return FleetPlace(config, to)
