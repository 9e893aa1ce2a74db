"""How gateways are, from what the broker keeps and hears; without the service's store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from ingest.items import Delivery, Item
from ingest.routes import CONTRACT_ROUTES, Router
from metering.ports import GatewayRow
from metering.uplink import GatewayState, GatewayWord
from service.fleet_source import Plans
from service.fleet_status import GatewayStatus, fleet_status

__all__ = ["LEAVES", "heard_status"]

LEAVES = ("state", "health", "cfg/desired", "cfg/reported")
"""What is listened to of each gateway."""


def heard_status(seen: Mapping[str, bytes], now: datetime, plans: Plans) -> list[GatewayStatus]:
    """Put together how gateways are.

    A gateway the broker keeps as online is online: it would have said otherwise for it (last will).

    Args:
        seen: by topic, what was kept or came.
        now: UTC.
        plans: what gateways.toml says.
    """
    items = list(_items(seen, now))
    words = [item.said for item in items if isinstance(item.said, GatewayWord)]
    rows = {
        state.gateway: GatewayRow(
            state.gateway, state.online, now, None, 0, {}, now if state.online else None
        )
        for state in (item.said for item in items)
        if isinstance(state, GatewayState)
    }
    return fleet_status(list(rows.values()), words, now, plans=plans)


def _items(seen: Mapping[str, bytes], now: datetime) -> Iterator[Item]:
    router = Router(CONTRACT_ROUTES)
    for topic, payload in seen.items():
        yield from router.read(Delivery(topic, payload, now))
