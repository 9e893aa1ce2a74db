"""A meter that counts less and less against the year before and its peers."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from anomaly.batch import Batch
from anomaly.series import MeterFacts, Series
from anomaly.texts import LANGUAGES, sentence
from anomaly.under_registration import UnderRegistrationDetector
from metering.finding import Tier

ZONE = ZoneInfo("Europe/Warsaw")
START, DAY = 1_704_067_200, 86_400
DAYS = 1000


def meter(name, seed, share=None, dry=1.0):
    """Daily use with a season; ``share`` of it is counted; from day 700 on everybody uses ``dry`` of it."""
    rng = np.random.default_rng(seed)
    day = np.arange(DAYS)
    litres = rng.gamma(4, 60, DAYS) * (1 + 0.3 * np.sin(day / 365 * 2 * np.pi))
    litres *= np.where(day >= 700, dry, 1.0)
    if share is not None:
        litres *= share(day)
    return Series.arrived(MeterFacts(name), START + day * DAY, 5000 + np.cumsum(litres))


def town(**more):
    return [meter(f"M{seed}", seed, **more) for seed in range(20)]


def found(fleet):
    detector = UnderRegistrationDetector()
    parts = [Batch.of(part, ZONE) for part in (fleet[::2], fleet[1::2])]
    return list(
        detector.conclude([detector.gather(part.part(part.fit_for(detector.blocked_by))) for part in parts])
    )


def worn(day):
    """From day 500 on the meter loses a third within 200 days."""
    return 1 - 0.33 * np.clip((day - 500) / 200, 0, 1)


def test_a_meter_that_loses_a_third_is_told():
    (one,) = [one for one in found([*town(), meter("worn", 99, worn)]) if one.tier is Tier.NOTIFY]
    assert one.subject == "worn"
    assert one.stages[-1].evidence["percent_below"] == pytest.approx(33, abs=12)


def test_sound_meters_and_seasons_tell_nothing():
    assert [one for one in found(town()) if one.tier is Tier.NOTIFY] == []


def test_what_all_meters_do_is_no_fault_of_one():
    assert [one for one in found(town(dry=0.6)) if one.tier is Tier.NOTIFY] == []


def test_a_meter_known_for_a_year_is_not_judged():
    young = [Series.arrived(s.facts, s.at[:360], s.index[:360]) for s in [*town(), meter("worn", 99, worn)]]
    assert found(young) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_can_be_said(language):
    one = next(one for one in found([*town(), meter("worn", 99, worn)]) if one.subject == "worn")
    assert "{" not in sentence(one.stages[-1], language, ZONE)
