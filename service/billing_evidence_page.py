"""The evidence pack as a page to print: no script, no colour that is needed, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

__all__ = ["printable"]


def printable(pack: Mapping[str, Any]) -> str:
    """Write a pack of :func:`service.billing_evidence.evidence_of` as one HTML page. Times are UTC."""
    return _template().render(pack=pack)


@cache
def _template() -> Template:
    folder = Path(__file__).parent / "web" / "templates"
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["moment"] = _moment
    return environment.get_template("billing_evidence.html")


def _moment(at: datetime | None) -> str:
    return "-" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"
