"""Readings as points of a series store: exact numbers in line protocol, and back.

A point is named by measurement ``reading``, the tags ``meter``, ``register`` and ``unit``, and its time. Its
fields are::

    scaled    integer   the value times ten to the power of scale: exact
    scale     integer   6 as a rule; -1 = the value does not fit in 64 bits, text has it
    text      string    the exact decimal, only where scale is -1
    value     float     the nearest binary float, for charts and alarms of other programs
    received  integer   microseconds since 1970, UTC
    telegram  integer   archive number, 0 = none
    way, quality, gateway, model, decoder   strings; empty = none

Every field is written each time, so that writing a point again leaves nothing of what stood there. Several
values of one register at one time are told apart by the tag ``nth``: 1, 2, ... by value; the lowest has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from metering.meter import MeterId
from metering.reading import Reading, Register

__all__ = [
    "FULL",
    "MEASUREMENT",
    "NUMBERS",
    "Form",
    "Key",
    "Point",
    "from_microseconds",
    "key_of",
    "line_of",
    "microseconds",
    "name_of",
    "points_of",
    "scaled",
    "unscaled",
]

MEASUREMENT = "reading"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_USUAL_SCALE = 6
"""Millilitres of a cubic metre: one scale for nearly all values keeps neighbours close, which packs well."""

_TAG = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ "})
"""A backslash stands for itself, except before these; none of our names has one there, or ends with one."""

_STRING = str.maketrans({'"': r"\"", "\\": r"\\"})


class Key(NamedTuple):
    """What may hold several values: a register at a time."""

    meter: MeterId
    register: Register
    measured_at: datetime


class Point(NamedTuple):
    """A reading, and which it is of those with its key and unit."""

    reading: Reading
    nth: int


@dataclass(frozen=True, slots=True)
class Form:
    """What a target can keep of a point.

    Attributes:
        most: largest integer it keeps exactly.
        strings: whether it keeps strings.
        marks: whether each point says that it is not gone (:mod:`metering.store.series.target`).
        step: microseconds of its times.
    """

    most: int
    strings: bool
    marks: bool = False
    step: int = 1


FULL = Form(most=2**63 - 1, strings=True)
NUMBERS = Form(most=2**53, strings=False, step=1000)
"""VictoriaMetrics: binary floats and milliseconds."""


def scaled(value: Decimal, most: int) -> tuple[int, int] | None:
    """Give integer and scale of an exact value, ``None`` if the integer would be larger than ``most``.

    >>> scaled(Decimal("7.7"), 2**53)
    (7700000, 6)
    """
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)  # noqa: S101  a register holds finite numbers only
    mantissa = int("".join(map(str, digits))) * (-1 if sign else 1)
    least = max(0, -exponent)
    for scale in (max(_USUAL_SCALE, least), least):
        whole = mantissa * 10 ** (exponent + scale) if exponent + scale < 64 else most + 1
        if -most <= whole <= most:
            return whole, scale
    return None


def unscaled(whole: int, scale: int) -> Decimal:
    """Give the exact value back."""
    return Decimal((whole < 0, tuple(map(int, str(abs(whole)))), -scale))


def key_of(reading: Reading) -> Key:
    """Give the key of a reading."""
    return Key(reading.meter, reading.register, reading.measured_at)


def points_of(readings: Iterable[Reading]) -> Iterator[Point]:
    """Number readings; all values of a key have to be among them."""
    groups: dict[tuple[object, ...], list[Reading]] = {}
    for reading in readings:
        which = (reading.meter, reading.register, reading.measured_at, reading.unit)
        if (group := groups.setdefault(which, [reading]))[0] is not reading:
            group.append(reading)
    for group in groups.values():
        if len(group) == 1:
            yield Point(group[0], 0)
        else:
            yield from (Point(one, nth) for nth, one in enumerate(sorted(group, key=_by_value)))


def line_of(point: Point, form: Form) -> str:
    """Write a point in line protocol; its time is in microseconds."""
    reading, nth = point
    fields = ",".join(_fields(reading, form))
    time = microseconds(reading.measured_at)
    return f"{name_of(reading.meter, reading.register, reading.unit, nth)} {fields} {time}"


def _fields(reading: Reading, form: Form) -> Sequence[str]:
    whole, scale = scaled(reading.value, form.most) or (0, -1)
    numbers = [f"scaled={whole}i", f"scale={scale}i", f"value={float(reading.value)!r}"]
    if not form.strings:
        return numbers
    source = reading.provenance
    numbers += [f"received={microseconds(reading.received_at)}i", f"telegram={source.telegram or 0}i"]
    if scale < 0:
        numbers.append(f'text="{reading.value:f}"')
    if form.marks:
        numbers.append("gone=false")
    numbers.append(_origin(reading.way, reading.quality, source.gateway, source.model or "", source.decoder))
    return numbers


@lru_cache(maxsize=4096)
def _origin(way: str, quality: str, gateway: str, model: str, decoder: str) -> str:
    named = {"way": way, "quality": quality, "gateway": gateway, "model": model, "decoder": decoder}
    return ",".join(f'{name}="{text.translate(_STRING)}"' for name, text in named.items())


@lru_cache(maxsize=65_536)
def name_of(meter: MeterId, register: Register, unit: str, nth: int) -> str:
    """Write measurement and tags."""
    tags = {"meter": str(meter), "nth": str(nth or ""), "register": register.key, "unit": unit}
    said = (f"{name}={value.translate(_TAG)}" for name, value in tags.items() if value)
    return ",".join([MEASUREMENT, *said])


def microseconds(moment: datetime) -> int:
    """Give microseconds since 1970; integer arithmetic, a float has no room for them."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_microseconds(number: int) -> datetime:
    """Give the time of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=number)


def _by_value(reading: Reading) -> Decimal:
    return reading.value
