"""Index series into volumes over local calendar intervals, exactly.

::

    readings      o    o    o              o    o      o
    boundaries  |    |    |    |    |    |    |    |
    intervals   ·····|metered  |   gap     ·    |metered

The way of a series, each step pure and each with its evidence kept:

1. :func:`settle` orders what came, in whatever order and how often, and finds the lines the register went
   along: roll-overs continue a line, an unexplained jump or reset ends it, single readings nobody
   corroborates are set aside and told.
2. :func:`joined` puts the meters of one service point one after another, over the closing and opening
   index of every exchange; :func:`netted` takes a backflow register off.
3. :func:`intervals` cuts a line into volumes over hours, days, weeks, months; :func:`cut` over billing
   periods or any other boundaries.
4. :func:`differences` tells what late or re-sent data changed.

The sum holds at every step: the volumes of a line add up to its last total minus its first, exactly.
"""

from metering.consumption.calendar import (
    Step,
    billing_boundaries,
    boundaries,
    start_of_day,
)
from metering.consumption.differences import Difference, differences
from metering.consumption.points import IndexPoint, index_series
from metering.consumption.segments import Segment, joined, netted
from metering.consumption.settle import settle
from metering.consumption.verdicts import Break, BreakKind, Limits, Reason, SetAside, Settled
from metering.consumption.volumes import SLACK, Interval, Kind, cut, intervals, usual_age

__all__ = [
    "SLACK",
    "Break",
    "BreakKind",
    "Difference",
    "IndexPoint",
    "Interval",
    "Kind",
    "Limits",
    "Reason",
    "Segment",
    "SetAside",
    "Settled",
    "Step",
    "billing_boundaries",
    "boundaries",
    "cut",
    "differences",
    "index_series",
    "intervals",
    "joined",
    "netted",
    "settle",
    "start_of_day",
    "usual_age",
]
