"""What every detector is given: a number of meters, gated and cut once for all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np

from anomaly.gate import Gated, gate
from anomaly.hours import HourGrid, Ticks, ticks_of
from anomaly.series import Floats, Series
from anomaly.sufficiency import Insufficiency, Reason, insufficiencies

__all__ = ["Batch", "register_step_l"]

LOOKED_AT = 200
"""Rises of the register that are looked at to tell its step."""


@dataclass(frozen=True)
class Batch:
    """Meters to be judged together.

    Attributes:
        zone: local time of the meters: use follows the clock on the wall.
        meters: their lines.
        ticks: their ticks, in the same order.
        step_l: smallest step of each register, litres.
        lacking: what each series is not good enough for.
    """

    zone: ZoneInfo
    meters: tuple[Gated, ...]
    ticks: tuple[Ticks, ...]
    step_l: Floats
    lacking: tuple[tuple[Insufficiency, ...], ...]

    @classmethod
    def of(cls, series: Iterable[Series], zone: ZoneInfo, now: int | None = None) -> Self:
        """Gate and cut; ``now`` is the clock, UTC seconds."""
        meters = tuple(gate(one, now) for one in series)
        ticks = tuple(ticks_of(one, zone) for one in meters)
        step_l = [register_step_l(one) for one in meters]
        lacking = tuple(map(insufficiencies, meters, ticks, step_l))
        return cls(zone, meters, ticks, np.array(step_l, np.float64), lacking)

    @cached_property
    def grid(self) -> HourGrid:
        """All ticks side by side."""
        return HourGrid.beside(list(self.ticks))

    def fit_for(self, blocked_by: frozenset[Reason]) -> list[int]:
        """Give the places of the meters that lack nothing a detector cannot do without."""
        lacks = ({told.reason for told in reasons} for reasons in self.lacking)
        return [place for place, reasons in enumerate(lacks) if not reasons & blocked_by]

    def part(self, places: list[int]) -> Batch:
        """Take some of the meters."""
        return Batch(
            self.zone,
            tuple(self.meters[k] for k in places),
            tuple(self.ticks[k] for k in places),
            self.step_l[places],
            tuple(self.lacking[k] for k in places),
        )


def register_step_l(gated: Gated) -> float:
    """Tell the step of a register: as registered, else what its first rises are whole multiples of.

    1, 10, 100 or 1000 L; registers finer than a litre count as 1 L.
    """
    if gated.facts.resolution_l:
        return max(gated.facts.resolution_l, 1.0)
    rises = np.diff(gated.index)[~gated.broken[1:]]
    rises = rises[rises > 0][:LOOKED_AT]
    if len(rises) < 3:
        return 1.0
    return next((step for step in (1000.0, 100.0, 10.0) if not np.any(rises % step)), 1.0)
