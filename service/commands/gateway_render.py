"""``nurt gateway render``, ``diff``, ``profiles``: what gateways and their broker are told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metering.errors import SettingsError
from service.fleet_folder import rendered_broker, rendered_fleet, rendered_gateway, write_files

if TYPE_CHECKING:
    from gateway_firmware_config.fleet import Fleet
    from metering.meter import MeterId

__all__ = ["diff", "profiles", "render"]

FleetFile = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="The gateways there are, gateways.toml.")
]
Folder = Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Where the files are.", file_okay=False)]
_FLEET = Path("gateways.toml")
_KEY = re.compile(r"(?<=^key=)[0-9A-Fa-f]{32}$", re.MULTILINE)


def _fleet(file: Path) -> Fleet:
    """Read gateways.toml; what reads it is loaded here only, for no other command wants to wait for it."""
    from service.gateway_files import load_fleet

    return load_fleet(file)


def render(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Gateways; all, and the broker, if none is given."),
    ] = None,
    config: FleetFile = _FLEET,
    to: Folder = Path("gateways"),
    *,
    with_keys: Annotated[
        bool,
        typer.Option(
            "--with-keys", help="Write keys of meters for gateways that decrypt; they must be named."
        ),
    ] = False,
    service: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Settings of the service that has the keys.", show_default=False),
    ] = None,
) -> None:
    """Write the files of gateways, and the broker's, as gateways.toml says.

    None of them holds a meter's key unless --with-keys asks for it, for gateways that are named. Where a
    firmware keeps the broker's password in a file, a placeholder stands for it.

    **Examples**

        nurt gateway render --config gateways.toml --to gateways

        nurt gateway render roof loft

        nurt gateway render cellar --with-keys
    """
    fleet = _fleet(config)
    if missing := [name for name in names or () if name not in fleet.gateway]:
        raise SettingsError(f"{config}: no gateway {missing[0]}; there are: {', '.join(fleet.gateway)}")
    keys = _keys(fleet, names or [], service) if with_keys else {}
    made = rendered_fleet(fleet)
    if names:
        made = {path: file for name in names for path, file in rendered_gateway(fleet, name, keys).items()}
        made |= rendered_broker(fleet)
    write_files(made, to)
    for path in sorted(made):
        typer.echo(to / path)


def _keys(fleet: Fleet, names: list[str], service: Path | None) -> dict[MeterId, str]:
    """Read the keys of the meters that gateways are told of, and warn."""
    from gateway_firmware_config.profile import profile_of
    from metering.clock import SystemClock
    from service.commands.options import settings_in_force
    from service.fleet_keys import keys_in_hex

    if not names:
        raise SettingsError("--with-keys: name the gateways whose files shall hold keys")
    for name in names:
        profile = profile_of(fleet.gateway[name].profile)
        if not any(file.keys for file in profile.files):
            raise SettingsError(f"--with-keys: files of {profile.name} never hold keys, and {name} is one")
    meters = {meter for name in names for meter in fleet.gateway[name].meters}
    found = keys_in_hex(settings_in_force(service).settings.store, meters, SystemClock())
    typer.echo(
        f"warning: keys of {len(found)} of {len(meters)} meters are written into files; "
        "bring them to the gateway and delete them here",
        err=True,
    )
    return found


def diff(config: FleetFile = _FLEET, to: Folder = Path("gateways")) -> None:
    """Show what render would change; exit code 1 if it would change anything.

    **Examples**

        nurt gateway diff --to gateways
    """
    lines = [
        line
        for path, file in sorted(rendered_fleet(_fleet(config)).items())
        for line in _changes(to, path, file.text)
    ]
    typer.echo("\n".join(lines), nl=bool(lines))
    if lines:
        raise typer.Exit(1)


def profiles() -> None:
    """List what gateways can be, and what can be chosen for each.

    **Examples**

        nurt gateway profiles
    """
    from gateway_firmware_config.profile import profile_names, profile_of

    for name in profile_names():
        profile = profile_of(name)
        typer.echo(f"{name}: {profile.says}")
        for key, option in profile.options.items():
            choices = f"; one of {', '.join(option.choices)}" if option.choices else ""
            value = " (must be said)" if option.required else f" = {option.default!r}"
            typer.echo(f"    {key}{value}: {option.says}{choices}")


def _changes(folder: Path, path: str, text: str) -> Iterator[str]:
    import difflib

    there = folder / path
    before = _KEY.sub("(a key)", there.read_text(encoding="utf-8")) if there.exists() else ""
    yield from difflib.unified_diff(before.splitlines(), text.splitlines(), path, path, lineterm="", n=1)
