"""The Things Stack v3: ``v3/<application>@<tenant>/devices/<device>/up``.

Fields that are 0, false or empty are left out, so a missing ``f_cnt`` is 0. The time is
``uplink_message.received_at``, the network server's own. The broker offers QoS 0 only: what is published
while we are away is lost, and only its storage integration brings it back.
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
    """Whether an object looks like a message of The Things Stack."""
    return "end_device_ids" in fields


def _read(delivery: Delivery, name: str, codec: Codec) -> Sequence[Item]:
    if "/devices/" in delivery.topic and not delivery.topic.endswith("/up"):
        return []
    return read_objects(delivery, name, lambda fields, reception: _up(fields, reception, codec))


def _up(fields: Fields, reception: Reception, codec: Codec) -> Sequence[Said]:
    ids, message = inside(fields, "end_device_ids"), inside(fields, "uplink_message")
    eui = eui_of(ids.get("dev_eui"))
    if not message:
        raise BadUplink("bad_field", "no uplink_message")
    port, payload = whole(message.get("f_port", 0), "f_port"), payload_of(message.get("frm_payload"))
    if not port and not payload:
        return []  # MAC commands only: for the network server, not for us
    said = message.get("received_at")
    heard = dated(reception, rfc3339(said) if isinstance(said, str) else None, ClockSource.NTP)
    counter = whole(message.get("f_cnt", 0), "f_cnt")
    heard = numbered(heard, eui, ids.get("dev_addr"), counter)
    return read_uplink(DeviceUplink(eui, port, payload, heard), codec)


CARD = Card(
    name="the_things_stack",
    says="The Things Stack v3: LoRaWAN devices, read by the codec named on the route.",
    topics=("v3/+/devices/+/up",),
    example=(
        "v3/water@utility/devices/meter-1/up",
        (
            '{"end_device_ids": {"device_id": "meter-1", "application_ids": {"application_id": "water"}, '
            '"dev_eui": "0102030405060708", "dev_addr": "01AB23CD"}, '
            '"uplink_message": {"f_port": 20, "f_cnt": 7, "frm_payload": "AAAAHh4AAA==", '
            '"received_at": "2026-01-02T03:04:05.123456789Z"}}'
        ),
    ),
    options=("codec",),
    sample=Options(codec="izar_to_lorawan"),
    make=make,
)
