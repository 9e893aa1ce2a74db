"""Every frame of the simulated town decodes to the dial it was made of."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import Telegram, decode
from decoders.errors import SecurityError
from metering.reading import Register
from service.demo.telegrams import Transmitter, pulse_total
from service.demo.town import ZONE, House, Kind, Story, Town

NOW = datetime(2026, 4, 10, 15, 20, tzinfo=UTC)
TOWN = Town.build(5, NOW)
RADIO = [house for house in TOWN.on_air if house.model.kind is not Kind.PULSE]


def heard(house: House, moment: datetime) -> Telegram:
    return decode(Transmitter(house, 5).frame(moment), lambda _meter: [house.key])


def value(telegram: Telegram, register: str):
    return next(r.value for r in telegram.records if r.register.key == register)


def m3(litres: int) -> Decimal:
    return Decimal(litres).scaleb(-3)


def first(kind: Kind) -> House:
    return next(house for house in RADIO if house.model.kind is kind)


@settings(max_examples=300, deadline=None)
@given(house=st.sampled_from(RADIO), minutes=st.integers(0, 30 * 1440))
def test_a_frame_says_the_index_of_its_dial(house: House, minutes: int):
    moment = NOW - timedelta(minutes=minutes)
    telegram = heard(house, moment)
    assert telegram.meter == house.meter
    assert telegram.faults == ()
    assert telegram.security.encrypted
    assert telegram.security.verified
    assert value(telegram, "volume") == m3(house.dial.litres(moment))


@pytest.mark.parametrize("kind", [Kind.TARGET, Kind.FLOW, Kind.AUTHENTICATED])
def test_flow_is_the_dials_and_negative_through_a_reversed_meter(kind: Kind):
    house = TOWN.telling(Story.REVERSED) if kind is Kind.FLOW else first(kind)
    flowing = next(
        moment
        for moment in (NOW - timedelta(minutes=number) for number in range(10_000))
        if house.dial.flow_l_h(moment)
    )
    flow = value(heard(house, flowing), "volume_flow")
    assert flow == m3(house.dial.flow_l_h(flowing))
    assert (flow < 0) == (house.story is Story.REVERSED)


def test_the_due_date_is_the_first_of_the_month_with_the_index_of_its_local_midnight():
    house = first(Kind.TARGET)
    telegram = heard(house, NOW)
    midnight = datetime(2026, 4, 1, tzinfo=ZONE)
    assert value(telegram, "date/s1") == date(2026, 4, 1)
    assert value(telegram, "volume/s1") == m3(house.dial.litres(midnight))


def test_twelve_month_end_indices_never_rise_into_the_past():
    house = first(Kind.MONTHS)
    telegram = heard(house, NOW)
    months = [value(telegram, f"volume/s{storage}") for storage in range(8, 20)]
    assert months == sorted(months, reverse=True)
    assert months[-1] >= 0
    assert months[0] == m3(house.dial.litres(datetime(2026, 4, 1, tzinfo=ZONE)))
    assert value(telegram, "fabrication_number") == house.meter.serial


def test_security_is_that_of_the_kind():
    assert heard(first(Kind.TARGET), NOW).security.mode == 5
    assert heard(first(Kind.LINK), NOW).security.link == 1
    authenticated = heard(first(Kind.AUTHENTICATED), NOW).security
    assert (authenticated.mode, authenticated.authenticated) == (7, True)


def test_the_registered_key_of_the_wrong_key_story_does_not_fit():
    house = TOWN.telling(Story.WRONG_KEY)
    with pytest.raises(SecurityError) as refused:
        decode(Transmitter(house, 5).frame(NOW), lambda _meter: [house.registered_key])
    assert refused.value.code == "wrong_key"


def test_access_numbers_count_so_that_no_two_telegrams_are_equal():
    for kind in {house.model.kind for house in RADIO}:
        transmitter = Transmitter(first(kind), 5)
        frames = [transmitter.frame(NOW) for _ in range(200)]
        assert len(set(frames)) == len(frames)


def test_every_radio_kind_speaks_standard_registers():
    for house in RADIO[:60]:
        for record in heard(house, NOW).records:
            assert Register.parse(record.register.key) == record.register
            assert record.quantity != "reserved"


def test_pulses_count_tens_of_litres_from_zero():
    for house in (h for h in TOWN.houses if h.model.kind is Kind.PULSE):
        assert pulse_total(house, TOWN.began) == 0
        assert house.pulse_input.index_m3(pulse_total(house, NOW)) == m3(house.dial.litres(NOW) // 10 * 10)
