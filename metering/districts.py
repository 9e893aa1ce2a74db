"""District metered areas: which meters count what flows in and out of them, and their hours, summed up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from metering.errors import InvalidValue
from metering.meter import MeterId
from metering.reading import Register

__all__ = ["DistrictHour", "DistrictMeter", "Districts", "Member"]


@dataclass(frozen=True, slots=True)
class DistrictMeter:
    """A register that counts what flows into a district, or out of it.

    Attributes:
        district: id, as service points name it.
        meter: the meter at the border.
        sign: 1 = into the district, -1 = out of it.
        register: which of its registers.
        valid_from: UTC; since when it does.
        valid_to: UTC; until when, exclusive; ``None`` = until further notice.
    """

    district: str
    meter: MeterId
    sign: int
    register: Register
    valid_from: datetime
    valid_to: datetime | None = None

    def __post_init__(self) -> None:
        if self.sign not in {1, -1}:
            raise InvalidValue(f"sign {self.sign} is neither 1 (into the district) nor -1 (out of it)")
        if not self.district.strip():
            raise InvalidValue("a district has a name")
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise InvalidValue("valid_to is not after valid_from")


@dataclass(frozen=True, slots=True)
class Member:
    """A customer's meter in a district, for a time.

    Attributes:
        meter: the meter.
        valid_from: UTC.
        valid_to: UTC, exclusive; ``None`` = until further notice.
    """

    meter: MeterId
    valid_from: datetime
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class DistrictHour:
    """One hour of a district.

    Attributes:
        district: id.
        hour: UTC; its beginning.
        inflow_l: net inflow, litres; ``None`` where a meter at the border does not tell.
        use_l: what the customers' meters that tell this hour counted, litres.
        known: how many of them tell it.
        meters: how many hung in the district.
    """

    district: str
    hour: datetime
    inflow_l: float | None
    use_l: float
    known: int
    meters: int


class Districts(Protocol):
    """Districts and their hours."""

    def put_meters(self, meters: Sequence[DistrictMeter]) -> None:
        """Record meters at borders; the same district, meter, register and start replaces."""
        ...

    def remove_meters(self, district: str) -> int:
        """Take all border meters of a district away, and its hours with them; gives how many meters."""
        ...

    def meters(self) -> Mapping[str, Sequence[DistrictMeter]]:
        """Give the meters at the borders of every district that has some, by id and start."""
        ...

    def members(self, district: str) -> Sequence[Member]:
        """Give the meters that hang or hung at the service points of a district; those at borders not."""
        ...

    def customers(self, district: str) -> int:
        """Count those meters."""
        ...

    def put_hours(self, hours: Sequence[DistrictHour]) -> None:
        """Keep hours; the same district and hour replaces."""
        ...

    def hours(self, district: str, since: datetime, until: datetime) -> Sequence[DistrictHour]:
        """Give the hours that begin in ``since <= hour < until``, by time."""
        ...

    def newest(self, district: str) -> datetime | None:
        """Give the beginning of the newest hour kept."""
        ...
