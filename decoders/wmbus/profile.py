"""Compact profiles: one record that holds many values becomes many records.

Source: EN 13757-3:2018, annex F. Element *i* of a profile at storage *n* is the register at storage
*n + 1 + i*: one step younger than the element before, one step older in an inverse profile. It gets a date
record of its own where the telegram holds the date of storage *n*. Choices where the standard leaves room:

- An absolute element that is all ones is not used: it keeps its number and makes no record.
- In a profile of differences such an element, and all that follow, are void.
- The profile with register numbers (VIFE 1E) has no public description of its elements and stays as it is.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from decoders.telegram import Record
from decoders.wmbus import encode
from decoders.wmbus.header import describe
from decoders.wmbus.month_steps import months_later
from decoders.wmbus.raw import BCD, stored_number
from decoders.wmbus.records import walk
from decoders.wmbus.values import LENGTHS
from metering.errors import InvalidValue

__all__ = ["expand", "is_profile", "says_profile"]

_FORWARD, _INVERSE = 0x1F, 0x13
_VIFES = frozenset({_FORWARD, _INVERSE})
_ABSOLUTE, _INCREMENTS, _DECREMENTS = 0, 1, 2
_STEPS = (timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1))
_MONTHS = {0x3: 1, 0x2: 3, 0x1: 6}
_IN_MONTHS = 254


class _Head(NamedTuple):
    """Spacing control and value: the first two bytes of the data."""

    mode: int
    unit: int
    field: int
    spacing: int
    inverse: bool

    @property
    def size(self) -> int:
        return LENGTHS.get(self.field, 0)


def says_profile(record: Record) -> bool:
    """Whether the header says that the data are a profile, whatever they are."""
    return len(record.vib) > 1 and record.vib[-1] in _VIFES


def is_profile(record: Record) -> bool:
    """Whether :func:`expand` takes this record apart."""
    return says_profile(record) and _head(record) is not None


def expand(records: Sequence[Record]) -> tuple[Record, ...]:
    """Give the records with each profile replaced by the records its elements are.

    A profile without any value stays as it is; the same records come back if there is no profile among them.
    """
    ending = [record for record in records if record.vib[-1] in _VIFES and len(record.vib) > 1]
    if not any(map(is_profile, ending)):
        return tuple(records)
    expanded: list[Record] = []
    seen = Counter(map(_register, records))
    for record in records:
        elements = list(_elements(record, records)) if is_profile(record) else []
        for place, element in enumerate(elements):
            register = _register(element)
            if seen[register] != element.occurrence:
                elements[place] = replace(element, occurrence=seen[register])
            seen[register] += 1
        expanded.extend(elements or [record])
    return tuple(expanded)


def _register(record: Record) -> tuple[object, ...]:
    """Name the register, whichever occurrence."""
    places = (record.storage, record.tariff, record.subunit)
    return (record.quantity, record.function, *places, record.qualifiers)


def _head(record: Record) -> _Head | None:
    """Read the head; ``None`` if the elements cannot be: data field variable, special or empty."""
    if record.dib[0] & 0x0F != 0x0D or len(record.data) < 3 or record.data[0] > 0xBF:
        return None
    control = record.data[1]
    head = _Head(control >> 6, control >> 4 & 3, control & 0x0F, record.data[2], record.vib[-1] == _INVERSE)
    return head if head.size else None


def _elements(profile: Record, records: Sequence[Record]) -> Sequence[Record]:
    """Give the records the elements are; they depend on at most two others, and repeat as those do."""
    dated = next((record for record in records if _dates(record, profile)), None)
    vib = _vib(profile)
    base = next((record for record in records if _is_base(record, profile, vib)), None)
    return _written(profile, dated, base)


@functools.lru_cache(maxsize=256)
def _written(profile: Record, dated: Record | None, base: Record | None) -> Sequence[Record]:
    return tuple(_placed_elements(profile, dated, base))


def _placed_elements(profile: Record, dated: Record | None, base: Record | None) -> Iterator[Record]:
    head = _head(profile)
    if head is None:
        return
    content = profile.data[3:]
    chunks = [content[at : at + head.size] for at in range(0, len(content) - head.size + 1, head.size)]
    absolute = head.mode == _ABSOLUTE
    values = _absolute(chunks, head, _vib(profile), profile) if absolute else _summed(chunks, head, base)
    for place, record in values:
        at = profile.offset + len(profile.dib) + len(profile.vib) + 3 + (place - 1) * head.size
        yield from _placed(record, at)
        yield from _placed(_date(dated, head, place), at)


def _vib(profile: Record) -> bytes:
    """Give the VIB of the elements: the profile's without its last VIFE."""
    return profile.vib[:-2] + bytes((profile.vib[-2] & 0x7F,))


