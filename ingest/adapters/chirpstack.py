"""ChirpStack v4, JSON events: ``application/<id>/device/<DevEUI>/event/<up|join|...>``.

Only ``up`` holds readings. The application is the gateway; ``deviceInfo.devEui`` is the device. ``time`` is
the network server's or a GPS gateway's and is trusted. The payload is ``data``, read by the codec of the
route; ``object``, what a codec inside ChirpStack made of it, can be read with the field map instead.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.adapters.card import Adapter, Card, Options
from ingest.adapters.lorawan import DeviceUplink, codec_named, eui_of, numbered, payload_of, read_uplink
from ingest.adapters.objects import Fields, inside, read_objects, whole
from ingest.adapters.times import dated, rfc3339
from ingest.codecs.content import Codec
from ingest.items import Delivery, Item, Said
from metering.uplink import BadUplink, ClockSource, Reception

__all__ = ["CARD", "is_event", "make"]


def make(options: Options) -> Adapter:
    """Give the adapter for devices of one codec."""
    codec = codec_named(options.codec)
    return lambda delivery, name: _read(delivery, name, codec)


def is_event(fields: Fields) -> bool:
    """Whether an object looks like an event of ChirpStack."""
    return "devEui" in inside(fields, "deviceInfo")


def _read(delivery: Delivery, name: str, codec: Codec) -> Sequence[Item]:
    if "/event/" in delivery.topic and not delivery.topic.endswith("/event/up"):
        return []
    return read_objects(delivery, name, lambda fields, reception: _up(fields, reception, codec))


def _up(fields: Fields, reception: Reception, codec: Codec) -> Sequence[Said]:
    eui = eui_of(inside(fields, "deviceInfo").get("devEui"))
    if fields.get("joinServerContext"):
        raise BadUplink("encrypted", "the payload is encrypted up to an application server")
    port, payload = whole(fields.get("fPort", 0), "fPort"), payload_of(fields.get("data"))
    if not port and not payload:
        return []  # MAC commands only: for the network server, not for us
    said = fields.get("time")
    heard = dated(reception, rfc3339(said) if isinstance(said, str) else None, ClockSource.NTP)
    counter = whole(fields.get("fCnt", 0), "fCnt")
    heard = numbered(heard, eui, fields.get("devAddr"), counter)
    return read_uplink(DeviceUplink(eui, port, payload, heard), codec)


CARD = Card(
    name="chirpstack",
    says="ChirpStack v4 (JSON events): LoRaWAN devices, read by the codec named on the route.",
    topics=("application/+/device/+/event/up",),
    example=(
        "application/6f1a9c2e-1d0b-4b53-9e02-0d5d5a1f7c11/device/0102030405060708/event/up",
        (
            '{"deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d", "time": "2026-01-02T03:04:05.123Z", '
            '"deviceInfo": {"applicationName": "water", "devEui": "0102030405060708"}, '
            '"devAddr": "01ab23cd", "dr": 5, "fCnt": 341, "fPort": 85, "confirmed": false, '
            '"data": "AXVcBcgAAQAA"}'
        ),
    ),
    options=("codec",),
    sample=Options(codec="milesight_em300_di"),
    make=make,
)
