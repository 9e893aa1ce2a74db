"""Messages of JSON objects, one or an array of them, and what their fields may hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from ingest.adapters.json_items import elements
from ingest.adapters.lines import gateway_name
from ingest.items import UNKNOWN_GATEWAY, Delivery, Item, Said, Unreadable
from metering.uplink import BadUplink, Reception

__all__ = ["Fields", "inside", "number", "read_objects", "reception_of", "refuse", "shown", "whole"]

Fields = Mapping[str, Any]

ObjectReader = Callable[[Fields, Reception], Iterable[Said]]
"""Gives what an object says; may raise :class:`~metering.uplink.BadUplink`."""

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?", re.ASCII)
_LARGEST, _FINEST = Decimal(10) ** 15, -9
_LARGEST_COUNT = 2**63 - 1


def read_objects(delivery: Delivery, segment: str, read_object: ObjectReader) -> Sequence[Item]:
    """Read a message object by object; what cannot be read spoils only itself."""
    gateway = gateway_name(segment)
    if gateway is None:
        return refuse(delivery, "bad_topic", f"topic level {segment[:80]!a} cannot name a gateway")
    try:
        found = elements(delivery.payload)
    except BadUplink as bad:
        return refuse(delivery, bad.reason, str(bad), gateway)
    reception = reception_of(delivery, gateway)
    if not found:
        return refuse(delivery, "no_value", "an empty array", gateway)
    return [
        Item(gateway, said, source, delivery)
        for value, source in found
        for said in _said(value, reception, read_object)
    ]


def _said(value: object, reception: Reception, read_object: ObjectReader) -> list[Said]:
    if not isinstance(value, dict):
        return [Unreadable("bad_field", f"{shown(value)} is not an object")]
    try:
        return list(read_object(value, reception))
    except BadUplink as bad:
        return [Unreadable(bad.reason, str(bad))]


def refuse(delivery: Delivery, reason: str, sentence: str, gateway: str = UNKNOWN_GATEWAY) -> Sequence[Item]:
    """Give a message that cannot be read, whole."""
    return [Item(gateway, Unreadable(reason, sentence), delivery.payload, delivery)]


def reception_of(delivery: Delivery, gateway: str) -> Reception:
    """Give the reception of what says nothing of its time: it was heard when it reached us."""
    return Reception(gateway, delivery.received_at, delivery.received_at, redelivered=delivery.redelivered)


def inside(fields: Fields, *way: str) -> Fields:
    """Give the object inside objects; an empty one if there is none."""
    here: object = fields
    for key in way:
        here = here.get(key) if isinstance(here, dict) else None
    return here if isinstance(here, dict) else {}


def number(value: object, name: str) -> Decimal:
    """Read an exact number, also one written as text.

    Raises:
        BadUplink: ``bad_number``: none, or beyond what any register holds (10^15, nine decimal places).
    """
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = Decimal(value)
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and _holds(Decimal(value)):
        return Decimal(value)
    raise BadUplink("bad_number", f"{name} is {shown(value)}: expected a number a register can hold")


def _holds(value: Decimal) -> bool:
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= _FINEST and abs(value) < _LARGEST


def whole(value: object, name: str) -> int:
    """Read a count, also one written ``7.0`` or ``"7"``.

    Raises:
        BadUplink: ``bad_number``: not a whole number from 0 to 2^63-1.
    """
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value, re.ASCII):
        value = int(value)
    if isinstance(value, Decimal) and 0 <= value <= _LARGEST_COUNT and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_COUNT:
        return value
    raise BadUplink("bad_number", f"{name} is {shown(value)}: expected a count from 0 to 2^63-1")


def shown(value: object) -> str:
    """Show a value in a sentence: short, and ASCII, for it may hold half a surrogate pair."""
    return ascii(value)[:60]
