"""What real gateways publish, one small file each; chosen by topic, never guessed from the payload.

An adapter is a pure function ``read(delivery, name)``: the message and the gateway's name as the topic has
it. It gives one :class:`~ingest.items.Item` per uplink and never raises: what it cannot read becomes an
item too, with a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ingest.adapters import contract, hex_line, rtl_wmbus
from ingest.items import Delivery, Item

__all__ = ["ADAPTERS", "Adapter"]

Adapter = Callable[[Delivery, str], Sequence[Item]]

ADAPTERS: Mapping[str, Adapter] = {
    "contract": contract.read,
    "hex": hex_line.read,
    "rtl_wmbus": rtl_wmbus.read,
}
"""Every adapter by the name it has in the settings."""
