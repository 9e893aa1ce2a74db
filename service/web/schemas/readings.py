"""Readings of a register."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from pydantic import BaseModel, Field

from metering.reading import Reading
from service.provenance import is_gone
from service.web.schemas.numbers import Exact

__all__ = ["ReadingOut", "ReadingsOut"]


class ReadingOut(BaseModel):
    """One exact value of one register."""

    key: str = Field(
        serialization_alias="register",
        description="register: `volume`, `volume/s1`, `volume_flow:maximum`, ...",
    )
    value: Exact
    unit: str
    measured_at: datetime
    received_at: datetime
    way: str = Field(description="`radio`, `wired` or `pulse`")
    quality: str = Field(description="quality code of IEC 61968-9")
    telegram: int | None = Field(description="archive number of the telegram it came with")
    telegram_removed: bool = Field(
        description="that telegram is no longer kept: its retention time is over; `telegram` may be null then"
    )
    gateway: str

    @classmethod
    def of(cls, reading: Reading, kept: Collection[int]) -> ReadingOut:
        """Say a reading; ``kept`` are numbers of telegrams that are still there."""
        return cls(
            key=reading.register.key,
            value=reading.value,
            unit=reading.unit,
            measured_at=reading.measured_at,
            received_at=reading.received_at,
            way=reading.way,
            quality=reading.quality,
            telegram=reading.provenance.telegram,
            telegram_removed=is_gone(reading, kept),
            gateway=reading.provenance.gateway,
        )


class ReadingsOut(BaseModel):
    """A register's readings in a period, by time."""

    meter_id: str
    key: str = Field(serialization_alias="register", description="register")
    since: datetime
    until: datetime
    readings: list[ReadingOut]
    next_from: datetime | None = Field(description="ask again from here for the rest; null if this is all")
