"""The sentence of a finding in the languages of the customers, from one catalogue: ``texts.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from metering.errors import InvalidValue
from metering.finding import Stage

__all__ = ["LANGUAGES", "catalogue", "sentence"]

LANGUAGES = ("en", "pl", "ro")


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Give every finding's sentences: name, language, text."""
    return tomllib.loads(resources.files("anomaly").joinpath("texts.toml").read_text(encoding="utf-8"))


def sentence(stage: Stage, language: str, zone: ZoneInfo) -> str:
    """Say what was known when the stage was raised, in one sentence.

    ``{evidence keys}`` may be used in a text as well as the stage's own numbers.

    Raises:
        InvalidValue: a language there are no texts in.
    """
    if language not in LANGUAGES:
        raise InvalidValue(f"no texts in {language!r}; there are {', '.join(LANGUAGES)}")
    given = {
        **stage.evidence,
        "rate": _number(stage.rate_lph, language),
        "loss": _number(stage.loss_l, language),
        "onset": _moment(stage.onset, zone),
        "raised": _moment(stage.raised_at, zone),
    }
    return catalogue()[stage.name][language].format_map(given)


def _number(value: float | None, language: str) -> str:
    """Whole from 10 on, one decimal below; the decimal sign is the language's."""
    if value is None:
        return "?"
    text = f"{value:.0f}" if value >= 10 else f"{value:.1f}"
    return text if language == "en" else text.replace(".", ",")


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
