"""Tasmota counters: ``tele/<topic>/SENSOR``, ``stat/<topic>/STATUS8``, ``tele/<topic>/LWT``.

::

    {"Time":"2021-12-31T09:39:59","COUNTER":{"C1":3}}
    {"StatusSNS":{"Time":"...","Epoch":1640943599,"COUNTER":{"C1":3}}}   (Time 2; Time 3, 4: a number)

``Time`` is local and names no zone, so only a time in seconds or milliseconds since 1970 is used. With
``SetOption79 1`` the counters are differences, which a lost message falsifies: a message that tells of it is
refused, and so are counters that keep falling (:mod:`ingest.pulses`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from ingest.adapters.card import Card, without_options
from ingest.adapters.lines import gateway_name
from ingest.adapters.objects import Fields, inside, read_objects, refuse, shown, whole
from ingest.adapters.presence import presence
from ingest.adapters.times import dated, unix
from ingest.items import Delivery, Item, Said
from metering.uplink import BadUplink, ClockSource, PulseUplink, Reception

__all__ = ["CARD", "is_counter", "read"]

_COUNTER = re.compile(r"C[1-8]", re.ASCII)
_DELTAS = "SetOption79"


def read(delivery: Delivery, name: str) -> Sequence[Item]:
    """Read a message of a device."""
    if not delivery.topic.endswith("/LWT"):
        return read_objects(delivery, name, _counters)
    gateway = gateway_name(name)
    if gateway is None:
        return refuse(delivery, "bad_topic", f"topic level {name[:80]!a} cannot name a gateway")
    return presence(delivery, gateway)


def is_counter(fields: Fields) -> bool:
    """Whether an object looks like Tasmota's."""
    return bool(_sensors(fields).get("COUNTER"))


def _sensors(fields: Fields) -> Fields:
    return inside(fields, "StatusSNS") or fields


def _counters(fields: Fields, reception: Reception) -> Sequence[Said]:
    if str(fields.get(_DELTAS)).upper() in {"ON", "1"}:
        raise BadUplink("deltas", "SetOption79 is on: counters are differences; set SetOption79 0")
    sensors = _sensors(fields)
    if "Time" in sensors and "COUNTER" not in sensors:
        return []  # another sensor of the same device, or a device that counts nothing
    states: Mapping[str, object] = inside(sensors, "COUNTER")
    if not states:
        raise BadUplink("no_value", "no COUNTER")
    heard = dated(reception, _time(sensors), ClockSource.NTP)
    return [_state(channel, states[channel], heard) for channel in states]


def _state(channel: str, value: object, heard: Reception) -> PulseUplink:
    if not _COUNTER.fullmatch(channel):
        raise BadUplink("bad_field", f"counter {shown(channel)}: expected C1 to C8")
    return PulseUplink(heard, channel, whole(value, channel))


def _time(sensors: Fields) -> datetime | None:
    return unix(sensors.get("Epoch")) or unix(sensors.get("Time"))


CARD = Card(
    name="tasmota",
    says="Counters of Tasmota devices (SENSOR and STATUS8), their last will as the gateway's state.",
    topics=("tele/+/SENSOR", "stat/+/STATUS8", "tele/+/LWT"),
    example=(
        "tele/tasmota_A1B2C3/SENSOR",
        '{"Time": "2026-01-02T03:04:05", "COUNTER": {"C1": 1234, "C2": 0}}',
    ),
    make=without_options(read),
)
