r"""What ``nurt decode`` reads and writes: one line a telegram, both ways. A contract that programs build on.

In: hexadecimal (blanks, ``0x``, ``|``, ``_`` allowed), a line of rtl_wmbus, or
``{"telegram": HEX, "key": HEX or null, "model": NAME or null}``. Out, one JSON object in one line::

    {"meter_id": "SEN-12345699-68-07", "manufacturer": "SEN", "serial": "12345699", "version": "68",
     "device_type": "07", "medium": "water", "model": null, "fields": {"total_m3": 7.704},
     "records": [{"difvif": "0413", "function": "instantaneous", "storage": 0, "tariff": 0, "subunit": 0,
                  "quantity": "volume", "unit": "m3", "value": 7.704}],
     "security": {"mode": 5, "encrypted": false, "verified": true}, "error": null}

All keys are always there, in this order; what is not known is ``null``, ``{}`` or ``[]``. Every line in gives
at least one line out, so that the command can be driven as a co-process. Numbers are exact. ``error`` is
``{"code": ..., "message": ..., "offset": ...}``: a code of :data:`decoders.errors.CODES` or one of
``bad_hex`` (no telegram could be read from the line), ``bad_key`` (also for a key that is no hexadecimal),
``unknown_model``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal

import orjson

from decoders import decode
from decoders.errors import DecodeError
from decoders.fields import fields
from decoders.media import medium
from decoders.telegram import Keys, Record, Telegram, Value
from ingest.adapters import rtl_wmbus
from ingest.adapters.lines import frame_of
from ingest.items import Delivery, Unreadable
from metering.meter import MeterId
from metering.uplink import FrameUplink

__all__ = [
    "Answer",
    "Asked",
    "Key",
    "Trouble",
    "answer",
    "has_seconds",
    "json_form",
    "json_line",
    "key_of",
    "plain",
    "read_line",
]

Key = bytes | None

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RTL_WMBUS = re.compile(r";|0[xX].*0[xX]")
_TYPE_I = 6
"""Length of a date and time that gives seconds (EN 13757-3, type I)."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no telegram, or not all of it. ``offset``: byte of the frame, ``None`` = no place."""

    code: str
    message: str
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One telegram to decode, or why a line holds none."""

    frame: bytes = b""
    key: Key = field(default=None, repr=False)
    trouble: Trouble | None = None

    def keys(self, meter: MeterId) -> Sequence[bytes]:  # noqa: ARG002  one key, whoever asks
        """Give the key to try."""
        return (self.key,) if self.key else ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A telegram as far as understood, and what stood in the way."""

    asked: Asked
    telegram: Telegram | None
    trouble: Trouble | None


# --- in ------------------------------------------------------------------------------------------


def key_of(text: str) -> bytes:
    """Read a key; whether its length fits is for the telegram's security mode to say.

    Raises:
        ValueError: not hexadecimal; the sentence does not repeat it.
    """
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError(f"a key is 32 hexadecimal digits; these {len(text)} signs are not") from None


def read_line(line: str, key: Key = None) -> Iterator[Asked]:
    """Find the telegrams of a line: one, or several in a line of rtl_wmbus, or one that says what is wrong.

    Args:
        line: as it came.
        key: for lines that give none.
    """
    text = line.strip()
    if text.startswith("{"):
        yield _from_json(text, key)
    elif _RTL_WMBUS.search(text):
        for item in rtl_wmbus.read(Delivery("", text.encode(errors="replace"), _EPOCH), "line"):
            yield _from_item(item.said, key)
    else:
        yield _from_hex(text, key)


def _from_hex(text: str, key: Key, trouble: Trouble | None = None) -> Asked:
    try:
        return Asked(frame_of(text), key, trouble)
    except ValueError:
        said = f"{text[:40]!a} is not a telegram in hexadecimal" if text else "an empty line"
        return Asked(trouble=Trouble("bad_hex", said))


def _from_item(said: object, key: Key) -> Asked:
    if isinstance(said, FrameUplink):
        return Asked(said.frame, key)
    if isinstance(said, Unreadable) and said.reason == "bad_crc":
        return Asked(trouble=Trouble("bad_crc", said.sentence))
    return Asked(trouble=Trouble("bad_hex", said.sentence if isinstance(said, Unreadable) else "no telegram"))


def _from_json(text: str, key: Key) -> Asked:
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError as wrong:
        return Asked(trouble=Trouble("bad_hex", f"neither hexadecimal nor JSON: {wrong.msg}"))
    telegram = said.get("telegram")
    if not isinstance(telegram, str):
        return Asked(trouble=Trouble("bad_hex", 'the JSON object has no "telegram" in hexadecimal'))
    key, bad_key = _own_key(said, key)
    return _from_hex(telegram, key, bad_key or _bad_model(said))


def _own_key(said: Mapping[str, object], key: Key) -> tuple[Key, Trouble | None]:
    own = said.get("key")
    if own is None or own == "":
        return key, None
    try:
        return key_of(str(own)), None
    except ValueError as wrong:
        return None, Trouble("bad_key", str(wrong))


def _bad_model(said: Mapping[str, object]) -> Trouble | None:
    model = said.get("model")
    if model is None or model == "":
        return None
    return Trouble("unknown_model", f"{str(model)[:40]!a} is not a meter model of this release")


# --- between -------------------------------------------------------------------------------------


def answer(asked: Asked, using: Callable[[bytes, Keys], Telegram] = decode) -> Answer:
    """Decode what was asked."""
    if not asked.frame:
        return Answer(asked, None, asked.trouble)
    try:
        telegram = using(asked.frame, asked.keys)
    except DecodeError as wrong:
        return Answer(asked, wrong.known, asked.trouble or _trouble(wrong))
    first = _trouble(telegram.faults[0]) if telegram.faults else None
    return Answer(asked, telegram, asked.trouble or first)


def _trouble(wrong: DecodeError) -> Trouble:
    return Trouble(wrong.code, wrong.message, wrong.offset)


# --- out -----------------------------------------------------------------------------------------


def json_line(given: Answer) -> bytes:
    """Write an answer as one line of JSON, line end included."""
    return orjson.dumps(_document(given.telegram, given.trouble), option=orjson.OPT_APPEND_NEWLINE)


def json_form(telegram: Telegram, hole: object, *, same_meter: bool) -> bytes:
    """Write the line of a telegram without faults, with a mark in the place of every value.

    Args:
        telegram: any telegram of the layout.
        hole: the mark, as orjson writes it; stands for the fields in the order of the records, then for the
            values of the records; before them, unless ``same_meter``, for the meter's identity and serial.
        same_meter: the identity is no value but the same in every telegram.
    """
    document = _document(telegram, None)
    document["fields"] = dict.fromkeys(_fields(telegram), hole)
    document["records"] = [{**_record(record), "value": hole} for record in telegram.records]
    if not same_meter:
        document.update(meter_id=hole, serial=hole)
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


def _document(telegram: Telegram | None, trouble: Trouble | None) -> dict[str, object]:
    return {
        **_identity(telegram.meter if telegram else None),
        "model": None,
        "fields": _fields(telegram) if telegram else {},
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


def _fields(telegram: Telegram) -> Mapping[str, object]:
    named = fields(telegram)
    return {
        name: _field(record, value)
        for (name, value), record in zip(named.items(), telegram.records, strict=True)
    }


def _field(record: Record, value: Value) -> object:
    """Write a field; one that is its record's time is written as the record's value is."""
    return _value(record) if isinstance(record.value, datetime) else plain(value)


def _value(record: Record) -> object:
    return plain(record.value, seconds=has_seconds(record.data))


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
