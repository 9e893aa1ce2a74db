"""False-discovery control, and what is told by it: unusual days and nights, water at night in empty homes."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.batch import Batch
from anomaly.discovery import Calibration, Q, accepted, upper_tail_t3
from anomaly.series import MeterFacts, Series
from anomaly.texts import LANGUAGES, sentence
from anomaly.unusual import UnusualUseDetector
from anomaly.vacancy import VacancyDetector
from metering.finding import Tier

ZONE = ZoneInfo("Europe/Warsaw")
AWAKE = range(7, 22)
START, HOUR, DAY = 1_704_063_600, 3600, 86_400  # 2024-01-01 00:00 in Warsaw


def home(name, days, seed, *, empty=(), extra=()):
    """Use by day of changing size; nothing on the days ``empty``; ``extra`` are (hour, litres)."""
    rng = np.random.default_rng(seed)
    litres = np.where(
        np.isin(np.arange(days * 24) % 24, list(AWAKE)), np.ceil(rng.gamma(2, 6, days * 24)), 0.0
    )
    for first, last in empty:
        litres[first * 24 : last * 24] = 0
    for hour, more in extra:
        litres[hour] += more
    index = np.floor(1000 + np.concatenate([[0.0], np.cumsum(litres)]))
    return Series.arrived(MeterFacts(name), START + np.arange(len(index)) * HOUR, index)


def told(detector, *fleet: Series, parts=1):
    gathered = []
    for part in range(parts):
        batch = Batch.of(fleet[part::parts], ZONE)
        gathered.append(detector.gather(batch.part(batch.fit_for(detector.blocked_by))))
    return list(detector.conclude(gathered))


def test_benjamini_hochberg_as_printed_in_1995():
    """The fifteen p-values of their example: at 5 % four are told, Bonferroni would tell three."""
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459]
    p += [0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000]
    assert accepted(np.array(p), 15, 0.05).tolist() == [True] * 4 + [False] * 11


@given(st.lists(st.floats(0, Q), max_size=50), st.integers(0, 1000), st.randoms())
@settings(max_examples=200, deadline=None)
def test_what_is_told_are_the_smallest_and_no_more_for_more_tests(p, others, random):
    values = np.array(p)
    few, many = accepted(values, len(p)), accepted(values, len(p) + others)
    assert not (many & ~few).any()
    if few.any():
        assert values[few].max() <= values[~few].min(initial=1)
    shuffled = list(range(len(p)))
    random.shuffle(shuffled)
    assert accepted(values[shuffled], len(p)).tolist() == few[shuffled].tolist()


def test_of_uniform_p_values_hardly_anything_is_told():
    rng = np.random.default_rng(3)
    families = [accepted(rng.random(200), 200).any() for _ in range(500)]
    assert np.mean(families) <= 1.3 * Q


def test_the_tail_is_students_with_three_degrees_of_freedom():
    """Table values: t of 2.353, 4.541 and 10.215 are passed by 5, 1 and 0.1 % (one-sided)."""
    assert upper_tail_t3(np.array([0.0, 2.353, 4.541, 10.215])) == pytest.approx(
        [0.5, 0.05, 0.01, 0.001], rel=1e-3
    )
    assert (np.diff(upper_tail_t3(np.linspace(-9, 4000, 4000))) < 0).all()


def corrected_days(draw, days=120, tests=5000):
    """Correct day after day; gives what the last half of the days said and what it was corrected to."""
    known, said, proved = Calibration(), [], []
    for day in range(days):
        p = draw(tests)
        p = p[p <= Q]
        better = known.corrected(p)
        if day >= days // 2:
            said.append(p)
            proved.append(better)
        known.take_in(p, tests)
    return np.concatenate(said), np.concatenate(proved), tests * (days - days // 2)


@pytest.mark.parametrize("level", [1e-2, 1e-3, 1e-4])
def test_p_values_that_come_too_often_are_corrected_by_what_earlier_days_proved(level):
    rng = np.random.default_rng(7)
    said, proved, tests = corrected_days(lambda n: upper_tail_t3(1.3 * rng.standard_t(2, n)))
    assert (said <= level).sum() > 2 * level * tests, "the tail is heavier than the model's"
    assert (proved <= level).sum() <= 1.3 * level * tests


def test_p_values_that_are_what_they_say_stay_so():
    rng = np.random.default_rng(8)
    said, proved, _ = corrected_days(rng.random)
    assert (proved >= said).all()
    assert np.median(proved / said) < 1.1


@given(st.lists(st.floats(1e-300, 1), min_size=1, max_size=30), st.lists(st.floats(0, 0.1), max_size=30))
@settings(max_examples=100, deadline=None)
def test_a_correction_keeps_the_order_and_never_makes_a_result_rarer(p, past):
    known = Calibration()
    known.take_in(np.array(past), 10 * len(past))
    values = np.sort(np.array(p))
    better = known.corrected(values)
    assert (better >= values).all()
    assert (better <= 1).all()
    assert (np.diff(better) >= -1e-12).all()


def test_a_day_of_ten_times_the_use_is_told_at_its_end():
    found = told(UnusualUseDetector(), home("M", 80, 1, extra=[(70 * 24 + 12, 3000)]))
    (day,) = [one for one in found if one.name == "use.unusual_day"]
    stage = day.stages[0]
    assert stage.tier is Tier.SUSPECT
    assert stage.raised_at.timestamp() == START + 71 * DAY
    assert stage.evidence["litres"] > 3000
    assert stage.evidence["usual_l"] == pytest.approx(200, rel=0.3)


def test_a_night_is_told_by_itself():
    found = told(UnusualUseDetector(), home("M", 80, 1, extra=[(70 * 24 + 2, 80)]))
    assert [one.name for one in found] == ["use.unusual_night"]


def test_usual_homes_raise_next_to_nothing_in_a_year():
    fleet = [home(f"M{seed}", 120, seed) for seed in range(30)]
    assert len(told(UnusualUseDetector(), *fleet)) <= 3


@pytest.mark.parametrize("detector", [UnusualUseDetector(), VacancyDetector()])
def test_the_fleet_is_judged_the_same_however_it_is_parted(detector):
    fleet = [
        home(f"M{seed}", 90, seed, empty=[(60, 80)], extra=[(70 * 24 + 2, 40 * seed), (85 * 24 + 9, 900)])
        for seed in range(9)
    ]
    whole = told(detector, *fleet)
    assert whole
    assert sorted(map(str, told(detector, *fleet, parts=4))) == sorted(map(str, whole))


def test_in_a_larger_fleet_the_same_day_must_be_rarer():
    odd = home("odd", 80, 1, extra=[(70 * 24 + 12, 2000)])
    others = [home(f"M{seed}", 80, seed) for seed in range(2, 400)]
    alone = [one for one in told(UnusualUseDetector(), odd) if one.subject == "odd"]
    among = [one for one in told(UnusualUseDetector(), odd, *others) if one.subject == "odd"]
    assert len(alone) == 1
    assert not among


def test_water_at_night_in_an_empty_home_is_told_at_the_end_of_that_day():
    (found,) = told(VacancyDetector(), home("M", 90, 1, empty=[(60, 80)], extra=[(72 * 24 + 3, 30)]))
    stage = found.stages[0]
    assert (stage.name, stage.tier) == ("vacancy.night_use", Tier.NOTIFY)
    assert stage.evidence["empty_days"] == 12
    assert stage.raised_at.timestamp() == START + 73 * DAY


def test_coming_home_at_night_is_no_intrusion():
    assert told(VacancyDetector(), home("M", 90, 1, empty=[(60, 72)], extra=[(72 * 24 + 3, 30)])) == []


def test_a_home_that_is_lived_in_is_no_empty_one():
    assert told(VacancyDetector(), home("M", 90, 1, extra=[(72 * 24 + 3, 30)])) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_they_can_be_said(language):
    night = told(VacancyDetector(), home("M", 90, 1, empty=[(60, 80)], extra=[(72 * 24 + 3, 30)]))
    day = told(UnusualUseDetector(), home("M", 80, 1, extra=[(70 * 24 + 12, 3000)]))
    for finding in night + day:
        assert "{" not in sentence(finding.stages[0], language, ZONE)
