"""Options that commands about anomalies share."""

from __future__ import annotations

from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

__all__ = ["Format", "Language", "zone_named"]


class Format(StrEnum):
    """Who reads the answer."""

    TEXT = "text"
    JSONL = "jsonl"


class Language(StrEnum):
    """Language of the sentences."""

    EN = "en"
    PL = "pl"
    RO = "ro"


def zone_named(name: str) -> ZoneInfo:
    """Give a time zone.

    Raises:
        typer.BadParameter: there is none of this name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise typer.BadParameter(f"no time zone {name!r}", param_hint="--tz") from None
