"""Settings: one TOML file, overridden by the environment. The only file that reads the environment.

The file is the one named by ``--config``, else by ``NURT_CONFIG``, else ``./nurt.toml`` if there is one.
The environment names a setting as ``NURT_<SECTION>__<NAME>``: ``NURT_WEB__PORT=8080``. A list is JSON there.
Relative paths are taken from the working directory. What is unknown or wrong is refused, all of it at
once, with file and line or the variable's name; nothing is ever ignored in silence.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from metering.errors import SettingsError
from service.settings_faults import environment_faults, sentences
from service.settings_model import PREFIX, Settings
from service.toml_lines import KeyPath, key_lines

__all__ = ["Effective", "load_settings"]

_ENVIRONMENT: Mapping[str, str] = os.environ  # noqa: TID251  this is the one place the environment is read


@dataclass(frozen=True)
class Effective:
    """Settings in force.

    Attributes:
        settings: validated.
        file: the file read, if any.
        origins: where a setting was said: ``nurt.toml:12``, ``environment NURT_WEB__PORT``; none if nowhere.
    """

    settings: Settings
    file: Path | None
    origins: Mapping[KeyPath, str]


def load_settings(config: Path | None = None) -> Effective:
    """Read the settings in force.

    Args:
        config: the file to read; ``None`` looks at ``NURT_CONFIG``, then at ``./nurt.toml``.

    Raises:
        SettingsError: the file cannot be read, or something in it or in the environment is unknown or wrong.
    """
    file = _file(config)
    said, origins = _read(file) if file else ({}, {})
    origins |= _environment()
    try:
        return Effective(Settings(**said), file, origins)
    except ValidationError as wrong:
        raise SettingsError("\n".join(sentences(wrong, Settings, origins))) from None


def _file(config: Path | None) -> Path | None:
    if config is not None:
        return config
    if named := _ENVIRONMENT.get("NURT_CONFIG"):
        return Path(named)
    here = Path("nurt.toml")
    return here if here.exists() else None


def _read(file: Path) -> tuple[dict[str, Any], dict[KeyPath, str]]:
    """Read the file: what it says, and where."""
    try:
        text = file.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except OSError as wrong:
        raise SettingsError(f"{file}: the settings file cannot be read: {wrong.strerror}") from wrong
    except UnicodeDecodeError as wrong:
        raise SettingsError(f"{file}: the settings file is not UTF-8 text (byte {wrong.start})") from wrong
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise SettingsError(_syntax(file, text, str(wrong))) from wrong
    origins = {way: f"{file}:{line}" for way, line in key_lines(text).items()}
    for name, section in said.items():
        if not isinstance(section, dict):  # the environment would paper over it
            raise SettingsError(
                f"{origins[name,]}: {name} stands outside a section; sections look like [web]"
            )
    return said, origins


def _syntax(file: Path, text: str, message: str) -> str:
    """Put the line of a syntax error where editors look for it."""
    if match := re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", message, re.DOTALL):
        return f"{file}:{match[2]}: {match[1]} (column {match[3]})"
    return f"{file}:{text.rstrip().count(chr(10)) + 1}: {message}"


def _environment() -> dict[KeyPath, str]:
    """Give the settings said in the environment, with the variable of each."""
    if faults := [*environment_faults(_ENVIRONMENT, Settings, PREFIX), *_not_json()]:
        raise SettingsError("\n".join(faults))
    return {way: f"environment {name}" for name, section in _variables() for way in _ways(name, section)}


def _ways(name: str, way: tuple[str, ...]) -> list[KeyPath]:
    """Give what a variable sets: itself, and what a whole section in JSON says."""
    inside = json.loads(_ENVIRONMENT[name]) if len(way) == 1 else None
    return [way, *((*way, key) for key in inside)] if isinstance(inside, dict) else [way]


def _variables() -> list[tuple[str, tuple[str, ...]]]:
    ours = [name for name in _ENVIRONMENT if name.upper().startswith(PREFIX)]
    ways = [(name, tuple(name.upper().removeprefix(PREFIX).lower().split("__"))) for name in ours]
    return [(name, way) for name, way in ways if way[0] in Settings.model_fields]


def _not_json() -> list[str]:
    """Tell variables that hold a list or a whole section but no JSON."""
    structured = [name for name, way in _variables() if len(way) == 1 or way == ("mqtt", "topics")]
    return [f"environment {name}: must be JSON" for name in structured if not _is_json(_ENVIRONMENT[name])]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
