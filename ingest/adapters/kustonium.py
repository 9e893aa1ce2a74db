"""Kustonium's esphome-wmbus-bridge-rawonly: ``wmbus/<device>/...``.

::

    telegram, target_<id>    one frame in hexadecimal: the reading
    health                   every minute: the gateway lives
    rx                       {"schema":1,"boot_id":...,"seq":...,"rssi_dbm":-71,"frame_crc32":...} per frame
    diag/..., meters, rssi/...   about the radio; nothing of it is kept

``rx`` tells how strong a frame was, in a message of its own. It is not joined with the frame: the two come
in any order, in different batches, and how strong a reception was must not depend on that.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.adapters import hex_line
from ingest.adapters.card import Card, without_options
from ingest.adapters.lines import gateway_name
from ingest.adapters.objects import Fields, read_objects, refuse
from ingest.items import Delivery, Item, Said
from metering.uplink import BadUplink, GatewayState, Reception

__all__ = ["CARD", "read"]

_NOT_KEPT = frozenset({"diag", "meters", "rssi", "rx"})


def read(delivery: Delivery, name: str) -> Sequence[Item]:
    """Read a message of the bridge."""
    leaf = _leaf(delivery.topic, name)
    if leaf == "telegram" or leaf.startswith("target_"):
        return hex_line.read(delivery, name)
    if leaf == "health":
        return [] if delivery.retained else read_objects(delivery, name, _health)
    if leaf in _NOT_KEPT:
        return []
    gateway = gateway_name(name)
    return refuse(delivery, "bad_topic", f"the bridge publishes nothing on .../{leaf[:80]!a}", gateway or "?")


def _leaf(topic: str, name: str) -> str:
    """Give the level after the device's name that says what this is, or the last one."""
    levels = topic.split("/")
    behind = levels[levels.index(name) + 1 :] if name in levels else levels
    return next((level for level in behind if _is_known(level)), behind[-1] if behind else "")


def _is_known(leaf: str) -> bool:
    return leaf in _NOT_KEPT or leaf in {"telegram", "health"} or leaf.startswith("target_")


def _health(fields: Fields, reception: Reception) -> Sequence[Said]:
    if "uptime_s" not in fields:
        raise BadUplink("bad_field", "health without uptime_s")
    return [GatewayState(reception.gateway, online=True, at=reception.received_at)]


CARD = Card(
    name="kustonium",
    says="esphome-wmbus-bridge-rawonly (Kustonium): bare frames, and its health as the gateway's state.",
    topics=("wmbus/+/telegram", "wmbus/+/health"),
    example=("wmbus/loft/telegram", "144443047856341201077a0100000004131e1e0000"),
    make=without_options(read),
)
