"""The folder what is rendered goes to: one folder per gateway, and ``mosquitto`` for the broker."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from metering.errors import SettingsError

if TYPE_CHECKING:
    from gateway_firmware_config.fleet import Fleet
    from gateway_firmware_config.rendering import Rendered
    from metering.meter import MeterId

__all__ = ["BROKER", "rendered_broker", "rendered_fleet", "rendered_gateway", "write_files", "write_whole"]

BROKER = "mosquitto"
"""Folder of the broker's files, beside those of the gateways."""


def rendered_fleet(fleet: Fleet) -> dict[str, Rendered]:
    """Give the files of all gateways and the broker, by path below the folder."""
    made = rendered_broker(fleet)
    for name in fleet.gateway:
        made |= rendered_gateway(fleet, name)
    return made


def rendered_broker(fleet: Fleet) -> dict[str, Rendered]:
    """Give the broker's files, by path below the folder."""
    from gateway_firmware_config.rendering import render_broker

    return {f"{BROKER}/{path}": file for path, file in render_broker(fleet).items()}


def rendered_gateway(
    fleet: Fleet, name: str, keys: Mapping[MeterId, str] | None = None
) -> dict[str, Rendered]:
    """Give the files of a gateway, by path below the folder; with meter keys only if they are given."""
    from gateway_firmware_config.rendering import render_gateway

    made = render_gateway(name, fleet.gateway[name], fleet.broker, keys or {})
    return {f"{name}/{path}": file for path, file in made.items()}


def write_files(made: Mapping[str, Rendered], to: Path) -> None:
    """Write rendered files with the rights they need.

    Raises:
        SettingsError: a file cannot be written.
    """
    for path, file in made.items():
        write_whole(to / path, file.text, file.mode)


def write_whole(path: Path, text: str, mode: int) -> None:
    """Write a file as a whole or not at all; nobody else can read it for a moment.

    Raises:
        SettingsError: it cannot be written.
    """
    beside = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.touch(mode=0o600)
        beside.write_text(text, encoding="utf-8")
        beside.chmod(mode)
        beside.replace(path)
    except OSError as wrong:
        raise SettingsError(f"{wrong.filename or path} cannot be written: {wrong.strerror}") from wrong
