"""Falling readings: what made an index go down is told, and nobody is accused without evidence."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from falls import (
    CASES,
    DAY,
    HOUR,
    START,
    ZONE,
    fallen,
    found,
    home,
    names,
    replayed,
    rolled_over,
    spoilt,
    turned_back,
    verdict,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.falling import Circumstances
from anomaly.series import MeterFacts, Series
from anomaly.texts import LANGUAGES, sentence
from metering.finding import Tier


def test_at_least_98_of_100_causes_of_a_fall_are_called_by_their_name():
    called = Counter(
        (expected, verdict(found(*spoilt(cause, 1_000 * number + seed))))
        for number, (cause, expected) in enumerate(CASES.items())
        for seed in range(25)
    )
    right = sum(count for (expected, said), count in called.items() if expected == said)
    wrong = {pair: count for pair, count in called.items() if pair[0] != pair[1]}
    assert right / called.total() >= 0.98, wrong


def test_an_untouched_home_gives_nothing():
    assert all(not found(*home(seed)[:2]) for seed in range(20))


@pytest.mark.parametrize("cause", CASES)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_stage_rests_only_on_readings_up_to_the_one_that_raised_it(cause, seed):
    """Cut off at that reading, the series gives the same stage, not later and not long before."""
    at, index = spoilt(cause, seed)
    for finding in found(at, index):
        for stage in finding.stages:
            until = at <= stage.raised_at.timestamp()
            again = [told for one in found(at[until], index[until]) for told in one.stages]
            same = [told for told in again if (told.name, told.tier) == (stage.name, stage.tier)]
            early = [(stage.raised_at - one.raised_at).total_seconds() / HOUR for one in same]
            assert any(0 <= hours < 4 for hours in early)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("cause", CASES)
def test_every_finding_can_be_said(cause, language):
    said = [sentence(stage, language, ZONE) for one in found(*spoilt(cause, 5)) for stage in one.stages]
    assert said
    assert not any("{" in text or "None" in text for text in said)


# --- evidence ----------------------------------------------------------------------------------------


def test_a_fall_is_a_replacement_when_an_exchange_is_recorded_however_it_looks():
    at, index = turned_back(*home(3)[:2], 900, np.random.default_rng(1))
    (one,) = found(at, index, Circumstances(exchanged_at=(int(at[880]),)))
    assert (one.name, one.tier) == ("register.replacement", Tier.SUSPECT)


def test_a_flag_raises_the_suspicion_at_once_and_without_one_it_takes_a_week_of_use():
    at, index = turned_back(*home(3)[:2], 900, np.random.default_rng(1))
    (flagged,) = found(at, index, Circumstances(flagged_at=(int(at[899]),)))
    (alone,) = found(at, index)
    assert flagged.name == alone.name == "tampering.suspected"
    assert (flagged.stages[0].raised_at.timestamp() - at[900]) <= 3 * HOUR
    assert 7 * DAY <= alone.stages[0].raised_at.timestamp() - at[900] <= 7 * DAY + HOUR


def test_a_second_drop_of_a_suspected_meter_is_the_same_finding():
    at, index, rng = home(3, days=150)
    (one,) = found(*turned_back(*turned_back(at, index, 900, rng), 2_400, rng))
    assert len(one.outcome["came_back"]) == 1
    assert one.cleared_at is None


def test_a_backflow_register_that_rose_makes_a_drop_backflow():
    at, index = turned_back(*home(3)[:2], 900, np.random.default_rng(1))
    (one,) = found(at, index, Circumstances(backward_at=(int(at[901]),)))
    assert one.name == "backflow.large"


def test_nobody_is_accused_where_no_water_is_used():
    at, index, rng = home(3)
    index[700:] = index[700]
    assert "tampering.suspected" not in names(found(*turned_back(at, index, 900, rng)))


def test_a_cross_read_names_the_meter_it_reads_like():
    at, index, _ = home(4)
    other = Series.arrived(MeterFacts("N"), at, index + 50_000)
    index = index.copy()
    index[800] += 50_000
    (one,) = found(at, index, others=[other])
    assert one.stages[0].evidence["reads_like"] == "N"


def test_falls_of_a_few_litres_are_told_from_the_fifth_in_thirty_days_and_loudly_from_the_twentieth():
    at, index, _ = home(6)
    few = found(*fallen(at, index, range(800, 840, 10), [3] * 4))
    five = found(*fallen(at, index, range(800, 850, 10), [3] * 5))
    many = found(*fallen(at, index, range(800, 1_000, 10), [3] * 20))
    assert few == []
    assert [stage.tier for stage in five[0].stages] == [Tier.SUSPECT]
    assert [stage.tier for stage in many[0].stages] == [Tier.SUSPECT, Tier.NOTIFY]


def test_backflow_closes_by_itself_after_thirty_quiet_days():
    at, index, _ = home(7, days=80)
    (one,) = found(*fallen(at, index, [800, 830], [60, 60]))
    assert one.cleared_at is not None
    assert 30 * DAY <= one.cleared_at.timestamp() - at[830] <= 30 * DAY + HOUR


def test_two_backflows_months_apart_are_two_findings():
    at, index, _ = home(7, days=150)
    first, second = found(*fallen(at, index, [800, 2_600], [60, 60]))
    assert first.cleared_at is not None
    assert first.cleared_at < second.stages[0].raised_at
    assert first.tier is second.tier is Tier.SUSPECT


def test_only_the_falls_of_thirty_days_are_counted():
    at, index, _ = home(6, days=120)
    (one,) = found(*fallen(at, index, range(800, 800 + 22 * 72, 72), [3] * 22))
    assert [stage.tier for stage in one.stages] == [Tier.SUSPECT]


def test_trembling_is_over_when_two_falls_are_left_of_thirty_days():
    at, index, _ = home(6, days=80)
    (one,) = found(*fallen(at, index, range(800, 1_040, 48), [3] * 5))
    assert one.cleared_at is not None
    assert 30 * DAY <= one.cleared_at.timestamp() - at[800 + 2 * 48] <= 30 * DAY + HOUR


@pytest.mark.parametrize(("falls", "litres", "name"), [(10, 3, "micro"), (5, 100, "large")])
def test_falls_while_nobody_is_at_home_do_not_make_a_reversed_meter(falls, litres, name):
    at, index, _ = home(9)
    index[760:] = index[760]
    findings = found(*fallen(at, index, range(800, 800 + 4 * falls, 4), [litres] * falls))
    assert names(findings) == [f"backflow.{name}"]


def test_use_of_which_most_runs_back_is_backflow_not_a_wrong_reading():
    at, index, _ = home(10)
    k = next(n for n in range(900, 1_200) if 20 <= index[n] - index[n - 1] <= 60)
    index = index.copy()
    left = index[k] - 0.7 * (index[k] - index[k - 1])
    index[k + 8 :] += left - index[k + 8]
    index[k + 1 : k + 8] = left
    assert names(found(at, index)) == ["backflow.large"]


def test_a_wrong_index_within_what_the_pipe_allows_accuses_nobody():
    at, index, _ = home(11)
    index = index.copy()
    index[800:803] += 3_500
    (one,) = found(at, index)
    assert one.name == "reading.decode_error"
    assert one.stages[0].onset.timestamp() == at[800]


def test_an_index_already_seen_is_an_old_reading_even_at_its_usual_hour():
    at, index, _ = home(12)
    k = next(n for n in range(900, 1_200) if index[n] - index[n - 3] > 40)
    index = index.copy()
    index[k + 1] = index[k - 3]
    assert names(found(at, index)) == ["reading.reordered"]


def test_after_a_roll_over_an_old_reading_is_known_by_what_it_showed():
    at, index, rng = home(13)
    at, index = rolled_over(at, index, 800, np.random.default_rng(1))
    assert names(found(*replayed(at, index, 900, rng))) == ["register.roll_over", "reading.reordered"]


def test_a_recorded_exchange_explains_an_index_that_looks_like_another_unit():
    at, index, _ = home(14)
    index = index.copy()
    index[800:] = np.floor(index[800:] / 10)
    known = Circumstances(exchanged_at=(int(at[800]),))
    assert names(found(at, index, known)) == ["register.replacement"]


def test_jumps_of_one_month_are_one_finding():
    at, index, _ = home(15)
    index = index.copy()
    index[800:] += 50_000
    index[900:] += 70_000
    assert names(found(at, index)) == ["register.jump"]


def test_wrong_readings_of_one_day_are_one_finding():
    at, index, _ = home(8)
    index = index.copy()
    index[[800, 804, 808, 900]] += 100_000
    assert names(found(at, index)) == ["reading.decode_error"] * 2


indices = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, 1.0, 999_999.0, 2.0**53, -1.0]),
    st.integers(0, 5_000).map(float),
)


@given(st.lists(st.tuples(st.integers(-10, 10**6), indices), max_size=40))
@settings(max_examples=150, deadline=None)
def test_no_series_however_bad_is_a_crash(rows):
    at = [START + seconds for seconds, _ in rows]
    findings = found(at, [value for _, value in rows])
    assert all(one.cleared_at is None or one.cleared_at >= one.stages[0].raised_at for one in findings)
    still_open = [one.family for one in findings if one.cleared_at is None]
    assert len(still_open) == len(set(still_open))
