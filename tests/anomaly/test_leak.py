"""Leaks from readings: found, told causally, closed; and silence where there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.leak import LeakDetector
from anomaly.scan import scan
from anomaly.series import MeterClass, MeterFacts, Series
from anomaly.sufficiency import Reason
from metering.finding import Tier

ZONE = ZoneInfo("Europe/Warsaw")
LEAK = (LeakDetector(),)
DAY = 24


def findings(*fleet: Series, tier=Tier.NOTIFY):
    result = scan(fleet, ZONE, detectors=LEAK)
    return [finding for finding in result.findings if finding.at_tier(tier)]


def only(*fleet: Series, tier=Tier.NOTIFY):
    found = findings(*fleet, tier=tier)
    assert len(found) == 1, found
    return found[0], found[0].at_tier(tier)


@pytest.mark.parametrize(
    ("rate", "within_h", "name"),
    [
        (2, 72, "leak.continuous"),
        (5, 48, "leak.continuous"),
        (25, 30, "leak.continuous"),
        (100, 16, "leak.continuous"),
        (400, 6, "burst.high_flow"),
    ],
)
def test_a_steady_flow_is_found_with_its_rate_onset_and_loss(household, rate, within_h, name):
    begin = 60 * DAY + 14
    found, stage = only(household.series(household.leaking(75, rate, begin, 15 * DAY)))
    began = datetime.fromtimestamp(household.start + begin * 3600, UTC)
    hours = (stage.raised_at - began).total_seconds() / 3600
    assert 0 < hours <= within_h
    assert stage.name == name
    assert abs((stage.onset - began).total_seconds()) <= 6 * 3600
    assert stage.rate_lph == pytest.approx(rate, rel=0.2, abs=0.6)
    assert stage.loss_l == pytest.approx(rate * hours, rel=0.5)
    assert found.cleared_at is None


def test_households_without_leaks_raise_nothing(household):
    fleet = [household.series(household.litres(90, seed), f"M{seed}") for seed in range(12)]
    assert findings(*fleet) == []


def test_a_leak_that_ends_is_closed_within_two_days_and_not_before_its_end(household):
    begin, hours = 60 * DAY, 6 * DAY
    found, _ = only(household.series(household.leaking(80, 25, begin, hours)))
    end = datetime.fromtimestamp(household.start + (begin + hours) * 3600, UTC)
    assert found.cleared_at is not None
    assert 0 < (found.cleared_at - end).total_seconds() <= 48 * 3600


def test_a_leak_present_from_the_first_reading_is_found(household):
    _, stage = only(household.series(household.leaking(20, 10, 0, 20 * DAY)))
    assert (stage.raised_at.timestamp() - household.start) / 3600 <= 72


def test_a_leak_is_not_learned_away(household):
    found, _ = only(household.series(household.leaking(150, 5, 30 * DAY, 120 * DAY)))
    assert found.cleared_at is None


def test_the_same_leak_come_back_is_the_same_finding(household):
    litres = household.leaking(90, 25, 60 * DAY, 3 * DAY)
    litres[70 * DAY : 74 * DAY] += 25
    found, _ = only(household.series(litres))
    assert len(found.outcome["came_back"]) == 1


def test_a_leak_grown_tenfold_is_told_again_and_the_small_one_is_closed(household):
    litres = household.leaking(90, 5, 40 * DAY, 50 * DAY)
    litres[70 * DAY :] += 95
    small, large = findings(household.series(litres))
    assert small.cleared_at == large.at_tier(Tier.NOTIFY).raised_at
    assert large.at_tier(Tier.NOTIFY).rate_lph == pytest.approx(100, rel=0.2)


def test_a_burst_is_told_although_a_drip_is_open(household):
    litres = household.leaking(90, 3, 40 * DAY, 50 * DAY)
    litres[80 * DAY + 2 : 80 * DAY + 10] += 400
    drip, burst = findings(household.series(litres))
    assert drip.name == "leak.continuous"
    assert burst.at_tier(Tier.NOTIFY).name == "burst.high_flow"
    assert burst.at_tier(Tier.NOTIFY).raised_at.timestamp() <= household.start + (80 * DAY + 8) * 3600


def test_tiers_are_reached_one_after_the_other(household):
    found, _ = only(household.series(household.leaking(90, 50, 60 * DAY, 30 * DAY)))
    assert [stage.tier for stage in found.stages] == [Tier.SUSPECT, Tier.NOTIFY, Tier.DISPATCH]
    raised = [stage.raised_at for stage in found.stages]
    assert raised == sorted(raised)


def test_a_small_leak_never_sends_a_crew(household):
    found, _ = only(household.series(household.leaking(120, 3, 40 * DAY, 80 * DAY)))
    assert found.tier is Tier.NOTIFY


@settings(max_examples=12, deadline=None)
@given(cut=st.integers(25 * DAY, 40 * DAY))
def test_nothing_later_is_known_when_a_finding_is_raised(household, cut):
    """Readings cut off anywhere give the same stages up to there."""
    whole = household.series(household.leaking(40, 12, 26 * DAY, 10 * DAY, seed=3))
    short = Series.arrived(whole.facts, whole.at[:cut], whole.index[:cut])
    limit = datetime.fromtimestamp(int(short.at[-1]), UTC)

    def stages(series):
        told = scan([series], ZONE, detectors=LEAK).findings
        return [stage for one in told for stage in one.stages if stage.raised_at <= limit]

    assert stages(whole) == stages(short)


def test_a_late_batch_is_told_when_it_arrives(household):
    """The leak's days arrive after four days of silence: nothing can be raised before that."""
    whole = household.series(household.leaking(80, 100, 60 * DAY, 20 * DAY))
    order = np.r_[0 : 60 * DAY, 64 * DAY : len(whole), 60 * DAY : 64 * DAY]
    late = Series.arrived(whole.facts, whole.at[order], whole.index[order])
    _, stage = only(late)
    assert stage.raised_at.timestamp() >= whole.at[-1]


