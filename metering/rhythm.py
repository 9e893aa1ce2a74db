"""How often a meter sends, learnt from when it was heard. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

__all__ = ["FEWEST", "transmit_interval"]

FEWEST = 6
"""Times a meter must have been heard before anything is said."""

_SPREAD = 0.3
"""Meters send at random within some per cent of their interval (EN 13757-4: nominal interval +- jitter)."""

_SHORTEST = timedelta(seconds=1)


def transmit_interval(times: Sequence[datetime]) -> timedelta | None:
    """Give the interval at which a meter sends; ``None`` if it was heard too seldom to tell.

    Telegrams that were missed make gaps of twice the interval and more, so the shorter gaps tell: those about
    as long as the one a fifth up from the shortest.

    Args:
        times: when it was heard, in order.
    """
    gaps = sorted(later - earlier for earlier, later in pairwise(times) if later - earlier >= _SHORTEST)
    if len(gaps) < FEWEST - 1:
        return None
    typical = gaps[len(gaps) // 5]
    alike = [gap for gap in gaps if abs(gap - typical) <= typical * _SPREAD]
    return timedelta(seconds=median(gap.total_seconds() for gap in alike))
