"""Status flags: told at their edge, debounced, latched where a person must look."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.batch import Batch
from anomaly.flags import Flag, FlagReport, FlagsDetector, hand_flags_at
from anomaly.series import MeterFacts, Series
from anomaly.texts import LANGUAGES, sentence
from metering.finding import Tier

ZONE = ZoneInfo("Europe/Warsaw")
START, HOUR, DAY, MINUTE = 1_704_067_200, 3600, 86_400, 60


def home(days=60, still_from=None):
    hours = np.arange(days * 24)
    litres = np.where((still_from is not None) & (hours >= (still_from or 0) * 24), 0.0, 10.0)
    index = 1_000 + np.concatenate([[0.0], np.cumsum(litres)])
    return Series.arrived(MeterFacts("M"), START + np.arange(len(index)) * HOUR, index)


def reports(flag, spans, every=HOUR, days=60):
    """Telegrams that set a flag during spans of seconds from START."""
    return [
        FlagReport(
            START + after,
            frozenset({flag} if any(first <= after < last for first, last in spans) else ()),
        )
        for after in range(0, days * DAY, every)
    ]


def found(flag_reports, series=None):
    detector = FlagsDetector({"M": flag_reports})
    return list(detector.inspect(Batch.of([series or home()], ZONE)))


def test_a_flag_is_told_once_however_often_it_is_repeated():
    (one,) = found(reports(Flag.BATTERY, [(10 * DAY, 60 * DAY)]))
    assert (one.name, one.tier, one.cleared_at) == ("battery.reported", Tier.NOTIFY, None)
    assert one.stages[0].onset.timestamp() == START + 10 * DAY


def test_a_flag_must_stand_for_a_quarter_of_an_hour():
    short = reports(Flag.DRY, [(DAY, DAY + 10 * MINUTE)], every=5 * MINUTE, days=3)
    long = reports(Flag.DRY, [(DAY, DAY + 25 * MINUTE)], every=5 * MINUTE, days=3)
    assert found(short) == []
    (one,) = found(long)
    assert (one.stages[0].raised_at - one.stages[0].onset).total_seconds() == 15 * MINUTE


def test_it_closes_when_the_meter_no_longer_sets_it():
    (one,) = found(reports(Flag.REVERSE, [(DAY, 3 * DAY)]))
    assert one.cleared_at is not None
    assert one.cleared_at.timestamp() == START + 3 * DAY


def test_set_again_within_a_day_it_is_the_same_finding_come_back():
    (one,) = found(reports(Flag.DRY, [(DAY, 2 * DAY), (2 * DAY + 5 * HOUR, 3 * DAY)]))
    assert len(one.outcome["came_back"]) == 1
    assert len(found(reports(Flag.DRY, [(DAY, 2 * DAY), (5 * DAY, 6 * DAY)]))) == 2


@pytest.mark.parametrize("flag", [Flag.TAMPER, Flag.MAGNET, Flag.REMOVAL])
def test_what_a_hand_may_have_done_is_told_at_once_and_stays_open(flag):
    (one,) = found(reports(flag, [(DAY, DAY + HOUR), (20 * DAY, 20 * DAY + HOUR)]))
    assert one.cleared_at is None
    assert one.stages[0].raised_at == one.stages[0].onset
    assert len(one.outcome["came_back"]) == 1


def test_a_magnet_and_a_register_that_stands_still_are_worth_a_crew():
    magnet = reports(Flag.MAGNET, [(30 * DAY, 30 * DAY + HOUR)])
    (frozen,) = found(magnet, home(still_from=30))
    (moving,) = found(magnet)
    assert [stage.name for stage in frozen.stages] == ["magnet.reported", "magnet.frozen"]
    assert frozen.tier is Tier.DISPATCH
    assert frozen.stages[1].raised_at.timestamp() == START + 32 * DAY
    assert moving.tier is Tier.NOTIFY


def test_the_edges_of_flags_a_hand_may_have_caused_are_evidence_for_other_findings():
    told = reports(Flag.MAGNET, [(DAY, 2 * DAY), (9 * DAY, 10 * DAY)])
    assert hand_flags_at(reversed(told)) == (START + DAY, START + 9 * DAY)
    assert hand_flags_at(reports(Flag.DRY, [(DAY, 2 * DAY)])) == ()


def test_nobody_is_sent_for_a_magnet_where_no_water_was_used():
    (one,) = found(reports(Flag.MAGNET, [(30 * DAY, 30 * DAY + HOUR)]), home(still_from=0))
    assert one.tier is Tier.NOTIFY


def test_a_meter_without_reports_gives_nothing():
    assert list(FlagsDetector().inspect(Batch.of([home()], ZONE))) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("flag", Flag)
def test_every_flag_can_be_said(flag, language):
    (one,) = found(reports(flag, [(30 * DAY, 33 * DAY)]), home(still_from=30))
    assert all(sentence(stage, language, ZONE) for stage in one.stages)


@given(
    st.lists(st.tuples(st.integers(0, 30 * DAY), st.frozensets(st.sampled_from(Flag))), max_size=30),
    st.randoms(use_true_random=False),
)
@settings(max_examples=150, deadline=None)
def test_one_open_finding_a_flag_whatever_comes_in_whatever_order(rows, chance):
    told = [FlagReport(START + at, flags) for at, flags in rows]
    first = found(told)
    chance.shuffle(told)
    open_names = [one.name for one in first if one.cleared_at is None]
    assert len(open_names) == len(set(open_names))
    assert all(one.cleared_at is None or one.cleared_at >= one.stages[0].raised_at for one in first)
    if len({report.at for report in told}) == len(told):
        assert found(told) == first
