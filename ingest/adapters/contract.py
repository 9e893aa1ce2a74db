"""Our own contract, ``amr/1/<gateway>/{up,state,health,cfg/...}`` (:mod:`metering.uplink`)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from ingest.adapters.card import Card, without_options
from ingest.adapters.json_items import elements
from ingest.adapters.packed import unpacked
from ingest.adapters.times import heard, rfc3339
from ingest.items import UNKNOWN_GATEWAY, Delivery, Item, Said, Unreadable
from metering.quick_uplinks import quick_reception
from metering.reading import utc
from metering.uplink import (
    GATEWAY_NAME,
    BadUplink,
    ClockSource,
    FrameUplink,
    GatewayState,
    GatewayWord,
    PulseUplink,
    Reception,
)

__all__ = ["CARD", "read"]

_Fields = Mapping[str, Any]

_CLOCKS = {source.value: source for source in ClockSource}
_MODE = re.compile(r"[A-Za-z0-9+-]{1,8}", re.ASCII)
_LARGEST_COUNT = 2**63 - 1
_LARGEST_WORD = 1 << 16
_NUMBER = (int, Decimal)  # once, not a union made for every item
_RSSI_DBM = range(-200, 1)
"""Above 0 dBm are only the sentinels gateways send for "no sample"."""
_LITRES_PER_PULSE = (Decimal("0.000001"), Decimal(1000000))
"""From a millilitre's thousandth to a thousand cubic metres; keeps absurd exponents out of the arithmetic."""


def read(delivery: Delivery, name: str) -> Sequence[Item]:
    """Read a message of the contract."""
    if not GATEWAY_NAME.fullmatch(name):
        sentence = f"{name[:80]!a} is not a gateway name of A-Z a-z 0-9 _ - (at most 64)"
        return [_item(delivery, UNKNOWN_GATEWAY, Unreadable("bad_topic", sentence))]
    leaf = "/".join(delivery.topic.split("/")[3:])
    if leaf not in _LEAVES:
        return [_item(delivery, name, Unreadable("bad_topic", f"no gateway publishes on .../{leaf[:80]!a}"))]
    return _LEAVES[leaf](delivery, name)


def _up(delivery: Delivery, gateway: str) -> Sequence[Item]:
    try:
        found = elements(unpacked(delivery.payload))
    except BadUplink as bad:
        return [_item(delivery, gateway, Unreadable(bad.reason, str(bad)))]
    return [Item(gateway, _uplink(value, delivery, gateway), source, delivery) for value, source in found]


def _state(delivery: Delivery, gateway: str) -> Sequence[Item]:
    try:
        [(value, _)] = elements(delivery.payload)
        return [_item(delivery, gateway, _gateway_state(_fields(value), delivery, gateway))]
    except BadUplink as bad:
        return [_item(delivery, gateway, Unreadable(bad.reason, str(bad)))]
    except ValueError:  # none or several
        return [_item(delivery, gateway, Unreadable("bad_field", "a state is one object"))]


def _said(leaf: str) -> Callable[[Delivery, str], Sequence[Item]]:
    """Keep what a gateway says of itself, as it says it."""
    return lambda delivery, gateway: _word(delivery, gateway, leaf, lambda _fields, text: text)


def _desired(delivery: Delivery, gateway: str) -> Sequence[Item]:
    """Keep which settings a gateway was told, not what they say."""
    return _word(delivery, gateway, "cfg/desired", lambda fields, _text: _digested(fields))


def _digested(fields: _Fields) -> str:
    told = fields.get("cfg", "")
    if not isinstance(told, str):
        raise BadUplink("bad_field", f"cfg is {_shown(told)}: expected text")
    digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest() if told else ""
    return json.dumps({"v": 1, "rev": _count(fields, "rev") or 0, "sha256": digest})


