"""Facts about billing periods."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_bridge.period import (
    EVERY_TWO_MONTHS,
    FOUR_MONTHS,
    MONTHLY,
    Calendar,
    Calendars,
    Cause,
    Cut,
)
from metering.errors import InvalidValue

WARSAW = ZoneInfo("Europe/Warsaw")
ZONES = ("Europe/Warsaw", "Europe/Bucharest", "Pacific/Apia", "America/Sao_Paulo", "Asia/Kathmandu", "UTC")
SPAN = timedelta(days=23 * 365)
MOMENTS = st.timedeltas(timedelta(0), SPAN).map(lambda since: datetime(2008, 1, 1, tzinfo=UTC) + since)
CALENDARS = st.builds(
    Calendar,
    st.sampled_from(ZONES).map(ZoneInfo),
    st.sets(st.integers(1, 12), min_size=1).map(lambda months: tuple(sorted(months))),
    st.integers(1, 28),
)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@settings(max_examples=300, deadline=None)
@given(CALENDARS, MOMENTS, st.timedeltas(timedelta(seconds=1), timedelta(days=1200)), st.lists(MOMENTS))
def test_periods_tile_the_time_without_hole_or_overlap(calendar, since, length, moments):
    cuts = [Cut(at, Cause.ON_DEMAND) for at in moments]
    periods = calendar.periods(since, since + length, cuts)
    assert periods[0].start <= since
    assert periods[-1].end >= since + length
    assert all(one.start < one.end for one in periods)
    assert all(one.end == other.start for one, other in pairwise(periods))
    assert len({one.id for one in periods}) == len(periods)
    inside = {cut.at for cut in cuts if periods[0].start < cut.at <= periods[-1].end}
    assert all(at in {one.end for one in periods} for at in inside)


@settings(max_examples=200, deadline=None)
@given(CALENDARS, MOMENTS, st.timedeltas(timedelta(seconds=1), timedelta(days=400)))
def test_a_period_is_the_same_whatever_stretch_is_asked_for(calendar, moment, length):
    """Closing January alone or with the whole year gives one and the same January."""
    assert calendar.at(moment) in calendar.periods(moment - length, moment + length)


def test_months_begin_at_local_midnight_through_summer_time():
    march, april = Calendar(WARSAW).periods(utc(2026, 3, 15), utc(2026, 4, 15))
    assert (march.start, march.end) == (utc(2026, 2, 28, 23), utc(2026, 3, 31, 22))
    assert march.days == timedelta(days=31) - timedelta(hours=1)
    assert (march.id, april.id) == ("2026-03-01..2026-04-01", "2026-04-01..2026-05-01")


def test_october_has_an_hour_more():
    october = Calendar(WARSAW).at(utc(2026, 10, 10))
    assert october.days == timedelta(days=31, hours=1)


@pytest.mark.parametrize(
    ("months", "expected"),
    [
        (MONTHLY, "2026-06-01..2026-07-01"),
        (EVERY_TWO_MONTHS, "2026-05-01..2026-07-01"),
        (FOUR_MONTHS, "2026-05-01..2026-09-01"),
        ((4,), "2026-04-01..2027-04-01"),
    ],
)
def test_calendars_are_the_months_in_which_periods_begin(months, expected):
    assert Calendar(WARSAW, months).at(utc(2026, 6, 10)).id == expected


def test_moving_out_ends_a_period_and_the_next_begins_there():
    out = Cut(utc(2026, 6, 17, 8, 15), Cause.FINAL)
    first, second = Calendar(WARSAW).periods(utc(2026, 6, 2), utc(2026, 6, 30), [out])
    assert (first.id, first.cause) == ("2026-06-01..20260617T081500Z", Cause.FINAL)
    assert (second.id, second.cause) == ("20260617T081500Z..2026-07-01", Cause.CALENDAR)


def test_a_cut_on_a_beginning_makes_no_empty_period():
    """It only says why the period before it ends."""
    cut = Cut(utc(2026, 6, 30, 22), Cause.FINAL)
    june, july = Calendar(WARSAW).periods(utc(2026, 6, 2), utc(2026, 7, 2), [cut])
    assert (june.cause, july.cause) == (Cause.FINAL, Cause.CALENDAR)


def test_a_route_may_have_its_own_calendar():
    calendars = Calendars(Calendar(WARSAW), {"R7": Calendar(WARSAW, FOUR_MONTHS)})
    assert calendars.of("R7").begins_in == FOUR_MONTHS
    assert calendars.of("R8").begins_in == MONTHLY


@pytest.mark.parametrize(
    ("months", "day"), [((), 1), ((0,), 1), ((1, 1), 1), ((5, 1), 1), ((1,), 0), ((1,), 29)]
)
def test_a_calendar_that_cannot_be_is_refused(months, day):
    with pytest.raises(InvalidValue):
        Calendar(WARSAW, months, day)


def test_no_time_has_no_periods():
    with pytest.raises(InvalidValue, match="no time lies"):
        Calendar(WARSAW).periods(utc(2026, 1, 1), utc(2026, 1, 1))
