"""Whatever is fed to the scan: a named insufficiency, never a crash, never a false alarm."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.scan import scan
from anomaly.series import MeterFacts, Series
from anomaly.sufficiency import Reason
from metering.finding import Tier

ZONE = ZoneInfo("Europe/Warsaw")
START, HOUR, DAY = 1_704_067_200, 3600, 86_400
NOW = START + 1000 * DAY
HOURS = START + np.arange(100 * 24) * HOUR


def result(at, index, meter="M"):
    return scan([Series.arrived(MeterFacts(meter), at, index)], ZONE, NOW)


def reasons(found):
    return {told.reason for told in found.insufficiencies}


def alarms(found):
    return [one.name for one in found.findings if one.at_tier(Tier.NOTIFY)]


BAD = {
    "nothing": ([], [], Reason.NO_READINGS),
    "one point": ([START], [5.0], Reason.ONE_READING),
    "one point many times": ([START] * 1000, [5.0] * 1000, Reason.ONE_READING),
    "one moment, many values": ([START] * 1000, np.arange(1000.0), Reason.ONE_READING),
    "no numbers": (HOURS, np.full(len(HOURS), np.nan), Reason.NO_READINGS),
    "infinite": (HOURS, np.full(len(HOURS), np.inf), Reason.NO_READINGS),
    "beyond every register": (HOURS, np.full(len(HOURS), 2.0**53), Reason.NO_READINGS),
    "negative": (HOURS, np.full(len(HOURS), -1.0), Reason.NO_READINGS),
    "still to come": (HOURS + 2000 * DAY, np.arange(float(len(HOURS))), Reason.NO_READINGS),
    "before meters": (HOURS - 40 * 366 * DAY, np.arange(float(len(HOURS))), Reason.NO_READINGS),
    "all gaps": (START + np.arange(8) * 40 * DAY, np.arange(8.0) * 5000, Reason.TOO_SPARSE),
    "two days": (HOURS[:40], np.arange(40.0), Reason.TOO_FEW_DAYS),
    "a register of cubic metres": (
        HOURS,
        np.floor(np.arange(len(HOURS)) / 70) * 1000,
        Reason.REGISTER_TOO_COARSE,
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_it_is_named_and_raises_no_alarm(name):
    at, index, reason = BAD[name]
    found = result(np.asarray(at), np.asarray(index))
    assert reason in reasons(found)
    assert alarms(found) == []


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 2.0**53, -5.0, 1e300])
def test_wrong_numbers_between_good_ones_change_nothing(wrong, household):
    series = household.series(household.litres(60))
    index = series.index.copy()
    index[::7] = wrong
    kept = np.ones(len(index), np.bool_)
    kept[::7] = False
    with_wrong = scan([Series.arrived(series.facts, series.at, index)], ZONE, NOW)
    without = scan([Series.arrived(series.facts, series.at[kept], series.index[kept])], ZONE, NOW)
    assert with_wrong.findings == without.findings
    assert with_wrong.insufficiencies == without.insufficiencies


def test_an_index_just_below_the_widest_is_a_number_like_any_other(household):
    low = household.series(household.leaking(60, 30, 40 * 24, 10 * 24))
    high = Series.arrived(low.facts, low.at, low.index + 2.0**52)
    names = [[one.name for one in scan([series], ZONE, NOW).findings] for series in (low, high)]
    assert names[0] == names[1] != []


def test_a_clock_that_runs_ahead_hides_no_leak(household):
    """Readings from the future are refused one by one; the others are judged."""
    series = household.series(household.leaking(60, 30, 40 * 24, 19 * 24))
    at = series.at.copy()
    at[::11] += 3000 * DAY
    found = scan([Series.arrived(series.facts, at, series.index)], ZONE, NOW)
    assert {"leak.continuous", "clock.ahead"} <= {one.name for one in found.findings}


@pytest.mark.parametrize("moments", [1, 100, 1_000_000])
def test_a_million_readings_of_one_meter_take_seconds_and_raise_nothing(moments):
    rng = np.random.default_rng(moments)
    at = START + rng.integers(0, moments, 1_000_000) * (60 if moments > 100 else HOUR)
    found = result(at, rng.integers(0, 10**6, 1_000_000).astype(float))
    assert alarms(found) == []
    assert Reason.CONTRADICTORY in reasons(found) or moments == 1


def test_a_neighbour_read_now_and_then_does_not_hide_the_meter(household):
    """Every sixth reading is another meter's: the line is found all the same."""
    series = household.series(household.leaking(60, 30, 40 * 24, 19 * 24))
    index = series.index.copy()
    index[::6] += 300_000
    found = scan([Series.arrived(series.facts, series.at, index)], ZONE, NOW)
    assert "leak.continuous" in {one.name for one in found.findings}
    assert Reason.CONTRADICTORY not in reasons(found)


def test_meters_without_metadata_are_judged_as_households(household):
    leak = household.leaking(60, 30, 40 * 24, 10 * 24)
    bare, known = (
        scan([household.series(leak, **facts)], ZONE, NOW).findings
        for facts in ({}, {"q3_m3h": 2.5, "resolution_l": 1.0})
    )
    assert [one.name for one in bare] == [one.name for one in known] != []


times = st.one_of(st.integers(-(2**62), 2**62), st.integers(START, START + 100 * DAY))
numbers = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.floats(0, 1e6))


@given(st.lists(st.lists(st.tuples(times, numbers), max_size=30), max_size=4))
@settings(max_examples=80, deadline=None)
def test_any_fleet_is_judged(rows):
    fleet = [
        Series.arrived(MeterFacts(f"M{n}"), [at for at, _ in meter], [value for _, value in meter])
        for n, meter in enumerate(rows)
    ]
    found = scan(fleet, ZONE, NOW)
    assert {told.meter for told in found.insufficiencies} == {series.facts.meter for series in fleet}