def _word(delivery: Delivery, gateway: str, leaf: str, kept: Callable[[_Fields, str], str]) -> Sequence[Item]:
    """Read what only its newest counts of; an empty message takes a kept one back."""
    payload = delivery.payload or b"{}"
    if len(payload) > _LARGEST_WORD:
        sentence = f"{len(payload)} bytes; of this kind at most {_LARGEST_WORD} are read"
        return [_item(delivery, gateway, Unreadable("too_large", sentence))]
    try:
        [(value, _)] = elements(payload)
        body = kept(_fields(value), payload.decode())
    except BadUplink as bad:
        return [_item(delivery, gateway, Unreadable(bad.reason, str(bad)))]
    except ValueError:  # none or several
        return [_item(delivery, gateway, Unreadable("bad_field", "one object is expected here"))]
    alive = leaf != "cfg/desired" and not delivery.retained
    return [_item(delivery, gateway, GatewayWord(gateway, leaf, delivery.received_at, body, alive))]


_LEAVES: Mapping[str, Callable[[Delivery, str], Sequence[Item]]] = {
    "up": _up,
    "state": _state,
    "health": _said("health"),
    "cfg/desired": _desired,
    "cfg/reported": _said("cfg/reported"),
}


def _item(delivery: Delivery, gateway: str, said: Said) -> Item:
    return Item(gateway, said, delivery.payload, delivery)


# --- uplinks -------------------------------------------------------------------------------------


def _uplink(value: object, delivery: Delivery, gateway: str) -> Said:
    """Read one item; a bad one is told as such and never spoils its neighbours."""
    sequence = None
    try:
        fields = _fields(value)
        reception = _reception(fields, delivery, gateway)
        sequence = reception.sequence
        return _of_kind(fields, reception)
    except BadUplink as bad:
        return Unreadable(bad.reason, str(bad), sequence)


def _of_kind(fields: _Fields, reception: Reception) -> FrameUplink | PulseUplink:
    kind = fields.get("k")
    if kind == "frame":
        return FrameUplink(reception, _hex(fields.get("hex")))
    if kind == "pulse":
        return _pulse(fields, reception)
    raise BadUplink("bad_field", f"k is {_shown(kind)}: expected frame or pulse")


def _fields(value: object) -> _Fields:
    if not isinstance(value, dict):
        raise BadUplink("bad_field", f"{_shown(value)} is not an object")
    if value.get("v", 1) != 1:
        raise BadUplink("bad_field", f"v is {_shown(value['v'])}: this contract is version 1")
    return value


def _reception(fields: _Fields, delivery: Delivery, gateway: str) -> Reception:
    boot, seq = _name(fields, "boot"), _count(fields, "seq")
    if (boot is None) != (seq is None):
        raise BadUplink("bad_field", "boot and seq come together or not at all")
    history = fields.get("hist") is True
    heard_at, clock = heard(_time(fields), _clock(fields), received_at=delivery.received_at, history=history)
    return quick_reception(
        gateway,
        heard_at,
        utc(delivery.received_at),
        clock,
        _rssi(fields.get("rssi")),
        _mode(fields.get("mode")),
        boot,
        seq,
        history,
        delivery.redelivered,
    )


def _pulse(fields: _Fields, reception: Reception) -> PulseUplink:
    channel, total = fields.get("ch"), _count(fields, "total")
    if isinstance(channel, int) and not isinstance(channel, bool):
        channel = str(channel)
    if not isinstance(channel, str) or not GATEWAY_NAME.fullmatch(channel):
        raise BadUplink("bad_field", f"ch is {_shown(channel)}: expected an input name of A-Z a-z 0-9 _ -")
    if total is None:
        raise BadUplink("bad_field", "total is missing")
    return PulseUplink(reception, channel, total, _litres(fields.get("pulse_l")))


