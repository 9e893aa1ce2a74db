"""Times gateways give, and whether to believe them."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from metering.uplink import ClockSource, Reception

__all__ = ["AHEAD", "dated", "heard", "rfc3339", "unix"]

AHEAD = timedelta(minutes=10)
"""A clock this far ahead of ours is wrong; less is drift and the way here."""

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Clocks never set start at 1970."""

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d):(\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


_PLAIN = len("2026-01-02T03:04:05.123456Z")
"""What is no longer, and has no leap second, Python reads as it stands."""


def rfc3339(text: str) -> datetime | None:
    """Read an RFC 3339 time, fraction up to nine digits (cut at microseconds); ``None`` if it is none."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        return None
    if text[17:19] != "60" and text[10] == "T" and text[-1] != "z" and len(text) <= _PLAIN:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return None
    day, minute, second, fraction, zone = match.groups(default="")
    leap = second == "60"  # RFC 3339 5.7; the second after :59, as every clock shows it
    try:
        moment = datetime.fromisoformat(
            f"{day}T{minute}:{'59' if leap else second}{fraction[:7]}{zone.upper()}"
        )
        return moment + timedelta(seconds=leap)
    except (ValueError, OverflowError):
        return None


def heard(
    said: datetime | None, clock: ClockSource, *, received_at: datetime, history: bool
) -> tuple[datetime, ClockSource]:
    """Decide when something was heard: the gateway's time if its clock is trusted, else when it reached us.

    What was spooled (``history``) keeps its own time even from an unsure clock: the time it reached us says
    less. A time before 2000 or more than :data:`AHEAD` in the future is never believed.
    """
    if said is None or not _EARLIEST <= said <= received_at + AHEAD:
        return received_at, ClockSource.NONE
    if clock.trusted or history:
        return said.astimezone(UTC), clock
    return received_at, ClockSource.NONE


def dated(reception: Reception, said: datetime | None, clock: ClockSource) -> Reception:
    """Give the reception with the time its gateway says, if that can be believed."""
    heard_at, clock = heard(said, clock, received_at=reception.received_at, history=reception.history)
    return dataclasses.replace(reception, heard_at=heard_at, clock=clock)


def unix(value: object) -> datetime | None:
    """Read seconds since 1970, or milliseconds; ``None`` if it is no such number or the year has five digits.

    A number of milliseconds is never taken for seconds: as seconds it would be past the year 5000.
    """
    if (
        not isinstance(value, int | Decimal)
        or isinstance(value, bool)
        or not 0 <= value < _MILLISECONDS * 1000
    ):
        return None
    seconds = Decimal(value) if value < _MILLISECONDS else Decimal(value) / 1000
    return _EPOCH + timedelta(microseconds=int(seconds * 1_000_000))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS = 10**11
