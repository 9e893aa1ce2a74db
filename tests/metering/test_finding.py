"""Findings: tiers rise, and a stage is found by its tier."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from metering.errors import InvalidValue
from metering.finding import Finding, Stage, Tier

AT = datetime(2026, 3, 1, tzinfo=UTC)


def stage(tier, hours=0, name="leak.continuous"):
    return Stage(tier, name, AT + timedelta(hours=hours), AT)


def test_a_finding_is_what_its_last_stage_says():
    finding = Finding("M", (stage(Tier.SUSPECT, 1, "leak.intermittent"), stage(Tier.NOTIFY, 9)))
    assert (finding.name, finding.family, finding.tier) == ("leak.continuous", "leak", Tier.NOTIFY)


def test_the_stage_that_first_reached_a_tier_or_passed_it_is_given():
    finding = Finding("M", (stage(Tier.SUSPECT, 1), stage(Tier.DISPATCH, 9)))
    assert finding.at_tier(Tier.SUSPECT) == finding.stages[0]
    assert finding.at_tier(Tier.NOTIFY) == finding.stages[1]
    assert Finding("M", (stage(Tier.SUSPECT),)).at_tier(Tier.NOTIFY) is None


@pytest.mark.parametrize("tiers", [[], [Tier.NOTIFY, Tier.SUSPECT], [Tier.NOTIFY, Tier.NOTIFY]])
def test_tiers_that_do_not_rise_are_no_finding(tiers):
    with pytest.raises(InvalidValue, match="rise"):
        Finding("M", tuple(stage(tier) for tier in tiers))


def test_times_have_a_zone():
    with pytest.raises(InvalidValue, match="zone"):
        Stage(Tier.NOTIFY, "leak.continuous", AT.replace(tzinfo=None), AT)
