"""What every registry promises."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from metering.errors import StoreError
from metering.meter import Installation, Meter, MeterId, PulseInput, ServicePoint
from metering.ports import TelegramState
from metering.reading import Register, Way

GARDEN = ServicePoint("P-1", "ul. Łąkowa 1, Gdańsk", "north", "R7")


def test_registered_meters_are_found_and_replaced(store, make):
    """An identity that was only heard is not registered."""
    with store.writing() as tx:
        tx.archive.add([make.telegram(meter=make.other)])
        tx.registry.put_meters([Meter(make.meter, "cold water", "old", "mc21")])
        tx.registry.put_meters([Meter(make.meter, "water", "new")])
    with store.reading() as tx:
        found = tx.registry.meters([make.meter, make.other])
        assert dict(found) == {make.meter: Meter(make.meter, "water", "new")}
        assert dict(tx.registry.meters([])) == {}


def test_service_points_are_found_and_replaced(store):
    with store.writing() as tx:
        tx.registry.put_service_points([ServicePoint("P-1", "old"), ServicePoint("P-2")])
        tx.registry.put_service_points([GARDEN])
    with store.reading() as tx:
        found = tx.registry.service_points({"P-1", "P-2", "P-3"})
    assert dict(found) == {"P-1": GARDEN, "P-2": ServicePoint("P-2")}


def test_the_same_installation_twice_is_one_and_may_be_ended(store, make):
    start = Installation(make.meter, "P-1", make.at(-9))
    ended = Installation(make.meter, "P-1", make.at(-9), make.at(-1))
    again = Installation(make.meter, "P-1", make.at(5))
    with store.writing() as tx:
        tx.registry.put_meters([Meter(make.meter)])
        tx.registry.put_service_points([GARDEN])
        tx.registry.put_installations([again, start, start])
        tx.registry.put_installations([ended])
    with store.reading() as tx:
        overview, installations = tx.registry.details_of(make.meter)
        assert list(installations) == [ended, again]
        assert overview.service_point is None


def test_an_installation_needs_its_service_point(store, make):
    with store.writing() as tx, pytest.raises(StoreError, match="'P-9' is not registered"):
        tx.registry.put_installations([Installation(make.meter, "P-9", make.noon)])


def test_the_meter_list_shows_where_a_meter_hangs_today(store, make, clock):
    """From the first moment of an installation to before its last."""
    with store.writing() as tx:
        tx.registry.put_meters([Meter(make.meter)])
        tx.registry.put_service_points([GARDEN, ServicePoint("P-2")])
        tx.registry.put_installations(
            [
                Installation(make.meter, "P-2", make.at(-100), make.at(0)),
                Installation(make.meter, "P-1", make.at(0), make.at(10)),
            ]
        )

    def today():
        with store.reading() as tx:
            (row,), found = tx.registry.overview()
            assert found == 1
            return row.service_point and row.service_point.id

    seen = [today()]
    for step in (10, -11, -100):
        clock.advance(timedelta(seconds=step))
        seen.append(today())
    assert seen == ["P-1", None, "P-2", None]


def test_the_meter_list_shows_newest_index_and_held_telegrams(store, make):
    held = TelegramState.HELD
    with store.writing() as tx:
        tx.registry.put_meters([Meter(make.meter, "water", "Garden"), Meter(make.other)])
        tx.archive.add([make.telegram(bytes([n]), make.reception(at=n), state=held) for n in range(3)])
        tx.readings.add([make.reading("9", 5), make.reading("10", 5), make.reading("11", 4)])
        tx.readings.add([make.reading("99", 9, register=Register("energy"))])
    with store.reading() as tx:
        (mine, other), found = tx.registry.overview()
    assert found == 2
    assert (mine.meter, mine.held, mine.last_heard) == (Meter(make.meter, "water", "Garden"), 3, make.at(2))
    assert str(mine.last_reading.value) == "10"
    assert (other.last_reading, other.last_heard, other.held) == (None, None, 0)


def test_last_heard_is_the_newest_by_any_gateway_or_pulse(store, make):
    def heard():
        with store.reading() as tx:
            return tx.registry.details_of(make.meter)[0].last_heard

    with store.writing() as tx:
        tx.registry.put_meters([Meter(make.meter)])
        (number,) = tx.archive.add([make.telegram(b"a", make.reception("roof", 10))])
    assert heard() == make.at(10)
    with store.writing() as tx:
        tx.archive.add_receptions([(number, make.reception("cellar", 20), None)])
        tx.archive.add_receptions([(number, make.reception("attic", 1), None)])
        tx.readings.add([make.reading(at=999)])
    assert heard() == make.at(20)
    with store.writing() as tx:
        tx.readings.add([make.reading(at=30, way=Way.PULSE), make.reading("8", 25, way=Way.PULSE)])
    assert heard() == make.at(30)


def test_pages_are_ordered_by_identity(store):
    ids = [MeterId("KAM", f"{n:08d}", "1b", "16") for n in range(7)]
    with store.writing() as tx:
        tx.registry.put_meters([Meter(one) for one in reversed(ids)])
    with store.reading() as tx:
        pages = [tx.registry.overview(offset=offset, limit=3) for offset in (0, 3, 6, 9)]
    assert [[row.meter.id for row in rows] for rows, _ in pages] == [ids[:3], ids[3:6], ids[6:], []]
    assert {found for _, found in pages} == {7}


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", 3),
        ("kam-76348799", 1),
        ("GARDEN", 1),
        ("łąkowa", 1),
        ("ŁĄKOWA", 1),
        ("p-1", 1),
        ("50%", 1),
        ("%", 1),
        ("_", 1),
        ("a_b", 1),
        ("a/b", 1),
        ("\\", 1),
        ("' or 1=1 --", 0),
        ("old road", 0),
    ],
)
def test_search_takes_characters_literally_and_letters_in_any_case(store, make, search, found):
    odd = MeterId("ABC", "00000001", "01", "07")
    with store.writing() as tx:
        labels = {make.meter: "Garden 50%", make.other: "a_b a/b", odd: "c\\d"}
        tx.registry.put_meters([Meter(meter, label=label) for meter, label in labels.items()])
        tx.registry.put_service_points([GARDEN, ServicePoint("X", "old road")])
        tx.registry.put_installations(
            [
                Installation(make.meter, "P-1", make.at(-9)),
                Installation(make.meter, "X", make.at(-99), make.at(-9)),
            ]
        )
    with store.reading() as tx:
        rows, number = tx.registry.overview(search=search)
    assert len(rows) == number == found


def test_a_meter_nobody_registered_has_no_details(store, make):
    with store.writing() as tx:
        tx.archive.add([make.telegram(state=TelegramState.FOREIGN)])
    with store.reading() as tx:
        assert tx.registry.details_of(make.meter) is None
        assert tx.registry.details_of(make.other) is None
        assert tx.registry.overview() == ([], 0)


def test_pulse_inputs_are_found_by_channel_and_replaced_by_start(store, make):
    def one(channel, start, index):
        return PulseInput(
            "roof",
            channel,
            make.meter,
            Decimal("2.5"),
            9,
            Decimal(index),
            make.at(start),
            make.at(start + 50),
        )

    with store.writing() as tx:
        tx.registry.put_pulse_inputs([one("1", 50, "2"), one("1", 0, "7.77"), one("2", 0, "3")])
        tx.registry.put_pulse_inputs([one("1", 0, "1")])
    with store.reading() as tx:
        found = tx.registry.pulse_inputs([("roof", "1"), ("roof", "9"), ("cellar", "2")])
        assert {key: list(those) for key, those in found.items()} == {
            ("roof", "1"): [one("1", 0, "1"), one("1", 50, "2")]
        }
        assert dict(tx.registry.pulse_inputs([])) == {}
        assert list(tx.ledger.gateways()) == []


def test_every_change_of_meters_or_keys_makes_a_new_edition_and_nothing_else_does(store, make):
    def edition() -> int:
        with store.reading() as tx:
            return tx.registry.edition()

    seen = [edition()]
    with store.writing() as tx:
        tx.registry.put_meters([Meter(make.meter)])
    seen.append(edition())
    with store.writing() as tx:
        tx.keyring.put([(make.meter, bytes(16))])
    seen.append(edition())
    assert len(set(seen)) == 3
    with store.writing() as tx:
        tx.archive.add([make.telegram(meter=make.other)])
        tx.registry.put_service_points([GARDEN])
    assert edition() == seen[-1]


def test_a_registration_that_is_rolled_back_is_not_remembered(store, make):
    unregistered = Installation(make.meter, "P-0", make.at(0))
    with pytest.raises(StoreError), store.writing() as tx:  # noqa: PT012  the transaction is what fails
        tx.registry.put_meters([Meter(make.meter, label="lost")])
        assert tx.registry.meters([make.meter])[make.meter].label == "lost"
        tx.registry.put_installations([unregistered])
    with store.reading() as tx:
        assert dict(tx.registry.meters([make.meter])) == {}
