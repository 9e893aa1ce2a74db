"""The other direction: one value becomes the bytes of one data record.

What is written here has been read back as the same value; what cannot be written exactly is refused. The
meaning of the VIB comes from the same tables the reading uses.
Source: EN 13757-3:2018, clause 6 and annex A.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal

from decoders.telegram import Value
from decoders.wmbus import dates
from decoders.wmbus.header import FUNCTIONS, Description, describe, header_end
from decoders.wmbus.values import LENGTHS, VARIABLE
from decoders.wmbus.vif import WIDE, Kind
from metering.errors import InvalidValue
from metering.reading import Function

__all__ = ["dib", "record"]

_REAL32 = 0x5
_INTEGERS = frozenset({0x1, 0x2, 0x3, 0x4, 0x6, 0x7})
_BCD = frozenset({0x9, 0xA, 0xB, 0xC, 0xE})
_LONGEST_TEXT, _LONGEST_BINARY = 0xBF, 15

_NO_MOMENT: Mapping[int, bytes] = {
    2: b"\xff\xff",
    3: b"\x3f\x3f\x1f",
    4: b"\x80\x00\x00\x00",
    6: b"\x00\x80\x00\x00\x00\x00",
}


def record(  # noqa: PLR0913  the places a record names
    vib: bytes,
    value: Value,
    *,
    field: int,
    function: Function = Function.INSTANTANEOUS,
    storage: int = 0,
    tariff: int = 0,
    subunit: int = 0,
) -> bytes:
    r"""Write one data record.

    Args:
        vib: VIF and VIFEs as on the wire, ``b"\x13"`` = volume in litres.
        value: in the unit the VIB has after decoding (m3, Wh, s, ...); ``None`` writes the form that means
            "no valid value".
        field: data field of the DIF: 1-4, 6, 7 integers, 5 real32, 9-C and E BCD, D variable, 0 no data.
        function: instantaneous, maximum, minimum, during error.
        storage: below 2^41.
        tariff: below 2^20.
        subunit: below 2^10.

    Raises:
        InvalidValue: the value cannot be written exactly in this form, or a number does not fit the DIB.
    """
    header = dib(field, function=function, storage=storage, tariff=tariff, subunit=subunit) + vib
    if not vib or _header_length(header) != len(header):
        raise InvalidValue(f"{vib.hex()} is not one whole VIB")
    said = describe(header)
    data = _data(said, field, value)
    if said.read(data)[0] != value:
        raise InvalidValue(f"{value!r} is no value of {said.register.quantity} in data field {field:X}")
    return header + data


@functools.lru_cache(maxsize=4096)
def dib(
    field: int,
    *,
    function: Function = Function.INSTANTANEOUS,
    storage: int = 0,
    tariff: int = 0,
    subunit: int = 0,
) -> bytes:
    """Write DIF and as many DIFEs as the numbers need.

    Raises:
        InvalidValue: a number is negative or too large, or the data field is none.
    """
    if field not in LENGTHS and field != VARIABLE:
        raise InvalidValue(f"data field {field:X} holds no data of a record")
    for name, number, bits in (("storage", storage, 41), ("tariff", tariff, 20), ("subunit", subunit, 10)):
        if not 0 <= number < 1 << bits:
            raise InvalidValue(f"{name} number {number} does not fit: 0 to {(1 << bits) - 1}")

    chain = [field | FUNCTIONS.index(function) << 4 | (storage & 1) << 6]
    storage >>= 1
    while storage or tariff or subunit:
        chain[-1] |= 0x80
        chain.append(storage & 0x0F | (tariff & 3) << 4 | (subunit & 1) << 6)
        storage, tariff, subunit = storage >> 4, tariff >> 2, subunit >> 1
    return bytes(chain)


def _header_length(header: bytes) -> int:
    try:
        return header_end(header, 0)
    except IndexError:
        return -1


def _data(said: Description, field: int, value: Value) -> bytes:
    if value is None:
        return _nothing(said, field)
    if said.kind is Kind.SECRET or said.size == 0:
        raise InvalidValue(f"{said.register.quantity} cannot carry a value in data field {field:X}")
    if isinstance(value, bytes):
        return _raw(said, value)
    if isinstance(value, str):
        return _text(value) if field == VARIABLE else _digits(said, field, value)
    if isinstance(value, Decimal):
        return _number(said, field, value)
    return _moment(field, value)


def _nothing(said: Description, field: int) -> bytes:
    """Write the form that means "no valid value"."""
    size = said.size or 0
    if field == VARIABLE:
        return b"\xe0"
    if said.kind is Kind.MOMENT and field in _NO_MOMENT:
        return _NO_MOMENT[field]
    if field == _REAL32:
        return struct.pack("<f", float("nan"))
    if field in _BCD or said.kind in {Kind.UNSIGNED, Kind.IDENTITY}:
        return b"\xff" * size
    if said.kind is Kind.NUMBER and size:
        return bytes(size - 1) + b"\x80"
    return bytes(size)


def _raw(said: Description, value: bytes) -> bytes:
    if len(value) > _LONGEST_TEXT:
        raise InvalidValue(f"{len(value)} bytes are more than a variable field takes")
    if said.size is None:
        return bytes((len(value),)) + value
    if said.size != len(value):
        raise InvalidValue(f"{len(value)} bytes do not fill a field of {said.size}")
    return value


def _text(value: str) -> bytes:
    """Write ISO 8859-1, last character first."""
    printable = all(" " <= letter < "\x7f" or "\xa0" <= letter <= "\xff" for letter in value)
    if not printable or len(value) > _LONGEST_TEXT:
        raise InvalidValue(f"{value[:60]!r} is not a text of at most {_LONGEST_TEXT} ISO 8859-1 letters")
    return bytes((len(value),)) + value.encode("latin-1")[::-1]


def _digits(said: Description, field: int, value: str) -> bytes:
    """Write an identification as printed, one digit a nibble."""
    wanted = 2 * (said.size or 0)
    fits = field in _BCD and said.kind is Kind.IDENTITY and len(value) == wanted
    if not fits or not set(value) <= set("0123456789ABCDEF") or not value.strip("F"):
        raise InvalidValue(
            f"{value[:60]!r} is not an identification of {wanted} digits in data field {field:X}"
        )
    return bytes.fromhex(value)[::-1]


def _number(said: Description, field: int, value: Decimal) -> bytes:
    if not value.is_finite():
        raise InvalidValue(f"{value} is not a number a register can hold")

    raw = WIDE.divide(WIDE.subtract(value, said.scale.addend), said.scale.factor)
    if field == _REAL32:
        return _real32(raw, value)
    if said.scale(raw) != value or raw != raw.to_integral_value():
        raise InvalidValue(f"{value} {said.unit} is finer than the VIF can say")
    if field in _BCD:
        return _bcd(int(raw), said.size or 0)
    if field in _INTEGERS:
        return _integer(int(raw), said.size or 0, said.kind)
    return _shortest(int(raw), said.kind)


def _real32(raw: Decimal, value: Decimal) -> bytes:
    try:
        data = struct.pack("<f", float(raw))
    except OverflowError:
        raise InvalidValue(f"{value} is too large for a real32") from None
    if Decimal(struct.unpack("<f", data)[0]) != raw:
        raise InvalidValue(f"{value} has no exact real32")
    return data


def _bcd(raw: int, size: int) -> bytes:
    """Write decimal digits; a minus takes the first one."""
    room = 2 * size - (raw < 0)
    digits = str(abs(raw))
    if len(digits) > room:
        raise InvalidValue(f"{raw} does not fit {2 * size} BCD digits")
    return bytes.fromhex(("f" if raw < 0 else "") + digits.zfill(room))[::-1]


def _integer(raw: int, size: int, kind: Kind) -> bytes:
    """Write a binary number, keeping clear of the pattern that means invalid."""
    bits = 8 * size
    if kind is Kind.NUMBER:
        low, high = 1 - (1 << bits - 1), (1 << bits - 1) - 1
    else:
        low, high = 0, (1 << bits) - (1 if kind is Kind.BITS else 2)
    if not low <= raw <= high:
        raise InvalidValue(f"{raw} does not fit {size} bytes: {low} to {high}")
    return raw.to_bytes(size, "little", signed=kind is Kind.NUMBER)


def _shortest(raw: int, kind: Kind) -> bytes:
    """Write LVAR E1 to EF: a binary number in as few bytes as hold it."""
    for size in range(1, _LONGEST_BINARY):
        try:
            return bytes((0xE0 + size,)) + _integer(raw, size, kind)
        except InvalidValue:
            continue
    return bytes((0xE0 + _LONGEST_BINARY,)) + _integer(raw, _LONGEST_BINARY, kind)


def _moment(field: int, value: date | time) -> bytes:
    """Write type G, J, F or I, by the data field."""
    writers: Mapping[int, tuple[type, Callable[..., bytes]]] = {
        2: (date, dates.encode_g),
        3: (time, dates.encode_j),
        4: (datetime, dates.encode_f),
        6: (datetime, dates.encode_i),
    }
    wanted, write = writers.get(field, (datetime, None))
    if write is None or not isinstance(value, wanted):
        raise InvalidValue(f"{value!r} does not fit data field {field:X}")
    return write(value)
