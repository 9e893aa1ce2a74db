"""A meter list into the registry: new, changed, as before, or refused as a whole."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from metering.clock import FixedClock
from metering.device import ANY_GATEWAY, Device
from metering.errors import ImportRefused
from metering.meter import Installation, MeterId, ServicePoint
from metering.store import memory_store
from service.imports.meters import read_meters
from service.imports.register import Summary, register

TODAY = datetime(2026, 3, 1, tzinfo=UTC)
JANUARY = datetime(2025, 12, 31, 23, tzinfo=UTC)  # local midnight of 2026-01-01 in Warsaw
KAM = MeterId.parse("KAM-76348799-1b-16")
PLACED = "meter_id;service_point;address;installed_from\n"
PULSE = "meter_id;gateway;channel;litres_per_pulse;start_count;start_index_m3\n"


@pytest.fixture
def store():
    store = memory_store(FixedClock(TODAY))
    yield store
    store.close()


def load(store, text: str, today: datetime = TODAY) -> Summary:
    rows = read_meters(text.encode(), "meters.csv", zone=ZoneInfo("Europe/Warsaw"), today=today)
    with store.writing() as transaction:
        return register(transaction.registry, transaction.devices, rows, "meters.csv", today=today)


def meter_of(store):
    with store.reading() as transaction:
        return transaction.registry.meters([KAM])[KAM]


def installations_of(store):
    with store.reading() as transaction:
        return list(transaction.registry.details_of(KAM)[1])


def test_the_same_file_again_changes_nothing_even_on_another_day(store):
    text = PLACED + f"{KAM};SP1;Łąkowa 3;\n"
    assert load(store, text) == Summary(new=1, changed=0, same=0)
    assert load(store, text, today=TODAY.replace(day=9)) == Summary(new=0, changed=0, same=1)
    assert installations_of(store) == [Installation(KAM, "SP1", TODAY)]


def test_the_device_type_gives_the_medium_and_what_a_row_leaves_out_is_kept(store):
    load(store, f"meter_id;label;medium\n{KAM};Cellar;\n")
    assert (meter_of(store).medium, meter_of(store).label) == ("cold water", "Cellar")
    assert load(store, f"meter_id;medium\n{KAM};water\n") == Summary(new=0, changed=1, same=0)
    assert (meter_of(store).medium, meter_of(store).label) == ("water", "Cellar")


def test_a_new_meter_at_a_known_place_leaves_its_address_alone(store):
    load(store, PLACED + f"{KAM};SP1;Łąkowa 3;\n")
    load(store, "meter_id;service_point\nKAM-00000001-1b-16;SP1\n")
    with store.reading() as transaction:
        assert transaction.registry.service_points(["SP1"])["SP1"] == ServicePoint("SP1", "Łąkowa 3")


def test_a_meter_that_moves_ends_where_it_hung_and_begins_where_it_hangs(store):
    load(store, PLACED + f"{KAM};SP1;;2026-01-01\n")
    assert load(store, PLACED + f"{KAM};SP2;;2026-03-01\n") == Summary(new=0, changed=1, same=0)
    moved = datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert installations_of(store) == [
        Installation(KAM, "SP1", JANUARY, moved),
        Installation(KAM, "SP2", moved),
    ]


def test_a_meter_cannot_move_to_before_it_came(store):
    load(store, PLACED + f"{KAM};SP1;;2026-01-01\n")
    with pytest.raises(ImportRefused) as told:
        load(store, PLACED + f"{KAM};SP2;;2025-06-01\nKAM-00000001-1b-16;SP3;;\n")
    assert [str(fault) for fault in told.value.faults] == [
        "row 2, column installed_from: hangs at SP1 since 2025-12-31T23:00+00:00 already"
    ]
    with store.reading() as transaction:
        assert transaction.registry.overview()[1] == 1, "a refused file leaves nothing behind"


def test_a_pulse_input_is_registered_once_and_another_weight_follows_it(store):
    assert load(store, PULSE + f"{KAM};gw;1;10;0;5,5\n") == Summary(new=1, changed=0, same=0)
    later = TODAY.replace(month=4)
    assert load(store, PULSE + f"{KAM};gw;1;10;0;5,5\n", today=later) == Summary(new=0, changed=0, same=1)
    assert load(store, PULSE + f"{KAM};gw;1;1;0;9\n", today=later) == Summary(new=0, changed=1, same=0)
    with store.reading() as transaction:
        first, second = transaction.registry.pulse_inputs([("gw", "1")])[("gw", "1")]
    assert (first.litres_per_pulse, first.valid_from, first.valid_to) == (Decimal(10), TODAY, later)
    assert (second.litres_per_pulse, second.valid_from, second.valid_to) == (Decimal(1), later, None)


def test_a_device_is_registered_once_and_another_meter_follows_it(store):
    """A DevEUI is the same behind every gateway, in any letter case."""
    text = "meter_id;device;gateway\n{};01AB;\n{};a-17;plant\n"
    other = MeterId.parse("KAM-76348800-1b-16")
    assert load(store, text.format(KAM, other)) == Summary(new=2, changed=0, same=0)
    assert load(
        store,
        text.format(KAM, other)
        .upper()
        .replace("PLANT", "plant")
        .replace("METER_ID", "meter_id")
        .replace("DEVICE;GATEWAY", "device;gateway"),
    ) == Summary(new=0, changed=0, same=2)
    later = TODAY.replace(day=9)
    assert load(store, f"meter_id;device\n{other};01ab\n", today=later) == Summary(new=0, changed=1, same=0)
    with store.reading() as transaction:
        found = transaction.devices.named([("anywhere", "01ab"), ("plant", "a-17"), ("roof", "a-17")])
    assert {pair: list(those) for pair, those in found.items()} == {
        ("anywhere", "01ab"): [
            Device(ANY_GATEWAY, "01ab", KAM, TODAY, later),
            Device(ANY_GATEWAY, "01ab", other, later),
        ],
        ("plant", "a-17"): [Device("plant", "a-17", other, TODAY)],
    }


def test_a_device_cannot_be_another_meter_s_before_it_was_this_one_s(store):
    load(store, f"meter_id;device;installed_from\n{KAM};01ab;2026-02-01\n")
    with pytest.raises(ImportRefused) as told:
        load(store, "meter_id;device;installed_from\nKAM-76348800-1b-16;01ab;2026-01-01\n")
    assert "device 01ab is KAM-76348799-1b-16 since 2026-01-31T23:00" in str(told.value.faults[0])


def test_a_list_longer_than_a_chunk_is_counted_whole(store):
    text = "meter_id\n" + "".join(f"KAM-{number:08}-1b-16\n" for number in range(1201))
    assert load(store, text) == Summary(new=1201, changed=0, same=0)
    assert load(store, text) == Summary(new=0, changed=0, same=1201)
