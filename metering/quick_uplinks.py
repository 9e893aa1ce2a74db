"""Receptions made quickly: every telegram brings one.

As :mod:`metering.quick_readings` does with readings: the finished object is one of the frozen class, equal to
any other. Whoever makes receptions so gives times in UTC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metering.uplink import Reception

if TYPE_CHECKING:
    from datetime import datetime

    from metering.uplink import ClockSource

__all__ = ["quick_reception"]


class _DraftReception:
    """A reception while it is written."""

    __slots__ = Reception.__slots__

    gateway: str
    heard_at: datetime
    received_at: datetime
    clock: ClockSource
    rssi_dbm: int | None
    mode: str | None
    boot: str | None
    seq: int | None
    history: bool
    redelivered: bool


def quick_reception(  # noqa: PLR0913, PLR0917  the attributes of a reception, in their order
    gateway: str,
    heard_at: datetime,
    received_at: datetime,
    clock: ClockSource,
    rssi_dbm: int | None,
    mode: str | None,
    boot: str | None,
    seq: int | None,
    history: bool,  # noqa: FBT001  as in the reception
    redelivered: bool,  # noqa: FBT001  as in the reception
) -> Reception:
    """Make a reception; the arguments are those of :class:`~metering.uplink.Reception`, times in UTC."""
    made = _DraftReception()
    made.gateway = gateway
    made.heard_at = heard_at
    made.received_at = received_at
    made.clock = clock
    made.rssi_dbm = rssi_dbm
    made.mode = mode
    made.boot = boot
    made.seq = seq
    made.history = history
    made.redelivered = redelivered
    made.__class__ = Reception  # type: ignore[assignment]  # same slots, so the object is one
    return made  # type: ignore[return-value]  # by now it is
