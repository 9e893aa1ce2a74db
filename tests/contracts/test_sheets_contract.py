"""Readings written down as sheets are stored as those given one by one."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from metering.reading import Function, Quality, Register, Way
from metering.sheets import Line, Sheet

FLOW = Register("volume_flow", Function.MAXIMUM, 1, 2, 3, ("backward",), 4)
DUE = Register("volume", storage=1)


@pytest.fixture
def lines(make):
    return (Line(make.volume, "m3", Quality.RAW), Line(FLOW, "m3/h", Quality.METER_ERROR))


def sheet(make, lines, values, at=0, moments=None, *, said=(), meter=None):
    """A telegram's readings, heard at a second."""
    numbers = [Decimal(value) for value in values]
    heard, received = make.at(at), make.at(at + 1)
    times = None if moments is None else [make.at(one) for one in moments]
    whose = meter or make.meter
    return Sheet(whose, lines, numbers, heard, times, received, Way.RADIO, "roof", None, "1", said)


def archived(tx, make, count):
    return tx.archive.add([make.telegram(f"frame {number}".encode()) for number in range(count)])


def everything(store, telegrams):
    with store.reading() as tx:
        return [tx.readings.of_telegram(one) for one in telegrams]


def test_sheets_come_back_as_the_readings_and_details_they_stand_for(store, make, lines):
    due = (*lines, Line(DUE, "m3", Quality.RAW))
    sheets = [
        sheet(make, lines, ["7.7", "-0.000000000000000000000000000001"]),
        sheet(
            make,
            due,
            ["7.8", "1" * 40, "7"],
            60,
            [60, 60, -86400 * 40],
            said=[(Register("date"), "2026-01-31")],
        ),
        sheet(make, lines[:1], ["0"], 60, meter=make.other),
        sheet(make, (), [], 60, said=[(Register("text"), "ok")]),
    ]
    with store.writing() as tx:
        numbers = archived(tx, make, len(sheets))
        assert tx.readings.add_sheets(list(zip(numbers, sheets, strict=True))) == 6
    for number, one, (readings, details) in zip(numbers, sheets, everything(store, numbers), strict=True):
        assert sorted(readings, key=str) == sorted(one.readings(number), key=str)
        assert list(details) == one.details(number)


def test_what_is_there_already_is_stored_once_under_its_first_telegram(store, make, lines):
    """What a meter dates itself it says again in every telegram; what is heard twice at one time is one."""
    due = (lines[0], Line(DUE, "m3", Quality.RAW))
    with store.writing() as tx:
        one, two, three, four = archived(tx, make, 4)
        assert tx.readings.add_sheets([(one, sheet(make, due, ["7", "5"], 0, [0, -3600]))]) == 2
        again = [
            (two, sheet(make, due, ["8", "5"], 60, [60, -3600])),
            (three, sheet(make, due[:1], ["8"], 60)),
        ]
        assert tx.readings.add_sheets(again) == 1
        assert tx.readings.add_sheets([(four, sheet(make, due[:1], ["7.0"]))]) == 0
        assert tx.readings.add_sheets([]) == 0
    with store.writing() as tx:
        assert tx.readings.add_sheets([(four, sheet(make, due, ["7", "9"], 0, [0, 120]))]) == 1
    found = [
        [str(one.value) for one in readings] for readings, _ in everything(store, (one, two, three, four))
    ]
    assert found == [["7", "5"], ["8"], [], ["9"]]


def test_a_batch_that_repeats_spoils_nothing_else_of_its_transaction(store, make, lines):
    with store.writing() as tx:
        numbers = archived(tx, make, 40)
        for turn, number in enumerate(numbers):  # every second one repeats the one before
            tx.readings.add_sheets([(number, sheet(make, lines[:1], ["7"], turn // 2))])
    with store.reading() as tx:
        found = tx.readings.series(make.meter, make.volume, make.at(0), make.at(60))
        assert [one.measured_at for one in found] == [make.at(second) for second in range(20)]
        assert [one.provenance.telegram for one in found] == list(numbers[::2])
        assert tx.archive.count() == 40


def test_sheets_of_several_months_find_their_place(store, make, lines):
    with store.writing() as tx:
        numbers = archived(tx, make, 3)
        days = [0, 40, 400]
        sheets = [
            (number, sheet(make, lines[:1], [str(day)], day * 86400))
            for number, day in zip(numbers, days, strict=True)
        ]
        assert tx.readings.add_sheets(sheets) == 3
    with store.reading() as tx:
        found = tx.readings.series(make.meter, make.volume, make.at(0), make.at(0) + timedelta(days=401))
    assert [str(one.value) for one in found] == ["0", "40", "400"]


def test_the_newest_reading_is_found_after_sheets(store, make, lines):
    with store.writing() as tx:
        numbers = archived(tx, make, 3)
        for number, second in zip(numbers, (7200, 10, 7300), strict=True):
            tx.readings.add_sheets([(number, sheet(make, lines, [str(second), "1"], second))])
            newest = {one.register: str(one.value) for one in tx.readings.latest(make.meter)}
            assert newest[make.volume] == str(max(7200, second))
