"""Where a message that has no adapter says what: the declarative field map, without the reading of it.

::

    [[mqtt.topics]]
    filter = "plant/+/values"
    adapter = "field_map"
    zone = "Europe/Warsaw"
    fields = { format = "json", rows = "data", device = "serial", time = "at", time_format = "%d.%m.%Y %H:%M",
               values = [ { at = "m3", register = "volume", unit = "m3" } ] }
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from metering.errors import InvalidValue
from metering.reading import Register

__all__ = ["UNITS", "FieldMap", "FieldValue"]

UNITS: Mapping[str, tuple[str, Decimal]] = {
    "m3": ("m3", Decimal(1)),
    "L": ("m3", Decimal("0.001")),
    "m3/h": ("m3/h", Decimal(1)),
    "L/h": ("m3/h", Decimal("0.001")),
    "Wh": ("Wh", Decimal(1)),
    "kWh": ("Wh", Decimal(1000)),
    "MWh": ("Wh", Decimal(1000000)),
    "W": ("W", Decimal(1)),
    "kW": ("W", Decimal(1000)),
    "°C": ("°C", Decimal(1)),
    "bar": ("bar", Decimal(1)),
    "V": ("V", Decimal(1)),
    "mV": ("V", Decimal("0.001")),
    "%": ("%", Decimal(1)),
    "count": ("", Decimal(1)),
}
"""Unit as a message has it -> unit of the reading, and the exact factor to it."""

_QUANTITY_OF_UNIT: Mapping[str, frozenset[str]] = {
    "volume": frozenset({"m3"}),
    "volume_flow": frozenset({"m3/h"}),
    "energy": frozenset({"Wh"}),
    "power": frozenset({"W"}),
}
_STRANGE = re.compile(r"[\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class FieldValue:
    """One value of a message.

    Attributes:
        at: JSON path (``data.0.total``) or column (name, or number from 1).
        register: which register, ``volume``, ``volume/s1``.
        unit: what the number is in, one of :data:`UNITS`.
    """

    at: str
    register: str
    unit: str

    def __post_init__(self) -> None:
        quantity = Register.parse(self.register).quantity
        if self.unit not in UNITS:
            raise InvalidValue(f"unit {self.unit!r} is not known; there are: {', '.join(UNITS)}")
        held = UNITS[self.unit][0]
        if held not in _QUANTITY_OF_UNIT.get(quantity, {held}):
            raise InvalidValue(f"register {self.register} cannot be in {self.unit}")


@dataclass(frozen=True, slots=True)
class FieldMap:
    """Where a message says what.

    Attributes:
        values: where the numbers are.
        format: ``json`` or ``csv``.
        rows: JSON path of the array whose elements are the readings; empty = the message itself, or its
            elements if it is an array.
        device: path or column of the meter's identity or the device's name.
        fixed_device: the same for all messages, where they do not say.
        time: path or column; empty = when it reached us.
        time_format: ``rfc3339``, ``unix`` (seconds or milliseconds) or a pattern of ``strptime``, then local.
        separator: of CSV columns.
        header: whether the first CSV line names the columns.
    """

    values: tuple[FieldValue, ...]
    format: Literal["json", "csv"] = "json"
    rows: str = ""
    device: str = ""
    fixed_device: str = ""
    time: str = ""
    time_format: str = "rfc3339"
    separator: str = ";"
    header: bool = True

    def __post_init__(self) -> None:
        if not self.values:
            raise InvalidValue("a field map without values reads nothing")
        if bool(self.device) == bool(self.fixed_device):
            raise InvalidValue("a field map has either device (where it is said) or fixed_device")
        if len(self.separator) != 1 or (self.separator != "\t" and _STRANGE.search(self.separator)):
            raise InvalidValue(f"separator {self.separator!r} is not one character")
        if self.format == "csv" and self.rows:
            raise InvalidValue("rows is for JSON; the lines of CSV are the rows")
        if not self.header and not all(place.isdecimal() for place in self._places()):
            raise InvalidValue("without a header, columns are numbers from 1")

    def _places(self) -> list[str]:
        return [place for place in (self.device, self.time, *(one.at for one in self.values)) if place]
