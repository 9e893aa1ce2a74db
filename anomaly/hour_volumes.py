"""Readings of any cadence up to an hour and a half as litres of clock hours: what districts are summed from.

The index at a full hour lies between the readings around it; so hours add up to what the register counted.
Over a longer gap nothing is known of its hours, unless the index did not move.
"""

from __future__ import annotations

import numpy as np

from anomaly.gate import Gated
from anomaly.hours import LONGEST
from anomaly.local_time import HOUR
from anomaly.series import Flags, Floats, Ints

__all__ = ["hour_volumes"]


def hour_volumes(gated: Gated, first: int, hours: int) -> Floats:
    """Give the litres of ``hours`` clock hours from ``first`` on (UTC seconds); NaN where not known."""
    if len(gated) < 2:
        return np.full(hours, np.nan)
    edges = first + HOUR * np.arange(hours + 1)
    before = np.searchsorted(gated.at, edges, side="right") - 1
    known, index = _at_edges(gated, edges, np.clip(before, 0, len(gated) - 2))
    known &= (before >= 0) & ((before < len(gated) - 1) | (gated.at[np.clip(before, 0, None)] == edges))
    lines = np.cumsum(gated.broken)[np.clip(before, 0, None)]
    same_line = lines[1:] == lines[:-1]
    return np.where(known[1:] & known[:-1] & same_line, np.diff(index), np.nan)


def _at_edges(gated: Gated, edges: Ints, left: Ints) -> tuple[Flags, Floats]:
    """Give the index at each edge, between the readings ``left`` and ``left + 1``, and where it is known."""
    span, rise = gated.at[left + 1] - gated.at[left], gated.index[left + 1] - gated.index[left]
    near = ((span <= LONGEST) | (rise == 0)) & ~gated.broken[left + 1]
    on_reading = (gated.at[left] == edges) | (gated.at[left + 1] == edges)
    share = (edges - gated.at[left]) / np.maximum(span, 1)
    return near | on_reading, gated.index[left] + rise * np.clip(share, 0, 1)
