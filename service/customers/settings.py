"""Settings of the customers' side."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from service.settings_topics import Section

__all__ = ["CustomerSettings"]

_ORIGIN = re.compile(
    r"https://[A-Za-z0-9.-]+(:\d{1,5})?|http://(localhost|127\.0\.0\.1)(:\d{1,5})?", re.ASCII
)


class CustomerSettings(Section):
    """What customers are shown, where, and for how long."""

    key_file: Path | None = Field(
        default=None, description="secrets of the portals that embed us; turns the customers' pages on"
    )
    title: str = Field(default="Nurt", description="name of the utility on the pages", min_length=1)
    embed: list[str] = Field(
        default=[], description="portals that may show our pages inside theirs: https://..."
    )
    language: Literal["pl", "ro", "en"] = Field(
        default="pl", description="of pages, unless the customer has one"
    )
    hourly_months: int = Field(
        default=24, description="so long customers see hours; before that days", ge=0, le=1200
    )
    looks_months: int = Field(default=24, description="so long it is kept who looked", ge=1, le=1200)

    @field_validator("embed")
    @classmethod
    def _origins(cls, said: list[str]) -> list[str]:
        for one in said:
            if not _ORIGIN.fullmatch(one):
                raise ValueError(f"{one!r} is not an origin like https://ebok.example.org")
        return said
