"""``nurt gateway render``, ``diff``, ``profiles``: what gateways and their broker are told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from metering.errors import SettingsError
from service.fleet_folder import rendered_broker, rendered_fleet, rendered_gateway, write_files
from service.gateway_files import load_fleet

__all__ = ["diff", "profiles", "render"]

FleetFile = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="The gateways there are, gateways.toml.")
]
Folder = Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Where the files are.", file_okay=False)]
_FLEET = Path("gateways.toml")


def render(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Gateways; all, and the broker, if none is given."),
    ] = None,
    config: FleetFile = _FLEET,
    to: Folder = Path("gateways"),
) -> None:
    """Write the files of gateways, and the broker's, as gateways.toml says.

    None of them holds a meter's key. Where a firmware keeps the broker's password in a file, a placeholder
    stands for it.

    **Examples**

        nurt gateway render --config gateways.toml --to gateways

        nurt gateway render roof cellar
    """
    fleet = load_fleet(config)
    if missing := [name for name in names or () if name not in fleet.gateway]:
        raise SettingsError(f"{config}: no gateway {missing[0]}; there are: {', '.join(fleet.gateway)}")
    made = rendered_fleet(fleet)
    if names:
        made = {path: file for name in names for path, file in rendered_gateway(fleet, name).items()}
        made |= rendered_broker(fleet)
    write_files(made, to)
    for path in sorted(made):
        typer.echo(to / path)


def diff(config: FleetFile = _FLEET, to: Folder = Path("gateways")) -> None:
    """Show what render would change; exit code 1 if it would change anything.

    **Examples**

        nurt gateway diff --to gateways
    """
    lines = [
        line
        for path, file in sorted(rendered_fleet(load_fleet(config)).items())
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
            typer.echo(f"    {key} = {option.default!r}: {option.says}{choices}")


def _changes(folder: Path, path: str, text: str) -> Iterator[str]:
    import difflib

    there = folder / path
    before = there.read_text(encoding="utf-8") if there.exists() else ""
    yield from difflib.unified_diff(before.splitlines(), text.splitlines(), path, path, lineterm="", n=1)
