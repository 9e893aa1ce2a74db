"""One steady flow against flows of the same size."""

from __future__ import annotations

import numpy as np
import pytest

from anomaly.steadiness import FLOOR_FROM, LEAST, MOST, steadiness, steady_flow, usual_flow


def test_the_same_flow_hour_after_hour_is_strong_evidence():
    assert steadiness(np.full(8, 27.0), 18, 41, 1.0) == MOST


def test_use_on_top_takes_little_away():
    flows = np.array([27.0, 27, 28, 27, 55, 90, 27, 26, 33])
    assert steadiness(flows, 18, 41, 1.0) > 4


def test_flows_that_fill_the_band_speak_against_it():
    assert steadiness(np.geomspace(62, 137, 12), 61.5, 138, 1.0) < -4


def test_a_floor_below_all_use_is_steady_though_most_hours_lie_above_it():
    """25 L/h through a whole day: seven of seventeen hours come down to it, none lies below."""
    flows = np.array([24.0, 25, 25, 31, 37, 38, 31, 25, 29, 34, 33, 36, 33, 28, 25, 25, 25])
    assert steadiness(flows, 18.2, 41, 1.0) >= FLOOR_FROM


def test_changing_use_has_no_floor():
    flows = np.array([21.0, 24, 28, 31, 37, 38, 31, 27, 29, 34, 33, 36, 33, 28, 36, 26, 23])
    assert steadiness(flows, 18.2, 41, 1.0) < 0


def test_a_first_hour_in_which_it_ran_only_in_part_does_not_hide_a_floor():
    flows = np.array([19.0, 25, 25, 25, 25, 30, 34, 25, 39])
    assert steadiness(flows, 18.2, 41, 1.0) > FLOOR_FROM


@pytest.mark.parametrize("flows", [[], [27.0], [0.0, 0.0], [500.0]])
def test_fewer_than_two_flows_in_the_band_say_nothing(flows):
    assert steadiness(np.array(flows), 18, 41, 1.0) == 0


def test_a_band_no_wider_than_the_register_can_tell_says_nothing():
    assert steadiness(np.array([1.0, 1.0, 2.0, 1.0]), 0.5, 2.5, 1.0) == 0


def test_it_stays_within_its_bounds_for_any_flows():
    rng = np.random.default_rng(4)
    for _ in range(300):
        nats = steadiness(rng.gamma(1, 60, rng.integers(0, 96)), 41, 92.3, 1.0)
        assert LEAST <= nats <= MOST
    assert LEAST <= steadiness(np.full(5, 2e6), 701, np.inf, 1.0) <= MOST


def test_the_flow_of_a_leak_is_what_runs_under_all_use():
    assert steady_flow(np.array([122.0, 131, 126, 100, 101, 137, 0, 400]), 92, 208, 1.0) == pytest.approx(
        100.5
    )
    assert steady_flow(np.array([2.0, 3, 3, 2, 3]), 1.5, 3.6, 1.0) == pytest.approx(2.6)
    assert steady_flow(np.array([0.0]), 1.5, 3.6, 1.0) is None


def test_the_flow_of_a_toilet_is_what_most_hours_agree_on():
    assert usual_flow(np.array([21.0, 30, 30, 31, 25, 30, 0]), 18, 41, 1.0) == pytest.approx(30.25)
    assert usual_flow(np.array([0.0]), 18, 41, 1.0) is None
