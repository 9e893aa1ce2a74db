"""Bare frames as bytes, one or several end to end: ESPHome v4 "HEX", wMbus-gateway, serial bridges."""

from __future__ import annotations

from collections.abc import Sequence

from decoders.wmbus.link import split
from ingest.adapters.card import Card, without_options
from ingest.adapters.lines import gateway_name
from ingest.adapters.objects import reception_of, refuse
from ingest.items import Delivery, Item
from metering.uplink import FrameUplink

__all__ = ["CARD", "read"]


def read(delivery: Delivery, name: str) -> Sequence[Item]:
    """Read a message of binary frames."""
    gateway = gateway_name(name)
    if gateway is None:
        return refuse(delivery, "bad_topic", f"topic level {name[:80]!a} cannot name a gateway")
    if not delivery.payload:
        return refuse(delivery, "bad_payload", "an empty message", gateway)
    reception = reception_of(delivery, gateway)
    frames = split(delivery.payload)
    return [Item(gateway, FrameUplink(reception, frame), frame, delivery) for frame in frames]


CARD = Card(
    name="binary",
    says="Bare frames as bytes, one or several end to end (ESPHome v4 client format HEX, wMbus-gateway).",
    topics=("wmbus/+/binary",),
    example=("wmbus/roof/binary", "(the bytes of a frame, first its length)"),
    make=without_options(read),
)
