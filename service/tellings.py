"""How a model's values are written: the two outputs of ``nurt decode``, value by value.

Each does for one value what :mod:`service.decode_lines` and :mod:`service.flat_lines` do for a telegram; the
forms made of them are compared with the lines of those before they are used.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import cast

import orjson

from decoders.fields import field_name, field_value
from decoders.flat import FLAT as FLAT_VIEW
from decoders.flat import written
from decoders.layout import maker
from decoders.meaning import EXACT as EXACT_VIEW
from decoders.meaning import View
from decoders.model import Field, Join
from decoders.number_texts import Text, decimals, one, plain_text, shortest_text, whole_numbers
from decoders.rendering import Unfit
from decoders.telegram import Record, Value
from decoders.told_numbers import MOST_DECIMALS, Number, exact_number, flat_number
from decoders.wmbus.header import describe
from decoders.words import joined, tpl_words
from metering.reading import exact, utc
from service.decode_lines import has_seconds, plain, to_the_second

__all__ = [
    "EXACT",
    "FLAT",
    "SOME_TIME",
    "Exact",
    "Flat",
    "field_text",
    "flat_text",
    "status_text",
    "time_at_the_end",
    "value_text",
]


class Exact:
    """Values of a model as ``--format json`` tells them."""

    view: View = EXACT_VIEW

    def text(self, name: str, value: Value, source: Record | None) -> bytes:  # noqa: ARG002  see Telling
        """Write a value."""
        told = exact(value) if isinstance(value, Decimal) else value
        return orjson.dumps(plain(told, seconds=source is not None and to_the_second(source)))

    def whole(self, field: Field, record: Record) -> Number | None:
        """Give the number a field is, if it is no more than that."""
        return exact_number(field, record)


class Flat:
    """Values of a model as ``--format wmbusmeters`` tells them."""

    view: View = FLAT_VIEW

    def text(self, name: str, value: Value, source: Record | None) -> bytes:  # noqa: ARG002  see Telling
        """Write a value."""
        return orjson.dumps(plain(written(name, value)))

    def whole(self, field: Field, record: Record) -> Number | None:
        """Give the number a field is, if it is no more than that."""
        return flat_number(field, record)


EXACT, FLAT = Exact(), Flat()

SOME_TIME = datetime.fromisoformat("2000-01-01T00:00:00Z")
"""The time in lines that forms are made of."""


def time_at_the_end(moment: datetime) -> bytes:
    """Write how a flat line ends: with the time of reception."""
    return orjson.dumps(utc(moment).strftime("%Y-%m-%dT%H:%M:%SZ")) + b"}\n"


# --- records without a model ---------------------------------------------------------------------


def value_text(header: bytes) -> Text:
    """Return what writes the value of a record."""
    said = describe(header)
    read, whole = said.read, whole_numbers(said)
    if whole:
        return plain_text(whole, cast("Decimal", read(one(said))[0]))
    return lambda data: orjson.dumps(plain(read(data)[0], seconds=has_seconds(data)))


def field_text(record: Record) -> Text:
    """Return what writes the field of a record, named by rule."""
    return _by_rule(record, lambda value, data: plain(value, seconds=has_seconds(data)))


def flat_text(record: Record) -> Text:
    """Return what writes the flat field of a record, named by rule."""
    name = field_name(record)
    return _by_rule(record, lambda value, _: plain(written(name, value)), most_decimals=MOST_DECIMALS)


def status_text(status: bytes) -> bytes:
    """Write the flat status of a meter without a model."""
    return orjson.dumps(joined(Join.TPL, (), tpl_words(status[0] if status else 0, None), ()))


def _by_rule(
    record: Record, write: Callable[[Value, bytes], object], *, most_decimals: int | None = None
) -> Text:
    said, make = describe(record.dib + record.vib), maker(record)
    whole = whole_numbers(said)
    if whole:
        value_of_one = cast("Decimal", field_value(make(one(said))))
        if most_decimals is None or decimals(value_of_one) <= most_decimals:
            return shortest_text(whole, value_of_one)
    named_as_text = isinstance(record.value, str)

    def text(data: bytes) -> bytes:
        told = make(data)
        if isinstance(told.value, str) is not named_as_text:
            raise Unfit  # a text's field has no unit in its name
        return orjson.dumps(write(told.value if isinstance(told.value, date) else field_value(told), data))

    return text
