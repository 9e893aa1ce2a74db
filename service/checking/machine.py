"""The machine: room on the disk, and whether its clock can be believed."""

from __future__ import annotations

import ctypes
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from service.checking.line import Line, fault, ok, warning

__all__ = ["clock_lines", "disk_lines"]

_GB = 1 << 30
_LITTLE, _NOTHING = 2 * _GB, _GB // 10
_BUILT = datetime(2026, 1, 1, tzinfo=UTC)
"""No telegram of ours is older."""
_AHEAD = timedelta(minutes=2)
_TIME_ERROR = 5
"""adjtimex(2): nobody sets this clock."""


def disk_lines(folder: Path) -> Iterator[Line]:
    """Look at the room where the data folder is."""
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    try:
        free = shutil.disk_usage(there).free
    except OSError as wrong:
        yield fault("disk", f"{there} cannot be looked at: {wrong.strerror}", "check path and rights")
        return
    said = f"{free / _GB:.1f} GB free where {folder} is"
    if free < _NOTHING:
        yield fault("disk", said, "free some space: nothing more can be stored, the broker keeps what comes")
    elif free < _LITTLE:
        yield warning("disk", said, "free some space, or see `nurt db retention --dry-run`")
    else:
        yield ok("disk", said)


def clock_lines(now: datetime, *, newest: datetime | None, server: datetime | None) -> Iterator[Line]:
    """Look at the clock.

    Args:
        now: what it says, UTC.
        newest: when the newest thing in the database was received, UTC.
        server: what the database server's clock says, UTC.
    """
    said = f"it is {now:%Y-%m-%d %H:%M:%S} UTC"
    if now < _BUILT:
        yield fault("clock", said, "set the clock; telegrams without a time of their own get this one")
    elif newest is not None and newest > now + _AHEAD:
        yield fault("clock", f"{said}, but a telegram came at {newest:%Y-%m-%d %H:%M:%S}", "set the clock")
    elif server is not None and abs(server - now) > _AHEAD:
        apart = abs((server - now).total_seconds())
        yield fault("clock", f"{said}; the database server's is {apart:.0f} s away", "set both by NTP")
    elif not _is_set():
        yield warning("clock", f"{said}, and nobody sets it", "let NTP set it: systemd-timesyncd or chrony")
    else:
        yield ok("clock", said)


def _is_set() -> bool:
    """Whether something keeps the clock right, as the kernel tells; true where it tells nothing."""
    try:
        told: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    except (OSError, AttributeError):  # not Linux
        return True
    return told != _TIME_ERROR
