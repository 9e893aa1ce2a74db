"""``nurt gateway render``, ``diff``, ``password``, ``profiles``: what gateways and their broker are told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metering.errors import SettingsError

if TYPE_CHECKING:
    from gateway_firmware_config.rendering import Rendered

__all__ = ["diff", "password", "profiles", "render", "write_files"]

FleetFile = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="The gateways there are, gateways.toml.")
]
Folder = Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Where the files are.", file_okay=False)]
_FLEET = Path("gateways.toml")
_BROKER = "mosquitto"
"""Folder of the broker's files, beside those of the gateways."""


def render(config: FleetFile = _FLEET, to: Folder = Path("gateways")) -> None:
    """Write the files of all gateways, and the broker's, as gateways.toml says.

    None of them holds a meter's key. Where a firmware keeps the broker's password in a file, a placeholder
    stands for it.

    **Examples**

        nurt gateway render --config gateways.toml --to gateways
    """
    made = _rendered(config)
    write_files(made, to)
    for path in sorted(made):
        typer.echo(to / path)


def diff(config: FleetFile = _FLEET, to: Folder = Path("gateways")) -> None:
    """Show what render would change; exit code 1 if it would change anything.

    **Examples**

        nurt gateway diff --to gateways
    """
    lines = [
        line for path, file in sorted(_rendered(config).items()) for line in _changes(to, path, file.text)
    ]
    typer.echo("\n".join(lines), nl=bool(lines))
    if lines:
        raise typer.Exit(1)


def password(
    name: Annotated[str, typer.Argument(help="The gateway, or the service.")],
    file: Annotated[Path, typer.Option(help="Mosquitto's password file; made if it is not there.")],
) -> None:
    """Give a gateway a new password at the broker: printed once, kept as a hash. Then reload Mosquitto.

    **Examples**

        nurt gateway password roof --file /etc/mosquitto/nurt/passwords
    """
    from gateway_firmware_config.passwords import hashed_line, new_password, with_line
    from metering.uplink import GATEWAY_NAME

    if not GATEWAY_NAME.fullmatch(name):
        raise SettingsError(f"{name[:80]!r} is not a name of A-Z a-z 0-9 _ - (at most 64)")
    made = new_password()
    try:
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        _write(file, with_line(before, hashed_line(name, made)), 0o600)
    except OSError as wrong:
        raise SettingsError(f"{file} cannot be written: {wrong.strerror}") from wrong
    typer.echo(made)


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


def write_files(made: Mapping[str, Rendered], to: Path) -> None:
    """Write rendered files with the rights they need.

    Raises:
        SettingsError: a file cannot be written.
    """
    try:
        for path, file in made.items():
            (to / path).parent.mkdir(parents=True, exist_ok=True)
            _write(to / path, file.text, file.mode)
    except OSError as wrong:
        raise SettingsError(f"{wrong.filename} cannot be written: {wrong.strerror}") from wrong


def _write(path: Path, text: str, mode: int) -> None:
    """Write a file as a whole or not at all; nobody else can read it for a moment."""
    beside = path.with_name(f".{path.name}.new")
    beside.touch(mode=0o600)
    beside.write_text(text, encoding="utf-8")
    beside.chmod(mode)
    beside.replace(path)


def _rendered(config: Path) -> dict[str, Rendered]:
    from gateway_firmware_config.rendering import render_broker, render_gateway
    from service.gateway_files import load_fleet

    fleet = load_fleet(config)
    made = {f"{_BROKER}/{path}": file for path, file in render_broker(fleet).items()}
    for name, gateway in fleet.gateway.items():
        files = render_gateway(name, gateway, fleet.broker)
        made |= {f"{name}/{path}": file for path, file in files.items()}
    return made


def _changes(folder: Path, path: str, text: str) -> Iterator[str]:
    import difflib

    there = folder / path
    before = there.read_text(encoding="utf-8") if there.exists() else ""
    yield from difflib.unified_diff(before.splitlines(), text.splitlines(), path, path, lineterm="", n=1)
