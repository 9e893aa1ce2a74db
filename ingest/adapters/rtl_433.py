"""rtl_433's wM-Bus events over MQTT (``-R 104 -F mqtt://...,events=...``).

Taken: ``data``, a frame without checksums, and ``mode``. For frame format B it leaves L as it was before
the checksums went; decoders.wmbus.link mends that. Not taken: ``id``, a decimal number made of BCD digits;
``time``, which is local and does not say so; ``rssi``, which is dB below full scale, not dBm.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from ingest.adapters.card import Card, without_options
from ingest.adapters.lines import frame_of, gateway_name
from ingest.adapters.objects import Fields, read_objects, shown
from ingest.adapters.presence import presence
from ingest.items import Delivery, Item, Said
from metering.uplink import BadUplink, FrameUplink, Reception

__all__ = ["CARD", "MODEL", "read"]

_MODES = ("T", "C", "S")

MODEL = "Wireless-MBus"
"""What rtl_433 calls all wM-Bus devices."""


def read(delivery: Delivery, name: str) -> Sequence[Item]:
    """Read a message of events, or the last will."""
    gateway = gateway_name(name)
    if gateway is not None and delivery.topic.endswith("/availability"):
        return presence(delivery, gateway)
    return read_objects(delivery, name, _event)


def _event(fields: Fields, reception: Reception) -> Iterable[Said]:
    if fields.get("model") != MODEL:
        model = shown(fields.get("model"))
        raise BadUplink("unknown_format", f"model {model}: not a wM-Bus device; run rtl_433 with -R 104")
    try:
        frame = frame_of(fields["data"])
    except (KeyError, TypeError, ValueError):
        raise BadUplink("bad_hex", f"data is {shown(fields.get('data'))}: expected hexadecimal") from None
    mode = fields.get("mode")
    heard = dataclasses.replace(reception, mode=f"{mode}1" if mode in _MODES else None)
    return [FrameUplink(heard, frame)]


CARD = Card(
    name="rtl_433",
    says="Events of rtl_433 (decoder 104, Wireless-MBus) over MQTT.",
    topics=("rtl_433/+/events", "rtl_433/+/availability"),
    example=(
        "rtl_433/attic/events",
        (
            '{"time": "2026-01-02 03:04:05", "model": "Wireless-MBus", "mode": "C", "id": 12345678, '
            '"version": 1, "type": 7, "data": "144443047856341201077a0100000004131e1e0000", "mic": "CRC"}'
        ),
    ),
    make=without_options(read),
)
