"""Facts about estimates."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_bridge.estimate import (
    POLAND,
    ROMANIA,
    EstimatedIndex,
    Method,
    Missing,
    NoEstimate,
    Projection,
    Settings,
    fill_gap,
    project,
    prorated,
)
from billing_bridge.estimate.history import months_between, shifted
from billing_bridge.quality import Espi
from metering.consumption import IndexPoint, Step, intervals

WARSAW = ZoneInfo("Europe/Warsaw")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LITRE = Decimal("0.001")


def point(at: datetime, value: str | Decimal | int) -> IndexPoint:
    return IndexPoint(at, Decimal(value))


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=WARSAW).astimezone(UTC)


def steady(since: datetime, until: datetime, m3_per_day: str, start: str = "100") -> list[IndexPoint]:
    """A read at every local midnight, with the same volume per day of 24 hours."""
    days = int((until - since) / timedelta(days=1)) + 1
    return [point(since + timedelta(days=n), Decimal(start) + n * Decimal(m3_per_day)) for n in range(days)]


VALUES = st.decimals(0, 99_999, places=4)


@settings(max_examples=80, deadline=None)
@given(
    VALUES,
    st.decimals(0, 500, places=4),
    st.lists(st.integers(1, 10**12), min_size=2, max_size=40, unique=True),
    st.none() | st.lists(st.integers(0, 3000), min_size=24, max_size=24),
    st.sampled_from(["0.001", "0.01", "1"]),
)
def test_estimates_rise_from_the_read_before_to_the_later_one_and_never_above(
    opening, delta, steps, past, step
):
    moments = sorted(NOON + timedelta(microseconds=n) for n in [0, *steps])
    before, later = point(moments[0], opening), point(moments[-1], opening + delta)
    index, history = Decimal(0), []
    for hour, litres in enumerate(28 * past if past else []):
        history.append(point(NOON - timedelta(hours=28 * 24 - hour), index))
        index += Decimal(litres).scaleb(-3)
    known = intervals(history, Step.HOUR, WARSAW)
    marks = moments[1:-1]
    found = fill_gap(before, later, marks, history=known, zone=WARSAW, resolution=Decimal(step))
    if not marks:
        assert isinstance(found, NoEstimate)
        return
    assert isinstance(found, tuple)
    assert [one.at for one in found] == marks
    totals = [opening, *(one.total for one in found), opening + delta]
    assert all(one <= other for one, other in pairwise(totals))
    assert len({one.method for one in found}) <= 1


def test_the_profile_says_how_a_known_volume_was_spread():
    """Four weeks of 3 L at noon and 1 L at one o'clock: 8 L over both hours are 6 L and 2 L."""
    points, index = [], Decimal(0)
    for hour in range(24 * 28 + 1):
        at = NOON - timedelta(hours=24 * 28 - hour)
        points.append(point(at, index))
        index += {12: Decimal("0.003"), 13: Decimal("0.001")}.get(at.hour, Decimal(0))
    before = points[-1]
    later = point(NOON + timedelta(hours=3), before.value + Decimal("0.008"))
    marks = [NOON + timedelta(hours=1), NOON + timedelta(hours=2)]
    known = intervals(points, Step.HOUR, WARSAW)
    found = fill_gap(before, later, marks, history=known, zone=WARSAW)
    assert isinstance(found, tuple)
    assert [one.total - before.value for one in found] == [Decimal("0.006"), Decimal("0.008")]
    assert {(one.method, one.method.espi) for one in found} == {
        (Method.PROFILE, Espi.ESTIMATED_REFERENCE_DAY)
    }


def test_a_gap_of_two_hours_is_a_straight_line():
    before, later = point(NOON, 10), point(NOON + timedelta(hours=2), "10.003")
    (found,) = fill_gap(before, later, [NOON + timedelta(hours=1)], zone=WARSAW)
    assert (found.total, found.method) == (Decimal("10.001"), Method.LINEAR)
    assert found.evidence["later"] == "10.003 at 2026-03-02T14:00:00+00:00"


def test_a_period_end_is_prorated_between_the_reads_around_it():
    """90 m3 on 1 March, 120 m3 thirty days later: 10.333 m3 after ten days and eight hours."""
    before, later = point(NOON, 90), point(NOON + timedelta(days=30), 120)
    found = prorated(before, later, NOON + timedelta(days=10, hours=8), LITRE)
    assert isinstance(found, EstimatedIndex)
    assert (found.total, found.method) == (Decimal("100.333"), Method.PRORATION)
    assert found.method.espi is Espi.ESTIMATED_LINEAR


@pytest.mark.parametrize(
    ("later", "at"),
    [
        (point(NOON + timedelta(hours=1), 9), NOON + timedelta(minutes=1)),
        (point(NOON + timedelta(hours=1), 11), NOON),
        (point(NOON + timedelta(hours=1), 11), NOON + timedelta(hours=1)),
        (point(NOON - timedelta(hours=1), 11), NOON),
    ],
)
def test_nothing_is_estimated_but_between_two_real_indices(later, at):
    assert isinstance(prorated(point(NOON, 10), later, at, LITRE), NoEstimate)