def test_meters_are_judged_alike_alone_and_in_a_fleet(household):
    fleet = [
        household.series(household.leaking(70, rate, 50 * DAY, 20 * DAY, seed), f"M{seed}")
        for seed, rate in enumerate((0, 5, 30, 400))
    ]
    together = findings(*fleet, tier=Tier.SUSPECT)
    alone = [finding for series in fleet for finding in findings(series, tier=Tier.SUSPECT)]
    assert sorted(together, key=str) == sorted(alone, key=str)


def test_quarter_hours_and_hours_tell_the_same_leak(household):
    litres = household.leaking(70, 20, 60 * DAY, 10 * DAY)
    _, hourly = only(household.series(litres))
    _, quarters = only(household.series(np.repeat(litres / 4, 4), step_s=900))
    assert abs((hourly.raised_at - quarters.raised_at).total_seconds()) <= 6 * 3600
    assert quarters.rate_lph == pytest.approx(20, abs=2)


def test_decode_errors_change_no_stage(household):
    clean = household.series(household.leaking(75, 15, 60 * DAY, 15 * DAY))
    index = clean.index.copy()
    index[np.arange(5, len(index) - 3, 97)] += 1e7
    assert findings(replace(clean, index=index)) == findings(clean)


def test_a_shared_meter_is_asked_for_more_evidence(household):
    litres = household.leaking(75, 25, 60 * DAY, 15 * DAY)
    _, home = only(household.series(litres))
    _, block = only(household.series(litres, kind=MeterClass.MULTI_DWELLING))
    assert block.raised_at > home.raised_at


def test_a_register_of_ten_litres_still_shows_a_leak_of_fifty(household):
    litres = household.leaking(80, 50, 60 * DAY, 20 * DAY)
    fine = household.series(litres)
    _, stage = only(replace(fine, index=np.floor(fine.index / 10) * 10))
    assert stage.rate_lph == pytest.approx(50, rel=0.3)


@pytest.mark.parametrize(
    ("at", "index", "reason"),
    [
        ([], [], Reason.NO_READINGS),
        ([1_704_067_200], [5], Reason.ONE_READING),
        ([1_704_067_200 + 3600 * k for k in range(30)], [np.nan] * 30, Reason.NO_READINGS),
        ([1_704_067_200 + 3600 * k for k in range(30)], [2.0**53] * 30, Reason.NO_READINGS),
        ([1_704_067_200 + 86_400 * k for k in range(30)], [100 * k for k in range(30)], Reason.TOO_SPARSE),
        ([4_000_000_000 + 3600 * k for k in range(30)], [100 * k for k in range(30)], Reason.NO_READINGS),
    ],
)
def test_bad_input_is_a_named_insufficiency_and_no_finding(at, index, reason):
    series = Series.arrived(MeterFacts("M"), np.array(at, np.int64), np.array(index, np.float64))
    result = scan([series], ZONE, now=1_800_000_000, detectors=LEAK)
    assert result.findings == ()
    assert reason in {told.reason for told in result.insufficiencies}


def test_a_pool_filled_in_two_hours_and_its_edges_are_no_steady_leak(household):
    """Two full hours and two partial ones: the partial ones lie in a leak's band, one each."""
    fleet = []
    for seed in range(8):
        litres = household.litres(120, seed)
        litres[100 * DAY + 14 : 100 * DAY + 18] += [130, 670, 670, 120]
        fleet.append(household.series(litres, f"M{seed}"))
    assert not findings(*fleet)


def test_an_empty_fleet_has_nothing_to_tell():
    assert scan([], ZONE).findings == ()


def test_a_fleet_larger_than_a_batch_is_judged_alike(household, monkeypatch):
    fleet = [
        household.series(household.leaking(40, rate, 30 * DAY, 240), f"M{rate}") for rate in (10, 40, 90)
    ]
    whole = findings(*fleet)
    monkeypatch.setattr("anomaly.scan.TOGETHER", len(fleet[0]) + 1)
    assert findings(*fleet) == whole
    assert len(whole) == 3


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.integers(1_600_000_000, 1_600_400_000), st.integers(-(2**60), 2**60)),
            st.one_of(st.floats(0, 1e5), st.floats(allow_nan=True, allow_infinity=True)),
        ),
        max_size=80,
    )
)
def test_no_readings_whatsoever_break_the_scan(rows):
    """Whatever comes, the scan ends, and no stage is raised before its onset or at no reading's time."""
    at = np.array([row[0] for row in rows], np.int64)
    series = Series.arrived(MeterFacts("M"), at, [row[1] for row in rows])
    for finding in scan([series], ZONE, detectors=LEAK).findings:
        for stage in finding.stages:
            assert stage.onset <= stage.raised_at
            assert stage.raised_at.timestamp() in at
