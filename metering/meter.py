"""Meters, where they hang, and which meters a pulse input counts for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from metering.errors import InvalidValue

__all__ = ["Installation", "Meter", "MeterId", "PulseInput", "ServicePoint"]

_ID = re.compile(r"([A-Z]{3})-([0-9A-F]{8})-([0-9a-f]{2})-([0-9a-f]{2})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class MeterId:
    """Identity of a meter: a serial alone is not unique (EN 13757-7, address field).

    Attributes:
        manufacturer: three capital letters (FLAG code), ``KAM``.
        serial: eight digits as printed on the dial; sloppy devices use A-F too. Upper case.
        version: two hexadecimal digits, lower case, ``1b``.
        device_type: two hexadecimal digits, lower case, ``16`` = cold water.
    """

    manufacturer: str
    serial: str
    version: str
    device_type: str

    def __hash__(self) -> int:
        """By the serial: an identity is hashed a dozen times a telegram, and hardly two share one."""
        return hash(self.serial)

    def __str__(self) -> str:
        """``KAM-76348799-1b-16``."""
        return f"{self.manufacturer}-{self.serial}-{self.version}-{self.device_type}"

    @classmethod
    def parse(cls, text: str) -> MeterId:
        """Read ``KAM-76348799-1b-16`` in any letter case.

        Raises:
            InvalidValue: the text is not an identity; says what one looks like.
        """
        parts = text.strip().split("-")
        if len(parts) == 4:
            maker, serial, version, kind = parts
            candidate = f"{maker.upper()}-{serial.upper()}-{version.lower()}-{kind.lower()}"
            if match := _ID.fullmatch(candidate):
                return cls(*match.groups())
        raise InvalidValue(
            f"{text[:60]!r} is not a meter id; "
            "expected manufacturer-serial-version-type like KAM-76348799-1b-16"
        )


@dataclass(frozen=True, slots=True)
class Meter:
    """A registered meter.

    Attributes:
        id: identity.
        medium: ``water``, ``cold water``, ``heat``, ... (OMS device type names); from the identity if empty.
        label: what the utility calls it, for people.
        model: meter model to decode with; ``None`` = standard records.
    """

    id: MeterId
    medium: str = ""
    label: str = ""
    model: str | None = None


@dataclass(frozen=True, slots=True)
class ServicePoint:
    """Where water is delivered: outlives meters and tenancies.

    Attributes:
        id: the utility's own number.
        address: for people.
        district: district metered area, empty if none.
        route: reading route, empty if none.
    """

    id: str
    address: str = ""
    district: str = ""
    route: str = ""


@dataclass(frozen=True, slots=True)
class Installation:
    """A meter at a service point from..to (``valid_to`` exclusive, ``None`` = until further notice), UTC."""

    meter: MeterId
    service_point: str
    valid_from: datetime
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class PulseInput:
    """Which meter a gateway's pulse channel counts for, and what a pulse is worth.

    index = start_index_m3 + (count - start_count) * litres_per_pulse / 1000, exactly.

    Attributes:
        gateway: gateway name.
        channel: input name on that gateway.
        meter: the meter whose pulses these are.
        litres_per_pulse: pulse weight in litres, exact, positive.
        start_count: counter state at ``valid_from``.
        start_index_m3: index on the dial at ``valid_from``, m3, exact.
        valid_from: UTC.
        valid_to: UTC, exclusive; ``None`` = until further notice.
    """

    gateway: str
    channel: str
    meter: MeterId
    litres_per_pulse: Decimal
    start_count: int
    start_index_m3: Decimal
    valid_from: datetime
    valid_to: datetime | None = None

    def __post_init__(self) -> None:
        if not self.litres_per_pulse.is_finite() or self.litres_per_pulse <= 0:
            raise InvalidValue(f"pulse weight {self.litres_per_pulse} litres: must be a positive number")

    def index_m3(self, count: int) -> Decimal | None:
        """Index in m3 at a counter state; ``None`` below the start count (the counter was reset)."""
        if count < self.start_count:
            return None
        return self.start_index_m3 + (count - self.start_count) * self.litres_per_pulse.scaleb(-3)
