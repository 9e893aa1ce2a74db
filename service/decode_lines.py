r"""What ``nurt decode`` says: one line a telegram. A contract that programs build on.

What goes in is told in :mod:`service.asked`. Out comes one JSON object in one line::

    {"meter_id": "SEN-12345699-68-07", "manufacturer": "SEN", "serial": "12345699", "version": "68",
     "device_type": "07", "medium": "water", "model": "iperl", "fields": {"total_m3": 7.704},
     "records": [{"difvif": "0413", "function": "instantaneous", "storage": 0, "tariff": 0, "subunit": 0,
                  "quantity": "volume", "unit": "m3", "value": 7.704}],
     "security": {"mode": 5, "encrypted": false, "verified": true}, "error": null}

All keys are always there, in this order; what is not known is ``null``, ``{}`` or ``[]``. Every line in gives
at least one line out, so that the command can be driven as a co-process. Numbers are exact. ``fields`` has
the values the model names first, then, named by rule, the records it does not name. ``error`` is
``{"code": ..., "message": ..., "offset": ...}``: a code of :data:`decoders.errors.CODES` or one of
``bad_hex`` (no telegram could be read from the line), ``bad_key`` (also for a key that is no hexadecimal),
``unknown_model`` (no model is used then).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

import orjson

from decoders import decode
from decoders.errors import CODES, DecodeError
from decoders.fields import fields
from decoders.meaning import named
from decoders.media import medium
from decoders.model import Model
from decoders.models import detect
from decoders.reading import Understood, complete, rescue
from decoders.shipped_layouts import shipped_layouts
from decoders.telegram import Record, Telegram, Value
from decoders.wmbus.layers import KeysOnce
from decoders.wmbus.layouts import Layouts
from metering.meter import MeterId
from metering.reading import exact
from service.asked import Asked, Trouble
from service.counting import Decode, counting
from service.in_parts import InParts

__all__ = ["Answer", "answer", "decoding", "has_seconds", "json_line", "plain", "to_the_second"]

_TYPE_I = 6
"""Length of a date and time that gives seconds (EN 13757-3, type I)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A telegram as far as understood, the model that reads it, and what stood in the way.

    Attributes:
        asked: the question.
        telegram: ``None`` = not even its meter could be told.
        model: named or found.
        trouble: the first thing wrong.
        loose: records of a telegram that names no meter.
    """

    asked: Asked
    telegram: Telegram | None
    model: Model | None
    trouble: Trouble | None
    loose: Sequence[Record] = ()


# --- between -------------------------------------------------------------------------------------


def decoding(layouts: Layouts) -> Decode:
    """Give the full way of decoding a stream.

    Layouts of compact frames are asked and learnt, messages in several frames put together, message counters
    watched.
    """
    return counting(InParts(lambda frame, keys: decode(frame, keys, layouts), layouts).decode)


def answer(asked: Asked, using: Decode | None = None) -> Answer:
    """Decode what was asked.

    Args:
        asked: the telegram, its key and model.
        using: decodes bytes; ``None`` = the full way, with the layouts this release knows.
    """
    if not asked.frame:
        return Answer(asked, None, None, asked.trouble)
    try:
        telegram, model, _ = _understood(asked, using or decoding(shipped_layouts()))
    except DecodeError as wrong:
        known, trouble = wrong.known, asked.trouble or _trouble(wrong)
        return Answer(asked, known, _model(asked, known), trouble, wrong.records)
    first = _trouble(telegram.faults[0]) if telegram.faults else _in_clear(asked, telegram)
    return Answer(asked, telegram, model, asked.trouble or first)


def _understood(asked: Asked, using: Decode) -> Understood:
    keys = KeysOnce(asked.keys)
    try:
        telegram = using(asked.frame, keys)
    except DecodeError as error:
        if asked.no_model:
            raise
        return rescue(error, keys, asked.model)
    return Understood(telegram, None) if asked.no_model else complete(telegram, keys, asked.model)


def _in_clear(asked: Asked, telegram: Telegram) -> Trouble | None:
    """Refuse a telegram that came in clear, where that was asked for and there is a key."""
    if telegram.security.encrypted or not (asked.require_encryption and asked.key):
        return None
    return Trouble("not_encrypted", CODES["not_encrypted"], len(telegram.frame) - len(telegram.plain))


def _model(asked: Asked, known: Telegram | None) -> Model | None:
    """Give the model of a meter whose telegram could not be read."""
    if known is None or asked.no_model:
        return None
    return asked.model or detect(known)


def _trouble(wrong: DecodeError) -> Trouble:
    return Trouble(wrong.code, wrong.message, wrong.offset)


# --- out -----------------------------------------------------------------------------------------


def json_line(given: Answer) -> bytes:
    """Write an answer as one line of JSON, line end included."""
    document = _document(given.telegram, given.model, given.trouble)
    if given.loose:
        document["records"] = [_record(record) for record in given.loose]
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


def _document(telegram: Telegram | None, model: Model | None, trouble: Trouble | None) -> dict[str, object]:
    return {
        **_identity(telegram.meter if telegram else None),
        "model": model.name if model else None,
        "fields": _fields(telegram, model) if telegram else {},
        "records": [_record(record) for record in telegram.records] if telegram else [],
        "security": _security(telegram),
        "error": trouble,
    }


def _identity(meter: MeterId | None) -> Mapping[str, str | None]:
    if meter is None:
        return dict.fromkeys(("meter_id", "manufacturer", "serial", "version", "device_type", "medium"))
    return {
        "meter_id": str(meter),
        "manufacturer": meter.manufacturer,
        "serial": meter.serial,
        "version": meter.version,
        "device_type": meter.device_type,
        "medium": medium(meter),
    }


def _fields(telegram: Telegram, model: Model | None) -> Mapping[str, object]:
    if model and telegram.records:
        return {one.name: _field(one.value, one.record) for one in named(telegram, model)}
    names = fields(telegram)
    return {
        name: _field(record.value if isinstance(record.value, datetime) else value, record)
        for (name, value), record in zip(names.items(), telegram.records, strict=True)
    }


def _field(value: Value, record: Record | None) -> object:
    """Write a field; a time as its record's value is written."""
    if isinstance(value, Decimal):
        value = exact(value)
    return plain(value, seconds=record is not None and to_the_second(record))


