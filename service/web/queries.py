"""What a request may ask: meters, times and ranges, each refused with one clear sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from metering.consumption import Step, start_of_day
from metering.errors import InvalidValue
from metering.meter import MeterId
from metering.ports import MeterOverview, Transaction
from service.web.errors import NotFound

__all__ = [
    "WIDEST",
    "Before",
    "ConsumptionQuery",
    "ReadingsPageQuery",
    "ReadingsQuery",
    "RowNumber",
    "Window",
    "known_meter",
    "moment",
    "window",
]

_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)(Z|z|[+ -]\d{2}:\d{2}))?", re.ASCII
)
_FIRST_YEAR, _LAST_YEAR = 1990, 2200

WIDEST = {
    Step.HOUR: timedelta(days=400),
    Step.DAY: timedelta(days=3_700),
    Step.WEEK: timedelta(days=7_400),
    Step.MONTH: timedelta(days=37_000),
}
"""The widest range that is cut into intervals of a step."""


_LAST_NUMBER = 2**63 - 1
Before = Annotated[int | None, Query(ge=1, le=_LAST_NUMBER, description="only older ones than this number")]
RowNumber = Annotated[int, Path(ge=1, le=_LAST_NUMBER)]


_TIME_TEXT = "RFC 3339 time, or a plain date for the beginning of that local day"


class ReadingsQuery(BaseModel):
    """A register over a range; an unknown parameter is refused, lest a misspelt one be silently ignored."""

    model_config = ConfigDict(extra="forbid")

    since: str | None = Field(
        None, alias="from", max_length=40, description=f"{_TIME_TEXT}; default: 7 days before `to`"
    )
    until: str | None = Field(
        None, alias="to", max_length=40, description=f"{_TIME_TEXT}, exclusive; default: now"
    )
    key: str = Field(
        "volume", alias="register", max_length=200, description="as the meter's `latest` names it"
    )


class ReadingsPageQuery(ReadingsQuery):
    """A page of a register."""

    limit: int = Field(1000, ge=1, le=10_000, description="`next_from` leads to the rest")


class ConsumptionQuery(ReadingsQuery):
    """A register over calendar intervals."""

    step: Step = Step.DAY


@dataclass(frozen=True, slots=True)
class Window:
    """A period ``since <= t < until``, UTC."""

    since: datetime
    until: datetime


def moment(text: str, zone: ZoneInfo) -> datetime:
    """Read an RFC 3339 time, or a date as the beginning of that local day.

    A space before the offset is taken as the ``+`` that an address loses when it is not encoded.

    Raises:
        InvalidValue: neither of them, or not between 1990 and 2200.
    """
    match = _TIME.fullmatch(text.strip())
    if not match:
        raise InvalidValue(
            f"{text[:40]!r} is not a time; write 2026-01-31T12:00:00Z, or 2026-01-31 where that day begins"
        )
    day, clock, offset = match.groups()
    if not _FIRST_YEAR <= int(day[:4]) < _LAST_YEAR:
        raise InvalidValue(f"{text[:40]!r} is not between {_FIRST_YEAR} and {_LAST_YEAR}")
    try:
        if clock is None:
            return start_of_day(date.fromisoformat(day), zone)
        return datetime.fromisoformat(f"{day}T{clock}{offset.upper().replace(' ', '+')}").astimezone(UTC)
    except ValueError as wrong:
        raise InvalidValue(f"{text[:40]!r} is not a time: {wrong}") from wrong


def window(asked: ReadingsQuery, *, now: datetime, zone: ZoneInfo, widest: timedelta) -> Window:
    """Read the range of a query; the last seven days if it says none.

    Raises:
        InvalidValue: not times, the wrong way round, or wider than ``widest``.
    """
    end = now if asked.until is None else moment(asked.until, zone)
    begin = end - timedelta(days=7) if asked.since is None else moment(asked.since, zone)
    if begin >= end:
        raise InvalidValue(
            f"`from` ({begin:%Y-%m-%dT%H:%M:%SZ}) must be before `to` ({end:%Y-%m-%dT%H:%M:%SZ})"
        )
    if end - begin > widest:
        raise InvalidValue(
            f"the range is {(end - begin).days} days wide; at most {widest.days} days at a time"
        )
    return Window(begin, end)


def known_meter(tx: Transaction, text: str) -> MeterOverview:
    """Give the registered meter an address names.

    Raises:
        InvalidValue: not a meter id.
        NotFound: no such meter in the registry.
    """
    meter = MeterId.parse(text)
    found = tx.registry.details_of(meter)
    if found is None:
        raise NotFound(f"meter {meter} is not in the registry")
    return found[0]
