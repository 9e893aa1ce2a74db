"""Facts of sorting a series out: which readings are believed, where a line ends, and why."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metering.consumption import BreakKind, IndexPoint, Limits, Reason, settle
from metering.consumption.explain import Track, cheapest

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
WATER = Limits.of_water_m3()
FIVE_DIGITS = Limits.of_water_m3(digits=5)


def hourly(*values: str | float, begin: datetime = BEGIN) -> list[IndexPoint]:
    return [IndexPoint(begin + n * HOUR, Decimal(str(value))) for n, value in enumerate(values)]


def values(line) -> list[float]:
    return [float(point.value) for point in line]


def reasons(settled) -> dict[float, Reason]:
    return {float(one.point.value): one.reason for one in settled.set_aside}


# --- no poisoned floor ---------------------------------------------------------------------------


def test_a_wrong_high_value_is_held_then_outlived_and_the_good_ones_never_fall():
    good = [10, 10.1, 10.2, 10.3]
    first = settle(hourly(*good[:2], 900), WATER)
    assert values(first.lines[0]) == good[:2]
    assert reasons(first) == {900: Reason.HELD}
    later = settle(hourly(*good[:2], 900, *good[2:]), WATER)
    assert values(later.lines[0]) == good
    assert reasons(later) == {900: Reason.OUTLIVED}
    assert later.breaks == ()


def test_what_was_set_aside_keeps_the_readings_beside_it_as_evidence():
    (one,) = settle(hourly(10, 900, 10.2), WATER).set_aside
    assert (one.before.value, one.point.value, one.after.value) == (10, 900, Decimal("10.2"))


def test_a_wrong_value_at_the_very_beginning_is_outlived_too():
    assert reasons(settle(hourly(900, 10, 10.1), WATER)) == {900: Reason.OUTLIVED}


def test_of_two_readings_that_exclude_each_other_the_lower_counts_until_more_is_known():
    assert values(settle(hourly(900, 10), WATER).lines[0]) == [10]
    assert values(settle(hourly(10, 900), WATER).lines[0]) == [10]


@pytest.mark.parametrize("wrong", [[900], [900, 901], [900, 5, 12_000]])
def test_up_to_three_wrong_values_in_a_row_are_outlived(wrong):
    found = settle(hourly(10, 10.1, *wrong, 10.4, 10.5), WATER)
    assert values(found.lines[0]) == [10, 10.1, 10.4, 10.5]


def test_a_jump_counts_once_three_more_readings_agree_with_it():
    old = [10, 10.1, 10.2, 10.3, 10.4]
    three = settle(hourly(*old, 900, 900.1, 900.2), WATER)
    assert (len(three.lines), set(reasons(three).values())) == (1, {Reason.HELD})
    four = settle(hourly(*old, 900, 900.1, 900.2, 900.3), WATER)
    assert [values(line) for line in four.lines] == [old, [900, 900.1, 900.2, 900.3]]
    assert [one.kind for one in four.breaks] == [BreakKind.JUMP]


def test_another_meters_index_decoded_every_other_hour_does_not_end_the_line():
    own, other = [10 + n / 10 for n in range(8)], [258.2 + n / 10 for n in range(6)]
    mixed = list(itertools.chain.from_iterable(itertools.zip_longest(own, other)))
    found = settle(hourly(*(one for one in mixed if one is not None)), WATER)
    assert [values(line) for line in found.lines] == [own]
    assert sorted(reasons(found)) == other


def test_a_wrong_value_the_pipe_would_allow_is_known_by_its_return():
    found = settle(hourly(10, 10.02, 10.55, 10.05, 10.07), WATER)
    assert reasons(found) == {10.55: Reason.OUTLIVED}


def test_a_wrong_low_value_is_known_by_its_return():
    found = settle(hourly(10, 10.02, 9.5, 10.05, 10.07), WATER)
    assert reasons(found) == {9.5: Reason.OUTLIVED}


def test_half_an_hour_of_backflow_stays_in_the_line():
    found = settle(hourly(10, 10.2, 10.16, 10.3), WATER)
    assert found.set_aside == found.breaks == ()


def test_without_limits_nothing_is_set_aside_and_nothing_ends():
    found = settle(hourly(10, 900, 3, 12), Limits())
    assert values(found.lines[0]) == [10, 900, 3, 12]


# --- order, repeats, contradictions, clocks --------------------------------------------------------


def test_the_same_reading_twice_counts_once():
    found = settle([*hourly(1, 2), *hourly(1, 2)], WATER)
    assert values(found.lines[0]) == [1, 2]
    assert {one.reason for one in found.set_aside} == {Reason.REPEATED}


def test_of_two_values_of_a_moment_that_both_fit_the_lower_counts():
    found = settle([*hourly(1, 2, 3), IndexPoint(BEGIN + HOUR, Decimal("1.5"))], WATER)
    assert values(found.lines[0]) == [1, 1.5, 3]
    assert reasons(found) == {2: Reason.CONTRADICTED}


def test_of_two_values_of_a_moment_the_one_that_fits_counts_even_if_it_is_higher():
    found = settle([*hourly(100, 102, 103), IndexPoint(BEGIN + HOUR, Decimal(7))], WATER)
    assert values(found.lines[0]) == [100, 102, 103]


def test_a_clock_set_back_between_two_readings_mistimes_one_of_them():
    before = hourly(*(10 + n / 10 for n in range(12)))
    after = hourly(*(11.2 + n / 10 for n in range(12)), begin=before[-1].at - timedelta(minutes=20))
    points = before + after
    found = settle(points, WATER)
    assert found.breaks == ()
    assert set(reasons(found).values()) == {Reason.MISTIMED}
    assert found.lines[0] == tuple(sorted(found.lines[0], key=lambda point: point.value))


def test_a_clock_set_back_by_hours_loses_nothing_of_what_passed():
    before = hourly(*(10 + n / 10 for n in range(24)))
    for minutes in (180, 200):
        begin = before[-1].at + HOUR - timedelta(minutes=minutes)
        after = hourly(*(12.4 + n / 10 for n in range(24)), begin=begin)
        (line,) = settle(before + after, WATER).lines
        assert line[-1].value - line[0].value == after[-1].value - before[0].value


def test_a_reading_dated_long_after_it_arrived_does_not_count():
    good = hourly(*range(6))
    ahead = IndexPoint(BEGIN + timedelta(days=300), Decimal(3), arrived=BEGIN + 3 * HOUR)
    found = settle([*good, ahead], WATER)
    assert found.lines == (tuple(good),)
    assert reasons(found) == {3: Reason.MISTIMED}


def test_after_a_long_silence_a_far_lower_index_is_another_register_not_backflow():
    month = timedelta(days=30)
    points = [*hourly(*(500 + n / 10 for n in range(6))), *hourly(2, 2.1, 2.2, 2.3, begin=BEGIN + month)]
    found = settle(points, WATER)
    assert [one.kind for one in found.breaks] == [BreakKind.RESET]


def test_the_first_arrival_of_repeats_is_the_one_that_counts():
    early, late = (IndexPoint(BEGIN, Decimal(1), arrived=BEGIN + n * HOUR) for n in (1, 2))
    for order in ((early, late), (late, early)):
        assert settle(order, WATER).lines[0][0].arrived == early.arrived


# --- roll-over, reset ------------------------------------------------------------------------------


def test_a_roll_over_goes_on_in_the_same_line():
    found = settle(hourly(99_999.2, 99_999.8, 0.3, 0.9), FIVE_DIGITS)
    (line,) = found.lines
    assert [float(point.total) for point in line] == [99_999.2, 99_999.8, 100_000.3, 100_000.9]
    assert [one.kind for one in found.breaks] == [BreakKind.ROLL_OVER]


def test_settling_what_was_settled_carries_nothing_twice():
    (line,) = settle(hourly(99_999.2, 99_999.8, 0.3, 0.9), FIVE_DIGITS).lines
    assert settle(line, FIVE_DIGITS).lines == (line,)


def test_a_fall_below_zero_shows_the_highest_values_and_is_taken_back():
    found = settle(hourly(0.3, 99_999.8, 0.1), FIVE_DIGITS)
    assert [float(point.total) for point in found.lines[0]] == [0.3, -0.2, 0.1]
    assert [one.kind for one in found.breaks] == [BreakKind.ROLL_BACK, BreakKind.ROLL_OVER]


def test_without_known_digits_a_corroborated_fall_to_zero_is_a_reset():
    old, new = [99_999.2, 99_999.4, 99_999.5, 99_999.8], [0.3, 0.9, 1.1, 1.2]
    found = settle(hourly(*old, *new), WATER)
    assert [values(line) for line in found.lines] == [old, new]
    assert [one.kind for one in found.breaks] == [BreakKind.RESET]


def test_a_line_after_a_reset_carries_nothing_of_the_roll_over_before_it():
    found = settle(hourly(99_999.6, 99_999.8, 0.3, 0.5, 0.7, 0.9, 500, 500.1, 500.2, 500.3), FIVE_DIGITS)
    assert [one.kind for one in found.breaks] == [BreakKind.ROLL_OVER, BreakKind.JUMP]
    assert [point.total for point in found.lines[1]] == [point.value for point in found.lines[1]]


def test_a_counter_of_sixteen_bits_rolls_over_at_its_own_value():
    litres_10 = Limits.of_pulses(litres_per_pulse=Decimal(10), bits=16)
    found = settle(hourly(655.30, 0.02, 0.04), litres_10)
    assert found.lines[0][-1].total - found.lines[0][0].total == Decimal("0.10")


def test_what_a_person_vouches_for_is_kept_against_many_readings():
    protocol = IndexPoint(BEGIN + 3 * HOUR, Decimal(5))
    found = settle([*hourly(10, 10.1, 10.2), protocol], WATER, certain=[protocol])
    assert found.lines[-1][-1] == protocol


# --- any series ------------------------------------------------------------------------------------

litres = st.one_of(st.integers(0, 30), st.integers(0, 6_000), st.sampled_from([99_600, 99_990, 99_999]))
small = Limits(Decimal(400), Decimal(1), Decimal(10), Decimal(100_000))


@st.composite
def any_points(draw, most=8):
    rows = draw(st.lists(st.tuples(st.integers(0, 12), litres), max_size=most))
    return [IndexPoint(BEGIN + n * HOUR / 2, Decimal(value)) for n, value in rows]


def price(points, kept):
    """The cost of believing these and no others, written down once more from the table."""
    total = 100 * (len(points) - len(kept))
    spacing = sorted(b.at - a.at for a, b in itertools.pairwise(points))
    middle = (
        (spacing[(len(spacing) - 1) // 2] + spacing[len(spacing) // 2]) / 2 if len(spacing) > 1 else HOUR * 0
    )
    for a, b in itertools.pairwise(kept):
        first, second = points[a], points[b]
        hours = Fraction((second.at - first.at) / HOUR)
        if hours == 0:
            return None
        rise, room = int(second.value - first.value), 400 * max(hours, 1)
        if first.value >= 90_000 and second.value <= 10_000 and abs(rise + 100_000) <= room:
            total += 50
        elif 0 <= rise <= room or -1 <= rise < 0:
            total += 0
        elif -400 <= rise < 0:
            near = [*range(max(a - 3, 0), a)], [*range(b + 1, min(b + 4, len(points)))]
            gone = any(0 <= second.value - points[k].value <= -rise // 5 for k in near[0])
            back = any(0 <= points[k].value - first.value <= -rise // 5 for k in near[1])
            hurried = second.at - first.at < middle / 2 and near[1] and points[b + 1].value >= first.value
            total += 340 if (rise <= -10 and (gone or back)) or hurried else 90
        elif second.value >= 90_000 and first.value <= 10_000 and abs(rise - 100_000) <= room:
            total += 50
        else:
            total += 350
    return total


@given(any_points())
@settings(max_examples=300, deadline=None)
def test_no_other_choice_of_readings_explains_the_series_at_less_cost(points):
    distinct = sorted(set(points))
    believed = cheapest(Track.of(distinct, small, ()))
    choices = itertools.chain.from_iterable(
        itertools.combinations(range(len(distinct)), size)
        for size in range(bool(distinct), len(distinct) + 1)
    )
    prices = [cost for kept in choices if (cost := price(distinct, kept)) is not None]
    assert price(distinct, believed) == min(prices, default=0)


@given(any_points(most=40), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_order_and_repetition_of_arrival_change_nothing_but_the_repeats(points, chance):
    again = points + chance.sample(points, len(points) // 2)
    chance.shuffle(again)
    first, second = settle(points, small), settle(again, small)
    assert (second.lines, second.breaks) == (first.lines, first.breaks)
    others = [one for one in first.set_aside if one.reason is not Reason.REPEATED]
    assert [one for one in second.set_aside if one.reason is not Reason.REPEATED] == others


@given(any_points(most=40))
@settings(max_examples=150, deadline=None)
def test_nothing_is_lost_every_reading_is_on_a_line_or_set_aside(points):
    found = settle(points, small)
    on_lines = [IndexPoint(point.at, point.value) for line in found.lines for point in line]
    assert sorted([*on_lines, *(one.point for one in found.set_aside)]) == sorted(points)
    assert all(a.at < b.at for line in found.lines for a, b in itertools.pairwise(line))


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_lone_wrong_values_of_any_size_leave_the_good_ones_untouched(seed):
    chance = random.Random(seed)
    good = hourly(*(itertools.accumulate(chance.choice([0, 0, 12, 80, 300]) for _ in range(60))))
    good = [IndexPoint(point.at, 500 + point.value.scaleb(-3)) for point in good]
    wrong = set(range(5, 55, 6))
    series = [
        IndexPoint(point.at, Decimal(chance.choice([0, 7, 5_000, 50_000, 10**9]))) if n in wrong else point
        for n, point in enumerate(good)
    ]
    for length in range(5, 61):
        (line,) = settle(series[:length], WATER).lines
        assert line == tuple(point for n, point in enumerate(good[:length]) if n not in wrong)


@given(st.lists(st.integers(0, 399), min_size=2, max_size=80), st.integers(0, 99_999))
@settings(max_examples=100, deadline=None)
def test_totals_follow_what_passed_over_any_number_of_roll_overs(rises, start):
    passed = list(itertools.accumulate(rises, initial=start))
    thousand = Limits(Decimal(400), Decimal(1), Decimal(10), Decimal(10_000))
    found = settle(hourly(*(one % 10_000 for one in passed)), thousand)
    (line,) = found.lines
    assert [int(point.total - line[0].total) for point in line] == [one - start for one in passed]


@given(st.lists(st.tuples(st.integers(1, 90), st.integers(-1, 6)), min_size=2, max_size=40), st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_series_that_came_in_order_is_sorted_out_as_one_that_did_not(steps, late):
    """The short way, for series that simply rise, says what the long way says of the same readings."""
    points, at, total = [], BEGIN, Decimal(100)
    for minutes, rise in steps:
        at, total = at + timedelta(minutes=minutes), total + rise
        arrived = at + timedelta(days=-2 if late and minutes == 90 else 1)
        points.append(IndexPoint(at, total, arrived=arrived))
    limits = Limits(Decimal(5), Decimal(0), Decimal(2))
    assert settle(points, limits) == settle(points[::-1], limits)
