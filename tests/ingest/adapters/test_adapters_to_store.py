"""The example of every adapter, through the pipeline: each becomes a reading of its meter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ingest.adapters import ADAPTERS
from ingest.items import Delivery
from ingest.pipeline import Pipeline
from ingest.routes import Route, Router, captured
from metering.device import ANY_GATEWAY, Device
from metering.meter import Meter, MeterId, PulseInput
from metering.reading import Register, Way

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(days=9)
FRAME = bytes.fromhex("144443047856341201077a0100000004131e1e0000")
METER = MeterId("ABC", "12345678", "01", "07")
EUI = "0102030405060708"

PULSES = {
    "chirpstack": (EUI, Decimal(1)),
    "tasmota": ("C1", Decimal(1)),
    "esphome_pulse": ("water_total", Decimal(1)),
    "shelly": ("2", Decimal(1)),
    "zigbee2mqtt": ("water_consumed", Decimal("0.001")),
}
INDEX = {
    "chirpstack": "0.256",
    "tasmota": "1.234",
    "esphome_pulse": "123.456",
    "shelly": "0.041",
    "zigbee2mqtt": "1.234",
}


@pytest.mark.parametrize("name", ADAPTERS)
def test_an_example_becomes_a_reading(new_store, see, name):
    store, card = new_store(), ADAPTERS[name]
    topic, text = card.example
    topic_filter = next(one for one in card.topics if captured(one, topic) is not None)
    router = Router([Route(topic_filter, name, "" if "+" in topic_filter else "here", card.sample)])
    delivery = Delivery(topic, FRAME if name == "binary" else text.encode(), NOW)
    channel, weight = PULSES.get(name, ("", Decimal(1)))
    with store.writing() as tx:
        tx.registry.put_meters([Meter(METER)])
        tx.devices.put(Device(ANY_GATEWAY, one, METER, BEFORE) for one in ("12345678", "A-17", EUI))
        gateway = router.gateway(delivery)
        tx.registry.put_pulse_inputs([PulseInput(gateway, channel, METER, weight, 0, Decimal(0), BEFORE)])
    results = Pipeline(store, router=router).accept([delivery])
    assert results[0].outcome == "stored"
    with store.reading() as view:
        reading = view.readings.before(METER, Register("volume"), NOW + timedelta(days=1))
    way = Way.PULSE if name in PULSES else Way.DECODED if card.example[1].startswith("{") else None
    assert str(reading.value) == INDEX.get(name, "7.71")
    if name in {"wmbusmeters", "the_things_stack", "field_map"} | PULSES.keys():
        assert reading.way is way
    received, outcomes = see.account(store)[gateway]
    assert received == sum(outcomes.values()) == len(results)
