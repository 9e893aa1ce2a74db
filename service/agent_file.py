"""Reads ``agent.toml``; what is unknown or wrong in it is told with file and line, all of it at once."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from pydantic import ValidationError

from gateway_firmware_config.agent.settings import AgentSettings
from metering.errors import SettingsError
from service.settings_faults import sentences
from service.toml_lines import key_lines

__all__ = ["load_agent_settings"]


def load_agent_settings(file: Path) -> AgentSettings:
    """Read the settings of a gateway's agent.

    Raises:
        SettingsError: the file cannot be read, or something in it is unknown or wrong.
    """
    try:
        text = file.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
        said = tomllib.loads(text)
    except OSError as wrong:
        raise SettingsError(f"{file}: the settings file cannot be read: {wrong.strerror}") from wrong
    except UnicodeDecodeError as wrong:
        raise SettingsError(f"{file}: the settings file is not UTF-8 text (byte {wrong.start})") from wrong
    except tomllib.TOMLDecodeError as wrong:
        raise SettingsError(_syntax(file, str(wrong))) from wrong
    origins = {way: f"{file}:{line}" for way, line in key_lines(text).items()}
    try:
        return AgentSettings.model_validate(said)
    except ValidationError as wrong:
        faults = sentences(wrong, AgentSettings, origins)
        raise SettingsError(
            "\n".join(fault.replace("settings: ", f"{file}: ", 1) for fault in faults)
        ) from None


def _syntax(file: Path, message: str) -> str:
    """Put the line of a syntax error where editors look for it."""
    if match := re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", message, re.DOTALL):
        return f"{file}:{match[2]}: {match[1]} (column {match[3]})"
    return f"{file}: {message}"
