"""What every store of readings promises."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from metering.errors import InvalidValue
from metering.reading import Function, Quality, Register, Way


def test_a_reading_comes_back_as_it_was(store, make):
    """Unit, way, quality, times to the microsecond and provenance included; two readings may share them."""
    register = Register("volume_flow", Function.MAXIMUM, 1, 2, 3, ("backward",), 4)
    with store.writing() as tx:
        (number,) = tx.archive.add([make.telegram()])
        new = [
            make.reading("-0.000000000000000000000000000001", 0.000001, register=register, telegram=number),
            make.reading("9" * 40, 86400 * 365 * 40, unit="m3/h", way=Way.PULSE),
        ]
        assert tx.readings.add(new) == 2
    with store.reading() as tx:
        back = [
            *tx.readings.series(make.meter, register, make.at(0), make.at(1)),
            *tx.readings.series(make.meter, make.volume, make.at(0), make.at(86400 * 365 * 41)),
        ]
    assert back == new


def test_equal_readings_are_stored_once_under_their_first_telegram(store, make):
    with store.writing() as tx:
        first, second = tx.archive.add([make.telegram(b"a"), make.telegram(b"b")])
        assert (
            tx.readings.add([make.reading("7.7", telegram=first), make.reading("7.70", telegram=first)]) == 1
        )
        assert tx.readings.add([make.reading("7.700", telegram=second), make.reading("8", 1)]) == 1
    with store.reading() as tx:
        found = tx.readings.series(make.meter, make.volume, make.at(0), make.at(1))
    assert [(reading.value, reading.provenance.telegram) for reading in found] == [(Decimal("7.7"), first)]


def test_different_values_of_one_time_are_both_kept(store, make):
    with store.writing() as tx:
        assert tx.readings.add([make.reading("8"), make.reading("7")]) == 2
        assert tx.readings.add([]) == 0


def test_a_series_is_ordered_by_time_then_by_number(store, make):
    """By number, not by text: 9 < 10 < 10.5, and -2 < -1; limits cut in that order."""
    values = ["10.5", "-1", "9", "10", "-2", "0"]
    with store.writing() as tx:
        tx.readings.add([make.reading(value, at) for at in (20, 10) for value in values])
    in_order = [(make.at(at), Decimal(v)) for at in (10, 20) for v in ("-2", "-1", "0", "9", "10", "10.5")]
    with store.reading() as tx:
        for limit in (None, *range(14)):
            found = tx.readings.series(make.meter, make.volume, make.at(0), make.at(60), limit=limit)
            assert [(reading.measured_at, reading.value) for reading in found] == in_order[:limit]


def test_a_series_has_its_beginning_and_not_its_end(store, make):
    with store.writing() as tx:
        tx.readings.add([make.reading(str(at), at) for at in range(5)])
        tx.readings.add([make.reading("99", 2, meter=make.other)])
        tx.readings.add([make.reading("98", 2, register=Register("volume", storage=1))])
    with store.reading() as tx:
        found = tx.readings.series(make.meter, make.volume, make.at(1), make.at(3))
        assert [str(reading.value) for reading in found] == ["1", "2"]
        assert list(tx.readings.series(make.meter, Register("energy"), make.at(0), make.at(9))) == []


def test_a_time_without_zone_is_refused(store, make):
    naive = make.noon.replace(tzinfo=None)
    with store.reading() as tx, pytest.raises(InvalidValue, match="has no zone"):
        tx.readings.series(make.meter, make.volume, naive, make.noon)


def test_before_gives_the_last_reading_before_a_moment(store, make):
    with store.writing() as tx:
        tx.readings.add([make.reading(value, at) for value, at in (("1", 1), ("9", 2), ("10", 2), ("3", 3))])
    with store.reading() as tx:

        def before(at):
            return tx.readings.before(make.meter, make.volume, make.at(at))

        assert before(1) is None
        assert str(before(2).value) == "1"
        assert str(before(3).value) == "10"
        assert str(before(99).value) == "3"
        assert tx.readings.before(make.other, make.volume, make.at(99)) is None


def test_latest_gives_the_newest_of_each_register_whatever_came_last(store, make):
    flow = Register("volume_flow")
    with store.writing() as tx:
        tx.readings.add([make.reading("5", 50), make.reading("9", 60), make.reading("10", 60)])
        tx.readings.add([make.reading("4", 40), make.reading("0.1", 10, register=flow, unit="m3/h")])
        tx.readings.add([make.reading("1", 99, meter=make.other)])
    with store.reading() as tx:
        found = tx.readings.latest(make.meter)
        assert [(r.register, str(r.value)) for r in found] == [(make.volume, "10"), (flow, "0.1")]
        assert list(tx.readings.registers(make.meter)) == [(make.volume, "m3"), (flow, "m3/h")]
        nobody = type(make.meter)("ABC", "00000000", "00", "00")
        assert list(tx.readings.latest(nobody)) == list(tx.readings.registers(nobody)) == []


def test_details_are_stored_once_with_and_without_telegram(store, make):
    with store.writing() as tx:
        (number,) = tx.archive.add([make.telegram()])
        said = [make.detail(telegram=number), make.detail("fw 1.2\0\ud800", 1, number)]
        for _ in range(2):
            tx.readings.add_details([*said, *said, make.detail(telegram=None), make.detail(telegram=None)])
    with store.reading() as tx:
        readings, details = tx.readings.of_telegram(number)
    assert list(readings) == []
    assert [detail.text for detail in details] == ["2026-01-01", "fw 1.2\ufffd?"]
    assert details[0] == said[0]


def test_of_telegram_gives_what_it_gave_rise_to(store, make):
    with store.writing() as tx:
        one, two = tx.archive.add([make.telegram(b"a"), make.telegram(b"b")])
        mine = [make.reading("5", telegram=one), make.reading("6", register=Register("energy"), telegram=one)]
        tx.readings.add([*mine, make.reading("7", 9, telegram=two)])
    with store.reading() as tx:
        assert list(tx.readings.of_telegram(one)[0]) == [mine[1], mine[0]]
        assert tx.readings.of_telegram(999) == ([], [])


def test_every_quality_and_way_survives(store, make):
    kinds = [(way, quality) for way in Way for quality in Quality]
    new = [
        replace(make.reading(str(n), n), way=way, quality=quality) for n, (way, quality) in enumerate(kinds)
    ]
    with store.writing() as tx:
        tx.readings.add(new)
    with store.reading() as tx:
        assert list(tx.readings.series(make.meter, make.volume, make.at(0), make.at(999))) == new
