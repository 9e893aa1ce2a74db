"""The lines of ``nurt decode`` for telegrams of a known layout: written once, then only filled in.

A form is made out of the line the full way writes for one telegram of the layout, with a mark in the place of
everything that differs. It is used only if it gives that line back when it is filled in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from decoders.told_form import told_form
from decoders.wmbus.address import identity, link_order
from metering.meter import MeterId
from service.asked import Asked
from service.decode_lines import Answer, json_line
from service.flat_lines import flat_line
from service.lifts import Lift
from service.table_forms import ByTable, TableForms
from service.tellings import (
    EXACT,
    FLAT,
    SOME_TIME,
    flat_text,
    status_text,
    time_at_the_end,
)

__all__ = ["LineForms"]

_MARK = b"\0"  # never stands in JSON
_HOLE = orjson.Fragment(_MARK)


_Form = Rendering | TableForms | None
_FormOf = Callable[[Lift, Model | None], Rendering | None]


class _Told(NamedTuple):
    """What is told of telegrams: names, a hole for each, and holes that stay empty."""

    names: Sequence[str]
    holes: Sequence[Hole]
    guards: Sequence[Hole] = ()


class LineForms:
    """Lines by layout; texts of values are remembered within a limit."""

    def __init__(self, texts: int = MOST_TEXTS) -> None:
        self._memory = Memory(texts)

    def json_line(self, fit: Fit, model: Model | None = None, keys: Sequence[bytes] = ()) -> bytes | None:
        """Write the line of a telegram; ``None`` if it must be told the full way.

        Args:
            fit: the telegram.
            model: the meter's model; ``None`` = find it.
            keys: to try, where the payload is encrypted once more.
        """
        return self._filled(fit, self._json, model, keys)

    def flat_line(
        self, fit: Fit, received_at: datetime, model: Model | None = None, keys: Sequence[bytes] = ()
    ) -> bytes | None:
        """Write the flat line of a telegram received at that time; otherwise as :meth:`json_line`."""
        line = self._filled(fit, self._flat, model, keys)
        return line and line + time_at_the_end(received_at)

    def learn_json(self, fit: Fit, named: Model | None, keys: Sequence[bytes], read: ByTable) -> None:
        """Learn how the line of a telegram is filled in whose model reads the payload by table."""
        self._learn(fit, self._json, named, keys, read)

    def learn_flat(self, fit: Fit, named: Model | None, keys: Sequence[bytes], read: ByTable) -> None:
        """Learn the flat line of such a telegram."""
        self._learn(fit, self._flat, named, keys, read)

    def forget_texts(self) -> None:
        """Forget the texts of all values."""
        self._memory.forget()

    def _filled(self, fit: Fit, form_of: _FormOf, model: Model | None, keys: Sequence[bytes]) -> bytes | None:
        layout, _, clear = fit
        key = form_of.__name__, model
        try:
            form = cast("_Form", layout.renderings[key])
        except KeyError:
            form = layout.renderings[key] = self._form(layout, form_of, model or detect(layout.example))
        try:
            if type(form) is Rendering:
                return form(layout.values(clear))
            return form.filled(layout, clear, keys) if isinstance(form, TableForms) else None
        except Unfit:
            return None

    def _form(self, layout: TelegramLayout, form_of: _FormOf, model: Model | None) -> _Form:
        if model and model.hook:
            return TableForms()
        if layout.own:
            return None
        return form_of(Lift(layout, self._memory), model)

    def _learn(
        self, fit: Fit, form_of: _FormOf, named: Model | None, keys: Sequence[bytes], read: ByTable
    ) -> None:
        forms = fit[0].renderings.get((form_of.__name__, named))
        if isinstance(forms, TableForms):
            forms.learn(fit, keys, read, self._memory, form_of)

    # --- forms -----------------------------------------------------------------------------------

    def _json(self, lift: Lift, model: Model | None) -> Rendering | None:
        told = self._exact_told(lift, model) if model else self._by_rule(lift)
        line = json_line(Answer(Asked(lift.telegram.frame), lift.telegram, model, None))
        document = orjson.loads(line)
        if told is None or list(document["fields"]) != list(told.names):
            return None
        meter = {"meter_id": self._meter(lift.layout, str), "serial": self._meter(lift.layout, _serial)}
        meter = {name: hole for name, hole in meter.items() if hole}
        document.update(dict.fromkeys(meter, _HOLE), fields=dict.fromkeys(told.names, _HOLE))
        for record in document["records"]:
            record["value"] = _HOLE
        constants = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE).split(_MARK)
        holes = [*filter(None, meter.values()), *told.holes, *lift.values()]
        return _proved(lift, constants, [*holes, *told.guards], line)

    def _flat(self, lift: Lift, model: Model | None) -> Rendering | None:
        """Make the form of a flat line, which ends before the time: that is the last in it."""
        told = self._flat_told(lift, model) if model else self._flat_by_rule(lift)
        line = flat_line(Answer(Asked(lift.telegram.frame), lift.telegram, model, None), SOME_TIME)
        document = orjson.loads(line)
        if told is None or list(document) != ["_", "media", "meter", "name", "id", *told.names, "timestamp"]:
            return None
        number = self._meter(lift.layout, _serial_in_small_letters)
        document.update(dict.fromkeys([*(["id"] if number else []), *told.names, "timestamp"], _HOLE))
        constants = orjson.dumps(document).split(_MARK)[:-1]
        holes = [*([number] if number else []), *told.holes, *told.guards]
        return _proved(lift, constants, holes, line.removesuffix(time_at_the_end(SOME_TIME)))

    # --- holes -----------------------------------------------------------------------------------

    def _meter(self, layout: TelegramLayout, tell: Callable[[MeterId], str]) -> Hole | None:
        """Give a hole of the identity, if the layout is not one meter's own."""
        places = layout.places
        if places.meter is not None:
            texts = self._memory.texts(("meter", tell), lambda: partial(_transport_address, tell))
            return places.meter, texts
        if places.sender is None:
            return None
        own = None if layout.standard_sender else layout.renderings.setdefault("kind", object())
        key = ("sender", tell, own)
        return places.sender, self._memory.texts(key, lambda: partial(_link_address, layout, tell))

    def _by_rule(self, lift: Lift) -> _Told:
        """Tell the records of a meter without a model."""
        names = list(fields(lift.telegram))
        return _Told(names, [lift.field(place) for place in range(len(names))])

    def _exact_told(self, lift: Lift, model: Model) -> _Told | None:
        """Tell what the model names, then the other records by rule."""
        source = lift.source
        if source is None:
            return None
        form = told_form(source, model, EXACT, self._memory)
        rest = [place for place in range(len(lift.telegram.records)) if place not in form.taken]
        names = [one.name for one in named(lift.telegram, model)] if lift.telegram.records else []
        return _Told(names, [*form.holes, *map(lift.field, rest)], form.guards)

    def _flat_told(self, lift: Lift, model: Model) -> _Told | None:
        """Tell what the model names, its status last."""
        source = lift.source
        if source is None:
            return None
        form = told_form(source, model, FLAT, self._memory)
        told = sorted(zip(form.names, form.holes, strict=True), key=lambda one: one[0] == "status")
        return _Told([name for name, _ in told], [hole for _, hole in told], form.guards)

    def _flat_by_rule(self, lift: Lift) -> _Told | None:
        """Tell the records of a meter without a model; of two with one name the first counts."""
        if lift.source is None:
            return None
        told: dict[str, Hole] = {}
        guards = []
        for place, record in zip(lift.layout.places.data, lift.telegram.records, strict=True):
            key = ("flat", record.dib, record.vib, field_name(record), isinstance(record.value, str))
            hole = place, self._memory.texts(key, partial(flat_text, record))
            if told.setdefault(field_name(record), hole) is not hole:
                guards.append(
                    (place, self._memory.texts(("guard", *key), partial(_guard, flat_text(record))))
                )
        status = lift.layout.places.status
        told["status"] = (
            () if status is None else status,
            self._memory.texts("status", lambda: status_text),
        )
        return _Told(list(told), list(told.values()), guards)


def _proved(lift: Lift, constants: Sequence[bytes], holes: Sequence[Hole], line: bytes) -> Rendering | None:
    """Give the form if it tells the example as it was told; guards stand behind the line."""
    form = Rendering([*constants, *[b""] * (len(holes) + 1 - len(constants))], holes)
    return form if form(lift.example) == line else None


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
