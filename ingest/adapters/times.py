"""Times gateways give, and whether to believe them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from metering.uplink import ClockSource

__all__ = ["AHEAD", "heard", "rfc3339"]

AHEAD = timedelta(minutes=10)
"""A clock this far ahead of ours is wrong; less is drift and the way here."""

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Clocks never set start at 1970."""

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d):(\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def rfc3339(text: str) -> datetime | None:
    """Read an RFC 3339 time, fraction up to nine digits (cut at microseconds); ``None`` if it is none."""
    match = _RFC3339.fullmatch(text)
    if match is None:
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
