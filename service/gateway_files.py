"""Reads ``agent.toml`` and ``gateways.toml``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from metering.errors import SettingsError
from service.toml_file import load_toml, parse_toml, read_text

if TYPE_CHECKING:
    from gateway_firmware_config.agent.settings import AgentSettings
    from gateway_firmware_config.fleet import Fleet

__all__ = ["load_agent_settings", "load_fleet", "parse_fleet"]


def load_agent_settings(file: Path) -> AgentSettings:
    """Read the settings of a gateway's agent.

    Raises:
        SettingsError: the file cannot be read, or something in it is unknown or wrong.
    """
    from gateway_firmware_config.agent.settings import AgentSettings

    return load_toml(file, AgentSettings)[0]


def load_fleet(file: Path) -> Fleet:
    """Read the gateways there are.

    Raises:
        SettingsError: the file cannot be read, or something in it is unknown or wrong.
    """
    if not file.exists():
        raise SettingsError(
            f"{file} is not there: nurt gateway add begins one; or say with --config where it is"
        )
    return parse_fleet(read_text(file), file)


def parse_fleet(text: str, file: Path) -> Fleet:
    """Read a text as ``gateways.toml``.

    Raises:
        SettingsError: something in it is unknown or wrong.
    """
    from gateway_firmware_config.fleet import Fleet, option_faults

    fleet, origins = parse_toml(text, file, Fleet)
    if faults := [f"{origins.get(way, file)}: {sentence}" for way, sentence in option_faults(fleet)]:
        raise SettingsError("\n".join(faults))
    return fleet
