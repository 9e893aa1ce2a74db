"""The leak bank: its state, its evidence and its independence of how meters are put together."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from anomaly.bank import HIGHEST, SCORE_UNIT, BankState, Tick, bins_of, step
from anomaly.hours import CEILING, KNOWN, UNKNOWN
from anomaly.levels import BINS, CHANNELS, EDGES, LEVEL_LPH, LEVELS, NOTIFY_AT
from anomaly.priors import USE_SPREAD, ZERO_HOURS


def tick(flow, hour=3, kind=KNOWN, span=1):
    flow = np.atleast_1d(np.asarray(flow, np.float32))
    shape = flow.shape
    return Tick(
        np.full(shape, hour, np.int8),
        bins_of(flow),
        np.full(shape, kind, np.int8),
        np.full(shape, span, np.uint8),
    )


def nights(flow, hours=10):
    state = BankState.fresh(1)
    for _ in range(hours):
        step(state, tick(flow))
    return state


def test_a_meter_has_at_most_160_bytes_of_state():
    assert BankState.fresh(1000).bytes_per_meter <= 160


def test_tables_fit_each_other():
    assert len(NOTIFY_AT) == len(CHANNELS)
    assert len(EDGES) == BINS == LEVELS + 1
    assert (np.diff(LEVEL_LPH) > 0).all()
    assert all(len(row) == BINS and sum(row) == pytest.approx(1, abs=0.01) for row in USE_SPREAD)
    assert all(len(row) == 24 and 0 < min(row) <= max(row) < 1 for row in ZERO_HOURS)


@pytest.mark.parametrize("rate", [1, 5, 25, 100, 400])
def test_a_steady_flow_at_night_raises_the_level_it_lies_in_and_none_above(rate):
    score = nights(rate).score[0, :LEVELS]
    best = int(score.argmax())
    assert EDGES[best] <= rate < (EDGES[best + 2] if best + 2 < BINS else np.inf)
    assert not score[EDGES[:LEVELS] > rate].any()


def test_hours_without_use_take_evidence_away():
    state = nights(5)
    before = state.score[0].copy()
    high = before > 0
    step(state, tick(0))
    assert (state.score[0, high] < before[high]).all()


def test_an_unknown_hour_changes_no_score_and_teaches_nothing():
    state = nights(5)
    before = {field.name: getattr(state, field.name).copy() for field in fields(state)}
    step(state, tick(400, kind=UNKNOWN))
    for name in set(before) - {"age"}:
        assert (getattr(state, name) == before[name]).all(), name


def test_a_low_mean_over_a_gap_clears_the_levels_above_it_and_raises_none():
    state = nights(25)
    step(state, tick(3, kind=CEILING, span=6))
    fresh = nights(25)
    assert (state.score <= fresh.score).all()
    assert state.score.max() < fresh.score.max()


def test_nothing_is_learned_while_a_score_is_on_its_way():
    state = nights(5, hours=12)
    learned = state.hours[0]
    assert 0 < learned < 12
    step(state, tick(5))
    assert state.hours[0] == learned


def test_a_household_that_is_always_quiet_at_night_needs_fewer_nights():
    quiet, lively = BankState.fresh(1), BankState.fresh(1)
    for day in range(60):
        step(quiet, tick(0))
        step(lively, tick(5 if day % 2 else 0))
    for _ in range(4):
        step(quiet, tick(5))
        step(lively, tick(5))
    assert quiet.score.max() > 2 * lively.score.max()


def test_meters_do_not_touch_each_other():
    """A fleet larger than a chunk gives every meter the scores it has alone."""
    rng = np.random.default_rng(5)
    flows = rng.choice([0, 0, 3, 5, 40, 400], (30, 9000)).astype(np.float32)
    together = BankState.fresh(9000)
    for n, row in enumerate(flows):
        step(together, tick(row, hour=n % 24))
    for meter in (0, 8191, 8192, 8999):
        alone = BankState.fresh(1)
        for n, row in enumerate(flows[:, meter]):
            step(alone, tick(row, hour=n % 24))
        assert (alone.score[0] == together.score[meter]).all()
        assert (alone.spread[0] == together.spread[meter]).all()


def test_a_flow_that_never_stops_keeps_its_score_at_the_cap():
    assert (np.iinfo(BankState.fresh(1).score.dtype).max >= HIGHEST * NOTIFY_AT * SCORE_UNIT).all()
    state = nights(3, hours=200)
    level = int(state.ratio_of([0])[0].argmax())
    for _ in range(50):
        step(state, tick(3))
        assert state.ratio_of([0])[0, level] == pytest.approx(HIGHEST[level], abs=0.01)


def test_a_year_of_hours_overflows_nothing():
    state = BankState.fresh(4, np.array([1.0, 10.0, 100.0, np.nan]))
    rng = np.random.default_rng(6)
    for n in range(8760):
        step(state, tick(rng.choice([0.0, 1.0, 9.0, 80.0, 5000.0], 4), hour=n % 24))
    assert (state.score >= 0).all()
    assert (state.spread.sum(axis=1, dtype=np.int64) > 30_000).all()
    assert (state.hours > 0).all()
