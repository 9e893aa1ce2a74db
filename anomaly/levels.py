"""Flow levels a steady leak can have, and how much evidence each tier asks for: the tables of the leak bank.

Flows are sorted into 19 bins: below half a register step in an hour is *no use*, the rest rise by half each.
Level ``j`` is the band of two neighbouring bins ``j + 1`` and ``j + 2``: bands overlap, so that every rate
lies well inside one of them.

Thresholds are sums of log-likelihood ratios in nats. They were tuned on one half of the households of DAIAD
trial A with benchmarks/anomaly; docs/anomaly-report.md says what they give on the other half.
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from anomaly.series import Floats, MeterClass

__all__ = [
    "BINS",
    "BURST_FROM_LPH",
    "CHANNELS",
    "EDGES",
    "INTERMITTENT",
    "LEVELS",
    "LEVEL_LPH",
    "NOTIFY_AT",
    "PATIENCE",
    "STEADY",
]

EDGES: Floats = np.array(
    [0.5, 1.5, 2.5, 3.6, 5.4, 8.1, 12.2, 18.2, 27.3, 41, 61.5, 92.3, 138, 208, 311, 467, 701, 1051]
)
"""Lower edges of bins 1 to 18, in register steps an hour; bin 0 is no use."""

BINS = len(EDGES)
"""Bins with use."""

LEVELS = BINS - 1
"""Steady levels."""

LEVEL_LPH: Floats = np.sqrt(EDGES[:-1] * np.append(EDGES[2:], 1577.0))
"""Middle of each level's band, L/h for a register of 1 L."""

INTERMITTENT: tuple[int, ...] = (5, 6, 7, 8, 9)
"""Levels also watched for flow that comes and goes, 10 to 50 L/h: what a toilet's valve lets through."""

CHANNELS: tuple[int, ...] = (*range(LEVELS), *INTERMITTENT)
"""Level of each channel of the bank: first the steady ones, then the intermittent ones."""

STEADY = LEVELS
"""Number of steady channels."""

_STEADY_NATS = (48, 42, 34, 25, 25, 26, 25, 21, 20, 19, 17, 16.5, 14.5, 14.5, 14.5, 14.5, 14.5)
_INTERMITTENT_NATS = (40, 40, 40, 40, 40)
NOTIFY_AT: Floats = np.array(_STEADY_NATS + _INTERMITTENT_NATS)
"""Evidence at which a channel is worth telling somebody: small leaks have time, large ones have not."""

BURST_FROM_LPH = 200.0
"""From this level on a finding is a burst, not a leak."""

PATIENCE = MappingProxyType(
    {
        MeterClass.RESIDENTIAL: 1.0,
        MeterClass.MULTI_DWELLING: 1.5,
        MeterClass.COMMERCIAL: 1.5,
        MeterClass.IRRIGATION: 2.0,
    }
)
"""How much more evidence a class needs: utilities wait 72 h instead of 48 h where many share a meter."""
