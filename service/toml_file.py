"""Reads a TOML file into a model; what is unknown or wrong in it is told with file and line, all at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from metering.errors import SettingsError
from service.settings_faults import sentences
from service.toml_lines import KeyPath, key_lines

__all__ = ["load_toml", "parse_toml", "read_text"]

_Model = TypeVar("_Model", bound=BaseModel)


def load_toml(file: Path, model: type[_Model]) -> tuple[_Model, Mapping[KeyPath, str]]:
    """Read a file; gives what it says, and where it says it (``agent.toml:7``).

    Raises:
        SettingsError: the file cannot be read, or something in it is unknown or wrong.
    """
    return parse_toml(read_text(file), file, model)


def read_text(file: Path) -> str:
    """Read a text file, line ends as on Unix.

    Raises:
        SettingsError: it cannot be read, or is not UTF-8.
    """
    try:
        return file.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except OSError as wrong:
        raise SettingsError(f"{file}: the file cannot be read: {wrong.strerror}") from wrong
    except UnicodeDecodeError as wrong:
        raise SettingsError(f"{file}: the file is not UTF-8 text (byte {wrong.start})") from wrong


def parse_toml(text: str, file: Path, model: type[_Model]) -> tuple[_Model, Mapping[KeyPath, str]]:
    """Read a text as the named file's; gives what it says, and where (``agent.toml:7``).

    Raises:
        SettingsError: something in it is unknown or wrong.
    """
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise SettingsError(_syntax(file, str(wrong))) from wrong
    origins = {way: f"{file}:{line}" for way, line in key_lines(text).items()}
    try:
        return model.model_validate(said), origins
    except ValidationError as wrong:
        faults = [fault.replace("settings: ", f"{file}: ", 1) for fault in sentences(wrong, model, origins)]
        raise SettingsError("\n".join(faults)) from None


def _syntax(file: Path, message: str) -> str:
    """Put the line of a syntax error where editors look for it."""
    if match := re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", message, re.DOTALL):
        return f"{file}:{match[2]}: {match[1]} (column {match[3]})"
    return f"{file}: {message}"
