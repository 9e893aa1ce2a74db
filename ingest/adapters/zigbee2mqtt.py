"""Zigbee2MQTT: ``zigbee2mqtt/<friendly name>``, a flat object whose keys each device's maker chose.

The route says which key is the counter (``water_consumed`` if it says none) and what it counts: devices of
one kind report litres or cubic metres, and nothing in the message tells which. A message without the key is
about something else (a battery, a valve).
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.adapters.card import Adapter, Card, Options
from ingest.adapters.counts import count_unit, counted
from ingest.adapters.lines import gateway_name
from ingest.adapters.objects import Fields, read_objects
from ingest.items import Delivery, Item, Said
from metering.errors import InvalidValue
from metering.uplink import Reception

__all__ = ["CARD", "make"]

_USUAL = "water_consumed"


def make(options: Options) -> Adapter:
    """Give the adapter for devices that count ``options.unit`` under ``options.key``."""
    key, unit = options.key or _USUAL, count_unit(options)
    channel = gateway_name(key)
    if channel is None:
        raise InvalidValue(f"key {key!r} cannot name a channel")

    def read_state(fields: Fields, reception: Reception) -> Sequence[Said]:
        return [counted(reception, channel, fields[key], unit)] if fields.get(key) is not None else []

    def read(delivery: Delivery, name: str) -> Sequence[Item]:
        return read_objects(delivery, name, read_state)

    return read


CARD = Card(
    name="zigbee2mqtt",
    says="Water counters behind Zigbee2MQTT, in the unit the route says.",
    topics=("zigbee2mqtt/+",),
    example=("zigbee2mqtt/garden valve", '{"battery": 100, "linkquality": 99, "water_consumed": 1234}'),
    options=("unit", "key"),
    sample=Options(unit="L"),
    make=make,
)
