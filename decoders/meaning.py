"""A model applied to a telegram: values by name.

There are two ways to look at the same data. :func:`fields` tells the truth: exact numbers, nothing where the
meter has no valid value, dates that exist. :mod:`decoders.flat` tells what dashboards made for wmbusmeters
expect. Both take the same records for the same fields (:mod:`decoders.matching`); they differ in how the data
of one record are read, which is what a :class:`View` says.

Records are taken as they stand in the telegram: what a manufacturer wrote in a form of its own has become
records before (:mod:`decoders.hooks`).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Final, NamedTuple, Protocol

from decoders.fields import field_name, field_value
from decoders.hooks import Given, calculation
from decoders.matching import Binding, bind, plain
from decoders.model import RECORD_ERROR, Field, Form, Join, Model
from decoders.telegram import Record, Telegram, Value
from decoders.texts import text
from decoders.units import ratio, times
from decoders.wmbus.profile import expand
from decoders.wmbus.raw import stored_number
from decoders.words import joined, tpl_words, words
from metering.reading import exact

__all__ = [
    "ABSENT",
    "EXACT",
    "Absent",
    "Told",
    "View",
    "fields",
    "in_unit",
    "plainly",
    "status_of",
    "stored",
    "tell",
    "value_of",
]


class Absent(Enum):
    """The type of :data:`ABSENT`."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
"""There is nothing to tell; unlike ``None``, which is told: the meter has no valid value."""


class View(Protocol):
    """How the data of one record are read."""

    def number(self, field: Field, record: Record) -> Decimal | Absent | None:
        """Read a number in the unit of the field, before the field's own factor."""
        ...

    def moment(self, field: Field, record: Record) -> Value | Absent:
        """Read a date or a point in time."""
        ...

    def nothing(self, field: Field) -> Value:
        """Return what is told where a calculation gives no value."""
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """What a model tells of a telegram.

    Attributes:
        values: by name, in the order of the model; status texts too.
        records: the telegram's records, profiles expanded.
        taken: places of the records that some field took.
        places: name of a value to the place of its record, where it has one.
    """

    values: Mapping[str, Value]
    records: tuple[Record, ...]
    taken: frozenset[int]
    places: Mapping[str, int]


class Named(NamedTuple):
    """A value with its name.

    Attributes:
        name: with unit.
        value: exact number, date or time as such, text, bytes; ``None`` = no valid value.
        record: what it was read from; ``None`` = the status byte, or several records.
        by_rule: no field of the model takes the record.
    """

    name: str
    value: Value
    record: Record | None
    by_rule: bool = False


def fields(telegram: Telegram, model: Model | None) -> dict[str, Value]:
    """Give every value of a telegram a name: by the model, and by rule for records the model does not name.

    Numbers are exact decimals in the unit of the name's suffix (28 digits where a unit has no finite ratio,
    MJ in kWh), dates ISO 8601 text in the meter's local time, bytes hex text; ``None`` = no valid value.
    """
    return {one.name: plainly(one.value) for one in named(telegram, model)}


def named(telegram: Telegram, model: Model | None) -> list[Named]:
    """Give what :func:`fields` gives, dates and times as such, each value with its record."""
    nothing = Told({}, expand(telegram.records), frozenset(), {})
    told = tell(telegram, model, EXACT) if model else nothing
    found = {name: Named(name, value, _source(told, name)) for name, value in told.values.items()}
    for place, record in enumerate(told.records):
        if place not in told.taken:
            name = _unused(field_name(record), found)
            value = record.value if isinstance(record.value, date) else field_value(record)
            found[name] = Named(name, value, record, by_rule=True)
    return list(found.values())


def _source(told: Told, name: str) -> Record | None:
    place = told.places.get(name)
    return None if place is None else told.records[place]


def tell(telegram: Telegram, model: Model, view: View) -> Told:
    """Apply a model: match records to fields, then read them."""
    records = expand(telegram.records)
    bindings = bind(model, records)

    known: dict[str, Value] = {}
    taken: set[int] = set()
    places: dict[str, int] = {}
    for binding in bindings:
        value = value_of(binding, records, known, view) if not binding.field.join else ""
        if value is not ABSENT:
            known[binding.name] = value
            if binding.record is not None:
                places[binding.name] = binding.record
                taken.add(binding.record)
    for binding in bindings:
        if binding.field.join:
            known[binding.name] = status_of(binding, bindings, records, telegram.status or 0, known)

    hidden = {binding.name for binding in bindings if binding.field.hidden}
    order = dict.fromkeys(binding.name for binding in bindings)
    values = {name: known[name] for name in order if name in known and name not in hidden}
    return Told(values, records, frozenset(taken), places)


def in_unit(field: Field, value: Decimal, unit: str) -> Decimal | Absent:
    """Bring a number to the unit of the field; where exact bytes tell the record, the unit is but a label."""
    factor = ratio(unit, field.unit)
    if factor is None:
        return value if field.where and field.where.header else ABSENT
    return times(value, factor)


