"""Topics -> adapters: which topics are read, by which adapter, and who the gateway is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from ingest.adapters import ADAPTERS, NO_OPTIONS, Adapter, Options
from ingest.adapters.lines import gateway_name
from ingest.items import LARGEST, UNKNOWN_GATEWAY, Delivery, Item, Unreadable
from metering.errors import InvalidValue
from metering.uplink import FrameUplink, GatewayState, GatewayWord

__all__ = ["CONTRACT_ROUTES", "LARGEST", "Route", "Router", "captured"]


@dataclass(frozen=True, slots=True)
class Route:
    """One topic filter and how to read what arrives there.

    Attributes:
        topic_filter: MQTT topic filter, ``wmbus/+/telegram``.
        adapter: name in :data:`ingest.adapters.ADAPTERS`.
        gateway: gateway name, for filters whose topics do not hold one; empty = the level of the first ``+``.
        options: what the adapter needs to know besides.
        checksums: whether the gateway leaves the link-layer checksums of frame format B in.
    """

    topic_filter: str
    adapter: str = "contract"
    gateway: str = ""
    options: Options = NO_OPTIONS
    checksums: bool = False

    def __post_init__(self) -> None:
        if self.adapter not in ADAPTERS:
            known = ", ".join(ADAPTERS)
            raise InvalidValue(f"no adapter {self.adapter!r} for {self.topic_filter!r}; there are: {known}")
        levels = self.topic_filter.split("/")
        if (
            not self.topic_filter
            or "#" in levels[:-1]
            or any(level not in {"+", "#"} and set(level) & {"+", "#"} for level in levels)
        ):
            raise InvalidValue(f"{self.topic_filter!r} is not a topic filter like wmbus/+/telegram")
        if not self.gateway and "+" not in levels:
            raise InvalidValue(f"filter {self.topic_filter!r} names no gateway: give it a + or set gateway")
        self._demand_known_options()
        self.reader()

    def _demand_known_options(self) -> None:
        card = ADAPTERS[self.adapter]
        for one in fields(self.options):
            said = getattr(self.options, one.name) != one.default
            if said and one.name not in card.options:
                raise InvalidValue(f"adapter {self.adapter!r} of {self.topic_filter!r} knows no {one.name}")

    def reader(self) -> Adapter:
        """Give what reads the messages of this route.

        Raises:
            InvalidValue: an option the adapter needs is missing or wrong.
        """
        read = ADAPTERS[self.adapter].make(self.options)
        return _with_checksums(read) if self.checksums else read


def _with_checksums(adapter: Adapter) -> Adapter:
    def read(delivery: Delivery, name: str) -> Sequence[Item]:
        return [
            replace(item, said=replace(item.said, checksums=True))
            if isinstance(item.said, FrameUplink)
            else item
            for item in adapter(delivery, name)
        ]

    return read


CONTRACT_ROUTES = tuple(
    Route(f"amr/1/+/{leaf}") for leaf in ("up", "state", "health", "cfg/desired", "cfg/reported")
)
"""The topics of our own contract."""


class Router:
    """Reads deliveries: the first route whose filter matches decides."""

    def __init__(self, routes: Sequence[Route] = CONTRACT_ROUTES) -> None:
        self._routes = tuple((route, route.reader()) for route in routes)

    def read(self, delivery: Delivery) -> Sequence[Item]:
        """Give the items of a delivery. Never raises: what cannot be read is an item with a reason."""
        if (found := self._find(delivery.topic)) is not None:
            return _read(delivery, *found)
        lost = Unreadable("bad_topic", f"no route for topic {delivery.topic[:120]!a}")
        return [Item(UNKNOWN_GATEWAY, lost, delivery.payload, delivery)]

    def gateway(self, delivery: Delivery) -> str:
        """Give the account a delivery is booked on, by its topic alone."""
        found = self._find(delivery.topic)
        return (found and gateway_name(found[1])) or UNKNOWN_GATEWAY

    def adapter(self, topic: str) -> str | None:
        """Give the name of the adapter that reads a topic, if a route does."""
        matching = (one for one, _ in self._routes if captured(one.topic_filter, topic) is not None)
        return next((route.adapter for route in matching), None)

    def _find(self, topic: str) -> tuple[Adapter, str] | None:
        """Give adapter and gateway as the topic names it."""
        for route, read in self._routes:
            if (levels := captured(route.topic_filter, topic)) is not None:
                return read, route.gateway or levels[0]
        return None


def _read(delivery: Delivery, adapter: Adapter, name: str) -> Sequence[Item]:
    size = delivery.size or len(delivery.payload)
    if size > LARGEST:
        large = Unreadable("too_large", f"{size} bytes; at most {LARGEST} are read")
        return [Item(gateway_name(name) or UNKNOWN_GATEWAY, large, delivery.payload, delivery)]
    items = adapter(delivery, name)
    return [_live(item) for item in items] if delivery.retained else items


def _live(item: Item) -> Item:
    """Refuse a ghost: a kept uplink without a number cannot be told from the first time it was said."""
    if isinstance(item.said, GatewayState | GatewayWord | Unreadable) or item.sequence is not None:
        return item
    ghost = Unreadable("retained", "kept by the broker and not numbered: nobody knows when it was said")
    return Item(item.gateway, ghost, item.payload, item.delivery)


def captured(topic_filter: str, topic: str) -> tuple[str, ...] | None:
    """Match a topic with a filter (MQTT 5, 4.7); gives the levels ``+`` stands for, ``None`` = no match."""
    wanted, levels = topic_filter.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] in {"+", "#"}:
        return None
    if wanted[-1] == "#":
        wanted = wanted[:-1]
        if len(levels) < len(wanted):
            return None
        levels = levels[: len(wanted)]
    if len(wanted) != len(levels):
        return None
    pairs = list(zip(wanted, levels, strict=True))
    if any(want not in {"+", level} for want, level in pairs):
        return None
    return tuple(level for want, level in pairs if want == "+")
