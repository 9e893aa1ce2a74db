"""What real gateways publish, one small file each; chosen by topic, found out from the payload only if asked.

An adapter is a pure function ``read(delivery, name)``: the message and the gateway's name as the topic has
it. It gives one :class:`~ingest.items.Item` per uplink and never raises: what it cannot read becomes an
item too, with a reason. Each file ends with the adapter's card, from which the settings, ``nurt adapters``
and ``docs/adapters.md`` know it.
"""

from __future__ import annotations

from collections.abc import Mapping

from ingest.adapters import (
    auto,
    binary,
    chirpstack,
    contract,
    cul,
    elvaco,
    esphome,
    esphome_pulse,
    field_map,
    hex_line,
    kustonium,
    rtl_433,
    rtl_wmbus,
    shelly,
    tasmota,
    the_things_stack,
    wmbusmeters,
    zigbee2mqtt,
)
from ingest.adapters.card import NO_OPTIONS, Adapter, Card, Options

__all__ = ["ADAPTERS", "NO_OPTIONS", "Adapter", "Card", "Options"]

ADAPTERS: Mapping[str, Card] = {
    module.CARD.name: module.CARD
    for module in (
        contract,
        hex_line,
        binary,
        rtl_wmbus,
        esphome,
        kustonium,
        wmbusmeters,
        rtl_433,
        cul,
        elvaco,
        chirpstack,
        the_things_stack,
        tasmota,
        esphome_pulse,
        shelly,
        zigbee2mqtt,
        field_map,
        auto,
    )
}
"""Every adapter by the name it has in the settings."""
