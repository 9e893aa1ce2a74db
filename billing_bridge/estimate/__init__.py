"""Estimation: an index nobody read, or a volume the law lets a utility bill meanwhile.

::

    both ends read    profile, linear (two hours at most), proration    an index, never above the later
    no later read     what law or contract lay down, in their order     a volume, no index

Every number carries the method that gave it. Real readings are never touched.
"""

from billing_bridge.estimate.between import SHORT_GAP, fill_gap, floored, prorated
from billing_bridge.estimate.estimated import EstimatedIndex, Method, NoEstimate, Projection, Settings
from billing_bridge.estimate.project import POLAND, ROMANIA, ROMANIA_THREE_MONTHS, Missing, project

__all__ = [
    "POLAND",
    "ROMANIA",
    "ROMANIA_THREE_MONTHS",
    "SHORT_GAP",
    "EstimatedIndex",
    "Method",
    "Missing",
    "NoEstimate",
    "Projection",
    "Settings",
    "fill_gap",
    "floored",
    "project",
    "prorated",
]
