"""Bursts of mains show within hours; a burst and what stays of it is one finding."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from anomaly.district import District
from anomaly.district_scan import scan_districts
from metering.finding import Tier

ZONE = ZoneInfo("UTC")
START = int(datetime(2025, 1, 6, tzinfo=UTC).timestamp())
DAYS, BURST_DAY = 120, 100
HOUR, DAY = 3600, 86_400


def district(extra, hours, gap=None):
    """20 L/s with a daily rhythm and noise; so much more for some hours from 10:00 of the 100th day."""
    rng = np.random.default_rng(1)
    hour = np.arange(DAYS * 24)
    flow = 20 + 8 * np.sin((hour % 24 - 9) / 24 * 2 * np.pi) + rng.normal(0, 0.6, len(hour))
    begin = BURST_DAY * 24 + 10
    flow[(hour >= begin) & (hour < begin + hours)] += extra
    known = np.ones(len(hour), bool)
    if gap:
        known[begin + gap[0] : begin + gap[1]] = False
    return District.of("north", START + hour[known] * HOUR, flow[known])


def told(one):
    return [finding for finding in scan_districts([one], ZONE).findings if finding.at_tier(Tier.NOTIFY)]


def test_a_burst_is_told_in_its_third_hour_and_clears_when_it_is_over():
    (finding,) = told(district(extra=26, hours=12))
    assert [one.tier for one in finding.stages] == [Tier.SUSPECT, Tier.DISPATCH]
    stage = finding.stages[-1]
    began = START + BURST_DAY * DAY + 10 * HOUR
    assert (stage.name, stage.tier) == ("district.burst", Tier.DISPATCH)
    assert stage.raised_at.timestamp() == began + 2 * HOUR
    assert stage.onset.timestamp() == began
    assert stage.rate_lph == pytest.approx(26 * 3600, rel=0.15)
    assert stage.loss_l == pytest.approx(26 * 3600 * 3, rel=0.15)
    assert finding.cleared_at.timestamp() == began + (12 + 2) * HOUR


@pytest.mark.parametrize(
    ("extra", "hours"),
    [(26, 2), (8, 6), (16, 12)],
    ids=["a fire was put out", "a busy morning", "suspected and over"],
)
def test_what_is_short_or_small_is_not_told(extra, hours):
    assert told(district(extra, hours)) == []


def test_a_burst_that_leaves_a_leak_is_one_finding_and_says_what_stays():
    (finding,) = told(district(extra=26, hours=24 * 30))
    assert finding.name == "district.burst"
    assert finding.cleared_at is None
    assert finding.outcome["stays_lps"] == pytest.approx(26, rel=0.4)


def test_hours_that_are_not_known_are_no_burst():
    assert told(district(extra=26, hours=6, gap=(1, 5))) == []
