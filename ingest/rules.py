"""What a utility can choose about its telegrams."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

__all__ = ["Rules"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a utility can choose about its telegrams.

    Attributes:
        window: receptions of identical bytes at most this far apart are one transmission.
        redelivery: how long the broker may take to repeat a delivery it marks as repeated.
        zone: in which meters give their dates.
    """

    window: timedelta = timedelta(seconds=5)
    redelivery: timedelta = timedelta(days=7)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Warsaw"))
