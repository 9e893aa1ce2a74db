"""Axes of the evidence plot: local time along, a value up, in pixels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Self
from zoneinfo import ZoneInfo

from anomaly.local_time import DAY

__all__ = ["BOTTOM", "HEIGHT", "LEFT", "PANELS", "RIGHT", "TOP", "WIDTH", "Panel", "TimeAxis", "text_at"]

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 64, 28
PANELS = ((TOP + 14, 222), (254, HEIGHT - BOTTOM))
"""Upper and lower edge of the two panels."""
MOST_TICKS = 8
LINES = 4


def text_at(x: float, y: float, said: str, *, anchor: str = "start", weight: str = "normal") -> str:
    """Write one line of text."""
    bold = "" if weight == "normal" else f' font-weight="{weight}"'
    return f'<text x="{round(x, 1)}" y="{round(y, 1)}" text-anchor="{anchor}"{bold}>{escape(said)}</text>'


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """From ``first`` to ``last``, UTC seconds; labels in local time."""

    first: int
    last: int
    zone: ZoneInfo

    def x(self, at: float) -> float:
        """Give the pixel of a moment; what lies outside is at the edge."""
        share = (min(max(at, self.first), self.last) - self.first) / max(self.last - self.first, 1)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def drawn(self) -> Iterator[str]:
        """Draw a tick and a date (or an hour) where a local day begins."""
        days = (self.last - self.first) / DAY
        every = next(step for step in (1, 2, 7, 14, 28, 91, 365, 10**6) if days / step <= MOST_TICKS)
        moment = datetime.fromtimestamp(self.first, UTC).astimezone(self.zone)
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        while (at := day.timestamp()) <= self.last:
            if at >= self.first:
                x = self.x(at)
                yield f'<path d="M{x} {HEIGHT - BOTTOM}v5" stroke="#000"/>'
                yield text_at(x, HEIGHT - BOTTOM + 18, f"{day:%Y-%m-%d}", anchor="middle")
            day = (day + timedelta(days=every)).replace(hour=0)


@dataclass(frozen=True, slots=True)
class Panel:
    """A value axis between two pixel rows."""

    top: int
    bottom: int
    low: float
    step: float
    lines: int

    @classmethod
    def of(cls, rows: tuple[int, int], low: float, high: float) -> Self:
        """Embrace the values with round numbers."""
        step = _round_step(max(high - low, 1e-3) / LINES)
        first = math.floor(low / step + 1e-9) * step
        return cls(*rows, first, step, max(math.ceil((high - first) / step - 1e-9), 1))

    def y(self, value: float) -> float:
        """Give the pixel row of a value."""
        share = (value - self.low) / (self.step * self.lines)
        return round(self.bottom - share * (self.bottom - self.top), 1)

    def drawn(self, title: str) -> Iterator[str]:
        """Draw lines, numbers and what they count."""
        digits = max(0, -math.floor(math.log10(self.step)))
        for line in range(self.lines + 1):
            value = self.low + line * self.step
            row = self.y(value)
            yield f'<path d="M{LEFT} {row}H{WIDTH - RIGHT}" stroke="#ccc" stroke-width="0.5"/>'
            yield text_at(LEFT - 6, row + 4, f"{value:.{digits}f}", anchor="end")
        yield text_at(LEFT, self.top - 6, title)


def _round_step(least: float) -> float:
    """Give the smallest of 1, 2, 5 times a power of ten that is not below."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))
