"""Options that commands about anomalies share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

__all__ = ["Format", "Language", "meters_bar", "zone_named"]


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


@contextmanager
def meters_bar(readings: int) -> Iterator[Callable[[int], None]]:
    """Show on a terminal how many readings are judged; gives what to call with how many more are."""
    from rich.console import Console
    from rich.progress import Progress

    hidden = not sys.stderr.isatty()
    with Progress(console=Console(stderr=True), transient=True, disable=hidden) as bar:
        task = bar.add_task("Readings judged", total=readings)
        yield lambda more: bar.advance(task, more)
