"""The fixed data structure of old wired meters (EN 1434-3:1997; CI 73 on the wire).

::

    ID(4)  ACC(1)  status(1)  units(2)  counter 1(4)  counter 2(4)

Each of the two unit bytes has a unit in bits 5 to 0; bits 7 and 6 together are the device type, low two bits
in the first byte. Both counters become records as a meter of today would send them, the second one at storage
1 if its unit says "historic". The structure names no manufacturer, so there is no meter identity in it.

Whether the counters are BCD or binary stands in bit 0 of the status here, that they are of a fixed date in
bit 1; there are sources that see the same two facts in bits 7 and 6, and then a remark says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from decoders.errors import LayerError
from decoders.telegram import Record
from decoders.wmbus.records import walk

__all__ = ["Fixed", "read_fixed"]

_SIZE = 16

_BCD8, _INT32, _STORED = 0x0C, 0x04, 0x40
_BINARY, _AT_FIXED_DATE, _OTHER_READING = 0x01, 0x02, 0xC0
_HISTORIC = 0x3E
_COUNTERS_AT = 8

_VIBS = (
    "FD3A FD3A "  # hours-minutes-seconds, days-months-years
    "03 04 05 06 07 FB00 FB01 877D FB807D "  # Wh to 100 MWh
    "0B 0C 0D 0E 0F FB08 FB09 8F7D FB887D "  # kJ to 100 GJ
    "2B 2C 2D 2E 2F FB28 FB29 AF7D FBA87D "  # W to 100 MW
    "33 34 35 36 37 FB30 FB31 B77D FBB07D "  # kJ/h to 100 GJ/h
    "10 11 12 13 14 15 16 17 FB10 "  # ml to 100 m3
    "38 39 3A 3B 3C 3D 3E 3F BF77 "  # ml/h to 100 m3/h
    "FD3A 6E FD3A FD3A FD3A FD3A FD3A FD3A"  # 0.001 °C, HCA units, reserved, historic, without units
)
_TODAY = tuple(map(bytes.fromhex, _VIBS.split()))
"""The VIB of today for each unit."""

_REMARKS = {
    0x00: "hours, minutes, seconds as digits",
    0x01: "days, months, years as digits",
    0x38: "thousandths of a degree Celsius",
    **dict.fromkeys(range(0x3A, 0x3E), "a reserved unit"),
}


@dataclass(frozen=True, slots=True)
class Fixed:
    """One fixed data structure.

    Attributes:
        start: offset of the CI field.
        end: offset of the first byte behind it.
        serial: identification number as printed.
        device_type: two hexadecimal digits.
        access: access number.
        status: status byte.
        records: the two counters.
    """

    start: int
    end: int
    serial: str
    device_type: str
    access: int
    status: int
    records: tuple[Record, ...]


def read_fixed(data: bytes, start: int) -> Fixed:
    """Read the structure whose CI field stands at ``start``.

    Raises:
        LayerError: ``truncated``.
    """
    at, end = start + 1, start + 1 + _SIZE
    if len(data) < end:
        raise LayerError("truncated", "the fixed data structure ends too early", offset=len(data))
    units = data[at + 6], data[at + 7]
    first, second = _counter(data, at, 0), _counter(data, at, 1)
    device_type = units[0] >> 6 | units[1] >> 6 << 2
    return Fixed(
        start,
        end,
        data[at : at + 4][::-1].hex().upper(),
        f"{device_type:02x}",
        data[at + 4],
        data[at + 5],
        (first, replace(second, occurrence=int(first.register == second.register))),
    )


def _counter(data: bytes, start: int, number: int) -> Record:
    """Give one counter as a record."""
    status, units = data[start + 5], [code & 0x3F for code in data[start + 6 : start + 8]]
    historic = number == 1 and units[1] == _HISTORIC
    unit = units[0] if historic else units[number]
    dif = _INT32 if status & _BINARY else _BCD8
    dif |= _STORED if historic or status & _AT_FIXED_DATE else 0
    at = start + _COUNTERS_AT + 4 * number
    (record,) = walk(bytes((dif,)) + _TODAY[unit] + data[at : at + 4], 0).records
    other = "the status may mean another coding" if status & _OTHER_READING else ""
    remark = "; ".join(filter(None, (record.remark, _REMARKS.get(unit, ""), other)))
    return replace(record, offset=at, remark=remark)