def _value(record: Record) -> object:
    return plain(record.value, seconds=to_the_second(record))


def to_the_second(record: Record) -> bool:
    """Whether a record gives its date and time to the second."""
    return has_seconds(record.data) and not record.told


def has_seconds(data: bytes) -> bool:
    """Whether a date and time with these data is given to the second."""
    return len(data) >= _TYPE_I


def _record(record: Record) -> Mapping[str, object]:
    return {
        "difvif": record.difvif,
        "function": record.function,
        "storage": record.storage,
        "tariff": record.tariff,
        "subunit": record.subunit,
        "quantity": record.quantity,
        "unit": record.unit,
        "value": _value(record),
    }


def _security(telegram: Telegram | None) -> Mapping[str, object]:
    if telegram is None:
        return dict.fromkeys(("mode", "encrypted", "verified"))
    security = telegram.security
    return {"mode": security.mode, "encrypted": security.encrypted, "verified": security.verified}


def plain(value: Value, *, seconds: bool = False) -> object:
    """Give a value as JSON has it: exact numbers, ISO dates (seconds if given), bytes in hex."""
    match value:
        case Decimal():
            return orjson.Fragment(format(value, "f"))
        case datetime():
            return value.isoformat(timespec="seconds" if seconds or value.second else "minutes")
        case date() | time():
            return value.isoformat()
        case bytes():
            return value.hex().upper()
        case _:
            return value
