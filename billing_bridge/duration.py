"""Lengths of time in settings: ``5 min``, ``36 h``, ``180 d``."""

from __future__ import annotations

import re
from datetime import timedelta

from metering.errors import InvalidValue

__all__ = ["read_duration", "write_duration"]

_UNITS = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "min": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
_FORM = re.compile(r"(\d{1,9}) ?(d|h|min|s)", re.ASCII)


def read_duration(text: str) -> timedelta:
    """Read ``36 h``.

    Raises:
        InvalidValue: not a whole number and one of d, h, min, s.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise InvalidValue(f"{text[:40]!r} is not a length of time like 36 h; units are d, h, min, s")
    return int(match[1]) * _UNITS[match[2]]


def write_duration(length: timedelta) -> str:
    """Give the text that :func:`read_duration` reads, in the largest unit that fits; whole seconds."""
    unit = next((name for name, one in _UNITS.items() if not length % one), "s")
    return f"{length // _UNITS[unit]} {unit}"
