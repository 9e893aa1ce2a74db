"""Clocks of meters, told from when their readings arrived."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from anomaly.batch import Batch
from anomaly.clock import ClockDetector, Receptions
from anomaly.series import MeterFacts, Series
from anomaly.texts import LANGUAGES, sentence
from metering.finding import Tier

ZONE = ZoneInfo("Europe/Bucharest")
START, HOUR, DAY = 1_704_067_200, 3600, 86_400
RECEIVED = START + np.arange(90 * 24) * HOUR


def found(error, *, received=RECEIVED, late=0):
    """Findings about a clock that is wrong by so many seconds at each reading."""
    at = received + np.asarray(np.broadcast_to(error, received.shape), np.int64)
    series = Series.arrived(MeterFacts("M"), at, np.arange(len(at), dtype=float))
    detector = ClockDetector({"M": Receptions(at, received + late)})
    return list(detector.inspect(Batch.of([series], ZONE)))


def after(day, seconds):
    return np.where(received_day() >= day, seconds, 0)


def received_day():
    return (RECEIVED - START) // DAY


def test_a_right_clock_gives_nothing():
    rng = np.random.default_rng(1)
    assert found(rng.integers(-60, 60, len(RECEIVED))) == []


def test_readings_that_come_late_say_nothing_while_some_come_at_once():
    rng = np.random.default_rng(2)
    late = np.where(rng.random(len(RECEIVED)) < 0.8, rng.integers(0, 20 * HOUR, len(RECEIVED)), 0)
    assert found(0, late=late) == []


@pytest.mark.parametrize("seconds", [HOUR, -HOUR, HOUR - 80, -HOUR - 80])
def test_a_step_of_an_hour_is_summer_time(seconds):
    (one,) = found(after(40, seconds))
    assert (one.name, one.tier, one.cleared_at) == ("clock.dst", Tier.NOTIFY, None)
    assert one.stages[0].raised_at.timestamp() < START + 42 * DAY


def test_another_step_is_a_step_and_ends_when_the_clock_is_set_right():
    error = np.where((received_day() >= 40) & (received_day() < 50), 2_000, 0)
    (one,) = found(error)
    assert one.name == "clock.step"
    assert one.stages[0].evidence["step_s"] == 2_000
    assert one.cleared_at is not None
    assert START + 50 * DAY <= one.cleared_at.timestamp() < START + 52 * DAY


def test_a_clock_that_was_always_off_is_off():
    (one,) = found(-1_200)
    assert (one.name, one.stages[0].evidence["offset_s"]) == ("clock.off", -1_200)


def test_a_clock_that_creeps_past_a_quarter_of_an_hour_was_not_set():
    (one,) = found(12 * (RECEIVED - START) / DAY)
    assert one.name == "clock.off"


def test_a_quarter_of_an_hour_is_allowed():
    assert found(after(40, 15 * 60)) == []


@pytest.mark.parametrize(("slope", "names"), [(12, ["clock.drift"]), (-12, ["clock.drift"]), (8, [])])
def test_a_clock_that_runs_away_by_more_than_ten_seconds_a_day_drifts(slope, names):
    error = slope * (RECEIVED - START) / DAY
    error = np.where(np.abs(error) < 890, error, 0)  # set right before it is a quarter of an hour off
    findings = found(error)
    assert [one.name for one in findings][:1] == names
    assert all(abs(abs(one.stages[0].evidence["seconds_a_day"]) - 12) < 0.5 for one in findings)


def test_times_before_2000_and_times_to_come_are_told_without_receptions():
    at = np.array([START, START + HOUR, 0, START + 2 * HOUR, START + 40 * DAY, START + 3 * HOUR])
    series = Series.arrived(MeterFacts("M"), at, [1.0, 2, 3, 4, 5, 6])
    batch = Batch.of([series], ZONE, now=START + DAY)
    assert [one.name for one in ClockDetector().inspect(batch)] == ["clock.lost", "clock.ahead"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_finding_can_be_said(language):
    for error in (after(40, HOUR), after(40, 2_000), -1_200, 10.4 * (RECEIVED - START) / DAY - 460):
        (one, *_) = found(error)
        assert sentence(one.stages[0], language, ZONE)


def test_no_receptions_and_a_single_one_are_no_crash():
    assert found(0, received=RECEIVED[:1]) == []
    assert found(0, received=RECEIVED[:0]) == []
