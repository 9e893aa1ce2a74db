"""Last wills and greetings in one word: ``online``, ``Offline``."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.adapters.objects import refuse
from ingest.items import Delivery, Item
from metering.uplink import GatewayState

__all__ = ["presence"]


def presence(delivery: Delivery, gateway: str) -> Sequence[Item]:
    """Read whether a device is there.

    ``offline`` holds as of its delivery, kept or not. ``online`` without a time holds only if it is fresh:
    kept by the broker, it says nothing about now.
    """
    said = delivery.payload[:20].strip().lower()
    if said not in {b"online", b"offline"}:
        return refuse(delivery, "bad_field", f"{said!a} is neither online nor offline", gateway)
    online = said == b"online"
    if online and delivery.retained:
        return []
    state = GatewayState(gateway, online=online, at=delivery.received_at)
    return [Item(gateway, state, delivery.payload, delivery)]
