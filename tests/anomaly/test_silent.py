"""Meters that are not heard: one by one, or together with their gateway."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from anomaly.batch import Batch
from anomaly.series import MeterFacts, Series
from anomaly.silent import SilentDetector
from anomaly.texts import LANGUAGES, sentence
from metering.finding import Tier

ZONE = ZoneInfo("Europe/Warsaw")
START, HOUR, DAY = 1_704_067_200, 3600, 86_400
GATEWAYS = {f"M{n}": "north" if n < 4 else "south" for n in range(10)}


def meter(name, *, days=60, cadence=HOUR, silent=None):
    at = START + np.arange(0, days * DAY, cadence)
    if silent is not None:
        first, last = silent
        at = at[(at < START + first * DAY) | (at >= START + last * DAY)]
    return Series.arrived(MeterFacts(name), at, np.arange(len(at), dtype=float))


def town(silent=(), until=None, days=30):
    return [meter(f"M{n}", silent=(20, until or days) if n in silent else None, days=days) for n in range(10)]


def found(fleet, gateways=GATEWAYS):
    detector = SilentDetector(gateways)
    gathered = [detector.gather(Batch.of(part, ZONE)) for part in (fleet[::2], fleet[1::2]) if part]
    return sorted(detector.conclude(gathered), key=lambda one: one.subject)


def test_a_meter_is_silent_after_three_days_and_told_after_ten():
    (one,) = found(town(silent={5}, days=40))
    assert (one.subject, one.name, one.cleared_at) == ("M5", "silent.meter", None)
    assert [stage.tier for stage in one.stages] == [Tier.SUSPECT, Tier.NOTIFY]
    hours = [(stage.raised_at - stage.onset).total_seconds() / HOUR for stage in one.stages]
    assert hours == [72, 240]


@pytest.mark.parametrize("silent", [{5}, {0, 1, 2, 3}])
def test_it_is_over_when_a_meter_is_heard_again_and_no_more_is_told(silent):
    (one,) = found(town(silent=silent, until=25, days=40))
    assert one.cleared_at is not None
    assert one.cleared_at.timestamp() == START + 25 * DAY
    assert [stage.tier for stage in one.stages] == [Tier.SUSPECT]


def test_most_meters_of_a_gateway_together_are_one_silent_gateway():
    (one,) = found(town(silent={0, 1, 2}, days=40))
    assert (one.subject, one.name, one.tier) == ("north", "silent.gateway", Tier.NOTIFY)
    assert one.stages[0].evidence["meters"] == ["M0", "M1", "M2"]


def test_three_of_many_meters_of_a_gateway_do_not_make_it_silent():
    everywhere = dict.fromkeys(GATEWAYS, "north")
    assert [one.subject for one in found(town(silent={0, 1, 2}), everywhere)] == ["M0", "M1", "M2"]


def test_a_meter_is_not_silent_for_less_than_three_of_its_cadences():
    cadence = 30 * HOUR
    for pause, told in ((80, 0), (95, 1)):
        at = START + np.concatenate([np.arange(20) * cadence, [19 * cadence + pause * HOUR]])
        slow = Series.arrived(MeterFacts("M0"), at, np.arange(21.0))
        assert len(found([slow, meter("M1")])) - 1 == told  # and one for its end, before that of M1


def test_meters_of_different_gateways_are_told_one_by_one():
    assert [one.subject for one in found(town(silent={0, 4, 5}))] == ["M0", "M4", "M5"]


def test_meters_that_fall_silent_days_apart_are_told_one_by_one():
    fleet = [meter(f"M{n}", silent=(20 + n, 40), days=40) for n in range(4)] + town(days=40)[4:]
    assert [one.name for one in found(fleet)] == ["silent.meter"] * 4


def test_without_known_gateways_a_silent_meter_is_noted_but_not_told():
    (one,) = found(town(silent={5}, days=40), gateways={})
    assert one.tier is Tier.SUSPECT


def test_a_meter_that_is_read_once_a_week_is_not_silent_between():
    assert found([meter("M0", cadence=7 * DAY), meter("M1")]) == []


def test_a_meter_that_is_often_away_must_be_away_longer():
    often = meter("M0", days=60)
    day = (often.at - START) // DAY
    away = ((day > 5) & (day <= 10)) | ((day > 15) & (day <= 20)) | (day > 55)
    fleet = [Series.arrived(MeterFacts("M0"), often.at[~away], often.index[~away]), meter("M1")]
    told = [one.stages[0].onset.timestamp() for one in found(fleet)]
    assert len(told) == 1
    assert told[0] < START + 10 * DAY


def test_what_is_told_was_known_by_then():
    fleet = town(silent={5}, until=36, days=40)
    (one,) = found(fleet)
    for stage in one.stages:
        cut = [
            Series.arrived(series.facts, *(rows[series.at <= stage.raised_at.timestamp()] for rows in pair))
            for series in fleet
            for pair in [(series.at, series.index)]
        ]
        (early,) = found(cut)
        assert stage in early.stages


def test_a_meter_whose_readings_are_not_believed_is_heard_all_the_same():
    at = START + np.arange(40 * 24) * HOUR
    backwards = Series.arrived(MeterFacts("M0"), at, 9_000.0 - np.arange(len(at)))
    assert found([backwards, meter("M1", days=40)]) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_can_be_said(language):
    findings = found(town(silent={0, 1, 2, 3, 7}))
    assert {one.name for one in findings} == {"silent.meter", "silent.gateway"}
    assert all(sentence(one.stages[0], language, ZONE) for one in findings)


def test_no_meters_is_no_silence():
    assert found([]) == []
