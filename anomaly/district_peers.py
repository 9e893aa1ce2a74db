"""What moves all districts alike is weather, not a leak: how much of it shows in this one is learnt."""

from __future__ import annotations

import numpy as np

from anomaly.series import Floats

__all__ = ["common_share", "sensitivity"]

FEWEST_PEERS = 3
"""Other districts that must be known to say what moved them all."""
LEARNT_FROM = 180
"""Days from whose changes the sensitivity is learnt."""
OVER_DAYS = 3
"""Changes are taken over so many days: what comes and goes slower than noise."""
FEWEST_CHANGES = 30
DOUBT = 30
"""Days without any relation that are added: a few days of moving together prove nothing."""
MOST = 1.0
CLIPPED_AT = 2.5
"""Changes beyond so many deviations count as so many: a burst relates to nothing."""


def common_share(shares: Floats) -> float:
    """Give the median movement of the other districts, as a share of their inflow; NaN with too few."""
    known = shares[np.isfinite(shares)]
    return float(np.median(known)) if len(known) >= FEWEST_PEERS else np.nan


def sensitivity(own: Floats, common: Floats) -> float:
    """Tell how much of what moves all shows in one district: 0 nothing, 1 as much.

    Args:
        own: its levels so far, share of its inflow.
        common: what moved the others on the same days, share of their inflow.
    """
    mine, theirs = (_changes(levels[-LEARNT_FROM - OVER_DAYS :]) for levels in (own, common))
    known = np.isfinite(mine) & np.isfinite(theirs)
    if known.sum() < FEWEST_CHANGES:
        return 0.0
    x, y = _clipped(theirs[known]), _clipped(mine[known])
    power = float(x @ x)
    doubt = DOUBT * power / len(x)
    return float(np.clip(x @ y / (power + doubt), 0.0, MOST)) if power > 0 else 0.0


def _changes(levels: Floats) -> Floats:
    return np.asarray(levels[OVER_DAYS:] - levels[:-OVER_DAYS], np.float64)


def _clipped(changes: Floats) -> Floats:
    width = CLIPPED_AT * 1.4826 * float(np.median(np.abs(changes)))
    return np.asarray(np.clip(changes, -width, width), np.float64)
