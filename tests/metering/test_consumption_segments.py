"""Facts of meters one after another, backflow registers, and what late data changed."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metering.consumption import (
    BreakKind,
    IndexPoint,
    Kind,
    Limits,
    Reason,
    Segment,
    Step,
    differences,
    intervals,
    joined,
    netted,
    settle,
)
from metering.meter import MeterId, PulseInput

BEGIN = datetime(2026, 3, 28, tzinfo=UTC)
HOUR = timedelta(hours=1)
WARSAW = ZoneInfo("Europe/Warsaw")
WATER = Limits.of_water_m3()


def hourly(*values: str | float, begin: datetime = BEGIN) -> list[IndexPoint]:
    return [IndexPoint(begin + n * HOUR, Decimal(str(value))) for n, value in enumerate(values)]


def exchange(**changes) -> tuple[Segment, Segment]:
    at = BEGIN + 2.5 * HOUR
    old = {"points": hourly(812.1, 812.2, 812.3), "since": BEGIN, "until": at, "closing": Decimal("812.4")}
    new = {"points": hourly(0.2, 0.3, begin=BEGIN + 3 * HOUR), "since": at, "opening": Decimal("0.1")}
    for key, value in changes.items():
        meter, _, what = key.partition("_")
        {"old": old, "new": new}[meter][what] = value
    return Segment(limits=WATER, **old), Segment(limits=WATER, **new)


# --- exchange --------------------------------------------------------------------------------------


def test_volumes_go_on_over_an_exchange_with_both_indices():
    (line,) = joined(exchange()).lines
    found = intervals(line, Step.HOUR, WARSAW)
    assert [one.volume for one in found] == [Decimal("0.1")] * 2 + [Decimal("0.2"), Decimal("0.1")]
    assert {one.kind for one in found} == {Kind.METERED}


def test_an_exchange_tells_both_indices_as_they_were_on_the_dials():
    (one,) = joined(exchange()).breaks
    assert (one.kind, one.closing.value, one.opening.value) == (
        BreakKind.EXCHANGE,
        Decimal("812.4"),
        Decimal("0.1"),
    )
    assert one.closing.total == one.opening.total


@pytest.mark.parametrize(
    "missing", [{"old_closing": None}, {"new_opening": None}, {"new_since": BEGIN + 2.75 * HOUR}]
)
def test_where_an_index_is_missing_or_no_meter_hung_there_the_volume_is_unknown(missing):
    found = joined(exchange(**missing))
    assert len(found.lines) == 2
    assert [one.kind for one in found.breaks] == [BreakKind.OPEN_EXCHANGE]


def test_readings_from_before_or_after_a_meters_time_there_do_not_count():
    old, new = exchange(new_points=hourly(0.0, 0.0, 0.0, 0.2, 0.3))
    found = joined([new, old])
    assert [float(one.point.value) for one in found.set_aside] == [0, 0, 0]
    assert {one.reason for one in found.set_aside} == {Reason.NOT_INSTALLED}
    assert found.lines == joined(exchange()).lines


def test_the_index_in_the_protocol_counts_against_a_reading_of_the_same_moment():
    old, new = exchange()
    said = IndexPoint(new.since, Decimal("0.15"))
    found = joined([old, Segment([*new.points, said], WATER, new.since, opening=new.opening)])
    assert found.lines == joined([old, new]).lines
    assert [one.reason for one in found.set_aside] == [Reason.CONTRADICTED]


def test_the_index_in_the_protocol_counts_against_many_readings_and_the_break_is_told():
    heard = hourly(0.2, 0.3, 0.4, 0.5, begin=BEGIN + 3 * HOUR)
    old, new = exchange(new_opening=Decimal(70), new_points=heard)
    found = joined([old, new])
    assert found.lines[0][-1].value == 70
    assert [one.kind for one in found.breaks] == [BreakKind.EXCHANGE, BreakKind.RESET]


def test_a_roll_over_after_an_exchange_is_carried_with_its_line():
    wraps = Limits.of_water_m3(digits=3)
    old, new = exchange()
    points = hourly(998.9, 999.9, 0.9, 1.9, begin=BEGIN + 3 * HOUR)
    found = joined([old, Segment(points, wraps, new.since, opening=Decimal("998.4"))])
    (line,) = found.lines
    assert line[-1].total - line[0].total == Decimal("0.3") + Decimal("3.5")
    assert all(one.closing in line or one.kind is BreakKind.EXCHANGE for one in found.breaks)
    assert all(one.opening in line for one in found.breaks)


def test_an_exchange_of_a_meter_nobody_heard_counts_by_its_protocols():
    silent = Segment((), WATER, BEGIN, BEGIN + 90 * 24 * HOUR, Decimal(5), Decimal(45))
    heard = Segment(
        hourly(0, 0.2, begin=BEGIN + 90 * 24 * HOUR), WATER, silent.until or BEGIN, opening=Decimal(0)
    )
    (line,) = joined([silent, heard]).lines
    assert line[-1].total - line[0].total == Decimal("40.2")


zones = st.sampled_from(["UTC", "Europe/Warsaw", "America/Havana", "Australia/Lord_Howe"]).map(ZoneInfo)


@given(st.integers(0, 10**9), st.sampled_from(Step), zones)
@settings(max_examples=150, deadline=None)
def test_the_sum_holds_over_exchanges_roll_overs_gaps_zones_and_orders_of_arrival(seed, step, zone):
    """What the intervals say is what passed: counted while the water was made to flow."""
    chance = random.Random(seed)
    passed, segments, moment = 0, [], BEGIN
    wraps = Decimal(10_000)
    limits = Limits(Decimal(400), Decimal(1), Decimal(10), wraps)
    for _ in range(chance.randint(1, 4)):
        since, points = moment, []
        opening = index = chance.choice([0, 12, 9_990])
        for _ in range(chance.randint(0, 40)):
            hours = chance.choice([1, 1, 1, 1, 2, 7])
            moment += hours * HOUR
            drawn = chance.choice([0, 5, 40, 390, 900 if hours == 7 else 30])
            passed, index = passed + drawn, index + drawn
            points.append(IndexPoint(moment, Decimal(index % 10_000)))
        moment += HOUR
        arrived = points + chance.sample(points, len(points) // 3)
        chance.shuffle(arrived)
        closing = Decimal(index % 10_000)
        segments.append(Segment(arrived, limits, since, moment, Decimal(opening), closing))
    chance.shuffle(segments)
    (line,) = joined(segments).lines
    assert sum(one.volume for one in intervals(line, step, zone)) == passed


# --- registers of their own ------------------------------------------------------------------------


def test_net_volume_is_forward_minus_backward_where_both_were_read():
    forward, backward = hourly(10, 11, 12, 13), hourly(1, 1, 1.5)
    net = netted(forward, backward)
    assert [float(point.value) for point in net] == [9, 10, 10.5]


def test_pulses_count_exactly_by_their_weight_and_wrap_with_their_counter():
    pulses = PulseInput("gw", "1", MeterId.parse("KAM-76348799-1b-16"), Decimal("2.5"), 0, Decimal(0), BEGIN)
    counts = [65_500, 65_530, 20, 60]
    points = [
        IndexPoint(BEGIN + n * HOUR, pulses.index_m3(count) or Decimal(0)) for n, count in enumerate(counts)
    ]
    wraps = Limits.of_pulses(litres_per_pulse=pulses.litres_per_pulse, bits=16)
    (line,) = settle(points, wraps).lines
    assert line[-1].total - line[0].total == (2**16 + 60 - 65_500) * Decimal("0.0025")


# --- late and re-sent data -------------------------------------------------------------------------


def cut(points) -> tuple:
    (line,) = settle(points, WATER).lines
    return intervals(line, Step.HOUR, WARSAW)


def test_the_same_data_again_changes_nothing():
    points = hourly(1, 1.1, 1.2, 1.3)
    assert differences(cut(points), cut(points + points)) == ()


def test_late_readings_turn_one_gap_into_hours_and_leave_the_rest_alone():
    points = hourly(1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6)
    was, now = cut(points[:3] + points[5:]), cut(points)
    (one,) = differences(was, now)
    assert [part.kind for part in one.was] == [Kind.GAP]
    assert [part.kind for part in one.now] == [Kind.METERED] * 3
    assert (one.start, one.end, one.volume) == (points[2].at, points[5].at, 0)


def test_newer_readings_are_a_difference_with_their_volume():
    points = hourly(1, 1.1, 1.2, 1.3)
    (one,) = differences(cut(points[:3]), cut(points))
    assert (one.was, one.volume) == ((), Decimal("0.1"))


def test_a_roll_over_found_late_changes_only_what_lies_beside_it():
    points = hourly(98.5, 99, 99.5, 0.1, 0.4, 0.8)
    wraps = Limits.of_water_m3(digits=2)
    early = [point for line in settle(points[3:], wraps).lines for point in line]
    (line,) = settle(points, wraps).lines
    found = differences(intervals(early, Step.HOUR, WARSAW), intervals(line, Step.HOUR, WARSAW))
    assert [(one.start, one.end) for one in found] == [(points[n].at, points[n + 1].at) for n in range(3)]


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_differences_lead_from_one_state_to_the_other_and_account_for_the_volume(data):
    points = hourly(*itertools.accumulate(data.draw(st.lists(st.integers(0, 3), min_size=2, max_size=30))))
    some = data.draw(st.lists(st.sampled_from(points), min_size=2, unique=True))
    was, now = cut(some), cut(points)
    found = differences(was, now)
    kept = [one for one in was if not any(one in part.was for part in found)]
    replaced = sorted([*kept, *(one for part in found for one in part.now)], key=lambda one: one.start)
    assert tuple(replaced) == now
    gained = sum(one.volume for one in now) - sum(one.volume for one in was)
    assert sum(one.volume for one in found) == gained
    assert all(one.start < one.end <= other.start for one, other in itertools.pairwise(found))
