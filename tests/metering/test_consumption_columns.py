"""Facts of the two ways to cut a series: the loop, the columns, and a third written as plainly as can be."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metering.consumption import (
    SLACK,
    IndexPoint,
    Interval,
    Kind,
    Step,
    billing_boundaries,
    boundaries,
    cut,
    intervals,
)
from metering.consumption.columns import GAP, METERED, PARTIAL, cut_columns, moments, units

WARSAW = ZoneInfo("Europe/Warsaw")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
KINDS = {METERED: Kind.METERED, PARTIAL: Kind.PARTIAL, GAP: Kind.GAP}
MICROSECOND = timedelta(microseconds=1)


def plainly(points, marks, age, slack):
    """Cut by asking every boundary about every reading, then every pair of neighbouring places."""
    counted = {}
    for mark in marks:
        older = [n for n, point in enumerate(points) if point.at <= mark]
        newer = [n for n, point in enumerate(points) if mark < point.at <= mark + slack]
        near = {n: abs(points[n].at - mark) for n in (*older[-1:], *newer[:1])}
        best = min(near, key=lambda n: (near[n], n), default=None)
        near_enough = best in newer or (best is not None and near[best] <= age)
        if near_enough and best > max(counted.values(), default=-1):
            counted[mark] = best
    places = [(n, mark) for mark, n in counted.items()]
    gaps = set()
    for mark in set(marks) - set(counted):
        n = max([k for k, point in enumerate(points) if point.at <= mark], default=-1)
        n = max([n, *(k for other, k in counted.items() if other < mark)])
        if 0 <= n < len(points) - 1:
            if points[n].total == points[n + 1].total:
                places.append((n, mark))
            else:
                gaps.add(n)
    own = {0, len(points) - 1, *gaps, *(n + 1 for n in gaps)} - set(counted.values())
    places += [(n, points[n].at) for n in own]
    found = []
    for (n, start), (m, end) in itertools.pairwise(sorted(places)):
        whole = Kind.METERED if start in marks and end in marks else Kind.PARTIAL
        found.append(Interval(start, end, points[n], points[m], Kind.GAP if n in gaps else whole))
    return tuple(found)


def by_columns(points, marks, age, slack):
    at, index = moments(point.at for point in points), units([point.value for point in points], -3)
    found = cut_columns(at, index, moments(marks), max_age=age // MICROSECOND, slack=slack // MICROSECOND)
    place = [*marks, *(point.at for point in reversed(points))]
    rows = zip(found.start, found.end, found.opening, found.closing, found.kind, strict=True)
    cutting = tuple(Interval(place[s], place[e], points[o], points[c], KINDS[k]) for s, e, o, c, k in rows)
    assert [int(v) for v in found.volume] == [int(one.volume.scaleb(3)) for one in cutting]
    return cutting


minutes = st.integers(1, 60 * 40)
rises = st.one_of(st.just(0), st.integers(-20, 3_000))


@st.composite
def index_points(draw):
    steps = draw(st.lists(st.tuples(minutes, rises), min_size=1, max_size=30))
    at, litres, points = BEGIN + draw(minutes) * timedelta(minutes=1), 0, []
    for spacing, rise in steps:
        at, litres = at + spacing * timedelta(minutes=1), litres + rise
        points.append(IndexPoint(at, Decimal(litres).scaleb(-3)))
    return points


@given(
    index_points(),
    st.sampled_from(Step),
    st.sampled_from(["UTC", "Europe/Warsaw", "Asia/Kathmandu"]).map(ZoneInfo),
    st.integers(0, 3_000).map(lambda n: n * timedelta(minutes=1)),
    st.sampled_from([timedelta(0), SLACK, timedelta(minutes=10)]),
)
@settings(max_examples=400, deadline=None)
def test_loop_columns_and_the_plain_way_agree(points, step, zone, age, slack):
    marks = boundaries(BEGIN, points[-1].at + age, step, zone)
    found = cut(points, marks, max_age=age, slack=slack)
    if len(points) > 1:
        assert found == plainly(points, marks, age, slack) == by_columns(points, marks, age, slack)


@given(index_points(), st.lists(st.integers(0, 60), min_size=1, max_size=6, unique=True))
@settings(max_examples=200, deadline=None)
def test_volumes_of_billing_periods_add_up_wherever_the_periods_lie(points, days):
    marks = billing_boundaries([date(2026, 1, 1) + timedelta(days=n) for n in days], WARSAW)
    found = cut(points, marks)
    assert sum(one.volume for one in found) == points[-1].value - points[0].value


def test_billing_periods_begin_with_local_days_in_order():
    marks = billing_boundaries([date(2026, 7, 1), date(2026, 1, 1), date(2026, 7, 1)], WARSAW)
    assert marks == [datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 6, 30, 22, tzinfo=UTC)]


def test_a_billing_period_with_readings_at_both_ends_is_metered_and_the_rest_partial():
    points = [IndexPoint(BEGIN + timedelta(days=n, hours=-1), Decimal(n)) for n in range(40)]
    found = cut(points, billing_boundaries([date(2026, 1, 11), date(2026, 1, 31)], WARSAW))
    assert [(one.kind, one.volume) for one in found] == [
        (Kind.PARTIAL, 10),
        (Kind.METERED, 20),
        (Kind.PARTIAL, 9),
    ]


def test_weeks_begin_on_monday_and_have_an_hour_more_or_less_when_clocks_change():
    points = [IndexPoint(BEGIN + timedelta(hours=n), Decimal(n)) for n in range(24 * 365)]
    weeks = [one for one in intervals(points, Step.WEEK, WARSAW) if one.kind is Kind.METERED]
    assert {one.start.astimezone(WARSAW).strftime("%a %H:%M") for one in weeks} == {"Mon 00:00"}
    assert sorted({int(one.volume) for one in weeks}) == [167, 168, 169]


def test_an_index_beyond_sixty_three_bits_is_refused_not_wrapped():
    assert int(units([Decimal(2**62)], 0)[0]) == 2**62
    with pytest.raises(OverflowError):
        units([Decimal(2**63)], 0)


def test_a_year_of_hours_in_columns():
    points = [IndexPoint(BEGIN + timedelta(hours=n), Decimal(n)) for n in range(8_760)]
    at, index = moments(point.at for point in points), units([point.value for point in points], 0)
    marks = moments(boundaries(points[0].at, points[-1].at, Step.HOUR, WARSAW))
    found = cut_columns(at, index, marks, max_age=3_600_000_000, slack=0)
    assert len(found.volume) == 8_759
    assert int(found.volume.sum()) == 8_759
