"""Counters that go forward, stand still, go back, go round."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders import decode
from decoders.build import build
from decoders.counter import CounterWatch, Movement, Step
from metering.meter import MeterId

METER = MeterId("ELS", "12345678", "33", "03")
NEIGHBOUR = MeterId("ELS", "12345679", "33", "03")
KEY = bytes(range(16))


def heard(counter: int):
    return decode(build(METER, b"", mode=7, key=KEY, counter=counter), lambda _: (KEY,))


def accessed(number: int, meter: MeterId = METER):
    return decode(build(meter, b"", access=number))


@pytest.mark.parametrize(
    ("before", "now", "movement", "missed"),
    [
        (10, 11, Movement.FORWARD, 0),
        (10, 15, Movement.FORWARD, 4),
        (10, 10, Movement.SAME, 0),
        (10, 9, Movement.BACK, 0),
        (0xFFFFFFFF, 0, Movement.BACK, 0),
    ],
)
def test_a_message_counter_never_goes_round(before, now, movement, missed):
    watch = CounterWatch()
    watch.see(heard(before))
    found = watch.see(heard(now))
    assert found == Step("message", movement, before, now)
    assert found.missed == missed


@pytest.mark.parametrize(
    ("before", "now", "movement", "missed"),
    [
        (255, 0, Movement.FORWARD, 0),
        (250, 2, Movement.FORWARD, 7),
        (0, 127, Movement.FORWARD, 126),
        (0, 128, Movement.BACK, 0),
        (3, 2, Movement.BACK, 0),
        (3, 3, Movement.SAME, 0),
    ],
)
def test_an_access_number_goes_round(before, now, movement, missed):
    watch = CounterWatch()
    watch.see(accessed(before))
    found = watch.see(accessed(now))
    assert found == Step("access", movement, before, now)
    assert found.missed == missed


def test_a_replayed_telegram_does_not_move_the_mark():
    watch = CounterWatch()
    moves = [watch.see(heard(number)).movement for number in (100, 50, 51, 101)]
    assert moves == [Movement.FIRST, Movement.BACK, Movement.BACK, Movement.FORWARD]


def test_each_meter_has_its_own_numbers():
    watch = CounterWatch()
    watch.see(accessed(200))
    assert watch.see(accessed(3, NEIGHBOUR)).movement is Movement.FIRST


def test_a_telegram_without_numbers_tells_nothing():
    telegram = replace(accessed(1), access=None)
    assert CounterWatch().see(telegram) is None


def test_the_meter_not_heard_longest_is_forgotten():
    watch = CounterWatch(limit=1)
    watch.see(accessed(1))
    watch.see(accessed(1, NEIGHBOUR))
    assert watch.see(accessed(2)).movement is Movement.FIRST


@given(st.lists(st.integers(0, 255), min_size=2, max_size=20))
def test_whatever_the_order_every_number_is_placed(numbers):
    watch = CounterWatch()
    found = [watch.see(accessed(number)) for number in numbers]
    assert [one.now for one in found] == numbers
    assert [one.movement for one in found].count(Movement.FIRST) == 1
