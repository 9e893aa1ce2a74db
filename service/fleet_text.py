"""Changes to ``gateways.toml`` that leave everything else in it as a person wrote it, comments included."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from metering.errors import SettingsError
from service.toml_lines import KeyPath, key_lines

__all__ = ["line_of", "with_gateway", "with_revision", "without_gateway"]

Value = str | int | bool | Sequence[str]

_TABLE = "gateway"
_NUMBER = re.compile(r"(=\s*)[0-9_]+")


def line_of(text: str, name: str) -> int | None:
    """Give the line a gateway begins on, from 1."""
    return key_lines(text).get((_TABLE, name))


def with_gateway(text: str, name: str, values: Mapping[str, Value], options: Mapping[str, Value]) -> str:
    """Add a gateway at the end."""
    said = "".join(f"{key} = {_toml(value)}\n" for key, value in values.items())
    told = ", ".join(f"{key} = {_toml(value)}" for key, value in options.items())
    before = f"{text.rstrip()}\n\n" if text.strip() else ""
    return f"{before}[{_TABLE}.{name}]\n{said}" + (f"options = {{ {told} }}\n" if told else "")


def _toml(value: Value) -> str:
    """Write a value; texts have been found plain before (:mod:`gateway_firmware_config.fleet`)."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return f'"{value}"'
    return f"[{', '.join(map(_toml, value))}]"


def without_gateway(text: str, name: str, file: Path) -> str:
    """Take a gateway out, with the comment that stands directly above it.

    Raises:
        SettingsError: it does not stand in a table of its own.
    """
    lines = text.split("\n")
    keep = [True] * len(lines)
    for first, last in _spans(text, name, file):
        keep[first:last] = [False] * (last - first)
    left = "\n".join(line for line, kept in zip(lines, keep, strict=True) if kept)
    return f"{re.sub(chr(10) + '{3,}', chr(10) * 2, left).strip()}\n"


def with_revision(text: str, name: str, revision: int, file: Path) -> str:
    """Write a gateway's revision.

    Raises:
        SettingsError: it does not stand in a table of its own.
    """
    lines = text.split("\n")
    where = key_lines(text).get((_TABLE, name, "revision"))
    if where is not None:
        lines[where - 1] = _NUMBER.sub(rf"\g<1>{revision}", lines[where - 1], count=1)
    else:
        lines.insert(_header(text, name, file), f"revision = {revision}")
    return "\n".join(lines)


def _header(text: str, name: str, file: Path) -> int:
    """Give the number, from 1, of the line ``[gateway.NAME]``."""
    line = line_of(text, name)
    if line is None or not text.split("\n")[line - 1].lstrip().startswith("["):
        where = f"{file}:{line}" if line else str(file)
        raise SettingsError(
            f"{where}: {name} has no table of its own, [{_TABLE}.{name}]; change it with an editor"
        )
    return line


def _spans(text: str, name: str, file: Path) -> Iterator[tuple[int, int]]:
    """Give the lines of a gateway's tables, first and behind the last, counted from 0."""
    _header(text, name, file)
    lines = text.split("\n")
    headers = _headers(text)
    begins = [_with_comment(lines, line - 1) for _, line in headers]
    for number, (path, _) in enumerate(headers):
        if path[:2] == (_TABLE, name):
            yield begins[number], begins[number + 1] if number + 1 < len(headers) else len(lines)


def _headers(text: str) -> list[tuple[KeyPath, int]]:
    """Give all tables with their own line, in order."""
    lines = text.split("\n")
    return sorted(
        (
            (path, line)
            for path, line in key_lines(text).items()
            if lines[line - 1].lstrip().startswith("[") and all(isinstance(key, str) for key in path)
        ),
        key=lambda one: one[1],
    )


def _with_comment(lines: Sequence[str], first: int) -> int:
    """Give where the comment directly above a line begins."""
    while first > 0 and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return first
