"""Leaks from daily readings, judged by what days can show."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from anomaly.days import days_of
from anomaly.gate import gate
from anomaly.leak_daily import DailyLeakDetector
from anomaly.scan import scan
from anomaly.series import MeterFacts, Series
from anomaly.sufficiency import Reason
from metering.finding import Tier

ZONE = ZoneInfo("Europe/Warsaw")
DETECTORS = (DailyLeakDetector(),)
DAY = 24


def daily(series):
    """Keep one reading a day."""
    return Series.arrived(series.facts, series.at[::DAY], series.index[::DAY])


def told(*fleet: Series):
    return [one for one in scan(fleet, ZONE, detectors=DETECTORS).findings if one.at_tier(Tier.NOTIFY)]


@pytest.mark.parametrize(("rate", "within_days"), [(20, 21), (50, 12), (150, 10)])
def test_a_lasting_rise_is_told_with_its_rate_and_onset(household, rate, within_days):
    leaking = household.leaking(120, rate, 80 * DAY, 40 * DAY)
    (found,) = told(daily(household.series(leaking)))
    stage = found.at_tier(Tier.NOTIFY)
    began = datetime.fromtimestamp(household.start + 80 * DAY * 3600, UTC)
    assert 0 < (stage.raised_at - began).days <= within_days
    assert abs((stage.onset - began).days) <= 3
    assert rate / 2 <= stage.rate_lph <= rate * 2
    assert found.cleared_at is None


def test_households_without_leaks_raise_nothing(household):
    assert (
        told(*(daily(household.series(household.litres(200, seed), f"M{seed}")) for seed in range(10))) == []
    )


def test_one_day_of_a_lot_of_water_is_no_leak(household):
    litres = household.litres(120)
    litres[90 * DAY : 90 * DAY + 10] += 400
    assert told(daily(household.series(litres))) == []


def test_a_leak_that_ends_is_closed(household):
    (found,) = told(daily(household.series(household.leaking(140, 60, 80 * DAY, 25 * DAY))))
    end = datetime.fromtimestamp(household.start + 105 * DAY * 3600, UTC)
    assert 0 < (found.cleared_at - end).days <= 15


def test_a_new_way_of_life_is_learned_in_the_end(household):
    (found,) = told(daily(household.series(household.leaking(400, 30, 80 * DAY, 320 * DAY))))
    assert found.cleared_at is not None


def test_hourly_readings_are_left_to_the_hourly_detector(household):
    assert told(household.series(household.leaking(120, 100, 80 * DAY, 40 * DAY))) == []


def test_a_register_too_coarse_for_hours_is_judged_by_days(household):
    series = household.series(household.leaking(120, 100, 80 * DAY, 40 * DAY))
    coarse = Series.arrived(MeterFacts("M"), series.at, np.floor(series.index / 100) * 100)
    result = scan([coarse], ZONE)
    assert Reason.REGISTER_TOO_COARSE in {one.reason for one in result.insufficiencies}
    assert [one.name for one in result.findings if one.at_tier(Tier.NOTIFY)] == ["leak.daily_rise"]


def test_days_are_cut_at_the_first_reading_of_each_local_day(household):
    days = days_of(gate(household.series(np.full(72, 10.0))), ZONE)
    assert days.litres.tolist() == pytest.approx([240, 240, 240])
    assert (days.known_at % 86_400 == 23 * 3600).all(), "midnight in Warsaw in winter"
    assert days.known.all()


def test_days_of_a_gap_are_zero_only_if_the_index_stood_still(household):
    at = household.start + np.array([0, 1, 2, 6, 7, 11]) * 86_400
    days = days_of(gate(Series.arrived(MeterFacts("M"), at, [0, 100, 200, 200, 300, 700])), ZONE)
    assert days.litres.tolist() == [100, 100, 0, 0, 0, 0, 100, 0]
    assert days.known.tolist() == [True] * 7 + [False]
