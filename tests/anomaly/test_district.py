"""Districts: leaks in the network show in the inflow, night by night; only what was known by then is used."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.district import BLOCKS, NIGHT, DayKind, District, DistrictDays
from anomaly.district_asked import AT_FIRST, LEAST, asked_score, peaks
from anomaly.district_peers import sensitivity
from anomaly.district_rise import Shape, flow_of, noise_of, rises
from anomaly.district_scan import scan_districts
from anomaly.sufficiency import Reason
from metering.finding import Tier

ZONE = ZoneInfo("UTC")
LOCAL = ZoneInfo("Europe/Warsaw")
START = int(datetime(2025, 1, 6, tzinfo=UTC).timestamp())
DAY = 86_400
DAYS = 150
LEAK_DAY = 100


def flow(seed, days=DAYS, mean=20.0):
    """A district that wakes in the morning and sleeps at night, with noise of 2 % a day."""
    rng = np.random.default_rng(seed)
    hour = np.arange(days * 24)
    shape = 1 + 0.4 * np.sin((hour % 24 - 9) / 24 * 2 * np.pi) - 0.05 * (hour // 24 % 7 >= 5)
    daily = np.repeat(rng.normal(0, 0.02, days), 24)
    return mean * (shape + daily + rng.normal(0, 0.03, days * 24))


def district(name="north", seed=1, leak=0.0, until=DAYS, ends=DAYS):
    hours = np.arange(ends * 24)
    day = hours / 24
    added = np.where((day >= LEAK_DAY) & (day < until), leak, 0)
    return District.of(name, START + hours * 3600, flow(seed)[: len(hours)] + added)


def told(*districts: District):
    return [one for one in scan_districts(districts, ZONE).findings if one.at_tier(Tier.NOTIFY)]


def test_a_leak_of_a_tenth_of_the_inflow_is_told_within_five_nights():
    (finding,) = told(district(leak=2.0))
    stage = finding.at_tier(Tier.NOTIFY)
    began = START + LEAK_DAY * DAY
    assert stage.name == "district.leak"
    assert 0 < stage.raised_at.timestamp() - began <= 5 * DAY
    assert abs(stage.onset.timestamp() - began) <= 2 * DAY
    assert finding.stages[-1].rate_lph == pytest.approx(2.0 * 3600, rel=0.35)
    assert stage.evidence["minimum_detectable_lps"] < 2.0
    assert finding.cleared_at is None
    assert finding.tier is Tier.DISPATCH, "it lasts"


def test_a_leak_that_is_mended_clears_itself_within_three_nights():
    (finding,) = told(district(leak=3.0, until=LEAK_DAY + 20))
    assert finding.cleared_at is not None
    assert 0 < finding.cleared_at.timestamp() - (START + (LEAK_DAY + 20) * DAY) <= 3 * DAY


@pytest.mark.parametrize("seed", range(6))
def test_noise_alone_is_rarely_told(seed):
    """At most one finding in 150 days of a quiet district."""
    assert len(told(district(seed=seed))) <= 1


def test_what_comes_later_changes_nothing_that_was_told():
    whole = told(district(leak=2.0))[0].at_tier(Tier.NOTIFY)
    cut = told(district(leak=2.0, ends=LEAK_DAY + 7))[0].at_tier(Tier.NOTIFY)
    assert whole == cut


def test_order_and_repetition_of_readings_do_not_matter():
    one = district(leak=2.0)
    order = np.random.default_rng(3).permutation(len(one))
    again = np.concatenate([order, order[:50]])
    shuffled = District.of("north", one.at[again], one.inflow[again])
    assert scan_districts([shuffled], ZONE) == scan_districts([one], ZONE)


def test_customers_use_taken_off_leaves_the_loss():
    """A district whose customers use more for a month does not leak."""
    hours = np.arange(DAYS * 24)
    use = np.where(hours / 24 >= LEAK_DAY, 3.0, 0.0)
    inflow = District.of("north", START + hours * 3600, flow(1) + use)
    known = District.of("north", START + hours * 3600, 5.0 + use)
    assert told(inflow)
    assert not told(inflow.less(known))


def test_peers_make_smaller_leaks_show():
    """Weather moves six districts alike; known from the others, a third less hides in the first one."""
    rng = np.random.default_rng(5)
    weather = np.repeat(rng.normal(0, 0.05, DAYS // 3), 3 * 24)
    hours = START + np.arange(DAYS * 24) * 3600
    many = [District.of(f"d{k}", hours, flow(k) + 20 * weather) for k in range(6)]
    together = scan_districts(many, ZONE).limits[0]
    alone = scan_districts(many[:1], ZONE).limits[0]
    assert together.dma == alone.dma == "d0"
    assert together.leak_lps / together.asked < 0.67 * alone.leak_lps / alone.asked


def test_a_district_nothing_is_known_of_is_asked_for_more_than_three_deviations():
    assert asked_score(np.zeros(0)) == pytest.approx(AT_FIRST, abs=0.06)


def test_a_year_of_quiet_asks_for_least():
    assert asked_score(np.full(400, 0.5)) == pytest.approx(LEAST, abs=0.06)


def test_a_year_asks_for_more_than_its_second_highest_peak():
    """The highest may come once a year; a day next to it is the same peak."""
    year = np.full(365, 0.5)
    year[[50, 51, 150, 250]] = 6.0, 5.0, 4.0, 3.0
    assert peaks(year) == [6.0, 4.0, 3.0]
    assert 4.0 < asked_score(year) < 4.2


def test_a_rise_that_begins_does_not_ask_for_more_of_itself():
    quiet, rising = np.full(365, 0.5), np.full(365, 0.5)
    rising[-5:] = 2.5, 3.0, 3.5, 4.0, 4.5
    assert asked_score(rising) == asked_score(quiet)


@given(st.lists(st.floats(-5, 20) | st.just(float("nan")), max_size=500))
@settings(max_examples=50, deadline=None)
def test_peaks_lie_apart_and_in_order(scores):
    found = peaks(np.array(scores))
    assert found == sorted(found, reverse=True)
    assert all(score in scores for score in found)
    assert LEAST <= asked_score(np.array(scores)) <= 12


@pytest.mark.parametrize(
    ("at", "inflow", "reason"),
    [
        ([], [], Reason.NO_READINGS),
        ([START], [3.0], Reason.TOO_FEW_DAYS),
        (START + np.arange(600) * 3600, np.full(600, np.nan), Reason.NO_READINGS),
        (START + np.arange(200) * DAY, np.full(200, 5.0), Reason.TOO_SPARSE),
        ([-5, 2**53], [1.0, np.inf], Reason.NO_READINGS),
    ],
)
def test_what_cannot_be_judged_is_named(at, inflow, reason):
    result = scan_districts([District.of("x", at, inflow)], ZONE)
    assert [told.reason for told in result.insufficiencies] == [reason]
    assert not result.findings


@pytest.mark.parametrize("constant", [0.0, 7.0, -3.0])
def test_a_constant_inflow_tells_nothing(constant):
    at = START + np.arange(100 * 24) * 3600
    assert not scan_districts([District.of("x", at, np.full(len(at), constant))], ZONE).findings


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=40), st.integers(0, 999))
def test_any_numbers_end_in_findings_or_reasons(values, seed):
    at = START + np.arange(75 * 24) * 3600
    numbers = np.random.default_rng(seed).choice(np.array(values), len(at))
    result = scan_districts([District.of("x", at, numbers), district(ends=75)], ZONE)
    assert all(one.stages for one in result.findings)


def test_days_end_with_the_night_and_know_holidays():
    """1 May 2025, a Thursday, is a holiday; its day ends on 2 May at 05:00."""
    at = START + np.arange(DAYS * 24) * 3600
    one = District.of("x", at, at % DAY / 3600.0)
    span = DistrictDays.span([one], LOCAL)
    days = DistrictDays.of(one, LOCAL, span, frozenset({date(2025, 5, 1)}))
    morning = (date(2025, 5, 2) - date(1970, 1, 1)).days - days.first
    assert days.kinds[morning] == DayKind.SUNDAY
    assert days.kinds[morning + 1] == DayKind.WORKDAY
    assert datetime.fromtimestamp(days.known_at[morning], LOCAL).hour == 4
    assert days.blocks.shape[1] == BLOCKS
    assert days.blocks[morning, NIGHT] == pytest.approx(1.0), "00, 01 and 02 UTC are 02 to 05 local"


def test_noise_is_learnt_and_a_step_scores_by_its_size():
    rng = np.random.default_rng(2)
    levels = rng.normal(0, 1.0, 200)
    noise = noise_of(levels[:-5], 0.01)
    assert noise.new + noise.drift == pytest.approx(1.0, rel=0.4)
    shape = Shape(5)
    plain = {rise.shape: rise for rise in rises(levels, noise)}[shape]
    levels[-5:] += flow_of(shape, 1.0)
    raised = {rise.shape: rise for rise in rises(levels, noise)}[shape]
    assert raised.score - plain.score == pytest.approx(plain.gain, rel=0.3)


def test_a_district_that_goes_its_own_way_is_not_sensitive_to_others():
    rng = np.random.default_rng(4)
    common = np.cumsum(rng.normal(0, 0.02, 200))
    assert sensitivity(rng.normal(0, 0.02, 200), common) < 0.3
    assert sensitivity(common + rng.normal(0, 0.002, 200), common) > 0.7
    assert sensitivity(np.full(200, np.nan), common) == 0.0
