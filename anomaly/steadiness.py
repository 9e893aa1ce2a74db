"""Are the flows of a band one steady flow, or only of the same size? Evidence on top of the bank's.

The bank knows bands as wide as 1 to 2.25. A leak stays within a tenth of one value wherever nobody adds to
it; a party fills the band evenly. A window of that width is laid where it holds most flows, and what is
inside and outside it is weighed: seven in ten of a leak's hours in the band should be inside.
"""

from __future__ import annotations

import math

import numpy as np

from anomaly.series import Floats

__all__ = ["steadiness", "steady_flow", "usual_flow"]

WINDOW = 0.12
"""Width of the window as a share of its lower end: a few per cent to either side, for pressure and clocks."""
ROUNDING = 1e-9
STEPS = 2.0
"""Width of the window in register steps an hour, at least."""
TIGHT = 0.7
"""Share of a leak's hours in the band that are inside the window."""
TOO_WIDE = 0.5
"""Share of the band from which on a window tells nothing: small leaks on whole litres."""
AGAINST = 3.0
"""Flows of all sizes weigh more: the bank has already counted each of them in favour."""
CLEAR_FROM = 2.0
"""Nats a steady flow shows where the window is sharp, after a few hours ..."""
SHARP = 0.2
"""... that is, below this share of the band ..."""
UNCLEAR = 10.0
"""... and what its absence takes away: an evening of changing use."""
FLOOR_WINDOW = 0.05
"""Width of a floor as a share of its lower end: what runs below all use."""
FLOOR_HOURS = 3
"""Hours a floor must show, ..."""
FLOOR_FROM = 1.0
"""... and nats, to count whatever lies above it."""
FLOOR_SKIPS = 0.05
"""Share of hours that may lie below a floor, and one more: it ran them in part."""
SKIPPED = 0.7
"""Nats each of them costs."""
LEAST, MOST = -20.0, 8.0
"""Nats this may take away or add."""


def steadiness(flows: Floats, low: float, high: float, step_l: float, window: float = WINDOW) -> float:
    """Give nats for (or, negative, against) one steady flow within the band ``low`` to ``high`` L/h.

    ``window`` is how wide a steady flow is, as a share of its lower end.
    """
    inside = np.sort(flows[(flows >= low) & (flows < high)])
    if len(inside) < 2:
        return 0.0
    floor = _floor(inside, low, high, step_l)
    one = _one_flow(inside, low, high, step_l, window)
    return min(max(one, floor), MOST) if window == WINDOW and floor >= FLOOR_FROM else one


def _one_flow(inside: Floats, low: float, high: float, step_l: float, window: float) -> float:
    """Weigh what is inside and outside of the densest window."""
    start, count = _densest(inside, step_l, window)
    bottom = float(inside[start])
    width = max(window * bottom, STEPS * step_l)
    chance = _chance(bottom, width, low, high)
    if chance >= TOO_WIDE:
        return 0.0
    nats = count * math.log(TIGHT / chance) + (len(inside) - count) * math.log((1 - TIGHT) / (1 - chance))
    nats += math.log(chance)  # the window could have been laid anywhere in the band
    if nats < CLEAR_FROM and chance < SHARP:
        nats = min(AGAINST * nats, nats) - UNCLEAR
    return min(max(nats, LEAST), MOST)


def _floor(inside: Floats, low: float, high: float, step_l: float) -> float:
    """Give nats for one flow below all use: hour after hour comes down to it, and none below it."""
    number, best = len(inside), -math.inf
    for skipped in range(min(2 + int(FLOOR_SKIPS * number), number)):
        bottom = float(inside[skipped])
        width = max(FLOOR_WINDOW * bottom, STEPS * step_l)
        chance = _chance(bottom, width, low, high)
        count = int(np.searchsorted(inside, bottom + width + ROUNDING)) - skipped
        share = count / number
        if count < FLOOR_HOURS or share <= chance or chance >= TOO_WIDE:
            continue
        nats = count * math.log(share / chance) + math.log(chance) - SKIPPED * skipped
        if count < number:
            nats += (number - count) * math.log((1 - share) / (1 - chance))
        best = max(best, nats)
    return best


def _chance(bottom: float, width: float, low: float, high: float) -> float:
    """Share of the band, by logarithm, that a window takes up."""
    return math.log1p(width / bottom) / math.log(min(high, 3 * (bottom + width / 2)) / low)


def steady_flow(flows: Floats, low: float, high: float, step_l: float) -> float | None:
    """Give the flow under all use, L/h: the mean of a window from the lowest tenth up."""
    inside = flows[(flows >= low) & (flows < high)]
    if not len(inside):
        return None
    bottom = float(np.percentile(inside, 10, method="lower"))
    within = (inside >= bottom) & (inside <= bottom + max(WINDOW * bottom, STEPS * step_l))
    return float(inside[within].mean())


def usual_flow(flows: Floats, low: float, high: float, step_l: float) -> float | None:
    """Give the flow most hours of the band agree on, L/h: hours it ran only in part lie below it."""
    inside = np.sort(flows[(flows >= low) & (flows < high)])
    if not len(inside):
        return None
    start, count = _densest(inside, step_l)
    return float(inside[start : start + count].mean())


def _densest(inside: Floats, step_l: float, window: float = WINDOW) -> tuple[int, int]:
    """Give where the window that holds most begins, the lowest of several, and how many it holds."""
    width = np.maximum(window * inside, STEPS * step_l)
    held = np.searchsorted(inside, inside + width, side="right") - np.arange(len(inside))
    best = int(held.argmax())
    return best, int(held[best])
