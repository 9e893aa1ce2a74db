"""Gateways of every kind on one real broker: what they publish becomes the readings of their meters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from publisher import Publisher
from service_process import NurtService, csv_file

from ingest.adapters import ADAPTERS
from metering.meter import MeterId
from metering.reading import Register

pytestmark = pytest.mark.servers

FRAME = bytes.fromhex("144443047856341201077a0100000004131e1e0000")
SENDER = "ABC-12345678-01-07"
EUI = "0102030405060708"

TOPICS = """topics = [
  { filter = "wmbus/+/telegram", adapter = "kustonium" },
  { filter = "wmbus/+/health", adapter = "kustonium" },
  { filter = "+/wmbus/raw/+", adapter = "esphome" },
  { filter = "rtl_433/+/events", adapter = "rtl_433" },
  { filter = "cul/+/raw", adapter = "cul" },
  { filter = "wmbusmeters/+", adapter = "wmbusmeters" },
  { filter = "application/+/device/+/event/up", adapter = "chirpstack", codec = "milesight_em300_di" },
  { filter = "v3/+/devices/+/up", adapter = "the_things_stack", codec = "izar_to_lorawan" },
  { filter = "tele/+/SENSOR", adapter = "tasmota" },
  { filter = "+/sensor/+/state", adapter = "esphome_pulse", unit = "pulses" },
  { filter = "+/events/rpc", adapter = "shelly" },
  { filter = "zigbee2mqtt/+", adapter = "zigbee2mqtt", unit = "L" },
]
"""
HEADER = "meter_id,installed_from,gateway,channel,litres_per_pulse,start_count,start_index_m3,device"
FRAMES = ("kustonium", "esphome", "rtl_433", "cul")
METERS = {
    # adapter: gateway, channel, pulse weight, start count, start index, device; index expected
    "wmbusmeters": ("", "", "", "", "", "12345678", "7.71"),
    "the_things_stack": ("", "", "", "", "", EUI.upper(), "7.71"),
    "chirpstack": ("6f1a9c2e-1d0b-4b53-9e02-0d5d5a1f7c11", EUI, "10", "0", "100", "", "102.56"),
    "tasmota": ("tasmota_A1B2C3", "C1", "1", "1000", "0", "", "0.234"),
    "esphome_pulse": ("cellar", "water_total", "1", "0", "0", "", "123.456"),
    "shelly": ("shellyplusuni-a0b1c2d3e4f5", "2", "2.5", "1", "0", "", "0.1"),
    "zigbee2mqtt": ("garden_valve", "water_consumed", "0.001", "0", "0", "", "1.234"),
}


def meter(place: int) -> MeterId:
    return MeterId("XYZ", f"{place:08d}", "01", "07")


def test_gateways_of_every_kind_are_read_side_by_side(
    mosquitto: Callable[..., object], nurt_service: Callable[..., NurtService]
) -> None:
    broker = mosquitto()
    service = nurt_service(broker.port, "[ingest]\nduplicate_window_s = 600.0\n", TOPICS)
    rows = [[str(meter(n)), "2025-01-01", *said[:-1]] for n, said in enumerate(METERS.values())]
    rows.append([SENDER, *[""] * 7])
    csv_file(service.folder / "meters.csv", HEADER, rows)
    assert "8 new" in service.command("meters", "import", "meters.csv")
    assert "8 as before" in service.command("meters", "import", "meters.csv")
    service.start()
    messages = [(card.example[0], card.example[1].encode()) for card in map(ADAPTERS.get, [*FRAMES, *METERS])]
    with Publisher(broker.port) as gateways:
        gateways.publish([*messages, ("wmbus/loft/health", b'{"uptime_s": 7}')])
        account = service.await_booked(len(messages) + 1)  # Tasmota's example has two counters
    service.stop()

    booked = {
        outcome: sum(row[outcome] for row in account.values()) for outcome in next(iter(account.values()))
    }
    assert (booked["stored"], booked["duplicate"]) == (1 + len(METERS), len(FRAMES) - 1)
    assert (booked["foreign"], booked["quarantined"]) == (1, 0), "Tasmota's second counter"
    ever = datetime(2025, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    store = service.store()
    with store.reading() as view:
        [telegram] = view.archive.telegrams()
        assert {one.gateway for one, _ in telegram.receptions} == {"loft", "cellar", "attic", "shed"}
        for place, said in enumerate(METERS.values()):
            [reading] = view.readings.series(meter(place), Register("volume"), *ever)
            assert reading.value == Decimal(said[-1])
        assert {row.name: row.online for row in view.ledger.gateways()}["loft"] is True
    store.close()
