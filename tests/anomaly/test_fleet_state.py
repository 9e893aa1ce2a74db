"""State of a fleet: rebuilt from readings it is what ticking came to; kept, it knows what made it."""

from __future__ import annotations

from dataclasses import fields
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from anomaly import fleet_state
from anomaly.bank import Tick, bins_of
from anomaly.batch import Batch
from anomaly.fleet_state import VERSION, FleetState, StateRefused

ZONE = ZoneInfo("Europe/Warsaw")


@pytest.fixture(scope="module")
def batch(household):
    fleet = [household.series(household.litres(20 + seed, seed), f"M{seed}") for seed in range(5)]
    fleet.append(household.series(household.leaking(30, 20, 25 * 24, 5 * 24), "leak"))
    return Batch.of(fleet, ZONE)


def same(one, other):
    names = [field.name for field in fields(one.bank)]
    columns = all(np.array_equal(getattr(one.bank, name), getattr(other.bank, name)) for name in names)
    return columns and np.array_equal(one.until, other.until) and tuple(one.meters) == tuple(other.meters)


def test_a_row_has_at_most_160_bytes():
    assert FleetState.fresh([f"M{n}" for n in range(1000)]).bytes_per_meter <= 160


def test_going_on_from_a_kept_state_is_reading_everything_again(batch):
    grid, bins = batch.grid, bins_of(batch.grid.flow, batch.step_l)
    half = len(grid.flow) // 2
    state = FleetState.fresh([meter.facts.meter for meter in batch.meters], batch.step_l)
    for n in range(len(grid.flow)):
        if n == half:
            state = FleetState.from_bytes(state.to_bytes())
        state.tick(Tick(grid.hour[n], bins[n], grid.kind[n], grid.span[n]), grid.known_at[n])
    assert same(state, FleetState.rebuilt(batch))


def test_it_says_up_to_when_each_meter_is_known(batch):
    state = FleetState.rebuilt(batch)
    last = [int(meter.known_at[-1]) // 3600 for meter in batch.meters]
    assert state.until.tolist() == last


def test_a_suspicious_meter_is_told_by_the_tick(batch):
    state = FleetState.rebuilt(batch)
    quiet = np.zeros(len(batch.meters), np.int8)
    leak = np.where(np.array(state.meters) == "leak", 20.0, 0.0)
    tick = Tick(quiet + 3, bins_of(leak), quiet + 1, (quiet + 1).astype(np.uint8))
    assert np.array(state.meters)[state.tick(tick, np.zeros(len(leak), np.int64))].tolist() == ["leak"]


def test_a_state_of_other_rules_is_refused(batch, monkeypatch):
    kept = FleetState.rebuilt(batch).to_bytes()
    monkeypatch.setattr(fleet_state, "VERSION", "99-00000000")
    with pytest.raises(StateRefused, match=f"of version {VERSION}, not 99-00000000"):
        FleetState.from_bytes(kept)


@pytest.mark.parametrize("damage", [b"", b"not a state", None])
def test_a_damaged_state_is_refused_in_a_sentence(batch, damage):
    kept = FleetState.rebuilt(batch).to_bytes()
    with pytest.raises(StateRefused, match="rebuild it"):
        FleetState.from_bytes(kept[: len(kept) // 2] if damage is None else damage)


def test_a_fleet_of_nobody_can_be_kept():
    assert len(FleetState.from_bytes(FleetState.fresh([]).to_bytes()).meters) == 0