def stored(record: Record, *, signed: bool) -> Decimal | None:
    """Return the number a record stores, or the value itself where a payload reader told it."""
    if record.told:
        return record.value if isinstance(record.value, Decimal) else None
    return stored_number(record.dib[0] & 0x0F, record.data, signed=signed)


# --- one value -----------------------------------------------------------------------------------


def value_of(
    binding: Binding, records: Sequence[Record], known: Mapping[str, Value], view: View
) -> Value | Absent:
    """Tell the value of one binding that is no status text; ``known`` has the values its field counts on."""
    field = binding.field
    record = records[binding.record] if binding.record is not None else None
    if field.hook:
        operands = tuple(known.get(name) for name in field.of)
        value = calculation(field.hook)(Given(operands, record, binding.number))
        return view.nothing(field) if value is None else _to_the_day(field, value)
    if record is None:
        return view.nothing(field)
    if field.form is Form.NUMBER:
        return _number(field, view.number(field, record))
    if field.form is Form.FLAGS:
        return _flags(field, record)
    if field.form in {Form.MOMENT, Form.DATE, Form.DATETIME}:
        return view.moment(field, record)
    told = text(record, field.form)
    return ABSENT if told is None else told


def _to_the_day(field: Field, value: Value) -> Value:
    """Leave out the time of day where the field tells a date."""
    if isinstance(value, datetime) and (field.unit == "date" or field.form is Form.DATE):
        return value.date()
    return value


def _number(field: Field, number: Decimal | Absent | None) -> Decimal | Absent | None:
    """Apply what the field itself says of the number."""
    if not isinstance(number, Decimal):
        return number
    scaled = times(number, field.factor)
    return None if scaled == field.null else scaled


def _flags(field: Field, record: Record) -> str | Absent:
    found = _words(field, record)
    if found is None:
        return ABSENT
    return " ".join(found) or (field.flags.none if field.flags else "")


def _words(field: Field, record: Record) -> list[str] | None:
    """Tell the flags of a record; ``None`` if it stores no number."""
    number = stored(record, signed=False)
    if number is None or not field.flags:
        return None
    return words(field.flags, int(number))


def status_of(
    binding: Binding,
    bindings: Iterable[Binding],
    records: Sequence[Record],
    status: int,
    known: Mapping[str, Value],
) -> str:
    """Put a status text together; ``known`` has the texts that are joined into it."""
    field, own = binding.field, None
    if binding.record is not None:
        own = _words(field, records[binding.record])
    tpl = tpl_words(status, field.tpl_flags)
    return joined(field.join or Join.RECORD, own or (), tpl, _texts_into(binding.name, bindings, known))


def _texts_into(name: str, bindings: Iterable[Binding], known: Mapping[str, Value]) -> list[str]:
    """Return the texts of the fields that are joined into a status."""
    texts = (known.get(binding.name) for binding in bindings if binding.field.into == name)
    return [found for found in texts if isinstance(found, str)]


# --- the view that tells the truth ---------------------------------------------------------------


class _Exact:
    """Numbers and dates as the standard means them."""

    def number(self, field: Field, record: Record) -> Decimal | Absent | None:
        if field.where and RECORD_ERROR in field.where.qualifiers:
            return self._in_spite_of_the_error(field, record)
        if record.value is None:
            return None
        if field.raw:
            number = stored(record, signed=not field.unsigned)
            return ABSENT if number is None else number
        if not isinstance(record.value, Decimal):
            return ABSENT
        return in_unit(field, record.value, record.unit)

    def moment(self, field: Field, record: Record) -> Value | Absent:
        value = record.value
        if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
            return value
        if not isinstance(value, datetime):
            return ABSENT
        return _to_the_day(field, value)

    def nothing(self, field: Field) -> Value:  # noqa: ARG002  the protocol gives the field
        return None

    def _in_spite_of_the_error(self, field: Field, record: Record) -> Decimal | Absent | None:
        """Read a record whose VIFE says error, where the model knows that its meter means something else."""
        number = stored(record, signed=True)
        alone = plain(record.vib)
        return None if number is None else in_unit(field, alone.scale(number), alone.unit)


EXACT = _Exact()
"""Exact numbers, nothing where there is no valid value, dates that exist."""


def plainly(value: Value) -> Value:
    """Give a value the form :func:`decoders.fields.field_value` gives."""
    if isinstance(value, Decimal):
        return exact(value)
    if isinstance(value, date | time):
        return value.isoformat()
    return value.hex().upper() if isinstance(value, bytes) else value


def _unused(name: str, taken: Container[str]) -> str:
    """Return the name, numbered if the model or another record has it already."""
    number, free = 2, name
    while free in taken:
        number, free = number + 1, f"{name}_{number}"
    return free
