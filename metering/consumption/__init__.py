"""Index series into volumes over local calendar intervals, exactly."""

from metering.consumption.calendar import Step, billing_boundaries, boundaries, start_of_day
from metering.consumption.points import IndexPoint, index_series
from metering.consumption.volumes import SLACK, Interval, Kind, cut, intervals, usual_age

__all__ = [
    "SLACK",
    "IndexPoint",
    "Interval",
    "Kind",
    "Step",
    "billing_boundaries",
    "boundaries",
    "cut",
    "index_series",
    "intervals",
    "start_of_day",
    "usual_age",
]
