"""Gatekeeping: what is on a meter's line, and what is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.gate import MICRO_L, DoubtKind, gate, steepest_lph
from anomaly.series import MeterFacts, Series

START = 1_700_000_000
HOUR = 3600


def series(index, at=None, **facts):
    times = START + np.arange(len(index)) * HOUR if at is None else at
    return Series.arrived(MeterFacts("M", **facts), times, index)


def kinds(gated):
    return [doubt.kind for doubt in gated.doubts]


def test_a_clean_series_passes_unchanged():
    gated = gate(series([10, 20, 20, 35]))
    assert gated.index.tolist() == [10, 20, 20, 35]
    assert not gated.doubts
    assert not gated.broken.any()


@pytest.mark.parametrize("wrong", [1e7, 12.0, 0.0])
def test_one_wrong_reading_is_dropped_whether_high_or_low(wrong):
    gated = gate(series([5000, 5010, wrong, 5030, 5040, 5050]))
    assert gated.index.tolist() == [5000, 5010, 5030, 5040, 5050]
    assert kinds(gated) == [DoubtKind.DECODE_ERROR]


def test_another_meters_index_read_every_second_time_leaves_the_line_as_it_was():
    own, other = 5000 + np.arange(12) * 10.0, 253_000.0
    index = own.copy()
    index[[3, 5, 7, 9]] = other
    gated = gate(series(index))
    assert gated.index.tolist() == np.delete(own, [3, 5, 7, 9]).tolist()
    assert kinds(gated) == [DoubtKind.DECODE_ERROR] * 4


def test_a_wrong_high_value_within_the_physical_bound_is_taken_back_when_the_next_falls():
    gated = gate(series([5000, 5010, 8010, 5030, 5040, 5050]))
    assert gated.index.tolist() == [5000, 5010, 5030, 5040, 5050]
    assert kinds(gated) == [DoubtKind.DECODE_ERROR]


def test_a_wrong_first_reading_is_outlived():
    gated = gate(series([900_000, 5010, 5020, 5030, 5040]))
    assert gated.index[1:].tolist() == [5010, 5020, 5030, 5040]
    assert gated.broken.tolist() == [False, True, False, False, False]
    assert gated.known_at[1] == START + 3 * HOUR, "a new line is known with its third reading"


def test_a_new_meter_begins_a_new_line_after_three_readings():
    gated = gate(series([5000, 5010, 3, 13, 23, 33]))
    assert gated.index.tolist() == [5000, 5010, 3, 13, 23, 33]
    assert gated.broken.tolist() == [False, False, True, False, False, False]
    assert kinds(gated) == [DoubtKind.FALL]


def test_what_follows_a_fall_too_shortly_is_held():
    gated = gate(series([5000, 5010, 3, 13]))
    assert gated.index.tolist() == [5000, 5010]
    assert set(kinds(gated)) == {DoubtKind.HELD}


def test_a_register_that_rolls_over_goes_on():
    gated = gate(series([99_980, 99_995, 12, 30], digits=5))
    assert np.diff(gated.index).tolist() == [15, 17, 18]
    assert kinds(gated) == [DoubtKind.ROLL_OVER]


def test_a_roll_over_is_seen_without_knowing_the_digits():
    assert kinds(gate(series([9_999_980, 9_999_995, 12, 30]))) == [DoubtKind.ROLL_OVER]


@pytest.mark.parametrize("factor", [1000, 100, 10, 0.1, 0.01, 0.001])
def test_a_change_of_unit_is_told_and_undone(factor):
    clean = 5_000_000.0 + np.cumsum([0, 10, 20, 0, 3000, 40, 0, 10, 30, 10, 20.0])
    changed = clean.copy()
    changed[4:] *= factor
    gated = gate(series(changed))
    assert gated.index == pytest.approx(clean)
    assert kinds(gated) == [DoubtKind.JUMP if factor > 1 else DoubtKind.FALL]
    assert gated.doubts[0].index == pytest.approx(clean[4] * factor)
    assert gated.broken.sum() == 1


def test_a_few_litres_back_are_not_a_new_line():
    gated = gate(series([5000, 5010, 5010 - MICRO_L, 5010, 5020]))
    assert kinds(gated) == [DoubtKind.MICRO_FALL]
    assert len(gated) == 5


def test_an_older_reading_with_a_newer_time_is_out_of_order():
    at = START + np.array([0, HOUR, HOUR + 600, 2 * HOUR])
    assert kinds(gate(series([5000, 5010, 5005, 5020], at))) == [DoubtKind.OUT_OF_ORDER]


def test_the_lowest_of_several_indices_at_one_moment_counts():
    at = START + np.array([0, HOUR, HOUR, HOUR, 2 * HOUR])
    gated = gate(series([5000, 5010, 5400, 5010, 5020], at))
    assert gated.index.tolist() == [5000, 5010, 5020]
    assert sorted(kinds(gated)) == [DoubtKind.CONFLICT, DoubtKind.DUPLICATE]


@pytest.mark.parametrize(
    ("index", "kind"),
    [
        (float("nan"), DoubtKind.NOT_A_NUMBER),
        (float("inf"), DoubtKind.NOT_A_NUMBER),
        (-1.0, DoubtKind.NOT_A_NUMBER),
        (2.0**53, DoubtKind.NOT_A_NUMBER),
    ],
)
def test_what_is_no_index_is_refused(index, kind):
    gated = gate(series([5000, index, 5020]))
    assert gated.index.tolist() == [5000, 5020]
    assert kinds(gated) == [kind]


def test_times_before_2000_and_after_the_clock_are_refused():
    at = np.array([86_400, START, START + HOUR, START + 10 * HOUR])
    gated = gate(series([1, 2, 3, 4], at), now=START + HOUR)
    assert gated.index.tolist() == [2, 3]
    assert kinds(gated) == [DoubtKind.IMPOSSIBLE_TIME, DoubtKind.FUTURE]


def test_a_late_reading_is_known_when_it_arrived_and_not_before():
    at = START + np.array([0, 3, 1, 2, 4]) * HOUR
    gated = gate(series([0, 30, 10, 20, 40], at))
    assert gated.index.tolist() == [0, 10, 20, 30, 40]
    assert ((gated.known_at - START) // HOUR).tolist() == [0, 3, 3, 3, 4]


def test_the_physical_bound_is_the_overload_flow_of_the_meter():
    assert steepest_lph(MeterFacts("M", q3_m3h=2.5)) == pytest.approx(3125)


rises = st.lists(st.integers(0, 300), min_size=8, max_size=60)


@settings(max_examples=150, deadline=None)
@given(rises, st.data())
def test_wrong_readings_among_good_ones_never_change_the_line(steps, data):
    """Any single readings far above the line, with a good one on each side, are dropped and nothing else."""
    clean = 100_000.0 + np.cumsum([0, *steps])
    spoiled = clean.copy()
    candidates = range(1, len(clean) - 1, 2)
    where = sorted(data.draw(st.sets(st.sampled_from(candidates), max_size=4)))
    spoiled[where] += data.draw(st.integers(10_000, 10**9))
    gated = gate(series(spoiled))
    assert gated.index.tolist() == np.delete(clean, where).tolist()
    assert not gated.broken.any()


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(-(2**40), 2**40),
            st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.floats(0, 1e6)),
        ),
        max_size=60,
    )
)
def test_no_readings_whatsoever_break_the_gate(rows):
    """Kept and doubted readings are all there is; the line never falls unless a new one is told."""
    given_series = series([row[1] for row in rows], np.array([row[0] for row in rows], np.int64))
    gated = gate(given_series)
    new_lines = {DoubtKind.FALL, DoubtKind.JUMP, DoubtKind.MICRO_FALL, DoubtKind.ROLL_OVER}
    off = sum(doubt.readings for doubt in gated.doubts if doubt.kind not in new_lines)
    assert len(gated) + off == len(rows)
    assert (np.diff(gated.at) > 0).all()
    assert (np.diff(gated.known_at) >= 0).all()
    assert (np.diff(gated.index)[~gated.broken[1:]] >= 0).all()
