"""How long a battery lasts: as reported, as it sinks, and told in time."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.batch import Batch
from anomaly.battery import BatteryDetector, BatteryReports
from anomaly.series import MeterFacts, Series
from anomaly.texts import LANGUAGES, sentence
from metering.finding import Tier

ZONE = ZoneInfo("Europe/Warsaw")
START, DAY = 1_704_067_200, 86_400


def found(days, level, **more):
    reports = BatteryReports(START + np.asarray(days) * DAY, np.asarray(level, float), **more)
    batch = Batch.of([Series.arrived(MeterFacts("M"), [START], [1.0])], ZONE)
    return list(BatteryDetector({"M": reports}).inspect(batch))


def at_days(finding):
    return [(stage.raised_at.timestamp() - START) / DAY for stage in finding.stages]


def test_it_is_told_a_year_and_again_ninety_days_ahead():
    days = np.arange(0, 1000, 10)
    (one,) = found(days, 1000 - days)
    assert [stage.tier for stage in one.stages] == [Tier.SUSPECT, Tier.NOTIFY]
    assert at_days(one) == [640, 920]
    assert one.stages[1].evidence["days_left"] == 80


def test_a_battery_that_sinks_twice_as_fast_is_told_twice_as_early():
    days = np.arange(0, 450, 10)
    (one,) = found(days, 1000 - 2 * days)
    assert at_days(one) == [140, 420]
    assert one.stages[1].evidence["days_a_year"] == pytest.approx(-730)


def test_volts_are_drawn_out_to_the_cut_off():
    days = np.arange(0, 600, 5)
    (one,) = found(days, 3.6 - days / 1000, empty=2.9, unit="volts")
    assert at_days(one) == pytest.approx([340], abs=5)
    assert one.stages[0].evidence["empty_on"] == "2025-12-01"


def test_a_level_that_does_not_sink_tells_nothing():
    days = np.arange(0, 600, 5)
    assert found(days, np.full(len(days), 3.6), empty=2.9, unit="volts") == []
    assert found(days, np.full(len(days), 4000.0)) == []


def test_a_new_battery_closes_the_finding():
    days = np.arange(0, 400, 10)
    level = np.where(days < 200, 500 - days, 4000 - days)
    (one,) = found(days, level)
    assert one.cleared_at is not None
    assert (one.cleared_at.timestamp() - START) / DAY == 200


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_can_be_said(language):
    (one,) = found([0, 10], [80, 70])
    said = sentence(one.stages[0], language, ZONE)
    assert "80" in said
    assert "2024-03-21" in said


@given(st.lists(st.tuples(st.integers(1, 200), st.floats(0, 6000)), min_size=1, max_size=40))
@settings(max_examples=150, deadline=None)
def test_whatever_is_reported_is_judged_by_what_was_known_then(rows):
    days = np.cumsum([step for step, _ in rows])
    level = np.array([value for _, value in rows])
    stages = [stage for one in found(days, level) for stage in one.stages]
    for stage in stages:
        known = days <= (stage.raised_at.timestamp() - START) / DAY
        early = [one for finding in found(days[known], level[known]) for one in finding.stages]
        assert stage in early
        assert datetime.fromisoformat(str(stage.evidence["empty_on"])).date() >= stage.raised_at.date()
