"""A counter state becomes the index of the meter wired to that input."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from metering.meter import PulseInput


@pytest.fixture
def pulse(make, store):
    with store.writing() as transaction:
        transaction.registry.put_pulse_inputs(
            [
                PulseInput(
                    "gw1",
                    "1",
                    make.meter(),
                    Decimal(10),
                    100,
                    Decimal("50.5"),
                    make.NOON - timedelta(days=9),
                    make.NOON,
                ),
                PulseInput("gw1", "1", make.meter(12345679), Decimal("2.5"), 0, Decimal(0), make.NOON),
            ]
        )

    def one(total: int, seq: int = 1, **fields):
        return {**make.item(b"\x00", seq), "k": "pulse", "ch": "1", "total": total, **fields}

    return one


def test_a_pulse_count_becomes_the_exact_index_of_the_meter_wired_then(store, make, pulse, see):
    before = pulse(123, 1, ts="2026-03-01T12:00:00Z", pulse_l="10")
    assert see.outcomes(store, make.up(before, pulse(7, 2))) == ["stored", "stored"]
    [(_, old)], [(when, new)] = see.volumes(store, make.meter()), see.volumes(store, make.meter(12345679))
    assert (old, new, when) == (Decimal("50.73"), Decimal("0.0175"), make.NOON)


def test_a_pulse_count_is_a_duplicate_by_its_number(store, make, pulse, see):
    assert see.outcomes(store, make.up(pulse(7)), make.up(pulse(7))) == ["stored", "duplicate"]
    assert see.outcomes(store, make.up(pulse(8))) == ["duplicate"]


@pytest.mark.parametrize("where", [{"ch": "2"}, {"ts": "2026-02-01T00:00:00Z"}])
def test_a_pulse_nobody_registered_is_foreign_and_its_number_remembered(store, make, pulse, where, see):
    assert see.outcomes(store, make.up(pulse(7, **where))) == ["foreign"]
    assert see.outcomes(store, make.up(pulse(7, **where))) == ["duplicate"]


def test_a_counter_below_its_start_was_reset(store, make, pulse, see):
    item = pulse(99, ts="2026-03-01T12:00:00Z")
    assert see.outcomes(store, make.up(item)) == ["quarantined counter_reset"]
    assert "99" in see.quarantined(store)[0].sentence


def test_a_pulse_weight_the_registry_contradicts_is_quarantined(store, make, pulse, see):
    assert see.outcomes(store, make.up(pulse(7, pulse_l="2.50"))) == ["stored"]
    assert see.outcomes(store, make.up(pulse(8, 2, pulse_l="25"))) == ["quarantined pulse_weight_differs"]
