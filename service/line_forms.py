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
from decoders.layout import TelegramLayout, maker
from decoders.models import detect
from decoders.number_texts import Text, one, plain_text, shortest_text, whole_numbers
from decoders.rendering import MOST_TEXTS, Hole, Memory, Rendering, Texts, Unfit
from decoders.telegram import Record
from decoders.wmbus.address import identity, link_order
from decoders.wmbus.header import describe
from decoders.wmbus.vif import Kind
from service.decode_lines import has_seconds, json_form, plain

__all__ = ["LineForms"]

_Form = Callable[[tuple[bytes, ...]], bytes]

_MARK = b"\0"  # never stands in JSON
_HOLE = orjson.Fragment(_MARK)


class LineForms:
    """Lines by layout; texts of values are remembered within a limit."""

    def __init__(self, texts: int = MOST_TEXTS) -> None:
        self._memory = Memory(texts)

    def json_line(self, fit: Fit) -> bytes | None:
        """Write the line of a telegram; ``None`` if it must be told the full way."""
        layout, _, clear = fit
        form = cast("_Form | None", layout.renderings.get("json")) or self._json(layout)
        try:
            return form(layout.values(clear))
        except Unfit:
            return None

    def forget_texts(self) -> None:
        """Forget the texts of all values."""
        self._memory.forget()

    def _json(self, layout: TelegramLayout) -> _Form:
        if detect(layout.example):
            layout.renderings["json"] = _told_the_full_way
            return _told_the_full_way
        meter = list(self._identity(layout))
        line = json_form(layout.example, _HOLE, same_meter=not meter)
        form = Rendering(line.split(_MARK), [*meter, *self._fields(layout), *self._values(layout)])
        layout.renderings["json"] = form
        return form

    def _identity(self, layout: TelegramLayout) -> Iterator[Hole]:
        """Give the holes of the identity and its serial, if the layout is not one meter's own."""
        places = layout.places
        if places.meter is not None:
            yield places.meter, self._memory.texts("meter", lambda: _meter)
            yield places.meter, self._memory.texts("serial", lambda: _serial)
        elif places.sender is not None:
            own = None if layout.standard_sender else layout
            yield places.sender, self._memory.texts(("sender", own), lambda: _senders(layout))
            yield places.sender, self._memory.texts(("serial", own), lambda: _serials(layout))

    def _fields(self, layout: TelegramLayout) -> Iterator[Hole]:
        for place, record in zip(layout.places.data, layout.example.records, strict=True):
            header, named_as_text = record.dib + record.vib, isinstance(record.value, str)
            if describe(header).kind is Kind.MOMENT and not named_as_text:
                yield place, self._value(header)
            else:
                key = ("field", header, named_as_text)
                yield place, self._memory.texts(key, partial(_field_text, record))

    def _values(self, layout: TelegramLayout) -> Iterator[Hole]:
        for place, record in zip(layout.places.data, layout.example.records, strict=True):
            yield place, self._value(record.dib + record.vib)

    def _value(self, header: bytes) -> Texts:
        return self._memory.texts(("value", header), partial(_value_text, header))


def _told_the_full_way(values: tuple[bytes, ...]) -> bytes:  # noqa: ARG001  as a rendering is called
    """Refuse telegrams of a meter whose model names the fields."""
    raise Unfit


def _meter(address: bytes) -> bytes:
    return orjson.dumps(str(identity(link_order(address))))


def _serial(address: bytes) -> bytes:
    return orjson.dumps(address[3::-1].hex().upper())


def _senders(layout: TelegramLayout) -> Text:
    return lambda address: orjson.dumps(str(layout.sender(address)))


def _serials(layout: TelegramLayout) -> Text:
    return lambda address: orjson.dumps(layout.sender(address).serial)


def _value_text(header: bytes) -> Text:
    said = describe(header)
    whole = whole_numbers(said)
    if whole:
        return plain_text(whole, cast("Decimal", said.read(one(said))[0]))
    read = said.read
    return lambda data: orjson.dumps(plain(read(data)[0], seconds=has_seconds(data)))


def _field_text(record: Record) -> Text:
    said, make = describe(record.dib + record.vib), maker(record)
    whole = whole_numbers(said)
    if whole:
        return shortest_text(whole, cast("Decimal", field_value(make(one(said)))))
    read, named_as_text = said.read, isinstance(record.value, str)

    def text(data: bytes) -> bytes:
        value, _ = read(data)
        if isinstance(value, str) is not named_as_text:
            raise Unfit  # a text's field has no unit in its name
        if isinstance(value, Decimal):
            value = field_value(make(data))
        return orjson.dumps(plain(value, seconds=has_seconds(data)))

    return text
