"""Clocks: the machine's, and one that stands where it is put (tests, demo, replay)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from metering.reading import utc

__all__ = ["FixedClock", "SystemClock"]


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        """Give the time now, UTC, aware."""
        return datetime.now(UTC)  # noqa: TID251  this is the clock that is injected everywhere else


class FixedClock:
    """A clock that stands still until somebody sets it or moves it on."""

    def __init__(self, moment: datetime) -> None:
        self._now = utc(moment)

    def now(self) -> datetime:
        """Give the time it was set to, UTC, aware."""
        return self._now

    def set(self, moment: datetime) -> None:
        """Put the clock to a moment, forward or backward.

        Raises:
            InvalidValue: the moment has no zone.
        """
        self._now = utc(moment)

    def advance(self, step: timedelta) -> None:
        """Move the clock on by a step."""
        self._now += step
