"""Options several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from service.settings import Effective

__all__ = ["Config", "DryRun", "settings_in_force"]

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="Settings file; else $NURT_CONFIG, else ./nurt.toml if there is one.",
        show_default=False,
    ),
]

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, change nothing.")]


def settings_in_force(config: Path | None) -> Effective:
    """Read the settings a command runs with."""
    from service.settings import load_settings

    return load_settings(config)
