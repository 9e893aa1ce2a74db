"""What goes after its months, and what stays, on every database."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from metering.store.sql.looking_after import check
from metering.store.sql.partitions import partitions
from metering.store.sql.retention import Kept, drop, expired, months_before

DAY = 86_400.0
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)
ALL = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def two_months(store, make):
    """A telegram of 31 January just before midnight UTC, and one of March, each with reading and detail."""
    midnight = -28.5 * DAY
    with store.writing() as tx:
        january = make.telegram(
            b"\x01", make.reception("roof", midnight - 1, 1), make.reception("cellar", midnight + 1, 1)
        )
        march = make.telegram(b"\x02", make.reception("roof", 0, 2))
        old, new = tx.archive.add([january, march])
        tx.readings.add(
            [
                make.reading("1", midnight - 1, telegram=old),
                make.reading("3", midnight - 1, telegram=old, register=make.volume.parse("energy")),
                make.reading("2", 0, telegram=new),
            ]
        )
        tx.readings.add_details([make.detail("old", midnight - 1, old), make.detail("new", 0, new)])
    return store


def rows(store, table: str) -> int:
    with store.database.transaction(write=False) as connection:
        return connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()


def test_months_are_counted_back_from_this_one():
    now = datetime(2026, 3, 15, tzinfo=UTC)
    assert [months_before(now, months) for months in (1, 2, 3, 14)] == [
        FEBRUARY,
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2025, 12, 1, tzinfo=UTC),
        datetime(2025, 1, 1, tzinfo=UTC),
    ]


def test_what_would_go_is_told_and_nothing_goes(two_months):
    found = expired(two_months.database, Kept(FEBRUARY, FEBRUARY))
    assert [(one.table, one.rows) for one in found] == [("telegrams", 1), ("receptions", 1), ("readings", 2)]
    assert [rows(two_months, one) for one in ("telegrams", "receptions", "readings", "details")] == [
        2,
        3,
        3,
        2,
    ]


def test_a_telegram_goes_with_all_its_receptions_and_details_and_its_readings_stay(two_months, make):
    drop(two_months.database, Kept(FEBRUARY))
    assert [rows(two_months, one) for one in ("telegrams", "receptions", "readings", "details")] == [
        1,
        1,
        3,
        1,
    ]
    with two_months.reading() as tx:
        series = tx.readings.series(make.meter, make.volume, make.at(-99 * DAY), make.at(DAY))
        assert [str(one.value) for one in series] == ["1", "2"]
        assert tx.archive.telegram(series[0].provenance.telegram or 0) is None
    assert check(two_months.database) == []


def test_readings_go_and_the_newest_of_each_register_is_still_known(two_months, make, backend):
    drop(two_months.database, Kept(FEBRUARY, FEBRUARY))
    left = [(make.volume, "2")]
    if backend == "influxdb":  # a series store has a retention of its own
        left = [(make.volume.parse("energy"), "3"), *left]
    with two_months.reading() as tx:
        assert [(one.register, str(one.value)) for one in tx.readings.latest(make.meter)] == left
    assert check(two_months.database) == []


def test_what_came_after_its_month_went_is_stored_again(two_months, make):
    drop(two_months.database, Kept(ALL, ALL))
    assert [rows(two_months, one) for one in ("telegrams", "receptions", "readings", "details")] == [
        0,
        0,
        0,
        0,
    ]
    with two_months.writing() as tx:
        [number] = tx.archive.add([make.telegram(b"\x03", make.reception("roof", -40 * DAY, 9))])
        tx.readings.add([make.reading("1", -40 * DAY, telegram=number)])
    assert rows(two_months, "readings") == 1


@pytest.mark.parametrize("backend", [pytest.param("postgresql", marks=pytest.mark.servers)], indirect=True)
def test_postgresql_drops_whole_partitions_and_keeps_the_one_for_wrong_dates(two_months):
    gone = drop(two_months.database, Kept(FEBRUARY, FEBRUARY))
    assert {name for one in gone for name in one.partitions} >= {"telegrams_2026_01", "readings_2026_01"}
    with two_months.database.transaction(write=False) as connection:
        left = {one.name for one in partitions(connection)}
    assert "telegrams_2026_01" not in left
    assert {"telegrams_old", "readings_old", "receptions_old", "telegrams_2026_03"} <= left


def test_numbers_of_telegrams_that_went_are_not_given_again_and_known_to_be_gone(two_months):
    drop(two_months.database, Kept(FEBRUARY))
    with two_months.reading() as tx:
        assert tx.archive.present([1, 2, 3]) == {2}
        assert tx.archive.last_number_given() == 2
