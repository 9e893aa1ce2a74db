"""What ``nurt decode --format wmbusmeters`` says: flat JSON as users of wmbusmeters know it.

One object in one line for each telegram (:mod:`decoders.flat`)::

    {"_":"telegram","media":"cold water","meter":"kamwater","name":"","id":"76348799","total_m3":6.408,
     "status":"OK","timestamp":"2026-01-02T03:04:05Z"}

What went wrong stands in ``error``, in the words their programs look for, and in our own in
``error_analyze``: code, sentence, byte. A telegram of which a part could be read has its fields and a
``warning``. Both come with the telegram itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import orjson

from decoders.flat import flat
from decoders.telegram import Telegram
from service.asked import Asked, Trouble
from service.decode_lines import Answer, plain

__all__ = ["flat_line"]

_ABOUT_THE_METER = ("_", "media", "meter", "name", "id", "timestamp")
_KEY = frozenset({"missing_key", "wrong_key", "bad_mac", "bad_key"})
_OF_THE_LINE = frozenset({"unknown_model", "bad_key"})
"""Troubles of what was asked, not of the telegram, which is told all the same."""
_WHOLE = frozenset({"bad_length", "counter_back", "not_encrypted"})
"""Troubles of a telegram every byte of which was read."""


def flat_line(given: Answer, received_at: datetime) -> bytes:
    """Write an answer as one line of flat JSON, line end included.

    Args:
        given: the answer.
        received_at: time of reception, with its zone.
    """
    return orjson.dumps(_document(given, received_at), option=orjson.OPT_APPEND_NEWLINE)


def _document(given: Answer, received_at: datetime) -> Mapping[str, object]:
    asked, telegram, trouble = given.asked, given.telegram, given.trouble
    if not asked.frame:
        return _no_telegram(asked)
    if telegram is None:
        return _failed("failed to parse telegram header", asked, trouble)
    told = {
        name: plain(value) for name, value in flat(telegram, given.model, received_at=received_at).items()
    }
    if trouble is None:
        return told
    if telegram.records and trouble.code not in _OF_THE_LINE:
        return {**told, "warning": _partly(telegram, trouble), **_evidence(asked, trouble)}
    known = told if telegram.records else {name: told[name] for name in _ABOUT_THE_METER}
    return {**known, **_failed(_sentence(trouble), asked, trouble)}


def _no_telegram(asked: Asked) -> Mapping[str, object]:
    if asked.text is not None:
        return {"error": "invalid hex string in 'telegram' field", "telegram": asked.text}
    if asked.trouble is None or asked.trouble.code == "bad_hex":
        return {"error": "missing 'telegram' field in JSON input"}
    return {"error": asked.trouble.message}


def _failed(sentence: str, asked: Asked, trouble: Trouble | None) -> Mapping[str, object]:
    return {"error": sentence, **_evidence(asked, trouble)}


def _sentence(trouble: Trouble) -> str:
    if trouble.code == "unknown_model":
        return trouble.message
    return "decryption failed, please check key" if trouble.code in _KEY else "decoding failed"


def _partly(telegram: Telegram, trouble: Trouble) -> str:
    if trouble.code in _WHOLE:
        return trouble.message
    size = len(telegram.frame)
    return f"telegram only partially decoded ({min(trouble.offset or 0, size)} of {size} bytes)"


def _evidence(asked: Asked, trouble: Trouble | None) -> Mapping[str, object]:
    telegram = asked.frame.hex().upper()
    if trouble is None:
        return {"telegram": telegram}
    place = "" if trouble.offset is None else f" (byte {trouble.offset})"
    return {"error_analyze": f"{trouble.code}: {trouble.message}{place}", "telegram": telegram}
