"""Meters and where they hang."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from pydantic import BaseModel, Field

from metering.meter import Installation
from metering.ports import MeterOverview
from metering.reading import Reading
from service.web.schemas.readings import ReadingOut

__all__ = ["InstallationOut", "MeterDetail", "MeterOut", "MeterPage"]


class MeterOut(BaseModel):
    """A registered meter."""

    meter_id: str = Field(description="manufacturer, serial, version and device type: `KAM-76348799-1b-16`")
    medium: str
    label: str
    model: str | None = Field(description="meter model it is decoded with; null for standard records")
    service_point: str | None
    address: str | None
    last_index: ReadingOut | None
    last_heard: datetime | None
    held: int = Field(description="telegrams waiting for a key")

    @classmethod
    def of(cls, row: MeterOverview, kept: Collection[int]) -> MeterOut:
        """Say a row of the meter list; ``kept`` are numbers of telegrams that are still there."""
        return cls(
            meter_id=str(row.meter.id),
            medium=row.meter.medium,
            label=row.meter.label,
            model=row.meter.model,
            service_point=row.service_point.id if row.service_point else None,
            address=row.service_point.address if row.service_point else None,
            last_index=ReadingOut.of(row.last_reading, kept) if row.last_reading else None,
            last_heard=row.last_heard,
            held=row.held,
        )


class MeterPage(BaseModel):
    """A page of the meter list."""

    meters: list[MeterOut]
    total: int = Field(description="meters found in all")
    offset: int


class InstallationOut(BaseModel):
    """A meter at a service point."""

    service_point: str
    valid_from: datetime
    valid_to: datetime | None = Field(description="exclusive; null = until further notice")


class MeterDetail(BaseModel):
    """One meter with its installations and the newest value of each register."""

    meter: MeterOut
    installations: list[InstallationOut]
    latest: list[ReadingOut]

    @classmethod
    def of(
        cls,
        row: MeterOverview,
        installations: Sequence[Installation],
        latest: Sequence[Reading],
        kept: Collection[int],
    ) -> MeterDetail:
        """Say all of one meter; ``kept`` are numbers of telegrams that are still there."""
        places = [
            InstallationOut(service_point=i.service_point, valid_from=i.valid_from, valid_to=i.valid_to)
            for i in installations
        ]
        newest = [ReadingOut.of(reading, kept) for reading in latest]
        return cls(meter=MeterOut.of(row, kept), installations=places, latest=newest)
