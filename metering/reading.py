"""Readings: one exact value of one register of one meter at one time, with where it came from."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Context, Decimal
from enum import StrEnum

from metering.errors import InvalidValue
from metering.meter import MeterId

__all__ = ["Detail", "Function", "Provenance", "Quality", "Reading", "Register", "Way", "exact", "utc"]

_WIDE = Context(prec=100)
"""Wide enough that no register of any meter (at most 64 bits and 10^+-15) is ever rounded."""


def exact(value: Decimal) -> Decimal:
    """Return the one canonical form of a number: same value, no trailing zeros, no exponent.

    ``7.700`` and ``7.7`` are the same index; the canonical form makes them equal text too.

    Raises:
        InvalidValue: not a finite number.
    """
    text = str(value)
    if text[-1].isdigit() and "E" not in text and not (text[-1] == "0" and ("." in text or text == "-0")):
        return value  # canonical already, as nearly always
    if not value.is_finite():
        raise InvalidValue(f"{value} is not a number a register can hold")
    plain = value.normalize(_WIDE)
    exponent = plain.as_tuple().exponent
    if isinstance(exponent, int) and exponent > 0:
        plain = plain.quantize(Decimal(1), context=_WIDE)
    return abs(plain) if plain.is_zero() else plain


def utc(moment: datetime) -> datetime:
    """Return the moment in UTC.

    Raises:
        InvalidValue: the time has no zone.
    """
    if moment.tzinfo is UTC:
        return moment
    if moment.tzinfo is None:
        raise InvalidValue(f"time {moment.isoformat()} has no zone; times here are UTC and say so")
    return moment.astimezone(UTC)


class Function(StrEnum):
    """Function field of a data record (EN 13757-3, DIF bits 5-4)."""

    INSTANTANEOUS = "instantaneous"
    MAXIMUM = "maximum"
    MINIMUM = "minimum"
    ERROR = "error"


@dataclass(frozen=True, slots=True, order=True)
class Register:
    """Which value of a meter: quantity plus where EN 13757-3 says it is kept.

    Attributes:
        quantity: ``volume``, ``volume_flow``, ``energy``, ... (decoders.wmbus.vif names them).
        function: instantaneous, maximum, minimum, during error.
        storage: 0 = now, 1 = last due date, ...
        tariff: 0 = all.
        subunit: 0 = main.
        qualifiers: meanings of combinable VIFEs in wire order, ``("backward",)``.
        occurrence: 0 for the first record of this description in a telegram, 1 for the second, ...
    """

    quantity: str
    function: Function = Function.INSTANTANEOUS
    storage: int = 0
    tariff: int = 0
    subunit: int = 0
    qualifiers: tuple[str, ...] = ()
    occurrence: int = 0

    @property
    def key(self) -> str:
        """One stable text: ``volume``, ``volume+backward``, ``volume_flow:maximum/s1/t2/u1#1``."""
        return _register_key(self)

    @classmethod
    def parse(cls, key: str) -> Register:
        """Read the text made by :attr:`key`.

        Raises:
            InvalidValue: not such a text.
        """
        return _register_of(key)


@functools.lru_cache(maxsize=4096)
def _register_key(register: Register) -> str:
    text = "+".join((register.quantity, *register.qualifiers))
    if register.function is not Function.INSTANTANEOUS:
        text += f":{register.function}"
    for letter, number in (("s", register.storage), ("t", register.tariff), ("u", register.subunit)):
        if number:
            text += f"/{letter}{number}"
    return f"{text}#{register.occurrence}" if register.occurrence else text


@functools.lru_cache(maxsize=4096)
def _register_of(key: str) -> Register:
    try:
        rest, _, occurrence = key.partition("#")
        what, *where = rest.split("/")
        what, _, function = what.partition(":")
        quantity, *qualifiers = what.split("+")
        places = {place[0]: int(place[1:]) for place in where}
        register = Register(
            quantity=quantity,
            function=Function(function or "instantaneous"),
            storage=places.pop("s", 0),
            tariff=places.pop("t", 0),
            subunit=places.pop("u", 0),
            qualifiers=tuple(qualifiers),
            occurrence=int(occurrence or 0),
        )
    except (ValueError, IndexError) as wrong:
        raise InvalidValue(f"{key!r} is not a register key like volume or volume:maximum/s1") from wrong
    if places or not quantity:
        raise InvalidValue(f"{key!r} is not a register key like volume or volume:maximum/s1")
    return register


class Way(StrEnum):
    """The way a reading came."""

    RADIO = "radio"
    WIRED = "wired"
    PULSE = "pulse"
    DECODED = "decoded"
    """Decoded before it reached us, by a gateway or a network server: there is no frame to look at."""


class Quality(StrEnum):
    """Quality codes of IEC 61968-9 (``system.category.index``) in use here."""

    RAW = "2.0.0"
    """Collected by the head-end, data valid as far as the protocol can tell."""
    METER_ERROR = "1.5.257"
    """The meter itself marked the value (value during error state)."""
    CLOCK_UNSURE = "2.1.9"
    """The value is good, its time is the time of reception because the gateway's clock was not."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a reading came from, down to the telegram.

    Attributes:
        telegram: archive number of the telegram; ``None`` for pulses.
        gateway: the gateway that brought it (first, if several heard it).
        model: meter model that named it; ``None`` = standard records.
        decoder: version of the decoding rules.
    """

    telegram: int | None
    gateway: str
    model: str | None
    decoder: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One exact value of one register.

    Attributes:
        meter: whose.
        register: which register.
        value: exact decimal in ``unit``, never a binary float.
        unit: ``m3``, ``m3/h``, ``Wh``, ``°C``, ``s``, ... ``""`` for plain counts and flags.
        measured_at: UTC; when the register had this value.
        received_at: UTC; when it reached us.
        way: how it came.
        quality: IEC 61968-9 code.
        provenance: where it came from.
    """

    meter: MeterId
    register: Register
    value: Decimal
    unit: str
    measured_at: datetime
    received_at: datetime
    way: Way
    quality: Quality
    provenance: Provenance

    def __post_init__(self) -> None:
        if (value := exact(self.value)) is not self.value:
            object.__setattr__(self, "value", value)
        if self.measured_at.tzinfo is not UTC:
            object.__setattr__(self, "measured_at", utc(self.measured_at))
        if self.received_at.tzinfo is not UTC:
            object.__setattr__(self, "received_at", utc(self.received_at))


@dataclass(frozen=True, slots=True)
class Detail:
    """Something a meter said that is not a number: a date, a version, a text.

    Attributes:
        meter: whose.
        register: which record.
        text: dates as ISO 8601 in the meter's own local time, texts as sent.
        measured_at: UTC; when it was so.
        telegram: archive number of the telegram.
    """

    meter: MeterId
    register: Register
    text: str
    measured_at: datetime
    telegram: int | None
