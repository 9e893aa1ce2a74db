"""Records made quickly: there are dozens in a telegram, and making them is most of the work of reading one.

A frozen dataclass sets each attribute through a call of its own, because it must go around its own refusal.
Here a class with the same slots and no refusal takes the attributes, and the finished object becomes a
:class:`~decoders.telegram.Record`, equal to any other: a fourth of the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from decoders.telegram import Record, Value

if TYPE_CHECKING:
    from metering.reading import Function

__all__ = ["quick_record"]


class _Draft:
    """A record while it is written."""

    __slots__ = Record.__slots__

    offset: int
    dib: bytes
    vib: bytes
    data: bytes
    function: Function
    storage: int
    tariff: int
    subunit: int
    quantity: str
    unit: str
    qualifiers: tuple[str, ...]
    value: Value
    remark: str
    occurrence: int


def quick_record(  # noqa: PLR0913, PLR0917  the attributes of a record, in their order
    offset: int,
    dib: bytes,
    vib: bytes,
    data: bytes,
    function: Function,
    storage: int,
    tariff: int,
    subunit: int,
    quantity: str,
    unit: str,
    qualifiers: tuple[str, ...],
    value: Value,
    remark: str = "",
    occurrence: int = 0,
) -> Record:
    """Make a record; the arguments are those of :class:`~decoders.telegram.Record`."""
    made = _Draft()
    made.offset = offset
    made.dib = dib
    made.vib = vib
    made.data = data
    made.function = function
    made.storage = storage
    made.tariff = tariff
    made.subunit = subunit
    made.quantity = quantity
    made.unit = unit
    made.qualifiers = qualifiers
    made.value = value
    made.remark = remark
    made.occurrence = occurrence
    made.__class__ = Record  # type: ignore[assignment]  # same slots, so the object is one
    return cast("Record", made)
