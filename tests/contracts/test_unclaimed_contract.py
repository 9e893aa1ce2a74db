"""What every store promises of uplinks without a meter."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from metering.meter import Meter
from metering.reading import Function, Register
from metering.unclaimed import Claim, UnclaimedKind
from metering.uplink import MeterValue, PulseUplink, ValueUplink

PULSE, VALUES = UnclaimedKind.PULSE, UnclaimedKind.VALUES


@pytest.fixture
def uplinks(make):
    there = datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=1)))
    local = there.replace(tzinfo=None)
    register = Register("volume_flow", Function.MAXIMUM, 1, 2, 3, ("backward",), 4)
    values = (
        MeterValue(Register("volume"), Decimal("7.70"), "m3"),
        MeterValue(register, Decimal("-0.000000000001"), "m3/h", local),
        MeterValue(Register("energy"), Decimal("9" * 40), "Wh", there),
    )
    history = replace(make.reception("roof", 5, 7), history=True, redelivered=True)
    return [
        PulseUplink(make.reception("roof", 0, 1), "1", 2**60, Decimal("2.5")),
        PulseUplink(make.reception("cellar", 1), "1", 0),
        ValueUplink(history, "70B3D5-Ä", values),
        ValueUplink(make.reception("roof", 9), "long", values * 500),  # longer than any index takes
    ]


def test_uplinks_come_back_as_they_were_each_once(store, uplinks):
    for _ in range(2):
        with store.writing() as tx:
            tx.unclaimed.keep([*uplinks, *uplinks])
    with store.reading() as tx:
        claims = tx.unclaimed.claims(None, 9)
        assert [one.uplink for one in tx.unclaimed.waiting(claims, 0, 99)] == uplinks
        assert set(claims) == {
            Claim(PULSE, "roof", "1"),
            Claim(PULSE, "cellar", "1"),
            Claim(VALUES, "roof", "70b3d5-ä"),
            Claim(VALUES, "roof", "long"),
        }


def test_names_and_uplinks_come_in_pages(store, uplinks):
    with store.writing() as tx:
        tx.unclaimed.keep(uplinks)
    with store.reading() as tx:
        claims = tx.unclaimed.claims(None, 9)
        assert claims == sorted(claims)
        assert [tx.unclaimed.claims(before, 1) for before in claims] == [[one] for one in claims[1:]] + [[]]
        first, second = tx.unclaimed.waiting(claims, 0, 2)
        rest = tx.unclaimed.waiting(claims, second.id, 9)
        assert [one.uplink for one in (first, second, *rest)] == uplinks
        assert [one.uplink for one in tx.unclaimed.waiting([Claim(PULSE, "roof", "1")], 0, 9)] == uplinks[:1]


def test_what_has_its_meter_and_what_is_too_old_goes(store, uplinks, make):
    with store.writing() as tx:
        tx.unclaimed.keep(uplinks)
        first, *_ = tx.unclaimed.waiting(tx.unclaimed.claims(None, 9), 0, 9)
        tx.unclaimed.drop([first.id])
        assert tx.unclaimed.forget(make.at(5), 9) == 1
        assert tx.unclaimed.forget(make.at(99), 1) == 1
        left = tx.unclaimed.waiting(tx.unclaimed.claims(None, 9), 0, 9)
    assert [one.uplink for one in left] == uplinks[3:]


def test_every_registration_asks_to_look_again(store, make):
    with store.writing() as tx:
        before = tx.unclaimed.asked()
        tx.registry.put_meters([Meter(make.meter)])
        tx.registry.put_pulse_inputs([])
        tx.devices.put([])
        assert tx.unclaimed.asked() == before + 3


def test_a_name_no_database_can_hold_is_kept_all_the_same(store, make):
    with store.writing() as tx:
        tx.unclaimed.keep([PulseUplink(make.reception(), "a\0\ud800", 1)])
        [claim] = tx.unclaimed.claims(None, 9)
        assert len(tx.unclaimed.waiting([claim], 0, 9)) == 1


def test_what_would_go_is_counted_first(store, uplinks, make):
    with store.writing() as tx:
        tx.unclaimed.keep(uplinks)
        later = make.at(5)
        would = tx.unclaimed.count(later)
        assert tx.unclaimed.forget(later, 99) == would == 2
        assert tx.unclaimed.count(later) == 0
