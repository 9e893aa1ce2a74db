"""The water balance: the sum holds, and customers who use more than runs in are told."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.district import District
from anomaly.water_balance import customers_exceed, monthly_balances

ZONE = ZoneInfo("Europe/Warsaw")
START = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
HOUR = 3600


def flows(values, first=0):
    return District.of("north", START + (first + np.arange(len(values))) * HOUR, values)


def test_a_month_is_balanced_in_cubic_metres():
    inflow, use = flows(np.full(24 * 40, 10.0)), flows(np.full(24 * 40, 6.0))
    january, february = monthly_balances(inflow, use, ZONE, coverage=0.8)
    assert (january.dma, january.month, february.month) == ("north", "2025-01-01", "2025-02-01")
    hours = january.hours
    assert january.input_m3 == pytest.approx(hours * 36)
    assert january.consumption_m3 == pytest.approx(hours * 27), "6 L/s are 80 % of 7.5"
    assert january.losses_m3 == pytest.approx(hours * 9)
    assert january.losses_share == pytest.approx(0.25)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(0, 100), min_size=1, max_size=200),
    st.lists(st.floats(0, 100), min_size=1, max_size=200),
    st.integers(0, 50),
)
def test_only_hours_known_on_both_sides_count_and_the_sum_holds(inflow, use, later):
    months = list(monthly_balances(flows(inflow), flows(use, later), ZONE))
    both = max(0, min(len(inflow), later + len(use)) - later)
    assert sum(month.hours for month in months) == both
    for month in months:
        assert month.input_m3 == pytest.approx(month.consumption_m3 + month.losses_m3, abs=1e-6)


def test_customers_who_use_more_than_runs_in_are_told_once_and_it_clears():
    rng = np.random.default_rng(2)
    hours = 24 * 120
    inflow = 10 + rng.normal(0, 0.3, hours)
    use = 8 + rng.normal(0, 0.3, hours)
    use[24 * 60 : 24 * 80] *= 1.6
    (finding,) = customers_exceed(flows(inflow), flows(use), ZONE)
    stage = finding.stages[0]
    day = (stage.raised_at.timestamp() - START) / 86_400
    assert 60 < day <= 68
    assert stage.evidence["excess_percent"] > 5
    assert finding.cleared_at is not None
    assert (finding.cleared_at.timestamp() - START) / 86_400 < 90


def test_a_district_that_loses_water_is_none_of_these():
    inflow, use = flows(np.full(24 * 60, 10.0)), flows(np.full(24 * 60, 9.9))
    assert list(customers_exceed(inflow, use, ZONE)) == []
    assert list(customers_exceed(flows([]), use, ZONE)) == []
