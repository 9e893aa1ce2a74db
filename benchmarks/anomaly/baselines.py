"""What meters and portals do today: one rule each, on the same ticks of an hour.

A rule alarms when every known hour of the last ``hours`` had at least ``litres``, and is over with the first
hour below. Hours that are not known neither set nor clear it, as the vendors say of estimates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anomaly.hours import KNOWN, Ticks


@dataclass(frozen=True)
class Rule:
    """No hour below ``litres`` for ``hours``."""

    name: str
    hours: int
    litres: float

    def alarms(self, ticks: Ticks) -> np.ndarray:
        """Times (UTC seconds) at which it is raised."""
        known = ticks.kind == KNOWN
        at, high = ticks.known_at[known], ticks.flow[known] >= self.litres
        count = np.arange(len(high)) - np.maximum.accumulate(np.where(high, -1, np.arange(len(high))))
        return at[count == self.hours]


RULES = (
    Rule("24 h, every hour >= 1 L", 24, 1.0),
    Rule("Badger: 24 h >= 3.8 L", 24, 3.8),
    Rule("72 h, every hour >= 1 L", 72, 1.0),
    Rule("iPERL+: 24 h >= 25 L", 24, 25.0),
    Rule("SFPUC: 48 h >= 28.4 L", 48, 28.4),
)
