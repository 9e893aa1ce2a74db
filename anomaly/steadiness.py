"""Are the flows of a band one steady flow, or only of the same size? Evidence on top of the bank's.

The bank knows bands as wide as 1 to 2.25. A leak stays within a tenth of one value wherever nobody adds to
it; a party fills the band evenly. A window of that width is laid where it holds most flows, and what is
inside and outside it is weighed: seven in ten of a leak's hours in the band should be inside.
"""

from __future__ import annotations

import math

import numpy as np

from anomaly.series import Floats

__all__ = ["steadiness"]

WINDOW = 0.12
"""Width of the window as a share of its lower end: a few per cent to either side, for pressure and clocks."""
STEPS = 2.0
"""Width of the window in register steps an hour, at least."""
TIGHT = 0.7
"""Share of a leak's hours in the band that are inside the window."""
TOO_WIDE = 0.5
"""Share of the band from which on a window tells nothing: small leaks on whole litres."""
AGAINST = 3.0
"""Flows of all sizes weigh more: the bank has already counted each of them in favour."""
LEAST, MOST = -12.0, 8.0
"""Nats this may take away or add."""


def steadiness(flows: Floats, low: float, high: float, step_l: float) -> float:
    """Give nats for (or, negative, against) one steady flow within the band ``low`` to ``high`` L/h."""
    inside = np.sort(flows[(flows >= low) & (flows < high)])
    if len(inside) < 2:
        return 0.0
    width = np.maximum(WINDOW * inside, STEPS * step_l)
    held = np.searchsorted(inside, inside + width, side="right") - np.arange(len(inside))
    best = int(held.argmax())
    count, middle = int(held[best]), float(inside[best] + width[best] / 2)
    chance = math.log1p(float(width[best]) / float(inside[best])) / math.log(min(high, 3 * middle) / low)
    if chance >= TOO_WIDE:
        return 0.0
    nats = count * math.log(TIGHT / chance) + (len(inside) - count) * math.log((1 - TIGHT) / (1 - chance))
    nats += math.log(chance)  # the window could have been laid anywhere in the band
    return min(nats, MOST) if nats > 0 else max(AGAINST * nats, LEAST)
