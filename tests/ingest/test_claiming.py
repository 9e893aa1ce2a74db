"""Counter states and decoded values that came before their registration are taken in when it comes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from ingest.adapters.mapping import FieldMap, FieldValue
from ingest.claiming import claim
from ingest.items import Delivery
from ingest.judge import Judge
from ingest.pipeline import Pipeline
from ingest.replay import Replay
from ingest.routes import Options, Route, Router
from ingest.rules import Foreign, Rules
from ingest.upkeep import Keeping, Upkeep, forget, forgettable
from metering.clock import FixedClock
from metering.device import ANY_GATEWAY, Device
from metering.meter import Meter, PulseInput

DAY = timedelta(days=1)
RULES = Rules()
TOTALS = (100, 107, 3, 9, 15)
"""A counter that began again after the second."""


@pytest.fixture
def wired(make):
    """Ten litres a pulse since a day before noon, from 100 pulses and 5 m3 on."""
    litres, index = Decimal(10), Decimal(5)
    return PulseInput("gw1", "1", make.meter(), litres, 100, index, make.NOON - DAY)


def pulses(make, totals=TOTALS):
    times = [make.NOON - timedelta(hours=len(totals) - n) for n in range(len(totals))]
    return [
        make.up({**make.item(b"\x00", n, at=at), "k": "pulse", "ch": "1", "total": total})
        for n, (total, at) in enumerate(zip(totals, times, strict=True))
    ]


def values(make, device="12345678", hours=(0, 1)):
    times = [(hour, make.NOON + timedelta(hours=hour)) for hour in hours]
    return [
        Delivery("f/gw1", f'{{"id": "{device}", "v": {7 + hour}500, "t": "{at:%FT%TZ}"}}'.encode(), at)
        for hour, at in times
    ]


def accept(store, deliveries, rules=RULES):
    fields = FieldMap(device="id", time="t", values=(FieldValue("v", "volume", "L"),))
    router = Router([Route("amr/1/+/up"), Route("f/+", "field_map", options=Options(fields=fields))])
    return [str(one.outcome) for one in Pipeline(store, router=router, rules=rules).accept(deliveries)]


def waiting(store) -> int:
    with store.reading() as view:
        return len(view.unclaimed.waiting(view.unclaimed.claims(None, 99), 0, 999))


def register(store, *, inputs=(), devices=(), meters=()):
    with store.writing() as transaction:
        if inputs:
            transaction.registry.put_pulse_inputs(inputs)
        if devices:
            transaction.devices.put(devices)
        if meters:
            transaction.registry.put_meters(meters)


def test_counter_states_healed_later_or_read_at_once_are_the_same(new_store, make, wired, see):
    """A counter that began again included; the account says how they ended when they came."""
    late, early = new_store(), new_store()
    register(early, inputs=[wired])
    assert accept(early, pulses(make)) == ["stored"] * 5
    assert accept(late, pulses(make)) == ["foreign"] * 5
    assert see.volumes(late, make.meter()) == []
    account = see.account(late)
    register(late, inputs=[wired])
    assert claim(late, RULES) == 5
    assert see.volumes(late, make.meter()) == see.volumes(early, make.meter())
    assert [str(value) for _, value in see.volumes(late, make.meter())] == [
        "5",
        "5.07",
        "5.07",
        "5.13",
        "5.19",
    ]
    assert see.account(late) == account
    assert waiting(late) == 0
    assert accept(late, pulses(make)) == ["duplicate"] * 5


def test_states_that_come_after_the_registration_go_on_from_those_that_waited(new_store, make, wired, see):
    store = new_store()
    first, *others = pulses(make)
    accept(store, [first])
    register(store, inputs=[wired])
    claim(store, RULES)
    assert accept(store, others) == ["stored"] * 4
    assert len(see.volumes(store, make.meter())) == 5


@pytest.mark.parametrize("name", ["12345678", "abc-12345678-01-07"])
def test_values_find_their_meter_by_device_or_identity(new_store, make, see, name):
    store = new_store(87654321)
    assert accept(store, values(make, name)) == ["foreign"] * 2
    if "-" in name:
        register(store, meters=[Meter(make.meter())])
    else:
        register(store, devices=[Device(ANY_GATEWAY, name, make.meter(), make.NOON - DAY)])
    assert claim(store, RULES) == 2
    assert [str(value) for _, value in see.volumes(store, make.meter())] == ["7.5", "8.5"]


def test_what_was_heard_before_the_registration_holds_goes_on_waiting(new_store, make, see):
    store = new_store()
    accept(store, values(make, hours=(0, 5)))
    register(store, devices=[Device("gw1", "12345678", make.meter(), make.NOON + timedelta(hours=2))])
    assert claim(store, RULES) == 1
    assert [str(value) for _, value in see.volumes(store, make.meter())] == ["12.5"]
    assert waiting(store) == 1
    register(store, devices=[Device("gw1", "12345678", make.meter(), make.NOON - DAY, make.NOON + DAY)])
    assert claim(store, RULES) == 1
    assert waiting(store) == 0


def test_it_is_looked_for_only_after_something_was_registered(new_store, make, wired):
    store = new_store()
    accept(store, pulses(make))
    assert claim(store, RULES) == 0
    with store.writing() as transaction:
        transaction.unclaimed.drop(range(99))
        asked = transaction.unclaimed.asked()
        assert transaction.upkeep.mark("claimed") == str(asked)
    register(store, inputs=[wired])
    with store.reading() as view:
        assert view.unclaimed.asked() == asked + 1


def test_an_interrupted_look_is_begun_again(new_store, make, wired):
    store = new_store()
    accept(store, pulses(make))
    register(store, inputs=[wired])
    assert claim(store, RULES, lambda: True) == 0
    assert claim(store, RULES) == 5


def test_ingest_does_it_beside_its_work(new_store, make, wired, see, clock):
    store = new_store()
    accept(store, pulses(make))
    register(store, inputs=[wired])
    Upkeep(store, Replay(store), Judge(), clock=clock).round()
    assert len(see.volumes(store, make.meter())) == 5


def test_what_nobody_registers_goes_after_its_days(new_store, make):
    store = new_store()
    accept(store, [*pulses(make), *values(make)])
    assert waiting(store) == 7
    forget(store, FixedClock(make.NOON + 6 * DAY), Keeping(foreign=7 * DAY))
    assert waiting(store) == 7
    clock = FixedClock(make.NOON + 8 * DAY)
    with store.reading() as view:
        would = forgettable(view, clock.now() - 7 * DAY)
    assert forget(store, clock, Keeping(foreign=7 * DAY)) == would == (0, 7)
    assert waiting(store) == 0


@pytest.mark.parametrize("policy", [Foreign.COUNT, Foreign.STORE])
def test_counted_means_nothing_is_kept(new_store, make, policy):
    """Nor is anything where all meters are read: there nothing of nobody would ever go."""
    store = new_store()
    assert accept(store, pulses(make), Rules(foreign=policy)) == ["foreign"] * 5
    assert waiting(store) == 0
