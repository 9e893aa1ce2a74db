"""How much a rise must score to be told: more than what the same district came to, again and again.

Districts differ: one lies still for months, the inflow of another jumps every few weeks. What a year held is
the best guess of what the next year holds. So the scores of the last year are gone through for their peaks,
each peak standing for the weeks around it, and as much is asked as few enough of them reached. What
the year does not hold yet is filled up with what districts come to in general.
"""

from __future__ import annotations

import math

import numpy as np

from anomaly.series import Floats

__all__ = ["AT_FIRST", "LEAST", "asked_score", "peaks"]

ALLOWED = 1.5
"""Peaks of a year that may reach what is asked: below the budget, for what bursts and chance add to it."""
YEAR = 365
APART = 14
"""Days to either side that a peak stands for."""
NOT_YET = 6
"""Days before the one that is judged that do not count: a rise that begins asks for no more of itself."""
AT_FIRST = 3.3
"""Score that so many peaks of a year reach in a district nothing is known of ..."""
FADES = 0.35
"""... and how much higher a score is reached by a third (1/e) of them."""
LEAST, STEP, MOST = 2.5, 0.05, 12.0
SWELLING = 1.0
"""Peaks below this are noise."""
MOST_PEAKS = 12


def asked_score(scores: Floats) -> float:
    """Give the standard deviations a rise must score to be told.

    Args:
        scores: the highest of each day before the one that is judged, oldest first; NaN where not known.
    """
    year = scores[-YEAR:][:-NOT_YET]
    reached = np.array(peaks(year))
    unknown = max(0.0, 1 - float(np.isfinite(year).sum()) / YEAR)
    ladder = np.arange(LEAST, MOST, STEP)
    counted = (reached[:, None] >= ladder).sum(axis=0) if len(reached) else np.zeros(len(ladder))
    expected = counted + ALLOWED * unknown * np.exp((AT_FIRST - ladder) / FADES)
    enough = np.flatnonzero(expected <= ALLOWED)
    return float(ladder[enough[0]]) if len(enough) else MOST


def peaks(scores: Floats) -> list[float]:
    """Give the highest scores, each the highest of the weeks around it, highest first."""
    left = np.where(np.isfinite(scores), scores, -math.inf)
    found: list[float] = []
    while len(left) and len(found) < MOST_PEAKS and (top := float(left.max())) >= SWELLING:
        place = int(left.argmax())
        found.append(top)
        left[max(0, place - APART) : place + APART + 1] = -math.inf
    return found
