"""Consumption over calendar intervals."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from metering.consumption import Interval, Kind, Step
from service.web.history import History
from service.web.schemas.numbers import Exact

__all__ = ["ConsumptionOut", "IntervalOut"]


class IntervalOut(BaseModel):
    """Volume of one interval; times carry the utility's own offset."""

    start: datetime
    end: datetime
    volume: Exact
    kind: Kind = Field(
        description="`metered`: a whole calendar interval; `partial`: readings begin or end inside it; "
        "`gap`: a stretch without readings, its total known, its shape not"
    )
    falling: bool = Field(description="the index went down")
    opening_index: Exact
    closing_index: Exact

    @classmethod
    def of(cls, interval: Interval, zone: ZoneInfo) -> IntervalOut:
        """Say an interval."""
        return cls(
            start=interval.start.astimezone(zone),
            end=interval.end.astimezone(zone),
            volume=interval.volume,
            kind=interval.kind,
            falling=interval.falling,
            opening_index=interval.opening.value,
            closing_index=interval.closing.value,
        )


class ConsumptionOut(BaseModel):
    """A register's consumption in a period; the first and the last interval may reach beyond it."""

    meter_id: str
    key: str = Field(serialization_alias="register", description="register")
    unit: str
    step: Step
    since: datetime
    until: datetime
    volume: Exact | None = Field(description="of the intervals that lie wholly in the period")
    complete: bool = Field(description="whether `volume` is that of the whole period")
    intervals: list[IntervalOut]

    @classmethod
    def of(cls, meter_id: str, history: History, zone: ZoneInfo) -> ConsumptionOut:
        """Say a period."""
        return cls(
            meter_id=meter_id,
            key=history.register.key,
            unit=history.unit,
            step=history.step,
            since=history.window.since.astimezone(zone),
            until=history.window.until.astimezone(zone),
            volume=history.volume,
            complete=history.complete,
            intervals=[IntervalOut.of(one, zone) for one in history.intervals],
        )
