"""What a utility can choose about its telegrams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from metering.meter import Meter, MeterId

__all__ = ["Foreign", "Rules"]


class Foreign(StrEnum):
    """What is done with meters that are not registered."""

    COUNT = "count"
    """Who hears them how often, nothing else."""
    HOLD = "hold"
    """Counted, and their telegrams kept undecoded for some days: a late registration heals the past."""
    STORE = "store"
    """Read like our own: for those who keep no registry."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a utility can choose about its telegrams.

    Attributes:
        window: receptions of identical bytes at most this far apart are one transmission.
        redelivery: how long the broker may take to repeat a delivery it marks as repeated.
        zone: in which meters give their dates.
        foreign: what is done with meters that are not registered.
    """

    window: timedelta = timedelta(seconds=5)
    redelivery: timedelta = timedelta(days=7)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Warsaw"))
    foreign: Foreign = Foreign.HOLD

    def ours(self, meter: MeterId, registered: Mapping[MeterId, Meter]) -> Meter | None:
        """Give the meter whose telegrams are read under this identity; ``None`` if it is foreign."""
        unregistered = Meter(meter) if self.foreign is Foreign.STORE else None
        return registered.get(meter, unregistered)