def _gateway_state(fields: _Fields, delivery: Delivery, gateway: str) -> GatewayState:
    """Read what a gateway says of itself.

    ``offline`` holds as of its delivery: as a last will it was written when the gateway connected, so its
    own time is too old. ``online`` holds as of the gateway's time: a kept message must not look alive.
    """
    said, boot, at = fields.get("state"), _name(fields, "boot"), _time(fields)
    if said not in ("online", "offline"):
        raise BadUplink("bad_field", f"state is {_shown(said)}: expected online or offline")
    if said == "offline":
        return GatewayState(gateway, online=False, at=delivery.received_at, boot=boot)
    at, clock = heard(at, ClockSource.NTP, received_at=delivery.received_at, history=False)
    if delivery.retained and clock is ClockSource.NONE:
        raise BadUplink("bad_field", "a kept state without a sound ts cannot be dated")
    return GatewayState(gateway, online=True, at=min(at, delivery.received_at), boot=boot)


# --- fields --------------------------------------------------------------------------------------


def _shown(value: object) -> str:
    """Show a value in a sentence: short, and ASCII, for it may hold half a surrogate pair."""
    return ascii(value)[:60]


def _name(fields: _Fields, key: str) -> str | None:
    value = fields.get(key)
    if value is None or (isinstance(value, str) and GATEWAY_NAME.fullmatch(value)):
        return value
    raise BadUplink("bad_field", f"{key} is {_shown(value)}: expected A-Z a-z 0-9 _ - (at most 64)")


def _count(fields: _Fields, key: str) -> int | None:
    """Read a count: an integer, also written ``7.0`` or ``"7"``; never through a binary float."""
    value = fields.get(key)
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value, re.ASCII):
        value = int(value)
    if isinstance(value, Decimal) and 0 <= value <= _LARGEST_COUNT and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_COUNT:
        return value
    raise BadUplink("bad_field", f"{key} is {_shown(value)}: expected a count from 0 to 2^63-1")


def _hex(value: object) -> bytes:
    try:
        frame = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        frame = b""
    if not frame:
        raise BadUplink("bad_hex", f"hex is {_shown(value)}: expected the frame's bytes in hexadecimal")
    return frame


def _litres(value: object) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,12})?", value, re.ASCII):
        value = Decimal(value)
    least, most = _LITRES_PER_PULSE
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and least <= value <= most:
        return Decimal(value)
    raise BadUplink("bad_field", f"pulse_l is {_shown(value)}: expected litres per pulse, a positive number")


def _time(fields: _Fields) -> datetime | None:
    value = fields.get("ts")
    if value is None:
        return None
    moment = rfc3339(value) if isinstance(value, str) else None
    if moment is None:
        raise BadUplink("bad_field", f"ts is {_shown(value)}: expected a time like 2026-01-02T03:04:05.123Z")
    return moment


def _clock(fields: _Fields) -> ClockSource:
    """Read where the time comes from; what does not say, or says what we do not know, is not trusted."""
    return _CLOCKS.get(str(fields.get("ts_src")), ClockSource.NONE)


def _rssi(value: object) -> int | None:
    """Read dBm; a strength that cannot be is no reason to lose a frame."""
    if isinstance(value, _NUMBER) and not isinstance(value, bool) and -200 <= value <= 0:
        return round(value)
    return None


def _mode(value: object) -> str | None:
    return value if isinstance(value, str) and _MODE.fullmatch(value) else None


CARD = Card(
    name="contract",
    says="Our own contract: frames and counter states, numbered and dated by the gateway.",
    topics=("amr/1/+/up", "amr/1/+/state", "amr/1/+/health", "amr/1/+/cfg/desired", "amr/1/+/cfg/reported"),
    example=(
        "amr/1/roof/up",
        (
            '{"v": 1, "k": "frame", "boot": "9f3a11c2", "seq": 1234, "ts": "2026-01-02T03:04:05Z", '
            '"ts_src": "ntp", "mode": "T1", "rssi": -71, "hex": "144443047856341201077a0100000004131e1e0000"}'
        ),
    ),
    make=without_options(read),
)