def _placed(written: bytes, offset: int) -> tuple[Record, ...]:
    """Read a record written here; it stands where its element does."""
    return tuple(replace(record, offset=offset) for record in walk(written, 0).records)


def _dates(record: Record, profile: Record) -> bool:
    """Whether this record says when the base value of the profile was."""
    return (
        record.quantity in {"date", "datetime"}
        and isinstance(record.value, date)
        and record.storage == profile.storage
        and record.function is profile.function
        and not record.qualifiers
    )


def _is_base(record: Record, profile: Record, vib: bytes) -> bool:
    """Whether this record is the value the differences begin with."""
    places = (profile.function, profile.storage, profile.tariff, profile.subunit)
    return record.vib == vib and (record.function, record.storage, record.tariff, record.subunit) == places


def _absolute(
    chunks: Sequence[bytes], head: _Head, vib: bytes, profile: Record
) -> Iterator[tuple[int, bytes]]:
    for place, chunk in enumerate(chunks, 1):
        if chunk.strip(b"\xff"):
            header = encode.dib(
                head.field,
                function=profile.function,
                storage=profile.storage + place,
                tariff=profile.tariff,
                subunit=profile.subunit,
            )
            yield place, header + vib + chunk


def _summed(chunks: Sequence[bytes], head: _Head, base: Record | None) -> Iterator[tuple[int, bytes]]:
    """Add differences up from the base value; each sum is written like the base."""
    number = stored_number(base.dib[0] & 0x0F, base.data) if base else None
    if base is None or number is None or base.value is None:
        return
    scale = describe(base.dib + base.vib).scale
    sign = _sign(head)
    for place, chunk in enumerate(chunks, 1):
        step = _difference(chunk, head)
        if step is None:
            return
        number += sign * step
        try:
            yield (
                place,
                encode.record(
                    base.vib,
                    scale(number),
                    field=base.dib[0] & 0x0F,
                    function=base.function,
                    storage=base.storage + place,
                    tariff=base.tariff,
                    subunit=base.subunit,
                ),
            )
        except InvalidValue:  # the sum does not fit the register: the differences are no good
            return


def _sign(head: _Head) -> int:
    """Say which way a difference counts: it is younger minus older, an inverse profile goes back in time."""
    falling = head.mode == _DECREMENTS
    return -1 if falling != head.inverse else 1


def _difference(chunk: bytes, head: _Head) -> int | None:
    """Read one difference; ``None`` if it is void."""
    signed = head.mode not in {_INCREMENTS, _DECREMENTS}
    lowest = b"\x00" * (head.size - 1) + b"\x80"
    if not chunk.strip(b"\xff") or (signed and head.field not in BCD and chunk == lowest):
        return None
    number = stored_number(head.field, chunk, signed=signed)
    return int(number) if number is not None and number == number.to_integral_value() else None


def _date(dated: Record | None, head: _Head, place: int) -> bytes:
    """Write the date of an element like that of the base; empty where it has none."""
    moment = _moment(dated.value, head, -place if head.inverse else place) if dated else None
    if dated is None or moment is None:
        return b""
    try:
        return encode.record(
            dated.vib,
            moment,
            field=dated.dib[0] & 0x0F,
            function=dated.function,
            storage=dated.storage + place,
        )
    except InvalidValue:  # before or after the years the date type can say
        return b""


def _moment(base: object, head: _Head, steps: int) -> date | None:
    """Return the base date so many steps later; ``None`` without spacing, or with one not described."""
    if not isinstance(base, date):
        return None
    if head.spacing == _IN_MONTHS and head.unit in _MONTHS:
        return months_later(base, steps * _MONTHS[head.unit])
    if not 1 <= head.spacing <= 250:
        return None
    try:
        return base + steps * head.spacing * _STEPS[head.unit]
    except OverflowError:
        return None
