"""Lines for telegrams whose records only the full way gives: own payloads, profiles, compact frames.

Their records repeat like those of a layout, so the line is filled in as well, with values lifted from the
records instead of from bytes. See :mod:`service.line_forms`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from enum import Enum
from functools import partial
from typing import Any, Literal

import orjson

from decoders.fields import field_value
from decoders.meaning import named
from decoders.model import Model
from decoders.number_texts import Text
from decoders.rendering import MOST_TEXTS, Hole, Memory, Rendering, Unfit
from decoders.telegram import Record, Telegram, Value
from decoders.told_form import Source, told_form
from decoders.wmbus.profile import expand
from metering.meter import MeterId
from service.asked import Asked
from service.decode_lines import Answer, json_line, plain, to_the_second
from service.flat_lines import flat_line
from service.tellings import EXACT, FLAT, SOME_TIME, time_at_the_end

__all__ = ["RecordForms"]

_MARK = b"\0"  # never stands in JSON
_HOLE = orjson.Fragment(_MARK)
_MOST_FORMS = 1024

_HEAD = 4
"""Keys of a flat line before the meter's number."""


class _Seen(Enum):
    """There is no form yet."""

    ONCE = 1


_Form = Rendering | None | Literal[_Seen.ONCE]
_FormOf = Callable[[Telegram, Sequence[Record], Model, Memory], Rendering | None]
Lifted = tuple[bytes, Value, str]
"""Data and value of a record, and which zero it is: 0 and 0.000 are equal, and not the same text."""


class RecordForms:
    """Lines by the headers of the records; forms and texts are remembered within a limit."""

    def __init__(self, texts: int = MOST_TEXTS) -> None:
        self._memory = Memory(texts)
        self._forms: dict[object, _Form] = {}

    def json_line(self, telegram: Telegram, model: Model) -> bytes | None:
        """Write the line of a telegram without faults; ``None`` if it must be told the full way."""
        return self._filled(telegram, model, _json_form)

    def flat_line(self, telegram: Telegram, model: Model, received_at: datetime) -> bytes | None:
        """Write the flat line of a telegram received at that time; otherwise as :meth:`json_line`."""
        line = self._filled(telegram, model, _flat_form)
        return line and line + time_at_the_end(received_at)

    def _filled(self, telegram: Telegram, model: Model, form_of: _FormOf) -> bytes | None:
        expanded = expand(telegram.records)
        meter, security = telegram.meter, telegram.security
        key = (
            form_of,
            model,
            (meter.manufacturer, meter.version, meter.device_type),
            (security.mode, security.encrypted, security.verified),
            telegram.status is None,
            _headers(expanded),
            None if expanded is telegram.records else _headers(telegram.records),
        )
        if key not in self._forms:  # a form costs as much as dozens of telegrams: for those that come again
            self._remember(key, _Seen.ONCE)
            return None
        form = self._forms[key]
        if form is _Seen.ONCE:
            form = form_of(telegram, expanded, model, self._memory)
            self._remember(key, form)
        try:
            return form(_values(telegram, expanded)) if form else None
        except Unfit:
            return None

    def forget_texts(self) -> None:
        """Forget the texts of all values."""
        self._memory.forget()

    def _remember(self, key: object, form: _Form) -> None:
        if len(self._forms) >= _MOST_FORMS:
            self._forms.clear()
        self._forms[key] = form


def _headers(records: Sequence[Record]) -> tuple[object, ...]:
    """Say what repeats of records."""
    return tuple([(one.dib, one.vib, one.occurrence, len(one.data)) for one in records])


def _values(telegram: Telegram, expanded: Sequence[Record]) -> tuple[Any, ...]:
    """Lift data and value of each record, the status byte, the meter; then the records as sent, if others."""
    own = () if expanded is telegram.records else map(_lifted, telegram.records)
    status = bytes((telegram.status or 0,))
    return (*map(_lifted, expanded), status, telegram.meter, *own)


def _lifted(record: Record) -> Lifted:
    value = record.value
    return record.data, value, "" if value else str(value)


