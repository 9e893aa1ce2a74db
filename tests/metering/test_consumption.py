"""Facts of index series cut into volumes over local calendar intervals."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metering.consumption import (
    IndexPoint,
    Kind,
    Step,
    boundaries,
    index_series,
    intervals,
    start_of_day,
    usual_age,
)
from metering.meter import MeterId
from metering.reading import Provenance, Quality, Reading, Register, Way

WARSAW = ZoneInfo("Europe/Warsaw")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def at(text: str, zone: ZoneInfo = WARSAW) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def series(*points: tuple[str, str]) -> tuple[IndexPoint, ...]:
    return tuple(IndexPoint(at(moment), Decimal(value)) for moment, value in points)


def hourly(first: str, count: int, litres: int = 10) -> list[IndexPoint]:
    begin = at(first)
    return [IndexPoint(begin + n * HOUR, Decimal(n * litres).scaleb(-3)) for n in range(count)]


# --- the sum holds -------------------------------------------------------------------------------

zones = st.sampled_from(
    [
        "UTC",
        "Europe/Warsaw",
        "Europe/Bucharest",
        "America/St_Johns",  # half hours, clocks changed a minute after midnight until 2011
        "America/Sao_Paulo",  # no midnight when summer time began
        "America/Havana",  # midnight twice when it ended
        "Australia/Lord_Howe",  # half an hour of summer time
        "Asia/Kathmandu",
        "Pacific/Apia",  # a whole day skipped
    ]
).map(ZoneInfo)
moments = st.datetimes(
    datetime(2008, 1, 1, tzinfo=UTC).replace(tzinfo=None),
    datetime(2030, 1, 1, tzinfo=UTC).replace(tzinfo=None),
    timezones=st.just(UTC),
)
values = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**12, places=6)
spacings = st.one_of(
    st.integers(1, 300),
    st.integers(1, 40).map(lambda hours: hours * 3600),
    st.integers(1, 100).map(lambda days: days * 86_400),
)


@st.composite
def index_points(draw):
    begin = draw(moments)
    steps = draw(st.lists(spacings, max_size=25))
    times = [begin + timedelta(seconds=total) for total in itertools.accumulate(steps, initial=0)]
    return [IndexPoint(moment, draw(values)) for moment in times]


@given(
    index_points(), st.sampled_from(Step), zones, st.none() | st.timedeltas(timedelta(0), timedelta(days=40))
)
@settings(max_examples=400, deadline=None)
def test_volumes_add_up_to_last_index_minus_first(points, step, zone, max_age):
    found = intervals(points, step, zone, max_age=max_age)
    with localcontext(prec=100):
        total = sum((interval.volume for interval in found), Decimal(0))
        assert total == points[-1].value - points[0].value


@given(index_points(), st.sampled_from(Step), zones)
@settings(max_examples=300, deadline=None)
def test_intervals_follow_one_another_without_overlap_or_hole(points, step, zone):
    found = intervals(points, step, zone)
    for interval, following in itertools.pairwise(found):
        assert interval.start < interval.end == following.start
        assert interval.closing == following.opening


@given(index_points(), zones)
@settings(max_examples=200, deadline=None)
def test_metered_hours_of_a_metered_day_add_up_to_it(points, zone):
    hours = intervals(points, Step.HOUR, zone)
    starts = {interval.start: interval.opening for interval in hours} | {
        interval.end: interval.closing for interval in hours
    }
    for day in intervals(points, Step.DAY, zone):
        inside = [hour for hour in hours if day.start <= hour.start and hour.end <= day.end]
        if starts.get(day.start) == day.opening and starts.get(day.end) == day.closing:
            with localcontext(prec=100):
                assert sum((hour.volume for hour in inside), Decimal(0)) == day.volume


@given(index_points(), st.sampled_from(Step), zones)
@settings(max_examples=200, deadline=None)
def test_a_metered_interval_is_exactly_one_calendar_interval(points, step, zone):
    marks = boundaries(points[0].at - DAY, points[-1].at + DAY, step, zone)
    calendar = set(itertools.pairwise(marks))
    for interval in intervals(points, step, zone):
        assert ((interval.start, interval.end) in calendar) or interval.kind is not Kind.METERED


@given(index_points(), st.sampled_from(Step), zones)
@settings(max_examples=200, deadline=None)
def test_two_metered_volumes_never_rest_on_one_reading_unless_nothing_passed(points, step, zone):
    for interval in intervals(points, step, zone):
        assert interval.opening != interval.closing or interval.volume == 0
        if interval.kind is Kind.METERED and interval.opening == interval.closing:
            following = points[points.index(interval.opening) + 1]
            assert following.value == interval.opening.value


# --- single facts --------------------------------------------------------------------------------


def test_a_whole_day_of_hours_gives_twenty_four_metered_hours():
    found = intervals(hourly("2026-01-10T00:00", 25), Step.HOUR, WARSAW)
    assert [interval.kind for interval in found] == [Kind.METERED] * 24
    assert {interval.volume for interval in found} == {Decimal("0.010")}


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_local_day_has_as_many_hours_as_the_zone_says(day, hours):
    found = intervals(hourly(f"{day}T00:00", hours + 1), Step.HOUR, WARSAW)
    assert len(found) == hours
    (whole,) = intervals(hourly(f"{day}T00:00", hours + 1), Step.DAY, WARSAW)
    assert whole.kind is Kind.METERED
    assert whole.end - whole.start == hours * HOUR
    assert whole.volume == Decimal(hours * 10).scaleb(-3)


def test_a_stretch_without_readings_is_one_gap_with_its_total():
    points = [*hourly("2026-01-10T00:00", 4), IndexPoint(at("2026-01-10T08:00"), Decimal("0.5"))]
    found = intervals(points, Step.HOUR, WARSAW)
    assert [interval.kind for interval in found] == [Kind.METERED] * 3 + [Kind.GAP]
    assert (found[-1].start, found[-1].end) == (at("2026-01-10T03:00"), at("2026-01-10T08:00"))
    assert found[-1].volume == Decimal("0.47")


def test_a_gap_in_which_the_index_stood_still_is_known_to_be_zero():
    points = series(("2026-01-10T00:00", "5"), ("2026-01-10T01:00", "6"), ("2026-01-10T04:00", "6"))
    found = intervals(points, Step.HOUR, WARSAW)
    assert [interval.kind for interval in found] == [Kind.METERED] * 4
    assert [interval.volume for interval in found] == [1, 0, 0, 0]


def test_days_around_a_gap_keep_what_was_read_of_them():
    before = hourly("2026-01-10T00:00", 16)
    after = [IndexPoint(at("2026-01-12T09:00") + n * HOUR, Decimal(2 + n)) for n in range(16)]
    found = intervals(before + after, Step.DAY, WARSAW)
    assert [(interval.kind, interval.volume) for interval in found] == [
        (Kind.PARTIAL, Decimal("0.150")),
        (Kind.GAP, Decimal("1.85")),
        (Kind.PARTIAL, Decimal(15)),
    ]
    assert (found[1].start, found[1].end) == (at("2026-01-10T15:00"), at("2026-01-12T09:00"))


def test_a_falling_index_stays_a_negative_volume_and_is_marked():
    points = series(
        ("2026-01-10T00:00", "5.000"), ("2026-01-10T01:00", "4.250"), ("2026-01-10T02:00", "4.251")
    )
    fall, rise = intervals(points, Step.HOUR, WARSAW)
    assert (fall.volume, fall.falling) == (Decimal("-0.750"), True)
    assert (rise.volume, rise.falling) == (Decimal("0.001"), False)


def test_readings_at_quarter_past_count_for_the_next_full_hour():
    found = intervals(hourly("2026-01-10T00:15", 6), Step.HOUR, WARSAW)
    assert [interval.kind for interval in found] == [Kind.METERED] * 5
    assert found[0].start == at("2026-01-10T01:00")


def test_a_reading_seconds_after_the_hour_counts_for_it():
    points = [
        IndexPoint(point.at + timedelta(seconds=3), point.value) for point in hourly("2026-01-10T00:00", 4)
    ]
    found = intervals(points, Step.HOUR, WARSAW)
    assert [interval.kind for interval in found] == [Kind.METERED] * 3
    assert found[0].start == at("2026-01-10T00:00")


def test_one_reading_a_month_says_nothing_of_single_days():
    points = series(("2026-01-03T10:00", "1"), ("2026-02-03T10:00", "9"), ("2026-03-03T10:00", "20"))
    found = intervals(points, Step.DAY, WARSAW)
    assert [interval.kind for interval in found] == [Kind.GAP, Kind.GAP]
    assert [interval.volume for interval in found] == [8, 11]


def test_an_old_reading_does_not_stand_for_the_index_at_the_end_of_a_month():
    points = series(("2026-01-03T10:00", "1"), ("2026-02-03T10:00", "9"), ("2026-03-03T10:00", "20"))
    assert {interval.kind for interval in intervals(points, Step.MONTH, WARSAW)} == {Kind.GAP}
    wide = intervals(points, Step.MONTH, WARSAW, max_age=31 * DAY)
    assert [(interval.kind, interval.volume) for interval in wide] == [(Kind.METERED, 8), (Kind.METERED, 11)]


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_readings_give_no_interval(count):
    assert intervals(hourly("2026-01-10T00:00", count), Step.DAY, WARSAW) == ()


def test_usual_age_is_the_median_spacing_and_a_half_but_never_long_for_the_step():
    quarter_hours = [IndexPoint(at("2026-01-10T00:00") + n * HOUR / 4, Decimal(n)) for n in range(9)]
    assert usual_age(quarter_hours, Step.DAY) == timedelta(minutes=22.5)
    assert usual_age(series(("2026-01-03T10:00", "1"), ("2026-02-03T10:00", "9")), Step.MONTH) == 2 * DAY


def test_wide_decimals_are_not_rounded():
    points = series(
        ("2026-01-10T00:00", "0.0000000000000000001"), ("2026-01-10T01:00", "12345678901234567890")
    )
    (interval,) = intervals(points, Step.HOUR, WARSAW)
    assert interval.volume == Decimal("12345678901234567889.9999999999999999999")


# --- the calendar --------------------------------------------------------------------------------


def test_a_day_without_midnight_begins_with_the_change_of_clocks():
    assert start_of_day(date(2018, 11, 4), ZoneInfo("America/Sao_Paulo")) == datetime(
        2018, 11, 4, 3, tzinfo=UTC
    )


def test_a_day_with_two_midnights_begins_with_the_first():
    assert start_of_day(date(2026, 11, 1), ZoneInfo("America/Havana")) == datetime(2026, 11, 1, 4, tzinfo=UTC)


def test_a_day_the_zone_skipped_is_no_interval():
    marks = boundaries(
        datetime(2011, 12, 29, 10, tzinfo=UTC),
        datetime(2011, 12, 31, 10, tzinfo=UTC),
        Step.DAY,
        ZoneInfo("Pacific/Apia"),
    )
    assert [later - mark for mark, later in itertools.pairwise(marks)] == [DAY, DAY]


@given(zones, st.sampled_from(Step), moments, spacings)
@settings(max_examples=300, deadline=None)
def test_boundaries_embrace_the_period_and_increase(zone, step, since, seconds):
    until = since + timedelta(seconds=seconds)
    marks = boundaries(since, until, step, zone)
    assert marks[0] <= since < marks[1]
    assert marks[-2] < until <= marks[-1]
    assert all(mark < later for mark, later in itertools.pairwise(marks))


# --- readings ------------------------------------------------------------------------------------


def reading(moment: str, value: str) -> Reading:
    return Reading(
        MeterId.parse("KAM-76348799-1b-16"),
        Register("volume"),
        Decimal(value),
        "m3",
        at(moment),
        at(moment),
        Way.RADIO,
        Quality.RAW,
        Provenance(1, "gw-1", None, "1"),
    )


def test_of_two_values_at_one_moment_the_lower_counts():
    found = index_series(
        [
            reading("2026-01-10T01:00", "900"),
            reading("2026-01-10T01:00", "9"),
            reading("2026-01-10T00:00", "8"),
        ]
    )
    assert found == series(("2026-01-10T00:00", "8"), ("2026-01-10T01:00", "9"))


def test_a_year_of_hours_is_cut_into_its_days():
    found = intervals(hourly("2025-01-01T00:00", 8_761), Step.DAY, WARSAW)
    assert len(found) == 365
