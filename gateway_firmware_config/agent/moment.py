"""What time it is on a box whose clock may be wrong until the network tells it.

A moment holds the wall clock and, beside it, the time since the machine started, which never jumps. What is
heard before the clock is right gets its time later, by the difference of the two.
"""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol

from metering.ports import Clock
from metering.uplink import ClockSource

__all__ = ["ClockKind", "MachineClock", "Moment", "Moments", "kernel_clock_is_set", "rfc3339"]

ClockKind = Literal["auto", "ntp", "gps", "rtc", "none"]
"""Who keeps this machine's clock: ``auto`` asks the kernel whether the network has set it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ASK_AGAIN_MS = 2000
_TIME_ERROR = 5


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment, by both clocks.

    Attributes:
        at_ms: wall clock, UTC, milliseconds since 1970.
        uptime_ms: milliseconds since the machine started, suspension included.
        machine: which start of the machine that is.
        source: who keeps the wall clock.
    """

    at_ms: int
    uptime_ms: int
    machine: str
    source: ClockSource


class Moments(Protocol):
    """The agent's clock."""

    def now(self) -> Moment:
        """Give this moment."""
        ...


class MachineClock:
    """The clocks of a Linux machine."""

    def __init__(self, clock: Clock, kind: ClockKind = "auto", machine: str | None = None) -> None:
        self._clock = clock
        self._kind = kind
        self._machine = machine or _start_of_machine()
        self._asked_ms = -_ASK_AGAIN_MS
        self._source = ClockSource.NONE

    def now(self) -> Moment:
        """Give this moment."""
        uptime_ms = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
        at_ms = (self._clock.now() - _EPOCH) // timedelta(milliseconds=1)
        return Moment(at_ms, uptime_ms, self._machine, self._kept_by(uptime_ms))

    def _kept_by(self, uptime_ms: int) -> ClockSource:
        if self._kind != "auto":
            return ClockSource(self._kind)
        if uptime_ms - self._asked_ms >= _ASK_AGAIN_MS:
            self._asked_ms = uptime_ms
            self._source = ClockSource.NTP if kernel_clock_is_set() else ClockSource.NONE
        return self._source


def kernel_clock_is_set() -> bool:
    """Whether a time service has set the clock, as the kernel knows it (adjtimex(2))."""
    state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    return 0 <= state < _TIME_ERROR


def rfc3339(at_ms: int) -> str:
    """Write ``2026-01-02T03:04:05.123Z``."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _start_of_machine() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"
