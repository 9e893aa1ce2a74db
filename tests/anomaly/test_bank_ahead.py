"""One meter over a long time: the state of stretches is that of single ticks, to the last bit."""

from __future__ import annotations

from dataclasses import fields
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly import leak
from anomaly.bank import BankState, Tick, bins_of, step
from anomaly.bank_ahead import STRETCH, ahead
from anomaly.leak import LeakDetector
from anomaly.scan import scan

FLOWS = st.sampled_from([0.0, 0.0, 0.0, 1.0, 4.0, 13.0, 60.0, 450.0])
TICK = st.tuples(FLOWS, st.sampled_from([0, 1, 1, 1, 1, 1, 2]), st.sampled_from([1, 1, 1, 2, 9, 200]))


def ticks(rows):
    flow, kind, span = (np.array(column) for column in zip(*rows, strict=True))
    hour = np.arange(len(rows)) % 24
    return Tick(hour.astype(np.int8), bins_of(flow), kind.astype(np.int8), span.astype(np.uint8))


def one_by_one(state, all_ticks, first, last):
    for n in range(first, last):
        step(state, all_ticks.rows(slice(n, n + 1)))


def in_stretches(state, all_ticks):
    place, number = 0, len(all_ticks.hour)
    while place < number:
        moved = ahead(state, all_ticks.rows(slice(place, number)))
        place += moved
        if moved < STRETCH and place < number:
            one_by_one(state, all_ticks, place, place + 1)
            place += 1


def same(one, other):
    return [
        field.name
        for field in fields(one)
        if not np.array_equal(getattr(one, field.name), getattr(other, field.name))
    ]


@given(st.lists(TICK, min_size=1, max_size=400), st.sampled_from([1.0, 10.0]))
@settings(max_examples=60, deadline=None)
def test_stretches_come_to_the_same_state(rows, step_l):
    state, other = (BankState.fresh(1, np.array([step_l])) for _ in range(2))
    in_stretches(state, ticks(rows))
    one_by_one(other, ticks(rows), 0, len(rows))
    assert same(state, other) == []


def test_months_of_a_household_come_to_the_same_state(household):
    flow = household.litres(200, seed=9)
    flow[3000:3100] += 20
    rows = [(litres, 1, 1) for litres in flow]
    state, other = BankState.fresh(1), BankState.fresh(1)
    in_stretches(state, ticks(rows))
    one_by_one(other, ticks(rows), 0, len(rows))
    assert same(state, other) == []


@pytest.mark.parametrize("seed", range(2))
def test_findings_are_the_same_alone_and_among_many(household, seed, monkeypatch):
    litres = household.leaking(110, 15, 80 * 24 + seed, 20 * 24, seed)
    litres[60 * 24 : 60 * 24 + 9] += 500
    series = household.series(litres)
    alone = scan([series], ZoneInfo("UTC"), detectors=(LeakDetector(),))
    monkeypatch.setattr(leak, "FEW", 0)
    assert scan([series], ZoneInfo("UTC"), detectors=(LeakDetector(),)) == alone
    assert len(alone.findings) >= 2
