"""A register that stands still: told when it is unlike its meter, closed by the first use."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.batch import Batch
from anomaly.series import MeterClass, MeterFacts, Series
from anomaly.stopped import StoppedDetector
from anomaly.sufficiency import Reason
from anomaly.texts import LANGUAGES, sentence
from metering.finding import Tier

ZONE = ZoneInfo("Europe/Bucharest")
METER = MeterFacts("M")
START, HOUR, DAY = 1_704_067_200, 3600, 86_400


def home(days, still=(), litres=12.0):
    """Use every second hour but for the days named as (first, count)."""
    hourly = np.tile([litres, 0.0], days * 12)
    for first, count in still:
        hourly[first * 24 : (first + count) * 24] = 0
    index = 5_000 + np.concatenate([[0.0], np.cumsum(hourly)])
    return START + np.arange(len(index)) * HOUR, index


def found(at, index, facts=METER):
    batch = Batch.of([Series.arrived(facts, at, index)], ZONE)
    detector = StoppedDetector()
    return list(detector.inspect(batch.part(batch.fit_for(detector.blocked_by))))


def test_a_stop_is_told_after_seven_days_and_again_after_four_weeks():
    (one,) = found(*home(100, [(50, 50)]))
    assert [(stage.tier, stage.name) for stage in one.stages] == [
        (Tier.SUSPECT, "stopped.no_use"),
        (Tier.NOTIFY, "stopped.register"),
    ]
    days = [(stage.raised_at - stage.onset).total_seconds() / DAY for stage in one.stages]
    assert days == [7, 28]
    assert one.cleared_at is None


def test_a_meter_known_for_two_months_is_told_within_ten_days():
    (one,) = found(*home(120, [(70, 30)]))
    days = [(stage.raised_at - stage.onset).total_seconds() / DAY for stage in one.stages]
    assert days == [7, 9.5]


def test_a_meter_that_many_share_never_stands_still_for_days():
    at, index = home(120, [(70, 30)])
    shared = MeterFacts("M", kind=MeterClass.MULTI_DWELLING)
    (one,) = found(at, index, shared)
    assert (one.at_tier(Tier.NOTIFY).raised_at - one.stages[0].onset).days == 5


def test_it_closes_with_the_first_use():
    at, index = home(100, [(50, 9)])
    (one,) = found(at, index)
    assert one.cleared_at is not None
    assert one.cleared_at.timestamp() == at[(50 + 9) * 24 + 1]


def test_a_meter_that_is_often_still_must_be_still_three_times_as_long():
    assert found(*home(100, [(35, 5), (60, 14)])) == []
    (one,) = found(*home(100, [(35, 5), (60, 16)]))
    assert (one.stages[0].raised_at - one.stages[0].onset).days == 15


def test_where_hardly_any_water_was_used_nobody_is_sent_to_look():
    (one,) = found(*home(100, [(50, 50)], litres=1.0))
    assert one.tier is Tier.SUSPECT


def test_a_silent_meter_has_not_stopped():
    at, index = home(100)
    heard = (at < at[1_200]) | (at > at[1_200] + 20 * DAY)
    assert found(at[heard], index[heard]) == []


def test_a_silence_without_use_is_told_by_the_reading_that_ends_it():
    at, index = home(100, [(50, 10)])
    heard = (at <= START + 50 * DAY) | (at >= START + 59 * DAY)
    (one,) = found(at[heard], index[heard])
    assert one.stages[0].raised_at.timestamp() == START + 59 * DAY


def test_a_meter_known_for_less_than_four_weeks_is_not_judged():
    assert found(*home(60, [(20, 40)])) == []


def test_a_stop_is_raised_by_what_was_known_then():
    at, index = home(100, [(50, 50)])
    (one,) = found(at, index)
    until = at <= one.stages[0].raised_at.timestamp()
    (early,) = found(at[until], index[until])
    assert early.stages == one.stages[:1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_can_be_said(language):
    (one,) = found(*home(100, [(50, 50)]))
    assert all(sentence(stage, language, ZONE) for stage in one.stages)


def test_one_reading_is_not_judged():
    assert Reason.ONE_READING in StoppedDetector().blocked_by
    assert found([START], [5.0]) == []


@given(st.lists(st.tuples(st.integers(1, 40 * DAY), st.integers(0, 3)), min_size=2, max_size=60))
@settings(max_examples=150, deadline=None)
def test_whatever_is_told_stood_still_from_onset_to_raising(rows):
    at = START + np.cumsum([step for step, _ in rows])
    index = 100.0 + np.cumsum([rise for _, rise in rows])
    for finding in found(at, index):
        for stage in finding.stages:
            within = (at >= stage.onset.timestamp()) & (at <= stage.raised_at.timestamp())
            assert len(set(index[within])) == 1
            assert (stage.raised_at - stage.onset).total_seconds() >= 7 * DAY