def _json_form(
    telegram: Telegram, expanded: Sequence[Record], model: Model, memory: Memory
) -> Rendering | None:
    line = json_line(Answer(Asked(telegram.frame), telegram, model, None))
    document = orjson.loads(line)
    names = [one.name for one in named(telegram, model)] if telegram.records else []
    if list(document["fields"]) != names:
        return None
    told, guards = _told(telegram, expanded, model, memory) if names else ([], [])
    meter = len(expanded) + 1
    holes = [
        (meter, memory.texts("meter", lambda: _meter)),
        (meter, memory.texts("serial", lambda: _serial)),
        *told,
        *(_hole(number, record, _value_text, model, memory) for number, record in _own(telegram, expanded)),
    ]
    document.update(meter_id=_HOLE, serial=_HOLE, fields=dict.fromkeys(names, _HOLE))
    for record in document["records"]:
        record["value"] = _HOLE
    constants = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE).split(_MARK)
    form = Rendering([*constants, *[b""] * len(guards)], [*holes, *guards])
    return form if form(_values(telegram, expanded)) == line else None


def _flat_form(
    telegram: Telegram, expanded: Sequence[Record], model: Model, memory: Memory
) -> Rendering | None:
    """Make the form of a flat line, which ends before the time: that is the last in it."""
    line = flat_line(Answer(Asked(telegram.frame), telegram, model, None), SOME_TIME)
    document = orjson.loads(line)
    form = told_form(_source(telegram, expanded), model, FLAT, memory)
    told = sorted(zip(form.names, form.holes, strict=True), key=lambda one: one[0] == "status")
    names = ["id", *(name for name, _ in told), "timestamp"]
    if list(document)[_HEAD:] != names:
        return None
    document.update(dict.fromkeys(names, _HOLE))
    constants = orjson.dumps(document).split(_MARK)[:-1]
    number = len(expanded) + 1, memory.texts("small serial", lambda: _small_serial)
    holes = [number, *(hole for _, hole in told), *form.guards]
    rendering = Rendering([*constants, *[b""] * len(form.guards)], holes)
    proof = line.removesuffix(time_at_the_end(SOME_TIME))
    return rendering if rendering(_values(telegram, expanded)) == proof else None


def _source(telegram: Telegram, expanded: Sequence[Record]) -> Source:
    count = len(expanded)
    return Source(
        "records",
        expanded,
        telegram.status,
        range(count),
        count,
        lambda place, lifted: _made_again(expanded[place], lifted),
        _of_data,
    )


def _told(
    telegram: Telegram, expanded: Sequence[Record], model: Model, memory: Memory
) -> tuple[Sequence[Hole], Sequence[Hole]]:
    """Give the holes of what the model names and of the other records, and the guards."""
    form = told_form(_source(telegram, expanded), model, EXACT, memory)
    rest = [number for number in range(len(expanded)) if number not in form.taken]
    by_rule = [_hole(number, expanded[number], _field_text, model, memory) for number in rest]
    return [*form.holes, *by_rule], form.guards


def _own(telegram: Telegram, expanded: Sequence[Record]) -> Iterator[tuple[int, Record]]:
    """Give the telegram's own records, each with its place among the lifted values."""
    first = 0 if expanded is telegram.records else len(expanded) + 2
    return enumerate(telegram.records, first)


def _hole(
    number: int, record: Record, write: Callable[[Record, Lifted], bytes], model: Model, memory: Memory
) -> Hole:
    key = (write, model, record.dib, record.vib, record.told, len(record.data), isinstance(record.value, str))
    return number, memory.texts(key, lambda: partial(write, record))


def _value_text(record: Record, lifted: Lifted) -> bytes:
    return orjson.dumps(plain(lifted[1], seconds=to_the_second(record)))


def _field_text(record: Record, lifted: Lifted) -> bytes:
    """Write the field of a record named by rule; a text's field has no unit in its name."""
    one = _made_again(record, lifted)
    if isinstance(one.value, str) is not isinstance(record.value, str):
        raise Unfit
    value = one.value if isinstance(one.value, date) else field_value(one)
    return orjson.dumps(plain(value, seconds=to_the_second(record)))


def _made_again(record: Record, lifted: Lifted) -> Record:
    data, value, _ = lifted
    return replace(record, data=data, value=value)


def _of_data(text: Text) -> Callable[[Lifted], bytes]:
    return lambda lifted: text(lifted[0])


def _meter(meter: MeterId) -> bytes:
    return orjson.dumps(str(meter))


def _serial(meter: MeterId) -> bytes:
    return orjson.dumps(meter.serial)


def _small_serial(meter: MeterId) -> bytes:
    return orjson.dumps(meter.serial.lower())
