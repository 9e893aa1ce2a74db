"""A counter state becomes the index of the meter wired to that input."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest.pipeline import Pipeline
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


# --- counters that begin again, and states that come late -----------------------------------------


@pytest.fixture
def said(make, store, see):
    """Accept counter states ``(minute, total)`` one by one; how each ended."""
    with store.writing() as transaction:
        transaction.registry.put_pulse_inputs(
            [PulseInput("gw2", "1", make.meter(), Decimal(10), 0, Decimal(0), make.NOON)]
        )

    def accept(*states: tuple[int, int], **more) -> list[str]:
        ended = []
        for minute, total in states:
            at = make.NOON + timedelta(minutes=minute)
            item = {"k": "pulse", "ch": "1", "total": total, "ts": at.isoformat(), "ts_src": "ntp"}
            ended += see.outcomes(store, make.up(item, gateway="gw2", at=at, **more))
        return ended

    return accept


@pytest.fixture
def indices(make, store, see):
    """The index at each minute, in pulses."""
    return lambda: [
        (int((at - make.NOON).total_seconds()) // 60, int(value * 100))
        for at, value in see.volumes(store, make.meter())
    ]


def test_a_reset_is_neither_consumption_nor_backflow(said, indices):
    assert said((1, 100), (2, 105), (3, 3), (4, 8)) == ["stored"] * 4
    assert indices() == [(1, 100), (2, 105), (3, 105), (4, 110)]


def test_a_counter_that_forgot_its_last_pulses_goes_on_from_where_it_was(said, indices):
    """As after a power cut, when the device kept an older state."""
    assert said((1, 100), (2, 95), (3, 96)) == ["stored"] * 3
    assert indices() == [(1, 100), (2, 100), (3, 101)]


def test_a_late_state_that_fits_is_taken_wherever_the_resets_lie(said, indices):
    assert said((1, 100), (3, 104), (5, 2), (7, 9), (2, 103), (6, 5)) == ["stored"] * 6
    assert indices() == [(1, 100), (2, 103), (3, 104), (5, 104), (6, 107), (7, 111)]


@pytest.mark.parametrize(
    ("late", "since"),
    [((4, 105), 105), ((4, 104), 104), ((4, 2), 104), ((4, 1), 105)],
    ids=["had come further", "just as far", "reset earlier", "reset earlier, counted since"],
)
def test_a_late_state_next_to_a_reset_tells_more_of_it(said, indices, late, since):
    """What it shows to have been counted is added to all that came later, once."""
    said((1, 100), (3, 104), (5, 2), (7, 9))
    assert said(late) == ["stored"]
    told = max(104, late[1])
    assert indices() == [(1, 100), (3, 104), (4, told), (5, since), (7, since + 7)]
    assert said((8, 10)) == ["stored"]
    assert indices()[-1] == (8, since + 8)


@pytest.mark.parametrize("late", [(2, 99), (2, 105), (4, 8), (6, 0), (6, 99)])
def test_a_late_state_that_would_make_the_index_fall_is_refused(said, indices, late):
    said((1, 100), (3, 104), (5, 2), (7, 9))
    before = indices()
    assert said(late) == ["quarantined out_of_order"]
    assert indices() == before


def test_an_old_state_delivered_again_without_a_time_is_no_reset(make, store, see, said, indices):
    said((1, 100), (2, 105))
    again = {"k": "pulse", "ch": "1", "total": 100}
    at = make.NOON + timedelta(minutes=9)
    delivery = make.up(again, gateway="gw2", at=at, redelivered=True)
    assert see.outcomes(store, delivery) == ["quarantined out_of_order"]
    assert indices() == [(1, 100), (2, 105)]


def test_a_counter_that_keeps_falling_sends_differences_and_is_refused(said, indices):
    said((1, 9), (2, 7), (3, 5), (4, 3))
    assert said((5, 2), (6, 1)) == ["quarantined deltas"] * 2
    assert {index for _, index in indices()} == {9}
    assert said((6 + 24 * 60, 1)) == ["stored"]


def test_a_new_registration_forgets_the_resets_before_it(make, store, said, see):
    """Whoever wrote down the counter state knew of them."""
    said((1, 100), (2, 5))
    since = make.NOON + timedelta(minutes=3)
    with store.writing() as transaction:
        old = PulseInput("gw2", "1", make.meter(), Decimal(10), 0, Decimal(0), make.NOON, since)
        new = PulseInput("gw2", "1", make.meter(12345679), Decimal(10), 5, Decimal(0), since)
        transaction.registry.put_pulse_inputs([old, new])
    assert said((4, 7)) == ["stored"]
    assert [value for _, value in see.volumes(store, make.meter(12345679))] == [Decimal("0.02")]


def test_channels_of_one_device_are_apart(make, store, see):
    with store.writing() as transaction:
        transaction.registry.put_pulse_inputs(
            PulseInput("gw2", channel, make.meter(serial), Decimal(1), 0, Decimal(0), make.NOON)
            for channel, serial in (("1", 12345678), ("2", 12345679))
        )
    for total in (50, 60):
        items = [{"k": "pulse", "ch": "1", "total": total}, {"k": "pulse", "ch": "2", "total": total - 40}]
        at = make.NOON + timedelta(minutes=total)
        assert see.outcomes(store, make.up(*items, gateway="gw2", at=at)) == ["stored"] * 2
    assert [value for _, value in see.volumes(store, make.meter(12345679))] == [
        Decimal("0.01"),
        Decimal("0.02"),
    ]


@given(batches=st.lists(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 40)), max_size=5), max_size=6))
@example(batches=[[(2, 0)], [(2, 1)], [(1, 1)]])
@example(batches=[[(10, 9)], [(3, 7), (5, 6)]])
@example(batches=[[(1, 2), (2, 1), (3, 0)], [(2, 0)], [(3, 0)]])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_counters_say_in_whatever_order_the_index_never_falls(new_store, make, see, batches):
    """And never rises by more than was counted."""
    store = new_store()
    with store.writing() as transaction:
        transaction.registry.put_pulse_inputs(
            [PulseInput("gw2", "1", make.meter(), Decimal(1000), 0, Decimal(0), make.NOON)]
        )
    for batch in batches:
        items = [
            {
                "k": "pulse",
                "ch": "1",
                "total": total,
                "ts": (make.NOON + timedelta(minutes=minute)).isoformat(),
                "ts_src": "ntp",
            }
            for minute, total in batch
        ]
        see.outcomes(store, make.up(*items, gateway="gw2", at=make.NOON + timedelta(minutes=31)))
    index = [value for _, value in see.volumes(store, make.meter())]
    assert index == sorted(index)
    assert not index or index[-1] - index[0] <= sum(total for batch in batches for _, total in batch)


@pytest.mark.usefixtures("said")
def test_without_a_clock_two_states_that_changed_places_are_no_reset(make, store, see, indices):
    """Two workers, each with its own time of arrival; the next state goes on as if nothing had happened."""
    seconds = {0: 100, 60: 110, 61: 105, 90: 111}
    ended = []
    for second, total in seconds.items():
        at = make.NOON + timedelta(seconds=second)
        item = {"k": "pulse", "ch": "1", "total": total}
        ended += see.outcomes(store, make.up(item, gateway="gw2", at=at))
    assert ended == ["stored", "stored", "quarantined out_of_order", "stored"]
    assert [index for _, index in indices()] == [100, 110, 111]


@pytest.mark.usefixtures("said")
def test_without_a_clock_a_reset_is_seen_all_the_same(make, store, see, indices):
    for second, total in {0: 100, 60: 110, 70: 1, 100: 3}.items():
        at = make.NOON + timedelta(seconds=second)
        see.outcomes(store, make.up({"k": "pulse", "ch": "1", "total": total}, gateway="gw2", at=at))
    assert [index for _, index in indices()] == [100, 110, 110]


@given(
    segments=st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=5), min_size=1, max_size=3),
    seed=st.integers(0, 1 << 32),
)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_messages_that_change_places_between_workers_give_the_same_index(
    new_store, make, see, segments, seed
):
    """A counter that begins again twice at most; neighbours swapped at will, each taken in by another.

    It counts enough between two states that each reset is one, whatever comes first.
    """
    states, total = [], 1000
    for segment in segments:
        for pulses in segment:
            total += pulses
            states.append(total)
            total += 100
        total = 0
    dice, order = random.Random(seed), list(enumerate(states))
    for place in range(0, len(order) - 1, 2):
        if dice.random() < 0.5:
            order[place : place + 2] = reversed(order[place : place + 2])
    if order[0][0]:  # the first of all has nothing before it to be compared with
        order.sort()
    found = []
    for taken in (list(enumerate(states)), order):
        store = new_store()
        with store.writing() as transaction:
            transaction.registry.put_pulse_inputs(
                [PulseInput("gw2", "1", make.meter(), Decimal(1000), 0, Decimal(0), make.NOON)]
            )
        crew = [Pipeline(store), Pipeline(store)]
        for minute, counted in taken:
            at = make.NOON + timedelta(minutes=minute)
            item = {"k": "pulse", "ch": "1", "total": counted, "ts": at.isoformat(), "ts_src": "ntp"}
            (ended,) = crew[minute % 2].accept([make.up(item, gateway="gw2", at=at)])
            assert ended.outcome == "stored"
        found.append(see.volumes(store, make.meter()))
        store.close()
    assert found[0] == found[1]
