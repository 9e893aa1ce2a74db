"""The newest reading of a register is found, however rarely its signpost moves."""

from __future__ import annotations

import contextlib
from datetime import timedelta

import pytest

from metering.meter import Meter
from metering.reading import Register
from metering.store.sql.looking_after import check
from metering.upkeep import Grouping

FLOW = Register("volume_flow")


pytestmark = pytest.mark.parametrize(
    "backend", ["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.servers)], indirect=True
)
"""A series store finds the newest itself."""


@pytest.fixture
def sql(store):
    """A store whose series are read from SQL."""
    return store


def newest(store, make) -> list[str]:
    with store.reading() as tx:
        return [f"{one.register.key} {one.value}" for one in tx.readings.latest(make.meter)]


def signposts(store) -> list[object]:
    with store.database.transaction(write=False) as connection:
        found = connection.exec_driver_sql("SELECT measured_at FROM latest ORDER BY register")
        return list(found.scalars())


def telegram(store, make, seconds: float, value: str, *registers: Register) -> None:
    with store.writing() as tx:
        heard = make.reception("roof", seconds, int(seconds))
        [number] = tx.archive.add([make.telegram(value.encode(), heard)])
        tx.readings.add(
            [
                make.reading(value, seconds, telegram=number, register=one)
                for one in registers or [make.volume]
            ]
        )


def test_the_signpost_moves_by_the_hour_and_the_newest_is_always_found(sql, make):
    seen = []
    for seconds in (0, 1800, 3599, 3601, 7100):
        telegram(sql, make, seconds, str(seconds))
        assert newest(sql, make) == [f"volume {seconds}"]
        seen.append(signposts(sql)[0])
    assert seen[0] == seen[1] == seen[2] != seen[3] == seen[4]
    assert check(sql.database) == []


def test_what_comes_late_moves_no_signpost(sql, make):
    telegram(sql, make, 7200, "2")
    before = signposts(sql)
    telegram(sql, make, 10, "1")
    assert (signposts(sql), newest(sql, make)) == (before, ["volume 2"])


def test_a_register_that_is_new_gets_its_signpost_at_once(sql, make):
    telegram(sql, make, 0, "1")
    telegram(sql, make, 60, "2", make.volume, FLOW)
    telegram(sql, make, 120, "3")
    assert newest(sql, make) == ["volume 3", "volume_flow 2"]


def test_a_register_taken_away_wholly_is_found_again_when_it_comes_back(sql, make):
    telegram(sql, make, 0, "1", make.volume, FLOW)
    with sql.writing() as tx:
        tx.readings.remove([make.reading("1", 0, register=FLOW)])
    assert newest(sql, make) == ["volume 1"]
    telegram(sql, make, 60, "2", make.volume, FLOW)
    assert newest(sql, make) == ["volume 2", "volume_flow 2"]


def test_a_signpost_set_by_a_transaction_that_failed_is_set_by_the_next(sql, make):
    unfinished = contextlib.ExitStack()
    unfinished.enter_context(sql.writing()).readings.add([make.reading("1", 0)])
    with pytest.raises(ZeroDivisionError), unfinished:
        raise ZeroDivisionError
    telegram(sql, make, 60, "2")
    assert newest(sql, make) == ["volume 2"]


def test_coverage_counts_a_meter_whose_signpost_lies_before_the_window(sql, make):
    with sql.writing() as tx:
        tx.registry.put_meters([Meter(make.meter)])
    telegram(sql, make, 0, "1")
    telegram(sql, make, 3000, "2")
    with sql.reading() as view:
        [whole] = view.coverage.success(Grouping.ROUTE, make.noon + timedelta(seconds=2000))
    assert (whole.meters, whole.read) == (1, 1)