MAY = local(2026, 5, 1)
JUNE = local(2026, 6, 1)
"""31 days: no clock changes in May."""


def test_poland_takes_the_three_months_before():
    """0.35 m3 a day, 31 days: 10.85 m3."""
    history = steady(local(2026, 1, 20), MAY, "0.35")
    found = project(Missing(MAY, JUNE, history, WARSAW), Settings(POLAND))
    assert found == Projection(
        Decimal("10.850"),
        Method.THREE_MONTHS_BEFORE,
        {"since": "2026-04-30T22:00:00+00:00", "until": "2026-05-31T22:00:00+00:00"},
    )


def test_poland_takes_last_year_s_period_where_three_months_are_not_on_record():
    history = steady(local(2025, 4, 20), local(2025, 6, 20), "0.4")
    found = project(Missing(MAY, JUNE, history, WARSAW), Settings(POLAND))
    assert isinstance(found, Projection)
    assert (found.volume_m3, found.method) == (Decimal("12.400"), Method.SAME_PERIOD_LAST_YEAR)


def test_poland_takes_last_year_s_monthly_mean_after_that():
    """0.2 m3 a day over 2025: 73 m3, 6.083 m3 a month, one month and a half of June: 9.125 m3."""
    history = [
        one for one in steady(local(2025, 1, 1), local(2026, 1, 1), "0.2") if one.at.month not in {4, 5, 6}
    ]
    until = local(2026, 6, 16)
    found = project(Missing(MAY, until, history, WARSAW), Settings(POLAND))
    assert isinstance(found, Projection)
    assert (found.volume_m3, found.method) == (Decimal("9.125"), Method.MONTHLY_MEAN_LAST_YEAR)


def test_without_any_history_there_is_the_norm_or_nothing():
    empty = Missing(MAY, JUNE, [], WARSAW)
    found = project(empty, Settings(POLAND, norm_m3_per_day=Decimal("0.1")))
    assert isinstance(found, Projection)
    assert (found.volume_m3, found.method) == (Decimal("3.100"), Method.NORM)
    assert isinstance(project(empty, Settings(POLAND)), NoEstimate)
    assert project(empty, Settings()) == NoEstimate("no method has what it needs (none is set)")


def test_romania_takes_the_year_before_or_whatever_is_on_record():
    year = project(Missing(MAY, JUNE, steady(local(2025, 5, 1), MAY, "0.3"), WARSAW), Settings(ROMANIA))
    weeks = project(Missing(MAY, JUNE, steady(local(2026, 4, 10), MAY, "0.3"), WARSAW), Settings(ROMANIA))
    days = project(Missing(MAY, JUNE, steady(local(2026, 4, 27), MAY, "0.3"), WARSAW), Settings(ROMANIA))
    assert [one.method for one in (year, weeks) if isinstance(one, Projection)] == [
        Method.YEAR_BEFORE,
        Method.ANY_HISTORY,
    ]
    assert {one.volume_m3 for one in (year, weeks) if isinstance(one, Projection)} == {Decimal("9.300")}
    assert isinstance(days, NoEstimate)


def test_reference_days_are_the_same_weekdays_before():
    """Mondays 1 m3, other days 0: a missing Monday and Tuesday are 1 m3."""
    points, index = [], Decimal(0)
    for n in range(36):
        at = local(2026, 4, 13) + timedelta(days=n)
        points.append(point(at, index))
        index += 1 if at.astimezone(WARSAW).weekday() == 0 else 0
    monday = local(2026, 5, 18)
    missing = Missing(monday, monday + timedelta(days=2), points, WARSAW)
    found = project(missing, Settings((Method.REFERENCE_DAYS,)))
    assert isinstance(found, Projection)
    assert (found.volume_m3, found.method.espi) == (Decimal(1), Espi.ESTIMATED_REFERENCE_DAY)
    half = project(replace(missing, until=monday + timedelta(hours=12)), Settings((Method.REFERENCE_DAYS,)))
    assert isinstance(half, Projection)
    assert half.volume_m3 == Decimal("0.500")


def test_half_a_stretch_at_least_must_be_on_record():
    history = steady(local(2026, 3, 20), MAY, "0.35")
    assert isinstance(project(Missing(MAY, JUNE, history, WARSAW), Settings(POLAND[:1])), NoEstimate)


def test_a_register_that_fell_projects_nothing():
    history = steady(local(2026, 1, 20), MAY, "-0.35")
    assert isinstance(project(Missing(MAY, JUNE, history, WARSAW), Settings(POLAND)), NoEstimate)


def test_months_are_counted_in_local_time_and_moved_to_days_that_exist():
    assert shifted(local(2026, 5, 31), -3, WARSAW) == local(2026, 2, 28)
    assert shifted(local(2026, 12, 31), -12, WARSAW) == local(2025, 12, 31)
    assert shifted(local(2026, 1, 31), 1, WARSAW) == local(2026, 2, 28)
    assert months_between(local(2026, 1, 16), local(2026, 3, 1), WARSAW) == Fraction(16, 31) + 1
    assert months_between(local(2026, 3, 1), local(2026, 4, 1), WARSAW) == 1
