"""What ended by itself before is asked to run longer; small flows, cold meters and first hours too."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.bank import HIGHEST
from anomaly.habits import (
    ABOVE_SWELLS,
    CLEAN,
    COLD,
    COLD_TICKS,
    LEAST_HOURS,
    LEAST_LPH,
    LONGEST,
    SMALL_FOR,
    TIMES_THE_LONGEST,
    Habits,
)
from anomaly.leak import LeakDetector
from anomaly.levels import CHANNELS, LEVEL_LPH, STEADY
from anomaly.local_time import DAY, HOUR
from anomaly.scan import scan
from anomaly.suspicion import Sign
from metering.finding import Tier

ZONE_UTC = ZoneInfo("UTC")
AT = 1_704_067_200
TOILET = 6  # 12 to 27 L/h
BURST = next(k for k in range(STEADY) if LEVEL_LPH[k] > 300)


def habits(patience=1.0, strictness=1.0):
    return Habits(patience, strictness, 1.0)


def sign(at, channel, score, age_h=0):
    """One tick at which only one channel scores, and since when."""
    ratio = np.zeros(len(CHANNELS), np.float32)
    ratio[channel] = score
    return Sign(at, None, ratio, np.full(len(CHANNELS), age_h, np.uint8), 10_000, lambda _: [])


def swell(some, channel, seconds, at, score=0.9):
    """Let scores rise ``seconds`` before ``at`` and be gone an hour after it."""
    assert some.look(sign(at - seconds, channel, score))
    assert some.look(sign(at, channel, score))
    assert not some.look(sign(at + HOUR, channel, 0.0))


def test_a_run_must_outlast_what_ended_by_itself():
    some = habits()
    swell(some, TOILET, 20 * HOUR, AT)
    swell(some, TOILET, 12 * HOUR, AT + 3 * DAY)
    assert some.asked_s(TOILET, AT + 30 * DAY, 17.0) == TIMES_THE_LONGEST * 20 * HOUR
    assert some.asked_s(TOILET + 1, AT + 30 * DAY, 17.0) == TIMES_THE_LONGEST * 20 * HOUR


def test_what_rises_must_come_to_more_than_what_ended_by_itself():
    some = habits()
    swell(some, TOILET, 20 * HOUR, AT, score=1.1)
    more = some.more(AT + 30 * DAY, 10_000, [])
    assert more[TOILET] == pytest.approx(1.1 * ABOVE_SWELLS)
    assert more[TOILET + 4] == more[TOILET]
    assert some.more(AT + 366 * DAY + HOUR, 10_000, [])[TOILET] == pytest.approx(1 - CLEAN)


def test_a_household_without_swells_is_believed_sooner_but_for_bursts():
    more = habits().more(AT, 120 * 24, [])
    assert more[TOILET] == pytest.approx(1 - CLEAN)
    assert more[BURST] == 1


def test_after_a_told_finding_that_ended_every_leak_is_asked_for_more_for_a_time():
    soon, later = habits().more(AT + DAY, 10_000, [AT]), habits().more(AT + 300 * DAY, 10_000, [AT])
    assert 1.9 < soon[TOILET] <= 2
    assert 1 < later[TOILET] < 1.3
    assert soon[BURST] == 1


def test_other_flows_and_other_years_are_no_habit():
    some = habits()
    swell(some, TOILET, 20 * HOUR, AT)
    without = habits().asked_s(TOILET, AT, 17.0)
    assert some.asked_s(TOILET + 2, AT, 17.0) == without
    assert some.asked_s(TOILET, AT + 366 * DAY, 17.0) == without


def test_a_leak_of_a_week_that_was_mended_is_no_habit():
    some = habits()
    swell(some, TOILET, LONGEST + 1, AT)
    assert some.asked_s(TOILET, AT, 17.0) == habits().asked_s(TOILET, AT, 17.0)


def test_bursts_do_not_wait_for_habits():
    some = habits()
    swell(some, BURST, 5 * HOUR, AT)
    assert some.asked_s(BURST, AT, 400.0) < 3 * HOUR


def test_drips_wait_longest_and_large_flows_least():
    asked = [habits().asked_s(0, AT, rate) for rate in (1.0, 5.0, 25.0, 100.0)]
    assert asked == pytest.approx([SMALL_FOR, *(hours * HOUR for hours in LEAST_HOURS[:3])])
    assert LEAST_LPH[:3] == (5.0, 25.0, 100.0)
    assert asked == sorted(asked, reverse=True)


def test_a_drip_is_a_drip_whatever_the_register_shows():
    coarse = Habits(1.0, 1.0, 10.0)
    assert coarse.asked_s(3, AT, 25.0) == habits().asked_s(3, AT, 25.0) < SMALL_FOR


def test_what_comes_and_goes_is_only_measured_by_habit():
    assert habits().asked_s(STEADY, AT, 30.0) == 0


def test_a_new_meter_is_asked_for_more_evidence_fading_over_six_weeks():
    assert habits().more(AT, 0, [])[0] == 2
    assert habits().more(AT, 28 * 24, [])[BURST] == pytest.approx(1 + COLD / 3)
    assert habits().more(AT, COLD_TICKS, [])[BURST] == 1


@given(
    st.floats(1, 3),
    st.integers(0, 2000),
    st.lists(st.integers(AT - 400 * DAY, AT), max_size=4),
    st.lists(st.tuples(st.integers(0, len(CHANNELS) - 1), st.floats(0.5, 2.1)), max_size=3),
)
@settings(max_examples=200, deadline=None)
def test_no_history_asks_for_more_than_scores_can_reach(patience, ticks, told, swells):
    some = habits(patience)
    for day, (channel, score) in enumerate(swells):
        swell(some, channel, 10 * HOUR, AT + day * DAY, score)
    more = some.more(AT + 10 * DAY, ticks, told)
    assert more.shape == (len(CHANNELS),)
    assert ((more > 0.5) & (more < HIGHEST.max())).all()


def test_strictness_is_the_dial_for_evidence_and_time():
    strict, usual = habits(strictness=1.5), habits()
    assert np.allclose(strict.more(AT, 0, []), 1.5 * usual.more(AT, 0, []))
    assert strict.asked_s(3, AT, 5.0) == 1.5 * usual.asked_s(3, AT, 5.0)


@pytest.mark.parametrize(("hours", "alarms"), [(22, 0), (120, 1)])
def test_a_household_whose_valve_closes_by_itself_is_told_when_once_it_does_not(household, hours, alarms):
    """Four runs of 20 h that end by themselves, then one of so many hours."""
    litres = household.litres(150, seed=4)
    for first in (40, 52, 66, 79):
        litres[first * 24 + 8 : first * 24 + 28] += 15
    quiet = scan([household.series(litres)], ZONE_UTC, detectors=(LeakDetector(),)).findings
    litres[120 * 24 + 8 : 120 * 24 + 8 + hours] += 15
    told = scan([household.series(litres)], ZONE_UTC, detectors=(LeakDetector(),)).findings
    before = sum(one.at_tier(Tier.NOTIFY) is not None for one in quiet)
    assert sum(one.at_tier(Tier.NOTIFY) is not None for one in told) == before + alarms
