"""Records and telegrams made quickly, for making dozens of records is most of the work of reading a telegram.

A frozen dataclass sets each attribute through a call of its own, because it must go around its own refusal.
Here a class with the same slots and no refusal takes the attributes, and the finished object becomes one of
the frozen class, equal to any other: in a fourth of the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from decoders.telegram import Record, Security, Telegram, Value

if TYPE_CHECKING:
    from decoders.errors import DecodeError
    from metering.meter import MeterId
    from metering.reading import Function

__all__ = ["made_again", "quick_record", "quick_telegram", "with_faults"]


class _DraftRecord:
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
    made = _DraftRecord()
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


def made_again(record: Record, data: bytes, value: Value) -> Record:
    """Give a record other data and the value they have."""
    return quick_record(
        record.offset,
        record.dib,
        record.vib,
        data,
        record.function,
        record.storage,
        record.tariff,
        record.subunit,
        record.quantity,
        record.unit,
        record.qualifiers,
        value,
        record.remark,
        record.occurrence,
    )


class _DraftTelegram:
    """A telegram while it is written."""

    __slots__ = Telegram.__slots__

    frame: bytes
    meter: MeterId
    sender: MeterId
    control: int
    ci: tuple[int, ...]
    access: int | None
    status: int | None
    security: Security
    records: tuple[Record, ...]
    manufacturer_data: bytes
    more_follows: bool
    plain: bytes
    faults: tuple[DecodeError, ...]
    wired: bool


def quick_telegram(  # noqa: PLR0913, PLR0917  the attributes of a telegram, in their order
    frame: bytes,
    meter: MeterId,
    sender: MeterId,
    control: int,
    ci: tuple[int, ...],
    access: int | None,
    status: int | None,
    security: Security,
    records: tuple[Record, ...],
    manufacturer_data: bytes,
    more_follows: bool,  # noqa: FBT001  as in the telegram
    plain: bytes,
    faults: tuple[DecodeError, ...],
    wired: bool,  # noqa: FBT001  as in the telegram
) -> Telegram:
    """Make a telegram; the arguments are those of :class:`~decoders.telegram.Telegram`."""
    made = _DraftTelegram()
    made.frame = frame
    made.meter = meter
    made.sender = sender
    made.control = control
    made.ci = ci
    made.access = access
    made.status = status
    made.security = security
    made.records = records
    made.manufacturer_data = manufacturer_data
    made.more_follows = more_follows
    made.plain = plain
    made.faults = faults
    made.wired = wired
    made.__class__ = Telegram  # type: ignore[assignment]  # same slots, so the object is one
    return cast("Telegram", made)


def with_faults(telegram: Telegram, faults: tuple[DecodeError, ...]) -> Telegram:
    """Give a telegram other faults."""
    return quick_telegram(
        telegram.frame,
        telegram.meter,
        telegram.sender,
        telegram.control,
        telegram.ci,
        telegram.access,
        telegram.status,
        telegram.security,
        telegram.records,
        telegram.manufacturer_data,
        telegram.more_follows,
        telegram.plain,
        faults,
        telegram.wired,
    )
