"""Ticks of an hour out of readings of any cadence."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.gate import gate
from anomaly.hours import CEILING, KNOWN, UNKNOWN, HourGrid, ticks_of
from anomaly.local_time import local_days, local_hours
from anomaly.series import MeterFacts, Series

UTC = ZoneInfo("UTC")
WARSAW = ZoneInfo("Europe/Warsaw")
MIDNIGHT = 1_700_006_400  # 2023-11-15 00:00 UTC
MINUTE, HOUR = 60, 3600


def ticks(minutes, index, zone=UTC):
    at = MIDNIGHT + np.array(minutes) * MINUTE
    return ticks_of(gate(Series.arrived(MeterFacts("M"), at, index)), zone)


def test_hourly_readings_off_the_full_hour_give_one_tick_each():
    told = ticks([53, 113, 173], [0, 10, 10])
    assert told.flow.tolist() == [10, 0]
    assert told.hour.tolist() == [1, 2]
    assert told.kind.tolist() == [KNOWN, KNOWN]


def test_quarter_hours_are_gathered_up_to_the_first_reading_of_the_next_hour():
    told = ticks(range(7, 187, 15), np.arange(12) * 5)
    assert told.flow.tolist() == [20, 20]
    assert told.known_at.tolist() == [MIDNIGHT + 67 * MINUTE, MIDNIGHT + 127 * MINUTE]


def test_readings_that_waver_around_the_full_hour_are_not_lost():
    told = ticks([0, 61, 119, 181], [0, 10, 20, 30])
    assert len(told) == 3
    assert told.flow == pytest.approx([10 / 61 * 60, 10 / 58 * 60, 10 / 62 * 60])


def test_a_gap_without_a_rise_is_known_to_be_zero_hour_by_hour():
    told = ticks([0, 60, 60 * 6], [0, 10, 10])
    assert told.flow.tolist() == [10, 0, 0, 0, 0, 0]
    assert told.hour.tolist() == [0, 1, 2, 3, 4, 5]
    assert set(told.known_at[1:].tolist()) == {MIDNIGHT + 6 * HOUR}


def test_a_gap_with_a_rise_tells_only_that_no_steady_flow_was_above_its_mean():
    told = ticks([0, 60, 60 * 6], [0, 10, 60])
    assert told.kind.tolist() == [KNOWN, CEILING]
    assert told.flow.tolist() == [10, 10]
    assert told.span.tolist() == [1, 5]


def test_no_flow_is_told_across_a_new_line():
    told = ticks([0, 60, 120, 180, 240, 300], [5000, 5010, 3, 13, 23, 33])
    assert told.kind.tolist() == [KNOWN, UNKNOWN, KNOWN, KNOWN, KNOWN]


@pytest.mark.parametrize("index", [[], [7]])
def test_fewer_than_two_readings_give_no_tick(index):
    assert len(ticks(list(range(len(index))), index)) == 0


def test_hours_follow_the_clock_on_the_wall_over_summer_time():
    autumn = 1_698_537_600  # 2023-10-29 00:00 UTC, an hour before the clocks go back
    at = autumn + np.arange(4) * HOUR
    assert local_hours(at, WARSAW).tolist() == [2, 2, 3, 4]
    assert local_days(at - 4 * HOUR, WARSAW).tolist() == [19_658, 19_658, 19_659, 19_659]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(946_684_800, 4_000_000_000), min_size=1, max_size=20))
def test_offsets_agree_with_the_zone_at_every_moment(moments):
    at = np.array(moments, np.int64)
    expected = [datetime.fromtimestamp(moment, UTC).astimezone(WARSAW).hour for moment in moments]
    assert local_hours(at, WARSAW).tolist() == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 400), st.integers(0, 40)), min_size=1, max_size=80))
def test_no_tick_is_known_before_its_readings_and_flows_are_never_negative(steps):
    """Whatever the cadence: ticks come in order, hours are hours of a day, flows are not negative."""
    minutes = np.cumsum([step[0] for step in steps])
    told = ticks(minutes, np.cumsum([step[1] for step in steps]).astype(float))
    assert (np.diff(told.known_at) >= 0).all()
    assert ((told.hour >= 0) & (told.hour < 24)).all()
    assert (told.flow >= 0).all()
    assert np.isin(told.known_at, MIDNIGHT + minutes * MINUTE).all()


def test_meters_of_different_length_stand_side_by_side():
    grid = HourGrid.beside([ticks([0, 60], [0, 1]), ticks([0, 60, 120, 180], [0, 1, 2, 4])])
    assert grid.flow.tolist() == [[1, 1], [0, 1], [0, 2]]
    assert grid.kind.tolist() == [[KNOWN, KNOWN], [UNKNOWN, KNOWN], [UNKNOWN, KNOWN]]
    assert grid.length.tolist() == [1, 3]
