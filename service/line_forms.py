"""The lines of ``nurt decode`` for telegrams of a known layout: written once, then only filled in.

A form is made out of the line the full way writes for one telegram of the layout, with a mark in the place of
everything that differs. It is used only if it gives that line back when it is filled in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple, cast

import orjson

from decoders.decoder import Fit
from decoders.fields import field_name, fields
from decoders.layout import TelegramLayout
from decoders.meaning import named
from decoders.model import Model
from decoders.models import detect
from decoders.number_texts import Text
from decoders.rendering import MOST_TEXTS, Hole, Memory, Rendering, Unfit
from decoders.telegram import Record
from decoders.told_form import of_layout, told_form
from decoders.wmbus.address import identity, link_order
from decoders.wmbus.header import describe
from decoders.wmbus.profile import says_profile
from decoders.wmbus.vif import Kind
from metering.meter import MeterId
from service.asked import Asked
from service.decode_lines import Answer, json_line
from service.flat_lines import flat_line
from service.tellings import (
    EXACT,
    FLAT,
    SOME_TIME,
    field_text,
    flat_text,
    status_text,
    time_at_the_end,
    value_text,
)

__all__ = ["LineForms"]

_MARK = b"\0"  # never stands in JSON
_HOLE = orjson.Fragment(_MARK)


class _Told(NamedTuple):
    """What is told of telegrams: names, a hole for each, and holes that stay empty."""

    names: Sequence[str]
    holes: Sequence[Hole]
    guards: Sequence[Hole] = ()


class LineForms:
    """Lines by layout; texts of values are remembered within a limit."""

    def __init__(self, texts: int = MOST_TEXTS) -> None:
        self._memory = Memory(texts)

    def json_line(self, fit: Fit, model: Model | None = None) -> bytes | None:
        """Write the line of a telegram; ``None`` if it must be told the full way.

        Args:
            fit: the telegram.
            model: the meter's model; ``None`` = find it.
        """
        return self._filled(fit, self._json, model)

    def flat_line(self, fit: Fit, received_at: datetime, model: Model | None = None) -> bytes | None:
        """Write the flat line of a telegram received at that time; otherwise as :meth:`json_line`."""
        line = self._filled(fit, self._flat, model)
        return line and line + time_at_the_end(received_at)

    def forget_texts(self) -> None:
        """Forget the texts of all values."""
        self._memory.forget()

    def _filled(
        self,
        fit: Fit,
        form_of: Callable[[TelegramLayout, Model | None], Rendering | None],
        model: Model | None,
    ) -> bytes | None:
        layout, _, clear = fit
        key = form_of.__name__, model
        try:
            form = cast("Rendering | None", layout.renderings[key])
        except KeyError:
            form = layout.renderings[key] = form_of(layout, model or detect(layout.example))
        try:
            return form(layout.values(clear)) if form else None
        except Unfit:
            return None

    # --- forms -----------------------------------------------------------------------------------

    def _json(self, layout: TelegramLayout, model: Model | None) -> Rendering | None:
        example = layout.example
        told = self._exact_told(layout, model) if model else self._by_rule(layout)
        line = json_line(Answer(Asked(example.frame), example, model, None))
        document = orjson.loads(line)
        if told is None or list(document["fields"]) != list(told.names):
            return None
        meter = {"meter_id": self._meter(layout, str), "serial": self._meter(layout, _serial)}
        meter = {name: hole for name, hole in meter.items() if hole}
        document.update(dict.fromkeys(meter, _HOLE), fields=dict.fromkeys(told.names, _HOLE))
        for record in document["records"]:
            record["value"] = _HOLE
        constants = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE).split(_MARK)
        values = [self._value(place, record.dib + record.vib) for place, record in _data(layout)]
        holes = [*filter(None, meter.values()), *told.holes, *values]
        return _proved(layout, constants, [*holes, *told.guards], line)

    def _flat(self, layout: TelegramLayout, model: Model | None) -> Rendering | None:
        """Make the form of a flat line, which ends before the time: that is the last in it."""
        example = layout.example
        told = self._flat_told(layout, model) if model else self._flat_by_rule(layout)
        line = flat_line(Answer(Asked(example.frame), example, model, None), SOME_TIME)
        document = orjson.loads(line)
        if told is None or list(document) != ["_", "media", "meter", "name", "id", *told.names, "timestamp"]:
            return None
        number = self._meter(layout, _serial_in_small_letters)
        document.update(dict.fromkeys([*(["id"] if number else []), *told.names, "timestamp"], _HOLE))
        constants = orjson.dumps(document).split(_MARK)[:-1]
        holes = [*([number] if number else []), *told.holes, *told.guards]
        return _proved(layout, constants, holes, line.removesuffix(time_at_the_end(SOME_TIME)))

    # --- holes -----------------------------------------------------------------------------------

    def _meter(self, layout: TelegramLayout, tell: Callable[[MeterId], str]) -> Hole | None:
        """Give a hole of the identity, if the layout is not one meter's own."""
        places = layout.places
        if places.meter is not None:
            texts = self._memory.texts(("meter", tell), lambda: partial(_transport_address, tell))
            return places.meter, texts
        if places.sender is None:
            return None
        key = ("sender", tell, None if layout.standard_sender else layout)
        return places.sender, self._memory.texts(key, lambda: partial(_link_address, layout, tell))

    def _by_rule(self, layout: TelegramLayout) -> _Told:
        """Tell the records of a meter without a model."""
        names = list(fields(layout.example))
        return _Told(names, [self._field(place, record) for place, record in _data(layout)])

    def _exact_told(self, layout: TelegramLayout, model: Model) -> _Told | None:
        """Tell what the model names, then the other records by rule."""
        source = None if model.hook else of_layout(layout)
        if source is None:
            return None
        form = told_form(source, model, EXACT, self._memory)
        rest = [one for number, one in enumerate(_data(layout)) if number not in form.taken]
        names = [one.name for one in named(layout.example, model)]
        return _Told(
            names, [*form.holes, *(self._field(place, record) for place, record in rest)], form.guards
        )

    def _flat_told(self, layout: TelegramLayout, model: Model) -> _Told | None:
        """Tell what the model names, its status last."""
        source = None if model.hook else of_layout(layout)
        if source is None:
            return None
        form = told_form(source, model, FLAT, self._memory)
        told = sorted(zip(form.names, form.holes, strict=True), key=lambda one: one[0] == "status")
        return _Told([name for name, _ in told], [hole for _, hole in told], form.guards)

    def _flat_by_rule(self, layout: TelegramLayout) -> _Told | None:
        """Tell the records of a meter without a model; of two with one name the first counts."""
        if any(says_profile(record) for record in layout.example.records):
            return None
        told: dict[str, Hole] = {}
        guards = []
        for place, record in _data(layout):
            key = ("flat", record.dib, record.vib, field_name(record), isinstance(record.value, str))
            hole = place, self._memory.texts(key, partial(flat_text, record))
            if told.setdefault(field_name(record), hole) is not hole:
                guards.append(
                    (place, self._memory.texts(("guard", *key), partial(_guard, flat_text(record))))
                )
        status = layout.places.status
        told["status"] = (
            () if status is None else status,
            self._memory.texts("status", lambda: status_text),
        )
        return _Told(list(told), list(told.values()), guards)

    def _field(self, place: int, record: Record) -> Hole:
        header, named_as_text = record.dib + record.vib, isinstance(record.value, str)
        if describe(header).kind is Kind.MOMENT and not named_as_text:
            return self._value(place, header)
        return place, self._memory.texts(("field", header, named_as_text), partial(field_text, record))

    def _value(self, place: int, header: bytes) -> Hole:
        return place, self._memory.texts(("value", header), partial(value_text, header))


def _data(layout: TelegramLayout) -> Iterator[tuple[int, Record]]:
    """Give the records of the example, each with the place of its data."""
    return zip(layout.places.data, layout.example.records, strict=True)


def _proved(
    layout: TelegramLayout, constants: Sequence[bytes], holes: Sequence[Hole], line: bytes
) -> Rendering | None:
    """Give the form if it tells the example as it was told; guards stand behind the line."""
    form = Rendering([*constants, *[b""] * (len(holes) + 1 - len(constants))], holes)
    return form if form(layout.values(layout.clear)) == line else None


def _guard(text: Text) -> Text:
    """Return what tells nothing, but refuses what the text refuses."""
    return lambda data: text(data)[:0]


def _transport_address(tell: Callable[[MeterId], str], address: bytes) -> bytes:
    meter = identity(link_order(address))
    return orjson.dumps(meter and tell(meter))


def _link_address(layout: TelegramLayout, tell: Callable[[MeterId], str], address: bytes) -> bytes:
    return orjson.dumps(tell(layout.sender(address)))


def _serial(meter: MeterId) -> str:
    return meter.serial


def _serial_in_small_letters(meter: MeterId) -> str:
    return meter.serial.lower()
