"""Found out from the payload: the fallback where no route says the adapter (``adapter = "auto"``).

What names its format by a mark of its own is read; a bare number is not (nobody could say what it counts),
and LoRaWAN uplinks are not (only their route knows the codec). In this order::

    JSON object or array     by its keys
    T1;1;1;...               rtl_wmbus
    b..., bY...              CUL
    serial-number;device...  Elvaco
    hexadecimal              bare frames
    anything else            bare frames as bytes, if that is what they are
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from decoders.errors import DecodeError
from decoders.wmbus.link import normalise, split
from ingest.adapters import (
    binary,
    chirpstack,
    contract,
    cul,
    elvaco,
    esphome,
    hex_line,
    rtl_433,
    rtl_wmbus,
    shelly,
    tasmota,
    the_things_stack,
    wmbusmeters,
)
from ingest.adapters.card import Adapter, Card, Options, without_options
from ingest.adapters.json_items import elements
from ingest.adapters.lines import gateway_name
from ingest.adapters.objects import Fields, refuse
from ingest.items import Delivery, Item
from metering.uplink import BadUplink

__all__ = ["CARD", "read", "sniff"]

_HEX = re.compile(r"[\s|_]*(?:0[xX])?[0-9A-Fa-f]{2}[0-9A-Fa-fxX\s|_]*", re.ASCII)
_BARE_NUMBER = re.compile(r"\s*-?[0-9]{1,18}(\.[0-9]+)?\s*", re.ASCII)
_SHORTEST_FRAME = 10

_MARKS: Sequence[tuple[Callable[[Fields], bool], str]] = (
    (lambda fields: "k" in fields and "boot" in fields, contract.CARD.name),
    (esphome.is_raw, esphome.CARD.name),
    (lambda fields: fields.get("model") == rtl_433.MODEL and "data" in fields, rtl_433.CARD.name),
    (wmbusmeters.is_meter, wmbusmeters.CARD.name),
    (chirpstack.is_event, chirpstack.CARD.name),
    (the_things_stack.is_event, the_things_stack.CARD.name),
    (tasmota.is_counter, tasmota.CARD.name),
    (lambda fields: fields.get("method") in shelly.METHODS, shelly.CARD.name),
)
"""What a JSON object shows, and whose it is then; the first that holds counts."""

_TEXTS: Sequence[tuple[Callable[[str], object], str]] = (
    (rtl_wmbus.LINE.match, rtl_wmbus.CARD.name),
    (cul.is_line, cul.CARD.name),
    (lambda text: text.startswith(elvaco.HEADER), elvaco.CARD.name),
    (lambda text: _HEX.fullmatch(text) and not _BARE_NUMBER.fullmatch(text), hex_line.CARD.name),
)
"""How a text begins or looks, and whose it is then; the first that holds counts."""

_READERS: dict[str, Adapter] = {
    card.name: card.make(Options())
    for card in (
        contract.CARD,
        esphome.CARD,
        rtl_433.CARD,
        wmbusmeters.CARD,
        tasmota.CARD,
        shelly.CARD,
        rtl_wmbus.CARD,
        cul.CARD,
        elvaco.CARD,
        hex_line.CARD,
        binary.CARD,
    )
}


def read(delivery: Delivery, name: str) -> Sequence[Item]:
    """Read a message with the adapter its payload shows."""
    found = sniff(delivery.payload)
    if found in _READERS:
        return _READERS[found](delivery, name)
    why = f"looks like {found}, which needs a route of its own" if found else "no known format"
    return refuse(delivery, "unknown_format", why, gateway_name(name) or "?")


def sniff(payload: bytes) -> str:
    """Give the name of the adapter a payload shows; empty if none does."""
    if payload.lstrip()[:1] in {b"{", b"["}:
        return _of_object(payload)
    try:
        text = payload.decode("ascii")
    except UnicodeDecodeError:
        text = ""
    found = next((name for shows, name in _TEXTS if text and shows(text)), "")
    return found or (binary.CARD.name if _is_frame(payload) else "")


def _of_object(payload: bytes) -> str:
    try:
        values = elements(payload)
    except BadUplink:
        return ""
    first = values[0][0] if values else None
    if not isinstance(first, dict):
        return ""
    return next((name for shows, name in _MARKS if shows(first)), "")


def _is_frame(payload: bytes) -> bool:
    """Whether bytes are frames: all the same a proof is only the length, the C field and the manufacturer."""
    if len(payload) < _SHORTEST_FRAME:
        return False
    try:
        return all(not normalise(frame).trailer for frame in split(payload))
    except DecodeError:
        return False


CARD = Card(
    name="auto",
    says="Found out from each payload; only where no better adapter can be named.",
    topics=("meters/#",),
    example=("meters/attic", "144443047856341201077a0100000004131e1e0000"),
    make=without_options(read),
)
