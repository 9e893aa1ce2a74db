"""Offsets of a time zone for arrays of moments, exact over daylight-saving changes."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from anomaly.series import Ints

__all__ = ["DAY", "HOUR", "local_days", "local_hours", "local_seconds"]

HOUR = 3600
DAY = 86_400
_STRIDE = 7 * DAY
"""No zone changes its offset twice within a week."""


def local_seconds(at: Ints, zone: ZoneInfo) -> Ints:
    """Give what a wall clock shows, as seconds since 1970-01-01 00:00 of that wall."""
    if not len(at):
        return at
    changes, offsets = _changes(int(at.min()), int(at.max()), zone)
    return at + offsets[np.searchsorted(changes, at, side="right")]


def local_hours(at: Ints, zone: ZoneInfo) -> Ints:
    """Give the hour of the day, 0 to 23."""
    return local_seconds(at, zone) % DAY // HOUR


def local_days(at: Ints, zone: ZoneInfo) -> Ints:
    """Give the calendar day, counted from 1970-01-01."""
    return local_seconds(at, zone) // DAY


def _changes(first: int, last: int, zone: ZoneInfo) -> tuple[Ints, Ints]:
    """Give the moments of change and the offsets before, between and after them."""
    changes, offsets = [], [_offset(first, zone)]
    for start in range(first, last, _STRIDE):
        end = min(start + _STRIDE, last)
        if _offset(end, zone) != offsets[-1]:
            changes.append(_moment_of_change(start, end, zone))
            offsets.append(_offset(end, zone))
    return np.array(changes, np.int64), np.array(offsets, np.int64)


def _moment_of_change(before: int, after: int, zone: ZoneInfo) -> int:
    old = _offset(before, zone)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _offset(middle, zone) == old else (before, middle)
    return after


def _offset(at: int, zone: ZoneInfo) -> int:
    shift = datetime.fromtimestamp(at, UTC).astimezone(zone).utcoffset()
    return int(shift.total_seconds()) if shift else 0
