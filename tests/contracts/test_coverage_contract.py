"""What every store promises about coverage: who is read, who hears whom, who is silent."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from metering.meter import Installation, Meter, ServicePoint
from metering.reading import Quality, Register
from metering.upkeep import Grouping

DAY = timedelta(days=1)


@pytest.fixture
def town(store, make):
    """Two meters: one read and heard by two gateways, one heard by one of them and marked by itself."""
    with store.writing() as tx:
        tx.registry.put_meters([Meter(make.meter), Meter(make.other)])
        tx.registry.put_service_points([ServicePoint("P", "", "north", "R1"), ServicePoint("Q", "", "south")])
        tx.registry.put_installations(
            [Installation(make.meter, "Q", make.at(-99)), Installation(make.meter, "P", make.at(-9))]
        )
        tx.archive.add(
            [
                make.telegram(b"1", make.reception("roof"), make.reception("attic")),
                make.telegram(b"2", make.reception("roof"), meter=make.other),
            ]
        )
        tx.readings.add([make.reading("7.7"), make.reading("1", register=Register("volume", storage=1))])
    return store


def test_a_meter_is_read_if_an_index_stands_within_the_window(town, make):
    with town.reading() as tx:

        def told(by: Grouping, since=make.noon):
            return [(one.group, one.meters, one.read) for one in tx.coverage.success(by, since)]

        assert told(Grouping.DISTRICT) == [("", 1, 0), ("north", 1, 1)]
        assert told(Grouping.ROUTE) == [("", 1, 0), ("R1", 1, 1)]
        assert told(Grouping.ROUTE, make.at(1)) == [("", 1, 0), ("R1", 1, 0)]


def test_a_value_the_meter_marks_as_wrong_is_no_reading(town, make):
    marked = dataclasses.replace(make.reading("8", meter=make.other), quality=Quality.METER_ERROR)
    with town.writing() as tx:
        tx.readings.add([marked, make.reading("8", meter=make.other, register=Register("volume", storage=3))])
        assert sum(one.read for one in tx.coverage.success(Grouping.ROUTE, make.noon)) == 1


def test_gateways_tell_whom_they_hear_and_whom_alone(town, make):
    with town.reading() as tx:
        found = tx.coverage.by_gateway(make.noon)
        assert [(one.gateway, one.meters, one.read, one.alone, one.mean_rssi_dbm) for one in found] == [
            ("attic", 1, 1, 0, -71),
            ("roof", 2, 1, 1, -71),
        ]
        (alone,) = tx.coverage.lonely(make.noon)
        assert (alone.meter, alone.gateway, alone.mean_rssi_dbm) == (make.other, "roof", -71)
        assert tx.coverage.lonely(make.noon, gateway="attic") == []
        assert tx.coverage.by_gateway(make.noon + DAY) == []


def test_signal_is_told_by_day(town, make):
    with town.writing() as tx:
        tx.archive.add([make.telegram(b"3", make.reception("roof", at=86_400))])
        found = tx.coverage.signal(make.meter, make.noon - DAY, make.noon + DAY)
    assert [(f"{one.day:%d}", one.gateway, one.heard, one.min_rssi_dbm) for one in found] == [
        ("01", "attic", 1, -71),
        ("01", "roof", 1, -71),
        ("02", "roof", 1, -71),
    ]


def test_silence_is_judged_by_each_meter_s_own_rhythm(town, make):
    never = type(make.meter)("KAM", "00000009", "1b", "16")
    with town.writing() as tx:
        tx.registry.put_meters([Meter(never)])
        assert set(tx.coverage.unlearnt(make.noon, 9)) == {make.meter, make.other, never}
        tx.coverage.learn({make.meter: timedelta(minutes=15), make.other: None}, make.noon)
        assert tx.coverage.unlearnt(make.noon, 9) == [never]
        assert len(tx.coverage.unlearnt(make.at(1), 9)) == 3
        hour = [one.meter for one in tx.coverage.silent(make.at(3600), 3)]
        week = [(one.meter, one.interval) for one in tx.coverage.silent(make.at(7 * 86_400), 3)]
    assert hour == [never, make.meter]
    assert week == [(never, None), (make.meter, timedelta(minutes=15)), (make.other, None)]


def test_the_newest_times_of_a_meter_are_told_in_order(town, make):
    with town.writing() as tx:
        for n in (3, 1, 2):
            tx.archive.add([make.telegram(bytes([n]), make.reception(at=n))])
        assert tx.coverage.heard_times([make.meter], 2) == {make.meter: [make.at(1), make.at(2)]}
        assert tx.coverage.heard_times([make.meter], 9)[make.meter] == [make.at(n) for n in range(4)]


def test_daily_counts_go_after_their_days(town, make):
    with town.writing() as tx:
        assert tx.upkeep.forget_hearings(make.noon) == 0
        assert tx.upkeep.forget_hearings(make.noon + DAY) == 3
        assert tx.coverage.signal(make.meter, make.noon, make.noon) == []
