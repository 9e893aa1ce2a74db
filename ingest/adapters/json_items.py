"""JSON of gateways, read exactly: numbers stay decimal, and each item keeps its own bytes."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from metering.uplink import BadUplink

__all__ = ["elements"]

_BLANK = re.compile(r"[ \t\n\r]*")
_SIGNS = frozenset("{[,]")


def elements(payload: bytes) -> list[tuple[Any, bytes]]:
    """Give the items of a message, one value or an array of them, each with the bytes it was read from.

    Raises:
        BadUplink: ``bad_json``: not UTF-8, not JSON, NaN, or nested too deeply.
    """
    try:
        text = payload.decode("utf-8")
        start = _skip(text, 0)
        if text[start : start + 1] == "[":
            return _array(text, start)
        value, end = _decoder.raw_decode(text, start)
        _finish(text, end)
    except UnicodeDecodeError as wrong:
        raise BadUplink("bad_json", f"not UTF-8 at byte {wrong.start}", payload) from None
    except RecursionError:
        raise BadUplink("bad_json", "not JSON that can be read: nested too deeply", payload) from None
    except ValueError as wrong:
        raise BadUplink("bad_json", f"not JSON: {wrong}"[:200], payload) from None
    return [(value, payload)]


def _array(text: str, start: int) -> list[tuple[Any, bytes]]:
    """Read an array element by element. All or nothing: a broken array is a broken message."""
    found: list[tuple[Any, bytes]] = []
    at = _skip(text, start + 1)
    if text[at : at + 1] == "]":
        _finish(text, at + 1)
        return found
    while True:
        value, end = _decoder.raw_decode(text, at)
        found.append((value, text[at:end].encode()))
        at = _skip(text, end)
        if text[at : at + 1] == "]":
            _finish(text, at + 1)
            return found
        if text[at : at + 1] != ",":
            raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
        at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    if text[at : at + 1] in _SIGNS:  # nearly always nothing is to be skipped
        return at
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at


def _finish(text: str, at: int) -> None:
    if _skip(text, at) != len(text):
        raise json.JSONDecodeError("Extra data", text, at)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond what even Decimal can hold
        raise ValueError(f"{text[:40]} is not a number that can be held") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")


_decoder = json.JSONDecoder(parse_float=_decimal, parse_constant=_refuse)
