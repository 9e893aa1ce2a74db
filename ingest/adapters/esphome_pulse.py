"""ESPHome ``pulse_meter`` and ``pulse_counter`` totals: ``<node>/sensor/<object>/state``, a bare number.

The number says neither its unit nor its time: the route says the unit, and the time is that of reception.
It is kept by the broker (``retain`` is ESPHome's default), and a kept one is refused: nobody knows when it
was true. The total lives in the node's memory and is 0 after each restart; above 16,777,216 it is rounded
to single precision: to 2, 4, 8, ... pulses. ``<node>/status`` says whether the node is there.

The topic filter should name the sensor: a node publishes temperatures in just the same way.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.adapters.card import Adapter, Card, Options
from ingest.adapters.counts import count_unit, counted
from ingest.adapters.lines import gateway_name
from ingest.adapters.objects import reception_of, refuse
from ingest.adapters.presence import presence
from ingest.items import Delivery, Item
from metering.uplink import BadUplink

__all__ = ["CARD", "make"]


def make(options: Options) -> Adapter:
    """Give the adapter for sensors that count ``options.unit``."""
    unit = count_unit(options)
    return lambda delivery, name: _read(delivery, name, unit)


def _read(delivery: Delivery, name: str, unit: str) -> Sequence[Item]:
    gateway, channel = gateway_name(name), _object(delivery.topic)
    if gateway is None or channel is None:
        return refuse(delivery, "bad_topic", "the topic names no node and sensor", gateway or "?")
    if delivery.topic.endswith("/status"):
        return presence(delivery, gateway)
    text = delivery.payload.decode("ascii", "replace").strip()
    try:
        uplink = counted(reception_of(delivery, gateway), channel, text, unit)
    except BadUplink as bad:
        return refuse(delivery, bad.reason, str(bad), gateway)
    return [Item(gateway, uplink, delivery.payload, delivery)]


def _object(topic: str) -> str | None:
    """Give the sensor's name: the level before ``state``, or the last one of a topic of its own."""
    levels = topic.split("/")
    return gateway_name(levels[-2] if levels[-1] == "state" and len(levels) > 1 else levels[-1])


CARD = Card(
    name="esphome_pulse",
    says="Totals of ESPHome pulse sensors: bare numbers, in the unit the route says.",
    topics=("+/sensor/water_total/state", "+/status"),
    example=("cellar/sensor/water_total/state", "123456"),
    options=("unit",),
    sample=Options(unit="pulses"),
    make=make,
)
