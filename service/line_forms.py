"""The lines of ``nurt decode`` for telegrams of a known layout: written once, then only filled in.

Every text comes from the functions that write all other lines (:mod:`service.decode_lines`), called with the
telegram the layout was learnt from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import cast

import orjson

from decoders.decoder import Fit
from decoders.fields import field_value
from decoders.layout import Maker, TelegramLayout
from decoders.number_texts import one, plain_text, shortest_text, whole_numbers
from decoders.rendering import MOST_TEXTS, Hole, Memory, Rendering, Unfit
from decoders.telegram import Record
from decoders.wmbus.address import identity, link_order
from decoders.wmbus.header import describe
from service.decode_lines import field_of, json_form, value_of

__all__ = ["LineForms"]

_MARK = b"\0"  # never stands in JSON
_HOLE = orjson.Fragment(_MARK)


class LineForms:
    """Lines by layout; texts of values are remembered within a limit."""

    def __init__(self, texts: int = MOST_TEXTS) -> None:
        self._memory = Memory(texts)

    def json_line(self, fit: Fit) -> bytes | None:
        """Write the line of a telegram; ``None`` if it must be told the full way."""
        layout, _, clear = fit
        form = cast("Rendering | None", layout.renderings.get("json")) or self._json(layout)
        try:
            return form(layout.values(clear))
        except Unfit:
            return None

    def _json(self, layout: TelegramLayout) -> Rendering:
        meter = list(self._identity(layout))
        line = json_form(layout.example, _HOLE, same_meter=not meter)
        form = Rendering(line.split(_MARK), [*meter, *self._fields(layout), *self._values(layout)])
        layout.renderings["json"] = form
        return form

    def _identity(self, layout: TelegramLayout) -> Iterator[Hole]:
        """Give the holes of the identity and its serial, if the layout is not one meter's own."""
        places = layout.places
        if places.meter is not None:
            yield (
                places.meter,
                self._memory.texts("meter", lambda: lambda address: _meter(link_order(address))),
            )
            yield places.meter, self._memory.texts("number", lambda: lambda address: _serial(address[:4]))
        elif places.sender is not None:
            yield places.sender, self._memory.texts("sender", lambda: _meter)
            yield places.sender, self._memory.texts("serial", lambda: lambda address: _serial(address[2:6]))

    def _fields(self, layout: TelegramLayout) -> Iterator[Hole]:
        for place, record, make in zip(
            layout.places.data, layout.example.records, layout.makers, strict=True
        ):
            named_as_text = isinstance(record.value, str)
            key = ("field", record.dib, record.vib, named_as_text)
            yield place, self._memory.texts(key, partial(_field_text, make, record))

    def _values(self, layout: TelegramLayout) -> Iterator[Hole]:
        for place, record, make in zip(
            layout.places.data, layout.example.records, layout.makers, strict=True
        ):
            key = ("value", record.dib, record.vib)
            yield place, self._memory.texts(key, partial(_value_text, make, record))


def _meter(address: bytes) -> bytes:
    return orjson.dumps(str(identity(address)))


def _serial(number: bytes) -> bytes:
    return orjson.dumps(number[::-1].hex().upper())


def _value_text(make: Maker, record: Record) -> Callable[[bytes], bytes]:
    said = describe(record.dib + record.vib)
    whole = whole_numbers(said)
    if whole:
        return plain_text(whole, cast("Decimal", make(one(said)).value))
    return lambda data: orjson.dumps(value_of(make(data)))


def _field_text(make: Maker, record: Record) -> Callable[[bytes], bytes]:
    said = describe(record.dib + record.vib)
    whole = whole_numbers(said)
    if whole:
        return shortest_text(whole, cast("Decimal", field_value(make(one(said)))))
    named_as_text = isinstance(record.value, str)

    def text(data: bytes) -> bytes:
        told = make(data)
        if isinstance(told.value, str) is not named_as_text:
            raise Unfit  # a text's field has no unit in its name
        return orjson.dumps(field_of(told))

    return text
